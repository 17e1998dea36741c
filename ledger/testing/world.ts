import { asEntryWords, EntryBuilder, eventCount, unitInitSubBatch } from '../entry.ts';
import {
  EXPIRE_ITEM_WORDS,
  HISTORY_ROW_WORDS,
  OPEN_ROW_WORDS,
  OpenRowWord,
  RECORD_WORDS,
  SLOT_COUNT,
  TransferRowWord,
} from '../layout.ts';
import { Machine } from '../machine.ts';
import type { Results } from '../results.ts';
import { slotOf } from '../slot.ts';
import { FeedCheck } from './feed-check.ts';
import { MemoryBooks, rowsOf } from './memory-books.ts';
import { type Command, Oracle, type OracleResult } from './oracle.ts';
import { waiting } from './oracle-expiry.ts';
import { packCommand } from './pack-command.ts';
import {
  type AccountFields,
  getWords,
  idWords,
  packAccounts,
  putWords,
  type TransferFields,
  unpackAccount,
  unpackTransfer,
} from './records.ts';
import { same, sameWords, shown } from './same.ts';
import { unpackResults } from './unpack-results.ts';

export const UNITS = [1, 2, 3] as const;
/** Its low word is about to overflow. */
const FIRST_TIMESTAMP = (400_000_000n << 32n) - 20n;
export const LAST_TIMESTAMP = 2n ** 63n - 1n;

/** Slots dealt out to the units in turn. */
export function dealtSlots(units: number): Uint16Array {
  return Uint16Array.from({ length: SLOT_COUNT }, (_, slot) => 1 + (slot % units));
}

export function unitOfAccount(id: bigint, units: number = UNITS.length): number {
  return 1 + (slotOf(idWords(id), 0) % units);
}

/** The n-th small account id that the unit owns, from 0. */
export function accountIn(unit: number, n: number): bigint {
  let left = n;
  for (let id = 1n; ; id += 1n) {
    if (unitOfAccount(id) !== unit) continue;
    if (left === 0) return id;
    left -= 1;
  }
}

export interface OpenCrossing {
  readonly farUnit: number;
  readonly sequence: bigint;
  readonly wantsBalances: boolean;
  readonly record: TransferFields;
}

export interface UnitOptions {
  /** Among how many units the slots are dealt. */
  readonly units?: number;
  readonly firstTimestamp?: bigint;
}

/**
 * One unit under test: the oracle, a machine that keeps everything in memory, and one that folds into
 * books, forgets, looks up and restarts. Each entry goes to all three, and they must agree.
 */
export class UnitUnderTest {
  readonly unit: number;
  readonly oracle: Oracle;
  readonly plain: Machine;
  forgetful: Machine;
  readonly books: MemoryBooks;
  readonly #units: number;
  readonly #residentMax: number;
  /** Payloads by index - 1; null for an empty entry. */
  readonly #log: (Uint32Array | null)[] = [];
  readonly #rows: FeedCheck;
  readonly #folds: FeedCheck;
  readonly #packed = new WeakMap<AccountFields, Uint32Array>();
  #now: bigint;
  #foldUnderWay: number | null = null;

  constructor(unit: number, residentMax: number, options: UnitOptions = {}) {
    const { units = UNITS.length, firstTimestamp = FIRST_TIMESTAMP } = options;
    this.unit = unit;
    this.#units = units;
    this.#now = firstTimestamp;
    this.oracle = new Oracle(unit, (account) => unitOfAccount(account, units));
    this.#rows = new FeedCheck(this.oracle.ledger);
    this.#folds = new FeedCheck(this.oracle.ledger);
    this.books = new MemoryBooks(unit);
    this.#residentMax = residentMax;
    this.plain = this.#load(new MemoryBooks(unit), 1_000_000, 1);
    this.forgetful = this.#load(this.books, residentMax, 2);
  }

  /** Timestamp of the next entry's first event. */
  get now(): bigint {
    return this.#now;
  }

  advanceTo(time: bigint): void {
    if (time < this.#now) throw new Error(`time goes back from ${this.#now} to ${time}`);
    this.#now = time;
  }

  initialise(): void {
    this.#commit([unitInitSubBatch(this.unit, dealtSlots(this.#units))]);
  }

  /** Applies the commands as one entry and returns the oracle's results, which the machines' equal. */
  apply(...commands: Command[]): OracleResult[] {
    const first = this.#now;
    const { results, payload } = this.#commit(commands.map(packCommand));
    const all: OracleResult[] = [];
    commands.forEach((command, i) => {
      const expected = this.oracle.apply(command, first + BigInt(all.length));
      this.#checkResults(command, unpackResults(results, i), expected);
      all.push(...expected);
    });
    same(eventCount(payload), all.length, 'events of the entry');
    if (all.length > 0) same(this.plain.lastTimestamp, this.#now - 1n, 'last timestamp');
    this.#checkAgainstOracle();
    return all;
  }

  /** Statuses of an entry that the oracle knows nothing of. */
  bare(command: Command): number[] {
    const { results } = this.#commit([packCommand(command)]);
    return unpackResults(results, 0).map(({ status }) => status);
  }

  skip(): void {
    this.#log.push(null);
    const index = this.#log.length;
    this.plain.skip(index, 1);
    this.forgetful.skip(index, 1);
  }

  /** The forgetful machine gives the books what is new; they hold it at once, or when told later. */
  fold(at: 'once' | 'later' = 'once'): void {
    this.#holdFold();
    const fold = this.forgetful.takeFold();
    if (fold === null) return;
    const expected = this.#folds.takeExpected();
    sameWords(fold.transfers, expected.transfers, 'rows of the fold');
    sameWords(fold.pendings, expected.pendings, 'pendings of the fold');
    sameWords(fold.requested, expected.requested, 'requested amounts of the fold');
    same(sorted(rowsOf(fold.history, HISTORY_ROW_WORDS)), sorted(expected.history), 'history');
    this.#folds.checkBalances(fold.transfers);
    this.books.commit(fold);
    this.#foldUnderWay = fold.throughIndex;
    if (at === 'once') this.#holdFold();
  }

  /** A new process: load the books, then replay the log from there. */
  restart(): void {
    this.#foldUnderWay = null;
    this.forgetful = this.#load(this.books, this.#residentMax, 3);
    for (let index = this.books.index + 1; index <= this.#log.length; index += 1) {
      const payload = this.#log[index - 1]!;
      if (payload === null) this.forgetful.skip(index, 1);
      else this.#applyForgetful(index, payload);
    }
    this.#checkSame();
    this.#checkForgetful();
  }

  /** A machine that applies the whole log from its start, and ends where the others are. */
  replay(): void {
    const fresh = this.#load(new MemoryBooks(this.unit), 1_000_000, 4);
    this.#log.forEach((payload, i) => {
      if (payload === null) fresh.skip(i + 1, 1);
      else {
        fresh.unsettled(payload);
        fresh.apply(i + 1, 1, payload, [], []);
      }
    });
    same(fresh.digest, this.plain.digest, 'digest after replay');
  }

  openCrossings(): OpenCrossing[] {
    const words = this.plain.openCrossings();
    sameWords(this.forgetful.openCrossings(), words, 'open crossings');
    return rowsOf(words, OPEN_ROW_WORDS).map((row) => ({
      farUnit: row[OpenRowWord.farUnit]!,
      sequence: getWords(row, OpenRowWord.sequence, 2),
      wantsBalances: row[OpenRowWord.wantsBalances] === 1,
      record: unpackTransfer(row, OpenRowWord.record),
    }));
  }

  finishedThrough(farUnit: number): bigint {
    const finished = this.plain.finishedThrough(farUnit);
    same(this.forgetful.finishedThrough(farUnit), finished, 'finished sequences');
    return getWords(Uint32Array.from(finished), 0, 2);
  }

  /** The plain machine's accounts, clearing accounts too. */
  accounts(): AccountFields[] {
    const words = new Uint32Array(RECORD_WORDS);
    return Array.from({ length: this.plain.accountCount }, (_, handle) => {
      this.plain.readAccount(handle, words, 0);
      return unpackAccount(words, 0);
    });
  }

  account(id: bigint): AccountFields | null {
    return this.accounts().find((account) => account.id === id) ?? null;
  }

  /** Reads that no entry needs: what is known of these ids, of what is due, and of unfolded rows. */
  checkReads(ids: readonly bigint[]): void {
    for (const id of ids) this.#checkTransfer(id);
    const now = this.#now;
    const due = waiting(this.oracle.ledger).filter(({ deadline }) => deadline <= now);
    for (const max of [1, 3, 100]) {
      const items = new Uint32Array(Math.min(max, due.length) * EXPIRE_ITEM_WORDS);
      due.slice(0, max).forEach(({ timestamp }, i) => {
        putWords(items, i * EXPIRE_ITEM_WORDS, 2, timestamp);
      });
      for (const machine of [this.plain, this.forgetful]) {
        sameWords(machine.dueTimeouts(now, max), items, 'what is due');
      }
    }
    const unfolded = this.forgetful.unfoldedRows(0n, LAST_TIMESTAMP, false, 1_000_000);
    const all = this.plain.unfoldedRows(0n, LAST_TIMESTAMP, false, 1_000_000);
    same(unfolded, unfolded.length === 0 ? [] : all.slice(-unfolded.length), 'unfolded rows');
    const reversed = this.plain.unfoldedRows(0n, LAST_TIMESTAMP, true, 3);
    same(reversed, all.slice(-3).toReversed(), 'newest unfolded rows');
  }

  #checkResults(
    command: Command,
    actual: readonly OracleResult[],
    expected: readonly OracleResult[],
  ): void {
    expected.forEach((result, i) => {
      const event = 'events' in command ? command.events[i] : command;
      const what = () => `result ${i} of ${command.kind}, ${shown(event)}`;
      same(actual[i], result, what);
    });
    same(actual.length, expected.length, 'count of results');
  }

  #checkTransfer(id: bigint): void {
    const { ledger } = this.oracle;
    const known = this.plain.findResidentTransfer(idWords(id), 0);
    const transfer = ledger.transfers.get(id);
    if (transfer === undefined) {
      const word = ledger.burnt.has(id) ? 'burnt' : ledger.isOpen(id) ? 'open' : null;
      same(known, word, `what is known of ${id}`);
    } else {
      same(unpackTransfer(known as Uint32Array, 0), transfer, `transfer ${id}`);
      const row = (known as Uint32Array).slice();
      same(row[TransferRowWord.pendingState], this.#stateOf(id), `state of ${id}`);
    }
    const [held] = this.books.lookUp(idWords(id)) as [Uint32Array | 'burnt' | null];
    if (held instanceof Uint32Array) {
      same(this.forgetful.pendingStateOf(held), this.#stateOf(id), `state of ${id} in the books`);
    }
    const resident = this.forgetful.findResidentTransfer(idWords(id), 0);
    if (resident !== null) same(resident, known, `what the forgetful machine knows of ${id}`);
  }

  #stateOf(id: bigint): number {
    const state = this.oracle.ledger.pendings.get(id)?.state;
    return state === undefined ? 0 : { pending: 1, posted: 2, voided: 3, expired: 4 }[state];
  }

  #commit(subBatches: readonly Uint32Array[]): { results: Results; payload: Uint32Array } {
    const builder = new EntryBuilder();
    for (const subBatch of subBatches) builder.add(subBatch);
    const payload = asEntryWords(builder.finish(this.#now));
    this.#now += BigInt(eventCount(payload));
    this.#log.push(payload);
    const index = this.#log.length;
    const { ids, timestamps } = this.plain.unsettled(payload);
    same(ids.length + timestamps.length, 0, 'look-ups of a machine that forgets nothing');
    const results = this.plain.apply(index, 1, payload, [], []);
    const forgetful = this.#applyForgetful(index, payload);
    const end = results.subBatches.reduce((sum, { count, stride }) => sum + count * stride, 0);
    sameWords(
      forgetful.words.subarray(0, end),
      results.words.subarray(0, end),
      'results of the forgetful machine',
    );
    same(forgetful.subBatches, results.subBatches, 'sub-batches of results');
    this.#checkSame();
    return { results, payload };
  }

  #applyForgetful(index: number, payload: Uint32Array): Results {
    const { forgetful, books } = this;
    if (forgetful.wantsIds) forgetful.takeIds(books.idsAfter(forgetful.idsFilledTo, 5));
    const { ids, timestamps } = this.forgetful.unsettled(payload);
    const found = this.books.lookUp(ids);
    return this.forgetful.apply(index, 1, payload, found, this.books.rowsAt(timestamps));
  }

  #holdFold(): void {
    if (this.#foldUnderWay !== null) this.forgetful.folded(this.#foldUnderWay);
    this.#foldUnderWay = null;
  }

  #load(books: MemoryBooks, residentTransfersMax: number, hashSeed: number): Machine {
    // Small, so that it is made, filled and left full within a run.
    const idFilter = { bytesMax: 256, windowIds: 20 };
    const options = { unit: this.unit, residentTransfersMax, idFilter, hashSeed };
    return Machine.load(options, books.image());
  }

  #checkSame(): void {
    same(this.forgetful.digest, this.plain.digest, 'digest');
    same(this.forgetful.index, this.plain.index, 'index');
    same(this.forgetful.lastTimestamp, this.plain.lastTimestamp, 'last timestamp');
  }

  #checkAgainstOracle(): void {
    this.#checkMachine(this.plain);
    this.#checkForgetful();
    const { ledger } = this.oracle;
    const open = this.openCrossings().sort((a, b) =>
      a.record.timestamp < b.record.timestamp ? -1 : 1,
    );
    same(open, ledger.open, 'open crossings');
    const from = ledger.events[this.#rows.done]?.timestamp;
    const { transfers } = this.#rows.takeExpected();
    const rows =
      from === undefined ? [] : this.plain.unfoldedRows(from, LAST_TIMESTAMP, false, 1e6);
    const words = new Uint32Array(transfers.length);
    rows.forEach((row, i) => {
      words.set(row, i * row.length);
      words[i * row.length + TransferRowWord.pendingState] = 0;
    });
    sameWords(words, transfers, 'new rows');
  }

  #checkForgetful(): void {
    this.#checkMachine(this.forgetful);
  }

  #checkMachine(machine: Machine): void {
    const { ledger } = this.oracle;
    same(machine.accountCount, ledger.accounts.size, 'count of accounts');
    const words = new Uint32Array(RECORD_WORDS);
    let handle = 0;
    for (const account of ledger.accounts.values()) {
      machine.readAccount(handle, words, 0);
      sameWords(words, this.#packedAccount(account), `account ${account.id}`);
      handle += 1;
    }
    const next = waiting(ledger)[0]?.deadline ?? null;
    same(machine.nextDeadline, next, 'next deadline');
    same(machine.lastRowTimestamp, ledger.lastEventTime, 'last row timestamp');
  }

  /** The oracle replaces an account when it changes, so what was packed once stays good. */
  #packedAccount(account: AccountFields): Uint32Array {
    let words = this.#packed.get(account);
    if (words === undefined) {
      words = packAccounts([account]);
      this.#packed.set(account, words);
    }
    return words;
  }
}

function sorted(rows: readonly Uint32Array[]): string[] {
  return rows.map((row) => row.join()).sort();
}

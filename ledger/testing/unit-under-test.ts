import { asEntryWords, EntryBuilder, eventCount, unitInitSubBatch } from '../entry.ts';
import {
  HISTORY_ROW_WORDS,
  OPEN_ROW_WORDS,
  OpenRowWord,
  RECORD_WORDS,
  TransferRowWord,
} from '../layout.ts';
import { Machine } from '../machine.ts';
import type { Results } from '../results.ts';
import { FeedCheck } from './feed-check.ts';
import { MemoryBooks, rowsOf } from './memory-books.ts';
import { type Command, Oracle, type OracleResult } from './oracle.ts';
import { packCommand } from './pack-command.ts';
import { checkDue, checkHistory, checkTransfer, checkUnfolded } from './read-checks.ts';
import {
  type AccountFields,
  getWords,
  type TransferFields,
  unpackAccount,
  unpackTransfer,
} from './records.ts';
import { same, sameWords, shown } from './same.ts';
import { dealtSlots, UNITS, unitOfAccount } from './slots.ts';
import { StateCheck } from './state-check.ts';
import { unpackResults } from './unpack-results.ts';

/** Its low word is about to overflow. */
const FIRST_TIMESTAMP = (400_000_000n << 32n) - 20n;
const LAST_TIMESTAMP = 2n ** 63n - 1n;

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
  readonly #accounts: StateCheck;
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
    this.#accounts = new StateCheck(this.oracle.ledger);
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
    sameWords(fold.burnt, expected.burnt, 'burnt ids of the fold');
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
    this.#accounts.check(this.forgetful);
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
  checkReads(ids: readonly bigint[], accounts: readonly bigint[]): void {
    const { plain, forgetful, books } = this;
    for (const id of ids) checkTransfer(this.oracle.ledger, plain, forgetful, books, id);
    for (const id of accounts) checkHistory(this.oracle.ledger, plain, forgetful, id);
    checkUnfolded(this.oracle.ledger, plain, forgetful);
    for (const machine of [plain, forgetful]) checkDue(this.oracle.ledger, machine, this.#now);
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
    this.#accounts.check(this.plain);
    this.#accounts.check(this.forgetful);
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
}

function sorted(rows: readonly Uint32Array[]): string[] {
  return rows.map((row) => row.join()).sort();
}

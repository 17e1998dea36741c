import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import {
  asEntryWords,
  completeSubBatch,
  createAccountsSubBatch,
  createTransfersSubBatch,
  decideSubBatch,
  EntryBuilder,
  eventCount,
  unitInitSubBatch,
} from '../entry.ts';
import {
  BALANCES_WORDS,
  OPEN_ROW_WORDS,
  OpenRowWord,
  RECORD_WORDS,
  RESULT_WITH_BALANCES_WORDS,
  RESULT_WORDS,
  ResultFlag,
  ResultWord,
  SLOT_COUNT,
  SubBatchFlag,
} from '../layout.ts';
import { Machine } from '../machine.ts';
import type { Results } from '../results.ts';
import { slotOf } from '../slot.ts';
import { MemoryBooks } from './memory-books.ts';
import { type Balances, type Command, Oracle, type OracleResult } from './oracle.ts';
import {
  type AccountFields,
  getWords,
  idWords,
  packAccounts,
  packTransfers,
  type TransferFields,
  unpackAccount,
  unpackTransfer,
} from './records.ts';

export const UNITS = [1, 2, 3] as const;
/** Its low word is about to overflow. */
const FIRST_TIMESTAMP = (400_000_000n << 32n) - 20n;

/** Slots dealt out to the units in turn. */
export function dealtSlots(units: number): Uint16Array {
  return Uint16Array.from({ length: SLOT_COUNT }, (_, slot) => 1 + (slot % units));
}

export function unitOfAccount(id: bigint): number {
  return 1 + (slotOf(idWords(id), 0) % UNITS.length);
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

interface LogEntry {
  readonly payload: Uint32Array | null;
}

export interface OpenCrossing {
  readonly farUnit: number;
  readonly sequence: bigint;
  readonly wantsBalances: boolean;
  readonly record: TransferFields;
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
  readonly #residentMax: number;
  readonly #log: LogEntry[] = [];
  #timestamp = FIRST_TIMESTAMP;
  #foldUnderWay: number | null = null;

  constructor(unit: number, residentMax: number) {
    this.unit = unit;
    this.oracle = new Oracle(unit, unitOfAccount);
    this.books = new MemoryBooks(unit);
    this.#residentMax = residentMax;
    this.plain = this.#load(new MemoryBooks(unit), 1_000_000, 1);
    this.forgetful = this.#load(this.books, residentMax, 2);
  }

  initialise(): void {
    this.#commit([unitInitSubBatch(this.unit, dealtSlots(UNITS.length))]);
  }

  /** Applies the commands as one entry and returns the oracle's results, which the machines' equal. */
  apply(...commands: Command[]): OracleResult[] {
    const first = this.#timestamp;
    const { results, payload } = this.#commit(commands.map(pack));
    const all: OracleResult[] = [];
    commands.forEach((command, i) => {
      const expected = this.oracle.apply(command, first + BigInt(all.length));
      same(unpackResults(results, i), expected);
      all.push(...expected);
    });
    expect(eventCount(payload)).toBe(all.length);
    expect(this.plain.lastTimestamp).toBe(first + BigInt(all.length) - 1n);
    this.#checkBalances();
    return all;
  }

  /** Statuses of an entry that the oracle knows nothing of. */
  bare(command: Command): number[] {
    const { results } = this.#commit([pack(command)]);
    return unpackResults(results, 0).map(({ status }) => status);
  }

  skip(): void {
    this.#log.push({ payload: null });
    const index = this.#log.length;
    this.plain.skip(index, 1);
    this.forgetful.skip(index, 1);
  }

  /** The forgetful machine gives the books what is new; they hold it at once, or when told later. */
  fold(at: 'once' | 'later'): void {
    this.#holdFold();
    const fold = this.forgetful.takeFold();
    if (fold === null) return;
    this.books.commit(fold);
    this.#foldUnderWay = fold.throughIndex;
    if (at === 'once') this.#holdFold();
  }

  /** A new process: load the books, then replay the log from there. */
  restart(): void {
    this.#foldUnderWay = null;
    this.forgetful = this.#load(this.books, this.#residentMax, 3);
    for (let index = this.books.index + 1; index <= this.#log.length; index += 1) {
      const { payload } = this.#log[index - 1]!;
      if (payload === null) this.forgetful.skip(index, 1);
      else this.#applyForgetful(index, payload);
    }
    this.#checkSame();
  }

  openCrossings(): OpenCrossing[] {
    const words = this.plain.openCrossings();
    same(this.forgetful.openCrossings(), words);
    const count = words.length / OPEN_ROW_WORDS;
    return Array.from({ length: count }, (_, i) => {
      const row = words.subarray(i * OPEN_ROW_WORDS, (i + 1) * OPEN_ROW_WORDS);
      return {
        farUnit: row[OpenRowWord.farUnit]!,
        sequence: getWords(row, OpenRowWord.sequence, 2),
        wantsBalances: row[OpenRowWord.wantsBalances] === 1,
        record: unpackTransfer(row, OpenRowWord.record),
      };
    });
  }

  finishedThrough(farUnit: number): bigint {
    const finished = this.plain.finishedThrough(farUnit);
    same(this.forgetful.finishedThrough(farUnit), finished);
    return getWords(Uint32Array.from(finished), 0, 2);
  }

  /** The plain machine's accounts, clearing accounts too. */
  accounts(): AccountFields[] {
    const words = accountWords(this.plain);
    return Array.from({ length: this.plain.accountCount }, (_, i) =>
      unpackAccount(words, i * RECORD_WORDS),
    );
  }

  account(id: bigint): AccountFields | null {
    return this.accounts().find((account) => account.id === id) ?? null;
  }

  #commit(subBatches: readonly Uint32Array[]): { results: Results; payload: Uint32Array } {
    const builder = new EntryBuilder();
    for (const subBatch of subBatches) builder.add(subBatch);
    const payload = asEntryWords(builder.finish(this.#timestamp));
    this.#timestamp += BigInt(eventCount(payload));
    this.#log.push({ payload });
    const index = this.#log.length;
    expect(this.plain.unsettled(payload).count).toBe(0);
    const results = this.plain.apply(index, 1, payload, []);
    const forgetful = this.#applyForgetful(index, payload);
    const end = results.subBatches.reduce((sum, { count, stride }) => sum + count * stride, 0);
    same(forgetful.words.slice(0, end), results.words.slice(0, end));
    same(forgetful.subBatches, results.subBatches);
    this.#checkSame();
    return { results, payload };
  }

  #applyForgetful(index: number, payload: Uint32Array): Results {
    const unsettled = this.forgetful.unsettled(payload);
    return this.forgetful.apply(index, 1, payload, this.books.lookUp(unsettled.ids));
  }

  #holdFold(): void {
    if (this.#foldUnderWay !== null) this.forgetful.folded(this.#foldUnderWay);
    this.#foldUnderWay = null;
  }

  #load(books: MemoryBooks, residentTransfersMax: number, hashSeed: number): Machine {
    return Machine.load({ unit: this.unit, residentTransfersMax, hashSeed }, books.image());
  }

  #checkSame(): void {
    expect(this.forgetful.digest).toBe(this.plain.digest);
    expect(this.forgetful.index).toBe(this.plain.index);
    expect(this.forgetful.lastTimestamp).toBe(this.plain.lastTimestamp);
    same(accountWords(this.forgetful), accountWords(this.plain));
  }

  #checkBalances(): void {
    same(this.accounts(), [...this.oracle.accounts.values()]);
    const opened = this.openCrossings().sort((a, b) =>
      a.record.timestamp < b.record.timestamp ? -1 : 1,
    );
    same(opened, this.oracle.open);
  }
}

function accountWords(machine: Machine): Uint32Array {
  const words = new Uint32Array(machine.accountCount * RECORD_WORDS);
  for (let handle = 0; handle < machine.accountCount; handle += 1) {
    machine.readAccount(handle, words, handle * RECORD_WORDS);
  }
  return words;
}

function pack(command: Command): Uint32Array {
  const flags = command.balances ? SubBatchFlag.balances : 0;
  switch (command.kind) {
    case 'accounts':
      return createAccountsSubBatch(packAccounts(command.events), command.events.length, flags);
    case 'transfers':
      return createTransfersSubBatch(packTransfers(command.events), command.events.length, flags);
    case 'decide': {
      const items = command.items.map(({ sequence, record }) => ({
        ...sequenceWords(sequence),
        record: packTransfers([record]),
      }));
      const { sequenceLo, sequenceHi } = sequenceWords(command.finished);
      return decideSubBatch(command.homeUnit, sequenceLo, sequenceHi, items, flags);
    }
    case 'complete': {
      const items = command.items.map(({ sequence, status }) => ({
        ...sequenceWords(sequence),
        status,
      }));
      return completeSubBatch(command.farUnit, items, flags);
    }
  }
}

function sequenceWords(sequence: bigint): { sequenceLo: number; sequenceHi: number } {
  return { sequenceLo: Number(sequence & 0xffff_ffffn), sequenceHi: Number(sequence >> 32n) };
}

function unpackResults({ words, subBatches }: Results, subBatch: number): OracleResult[] {
  const { offset, count, stride } = subBatches[subBatch]!;
  return Array.from({ length: count }, (_, i) => {
    const at = offset + i * stride;
    const flags = words[at + ResultWord.flags]!;
    const wide = stride === RESULT_WITH_BALANCES_WORDS;
    const debitAt = at + RESULT_WORDS;
    return {
      status: words[at + ResultWord.status]!,
      timestamp: getWords(words, at + ResultWord.timestamp, 2),
      unit: words[at + ResultWord.unit]!,
      sequence: getWords(words, at + ResultWord.sequence, 2),
      debit: wide && flags & ResultFlag.debitBalances ? balancesAt(words, debitAt) : null,
      credit:
        wide && flags & ResultFlag.creditBalances
          ? balancesAt(words, debitAt + BALANCES_WORDS)
          : null,
    };
  });
}

function balancesAt(words: Uint32Array, at: number): Balances {
  const column = (n: number) => getWords(words, at + n * 4, 4);
  return [column(0), column(1), column(2), column(3)];
}

/** `expect` takes long to find out that all is well. */
function same(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

import {
  AccountFlag,
  AccountRowWord,
  AccountWord,
  BALANCES_WORDS,
  HISTORY_EVERY,
} from '../../../ledger/layout.ts';
import { sameId, u64At } from '../../core/books-row.ts';
import { differ } from './verify-difference.ts';
import { firstUnequal, idText, u128At } from './verify-words.ts';

/** What is worked out of each account from its rows. A column is one of its four balances, by its word. */
const STATE_WORDS = 26;
const Word = {
  id: 0,
  /** BALANCES_WORDS, in the order of the account's record. */
  balances: 4,
  latest: 20,
  count: 22,
  historyCount: 23,
  flags: 24,
  closing: 25,
} as const;

const TABLE = 'account_row';
const Closing = { unknown: 0, closed: 1, open: 2 } as const;
const NAMES = ['debits_pending', 'debits_posted', 'credits_pending', 'credits_posted'] as const;

/** Word offsets of the columns within BALANCES_WORDS. */
export const Column = {
  debitsPending: 0,
  debitsPosted: 4,
  creditsPending: 8,
  creditsPosted: 12,
} as const;

/** All accounts of the unit by handle, in typed arrays: 112 bytes each. */
export class VerifiedAccounts {
  readonly #states: Uint32Array;
  /** Handle + 1 of the account in the cell, by the hash of its id; at most half full. */
  readonly #cells: Uint32Array;
  #count = 0;

  constructor(countMax: number) {
    this.#states = new Uint32Array(countMax * STATE_WORDS);
    this.#cells = new Uint32Array(2 ** Math.ceil(Math.log2(countMax * 2 + 2)));
  }

  get count(): number {
    return this.#count;
  }

  /** The next account, by its row. Balances start at zero. */
  add(rows: Uint32Array, at: number): void {
    const handle = this.#count;
    const state = handle * STATE_WORDS;
    const cell = this.#cellOf(rows, at);
    if (this.#cells[cell] !== 0) {
      differ(TABLE, `row ${handle + 1} id`, 'an id of its own', idText(rows, at));
    }
    this.#cells[cell] = handle + 1;
    this.#states.set(rows.subarray(at, at + 4), state + Word.id);
    this.#states[state + Word.flags] = rows[at + AccountWord.codeAndFlags]! >>> 16;
    this.#count += 1;
  }

  /** Handle of the account, or -1. */
  find(words: Uint32Array, at: number): number {
    return this.#cells[this.#cellOf(words, at)]! - 1;
  }

  name(handle: number): string {
    return `row ${handle + 1} (account ${idText(this.#states, handle * STATE_WORDS)})`;
  }

  /** Adds to a column, or takes from it if `sign` is -1. False if that can't be. */
  post(handle: number, column: number, sign: 1 | -1, words: Uint32Array, at: number): boolean {
    const from = handle * STATE_WORDS + Word.balances + column;
    let carry = 0;
    for (let word = 0; word < 4; word++) {
      const sum = this.#states[from + word]! + sign * words[at + word]! + carry;
      carry = Math.floor(sum / 2 ** 32);
      this.#states[from + word] = sum - carry * 2 ** 32;
    }
    return carry === 0;
  }

  setClosed(handle: number, closed: boolean): void {
    const state = closed ? Closing.closed : Closing.open;
    this.#states[handle * STATE_WORDS + Word.closing] = state;
  }

  latest(handle: number): bigint {
    return u64At(this.#states, handle * STATE_WORDS + Word.latest);
  }

  latestIs(handle: number, timestampLo: number, timestampHi: number): boolean {
    const at = handle * STATE_WORDS + Word.latest;
    return this.#states[at] === timestampLo && this.#states[at + 1] === timestampHi;
  }

  /** The account got one more row. True if that leaves an entry in its history. */
  advance(handle: number, timestampLo: number, timestampHi: number): boolean {
    const state = handle * STATE_WORDS;
    this.#states[state + Word.latest] = timestampLo;
    this.#states[state + Word.latest + 1] = timestampHi;
    this.#states[state + Word.count]! += 1;
    const everyRow = (this.#states[state + Word.flags]! & AccountFlag.history) !== 0;
    const due = everyRow || this.#states[state + Word.count]! % HISTORY_EVERY === 0;
    if (due) this.#states[state + Word.historyCount]! += 1;
    return due;
  }

  historyCount(handle: number): number {
    return this.#states[handle * STATE_WORDS + Word.historyCount]!;
  }

  /** A view of the four balances as they stand. */
  balances(handle: number): Uint32Array {
    const from = handle * STATE_WORDS + Word.balances;
    return this.#states.subarray(from, from + BALANCES_WORDS);
  }

  /** The row as stored against what was worked out. */
  compare(handle: number, rows: Uint32Array, at: number): void {
    const { debitsPending } = AccountWord;
    const state = handle * STATE_WORDS;
    const balances = state + Word.balances;
    if (firstUnequal(this.#states, balances, rows, at + debitsPending, BALANCES_WORDS) >= 0) {
      const name = this.name(handle);
      mustEqualBalances(TABLE, name, this.balances(handle), rows, at + debitsPending);
    }
    const latest = at + AccountRowWord.latestTransfer;
    if (!this.latestIs(handle, rows[latest]!, rows[latest + 1]!)) {
      const name = `${this.name(handle)} latestTransfer`;
      differ(TABLE, name, this.latest(handle), u64At(rows, latest));
    }
    const count = rows[at + AccountRowWord.transferCount]!;
    if (count !== this.#states[state + Word.count]) {
      differ(TABLE, `${this.name(handle)} transferCount`, this.#states[state + Word.count]!, count);
    }
    const closing = this.#states[state + Word.closing]!;
    if (closing === Closing.unknown) return;
    const flags = rows[at + AccountWord.codeAndFlags]! >>> 16;
    const found = (flags & AccountFlag.closed) === 0 ? Closing.open : Closing.closed;
    if (found === closing) return;
    const text = (is: number): string => (is === Closing.open ? 'open' : 'closed');
    differ(TABLE, `${this.name(handle)} flags`, text(closing), text(found));
  }

  /** The cell that has the id, or the free one where it would go. */
  #cellOf(words: Uint32Array, at: number): number {
    const mask = this.#cells.length - 1;
    for (let cell = hash(words, at) & mask; ; cell = (cell + 1) & mask) {
      const handle = this.#cells[cell]! - 1;
      if (handle < 0 || sameId(this.#states, handle * STATE_WORDS, words, at)) return cell;
    }
  }
}

export function mustEqualBalances(
  table: string,
  row: string,
  expected: Uint32Array,
  found: Uint32Array,
  foundAt: number,
): void {
  const word = firstUnequal(expected, 0, found, foundAt, BALANCES_WORDS);
  if (word < 0) return;
  const column = word - (word % 4);
  const is = u128At(found, foundAt + column);
  differ(table, `${row} ${NAMES[column / 4]}`, u128At(expected, column), is);
}

function hash(words: Uint32Array, at: number): number {
  let value = 0;
  for (let word = 0; word < 4; word++) {
    value = Math.imul(value ^ words[at + word]!, 0x9e37_79b1);
    value ^= value >>> 15;
  }
  return value;
}

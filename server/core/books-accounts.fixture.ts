import {
  ACCOUNT_ROW_WORDS,
  AccountFlag,
  AccountRowWord,
  AccountWord,
  HISTORY_EVERY,
  HISTORY_ROW_WORDS,
  HistoryRowWord,
  TransferRowWord,
} from '../../ledger/layout.ts';
import { sameId } from './books-row.ts';
import { putU64, u64 } from './books-rows.fixture.ts';

/** What a row adds to the two columns of one of its accounts. */
export interface Effect {
  readonly pending: number;
  readonly posted: number;
}

/** Accounts of one unit with their balances, their links from row to row, and their sparse history. */
export class MadeAccounts {
  /** By handle. */
  readonly #rows: Uint32Array[] = [];
  readonly #changed = new Set<number>();
  #history: number[] = [];

  get count(): number {
    return this.#rows.length;
  }

  /** By handle; not to be changed. */
  row(handle: number): Uint32Array {
    return this.#rows[handle]!;
  }

  idOf(handle: number): Uint32Array {
    return this.#rows[handle]!.slice(0, 4);
  }

  /** Handle of the account, or -1. */
  handleOf(id: Uint32Array): number {
    return this.#rows.findIndex((row) => sameId(row, 0, id, 0));
  }

  add(id: Uint32Array, ledger: number, flags: number, timestamp: bigint): void {
    const row = new Uint32Array(ACCOUNT_ROW_WORDS);
    row.set(id);
    row[AccountWord.ledger] = ledger;
    row[AccountWord.codeAndFlags] = 10 | (flags << 16);
    putU64(row, AccountWord.timestamp, timestamp);
    row[AccountRowWord.handle] = this.#rows.length;
    this.#changed.add(this.#rows.length);
    this.#rows.push(row);
  }

  setClosed(handle: number, closed: boolean): void {
    const bit = AccountFlag.closed << 16;
    const row = this.#rows[handle]!;
    if (closed) row[AccountWord.codeAndFlags]! |= bit;
    else row[AccountWord.codeAndFlags]! &= ~bit;
  }

  isClosed(handle: number): boolean {
    const flags = this.#rows[handle]![AccountWord.codeAndFlags]! >>> 16;
    return (flags & AccountFlag.closed) !== 0;
  }

  /** Books a row whose record, leg and row timestamp are written already. */
  book(row: Uint32Array, debit: number, credit: number, effect: Effect): void {
    this.#bookSide(row, TransferRowWord.previousDebit, debit, AccountWord.debitsPending, effect);
    this.#bookSide(row, TransferRowWord.previousCredit, credit, AccountWord.creditsPending, effect);
  }

  rowsOf(handles: Iterable<number>): Uint32Array {
    const ascending = Float64Array.from(handles).sort();
    const rows = new Uint32Array(ascending.length * ACCOUNT_ROW_WORDS);
    for (const [position, handle] of ascending.entries()) {
      rows.set(this.#rows[handle]!, position * ACCOUNT_ROW_WORDS);
    }
    return rows;
  }

  takeChanged(): Uint32Array {
    const rows = this.rowsOf(this.#changed);
    this.#changed.clear();
    return rows;
  }

  takeHistory(): Uint32Array {
    const rows = Uint32Array.from(this.#history);
    this.#history = [];
    return rows;
  }

  #bookSide(
    row: Uint32Array,
    link: number,
    handle: number,
    pendingWord: number,
    { pending, posted }: Effect,
  ): void {
    const account = this.#rows[handle]!;
    const timestamp = u64(row, TransferRowWord.rowTimestamp);
    row.set(
      account.subarray(AccountRowWord.latestTransfer, AccountRowWord.latestTransfer + 2),
      link,
    );
    putU64(account, AccountRowWord.latestTransfer, timestamp);
    account[AccountRowWord.transferCount]! += 1;
    addTo(account, pendingWord, pending);
    addTo(account, pendingWord + 4, posted);
    this.#changed.add(handle);
    const flags = account[AccountWord.codeAndFlags]! >>> 16;
    const due = account[AccountRowWord.transferCount]! % HISTORY_EVERY === 0;
    if (!due && (flags & AccountFlag.history) === 0) return;
    const entry = new Uint32Array(HISTORY_ROW_WORDS);
    entry[HistoryRowWord.handle] = handle;
    putU64(entry, HistoryRowWord.rowTimestamp, timestamp);
    entry.set(account.subarray(AccountWord.debitsPending, 20), HistoryRowWord.balances);
    for (const value of entry) this.#history.push(value);
  }
}

/** Balances made here stay below 2^53. */
function addTo(account: Uint32Array, word: number, delta: number): void {
  const value = account[word + 1]! * 2 ** 32 + account[word]! + delta;
  if (!(value >= 0 && value < 2 ** 53)) throw new RangeError(`a balance of ${value}`);
  account[word] = value;
  account[word + 1] = Math.floor(value / 2 ** 32);
}

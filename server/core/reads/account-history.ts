import {
  AccountWord,
  BALANCES_WORDS,
  HISTORY_EVERY,
  RECORD_WORDS,
} from '../../../ledger/layout.ts';
import { applyEffect, undoEffect } from './effects.ts';
import { PendingRows } from './pending-rows.ts';
import { previousOf, rowTimestampOf, sideOfAccount, withPendingState } from './row.ts';
import type { Source } from './source.ts';

/**
 * All rows of one account at the applied index: those that the books don't hold yet come from memory; the
 * walk goes on in the books at the row that the oldest of these links to. For the length of one call.
 */
export class AccountHistory {
  readonly #source: Source;
  readonly #accountId: Uint32Array;
  readonly #handle: number;
  /** Oldest first. */
  readonly #unfolded: Uint32Array[];
  /** Row timestamp of the newest row that only the books have; 0 = none. */
  readonly #newestInBooks: bigint;
  readonly #pendings: PendingRows;

  /** `handle`: of the account, which must exist. */
  constructor(source: Source, accountId: Uint32Array, handle: number) {
    this.#source = source;
    this.#accountId = accountId;
    this.#handle = handle;
    this.#pendings = new PendingRows(source);
    this.#unfolded = source.machine.unfoldedAccountTransfers(accountId).reverse();
    const oldest = this.#unfolded[0];
    this.#newestInBooks =
      oldest === undefined
        ? source.machine.accountLatestTransfer(handle)
        : previousOf(oldest, accountId);
  }

  /** Up to `limit` rows of all legs with row timestamps within these bounds, inclusive. */
  rows(from: bigint, to: bigint, reversed: boolean, limit: number): Uint32Array[] {
    const first = this.#firstUnfolded(from);
    const end = this.#firstUnfolded(to + 1n);
    if (reversed) {
      const rows = this.#unfolded.slice(Math.max(first, end - limit), end).reverse();
      rows.push(...this.#fromBooks(from, to, true, limit - rows.length));
      return rows;
    }
    const rows = this.#fromBooks(from, to, false, limit);
    rows.push(...this.#unfolded.slice(first, Math.min(end, first + limit - rows.length)));
    return rows;
  }

  /** The balances as they were after all rows up to then. */
  balancesAt(timestamp: bigint): Uint32Array {
    const later = this.#firstUnfolded(timestamp + 1n);
    if (later > 0 || timestamp >= this.#newestInBooks) return this.#undone(later);
    const start = this.#source.books.balancesAt(this.#handle, timestamp);
    const balances = start === null ? new Uint32Array(BALANCES_WORDS) : start.balances.slice();
    const from = start === null ? 0n : start.rowTimestamp + 1n;
    const rows = this.#fromBooks(from, timestamp, false, HISTORY_EVERY);
    if (rows.length === HISTORY_EVERY) {
      throw new Error(
        `the sparse history of account ${this.#accountId.join()} has a gap after ${from}`,
      );
    }
    this.roll(balances, rows);
    return balances;
  }

  /** Reads at once what rolling over these rows will ask for. */
  prepare(rows: readonly Uint32Array[]): void {
    this.#pendings.add(rows);
  }

  /** Balances before these rows, oldest first, become those after them. */
  roll(balances: Uint32Array, rows: readonly Uint32Array[]): void {
    this.#pendings.add(rows);
    for (const row of rows) {
      applyEffect(balances, row, sideOfAccount(row, this.#accountId), this.#pendings.of(row));
    }
  }

  /** Balances after these rows, newest first, become those before them. */
  rollBack(balances: Uint32Array, rows: readonly Uint32Array[]): void {
    this.#pendings.add(rows);
    for (const row of rows) {
      undoEffect(balances, row, sideOfAccount(row, this.#accountId), this.#pendings.of(row));
    }
  }

  /** The present balances without the unfolded rows from this position on. */
  #undone(firstUnfolded: number): Uint32Array {
    const record = new Uint32Array(RECORD_WORDS);
    this.#source.machine.readAccount(this.#handle, record, 0);
    const from = AccountWord.debitsPending;
    const balances = record.slice(from, from + BALANCES_WORDS);
    this.rollBack(balances, this.#unfolded.slice(firstUnfolded).reverse());
    return balances;
  }

  #fromBooks(from: bigint, to: bigint, reversed: boolean, limit: number): Uint32Array[] {
    const isPast = this.#newestInBooks === 0n || this.#newestInBooks < from || from > to;
    if (isPast || limit <= 0) return [];
    const { machine, books } = this.#source;
    const rows = books.accountTransfers({
      newestRowTimestamp: this.#newestInBooks,
      accountId: this.#accountId,
      fromTimestamp: from,
      toTimestamp: to < this.#newestInBooks ? to : this.#newestInBooks,
      reversed,
      limit,
    });
    return withPendingState(machine, rows);
  }

  /** Position of the first unfolded row at or after that time. */
  #firstUnfolded(timestamp: bigint): number {
    let from = 0;
    let end = this.#unfolded.length;
    while (from < end) {
      const middle = (from + end) >>> 1;
      if (rowTimestampOf(this.#unfolded[middle]!) < timestamp) from = middle + 1;
      else end = middle;
    }
    return from;
  }
}

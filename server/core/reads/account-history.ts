import {
  AccountWord,
  BALANCES_WORDS,
  HISTORY_EVERY,
  RECORD_WORDS,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from '../../../ledger/layout.ts';
import { u64At } from '../books-row.ts';
import { applyEffect, undoEffect } from './effects.ts';
import { PendingRows, resolvesPending } from './pending-rows.ts';
import { rowTimestampOf, sideOfAccount, withPendingState } from './row.ts';
import { type Source, TIMESTAMP_MAX } from './source.ts';

/** Rows taken from memory at once, oldest first: the way to them leads through all that are newer. */
const MEMORY_ROWS = 2_048;

/**
 * All rows of one account at the applied index: up to some moment they are in the books, from then on in
 * memory. For the length of one call. A busy account may have 200,000 rows in memory, so no more of them
 * are copied than a call is asked for.
 */
export class AccountHistory {
  readonly #source: Source;
  readonly #accountId: Uint32Array;
  readonly #handle: number;
  readonly #pendings: PendingRows;
  /** Row timestamp of the unit's first row in memory; the books may hold some of these too, for a moment. */
  readonly #memoryFrom: bigint;
  #newestInBooks: bigint | null = null;
  /** Rows that the books have read, roughly: a walk passes up to HISTORY_EVERY that it does not give. */
  rowsRead = 0;
  /** Taken from memory and not yet asked for, oldest first, up to `end`. */
  #ahead: { rows: Uint32Array[]; to: bigint } | null = null;

  /** `handle`: of the account, which must exist. */
  constructor(source: Source, accountId: Uint32Array, handle: number) {
    this.#source = source;
    this.#accountId = accountId;
    this.#handle = handle;
    this.#pendings = new PendingRows(source);
    const [oldest] = source.machine.unfoldedRows(0n, TIMESTAMP_MAX, false, 1);
    this.#memoryFrom = oldest === undefined ? TIMESTAMP_MAX + 1n : rowTimestampOf(oldest);
  }

  /** Up to `limit` rows of all legs with row timestamps within these bounds, inclusive. */
  rows(from: bigint, to: bigint, reversed: boolean, limit: number): Uint32Array[] {
    if (reversed) {
      const rows = this.#newestInMemory(from, to, limit);
      rows.push(...this.#fromBooks(from, to, true, limit - rows.length));
      return rows;
    }
    const rows = this.#fromBooks(from, to, false, limit);
    rows.push(...this.#oldestInMemory(from, to, limit - rows.length));
    return rows;
  }

  /** The balances as they were after all rows up to then. */
  balancesAt(timestamp: bigint): Uint32Array {
    if (timestamp >= this.#memoryFrom || timestamp >= this.#source.machine.lastRowTimestamp) {
      return this.#undoneTo(timestamp);
    }
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
      applyEffect(balances, row, 0, sideOfAccount(row, this.#accountId), this.#pendings.of(row));
    }
  }

  /** Balances after these rows, newest first, become those before them. */
  rollBack(balances: Uint32Array, rows: readonly Uint32Array[]): void {
    this.#pendings.add(rows);
    for (const row of rows) {
      undoEffect(balances, row, 0, sideOfAccount(row, this.#accountId), this.#pendings.of(row));
    }
  }

  /** The present balances without the rows after that time, all of which are in memory. */
  #undoneTo(timestamp: bigint): Uint32Array {
    const { machine } = this.#source;
    const record = new Uint32Array(RECORD_WORDS);
    machine.readAccount(this.#handle, record, 0);
    const from = AccountWord.debitsPending;
    const balances = record.slice(from, from + BALANCES_WORDS);
    machine.visitUnfolded(this.#accountId, (words, at, isDebit) => {
      if (u64At(words, at + TransferRowWord.rowTimestamp) <= timestamp) return false;
      const resolved = resolvesPending(words, at) ? this.#resolvedBy(words, at) : null;
      undoEffect(balances, words, at, isDebit ? 'debit' : 'credit', resolved);
      return true;
    });
    return balances;
  }

  #resolvedBy(words: Uint32Array, at: number): Uint32Array | null {
    const row = words.slice(at, at + TRANSFER_ROW_WORDS);
    this.#pendings.add([row]);
    return this.#pendings.of(row);
  }

  #newestInMemory(from: bigint, to: bigint, limit: number): Uint32Array[] {
    if (to < this.#memoryFrom || limit <= 0) return [];
    const bounds = { from, to, reversed: true, limit };
    return this.#source.machine.unfoldedAccountTransfers(this.#accountId, bounds);
  }

  #oldestInMemory(from: bigint, to: bigint, limit: number): Uint32Array[] {
    if (to < this.#memoryFrom || limit <= 0) return [];
    const ahead = this.#ahead?.to === to ? this.#ahead.rows : [];
    let rows = ahead.filter((row) => rowTimestampOf(row) >= from);
    if (rows.length < limit) {
      const bounds = { from, to, reversed: false, limit: Math.max(limit, MEMORY_ROWS) };
      rows = this.#source.machine.unfoldedAccountTransfers(this.#accountId, bounds);
    }
    this.#ahead = { rows: rows.slice(limit), to };
    return rows.slice(0, limit);
  }

  #fromBooks(from: bigint, to: bigint, reversed: boolean, limit: number): Uint32Array[] {
    const last = to < this.#memoryFrom ? to : this.#memoryFrom - 1n;
    if (last < from || limit <= 0) return [];
    const { machine, books } = this.#source;
    this.#newestInBooks ??= machine.newestFoldedRow(this.#accountId);
    if (this.#newestInBooks === 0n || this.#newestInBooks < from) return [];
    const rows = books.accountTransfers({
      newestRowTimestamp: this.#newestInBooks,
      accountId: this.#accountId,
      fromTimestamp: from,
      toTimestamp: last,
      reversed,
      limit,
    });
    this.rowsRead += Math.max(rows.length, HISTORY_EVERY);
    return withPendingState(machine, rows);
  }
}

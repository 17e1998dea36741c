import type { Statement } from 'better-sqlite3';
import {
  AccountFlag,
  AccountWord,
  BALANCES_WORDS,
  HISTORY_EVERY,
  HISTORY_ROW_WORDS,
  HistoryRowWord,
  WORD_BYTES,
} from '../../../ledger/layout.ts';
import type { HistoryBalances } from '../../core/books.ts';
import { u64At } from '../../core/books-row.ts';
import type { CheckedFile } from './checked-file.ts';
import { putId } from './columns.ts';
import { unsealRow } from './sealed.ts';

/** Where an account row has the lower byte of its flags. */
const FLAGS_AT = AccountWord.codeAndFlags * WORD_BYTES + 2;
const TIMESTAMP_MAX = 2n ** 63n - 1n;

/** Reads the sparse history of accounts. */
export class HistoryReader {
  readonly #file: CheckedFile;
  readonly #account: Statement;
  readonly #from: Statement;
  readonly #newest: Statement;

  constructor(file: CheckedFile) {
    this.#file = file;
    const { database } = file;
    this.#account = database
      .prepare(`SELECT rowid, substr(row, ${FLAGS_AT} + 1, 1) FROM account_row WHERE id = ?`)
      .raw();
    this.#from = database
      .prepare(
        `SELECT timestamp FROM history WHERE account = ? AND timestamp >= ?
         ORDER BY timestamp LIMIT 1 OFFSET ?`,
      )
      .pluck()
      .safeIntegers();
    this.#newest = database
      .prepare(
        `SELECT timestamp & 0xffffffff, timestamp >> 32, balances FROM history
         WHERE account = ? AND timestamp <= ? ORDER BY timestamp DESC LIMIT 1`,
      )
      .raw();
  }

  /**
   * Timestamp of an entry of the account at or after `from`, with at least `rows` of its rows between, or
   * null if there are not so many entries.
   */
  timestampFrom(accountId: Uint32Array, from: bigint, rows: number): bigint | null {
    if (from > TIMESTAMP_MAX) return null;
    const id = new Uint32Array(4);
    putId(id, 0, accountId, 0);
    return this.#file.reading('history', () => {
      const account = this.#account.get(id) as [rowid: number, flags: Uint8Array] | undefined;
      if (account === undefined) return null;
      const [rowid, flags] = account;
      const everyRow = (flags[0]! & AccountFlag.history) !== 0;
      const skip = everyRow ? rows : Math.ceil(rows / HISTORY_EVERY);
      return (this.#from.get(rowid - 1, from, skip) as bigint | undefined) ?? null;
    });
  }

  /** The account's newest entry at or before `timestamp`, or null. */
  balancesAt(handle: number, timestamp: bigint): HistoryBalances | null {
    const until = timestamp < TIMESTAMP_MAX ? timestamp : TIMESTAMP_MAX;
    const found = this.#file.reading('history', () => this.#newest.get(handle, until));
    if (found === undefined) return null;
    const [lo, hi, blob] = found as [number, number, Uint8Array];
    const row = historyRow(handle, lo, hi, blob);
    if (row === null) {
      const name = `account ${handle} at ${(BigInt(hi) << 32n) | BigInt(lo)}`;
      throw this.#file.damage('history', `entry of ${name} fails its CRC-32`);
    }
    return {
      rowTimestamp: u64At(row, HistoryRowWord.rowTimestamp),
      balances: row.slice(HistoryRowWord.balances),
    };
  }
}

/** The history row of its columns; null if its CRC doesn't match. */
export function historyRow(
  handle: number,
  lo: number,
  hi: number,
  balances: Uint8Array,
): Uint32Array | null {
  if (balances.byteLength !== (BALANCES_WORDS + 1) * WORD_BYTES) return null;
  const sealed = new Uint32Array(HISTORY_ROW_WORDS + 1);
  sealed.set([lo, hi], HistoryRowWord.rowTimestamp);
  sealed[HistoryRowWord.handle] = handle;
  new Uint8Array(sealed.buffer).set(balances, HistoryRowWord.balances * WORD_BYTES);
  return unsealRow(new Uint8Array(sealed.buffer), HISTORY_ROW_WORDS);
}

import type { Statement } from 'better-sqlite3';
import { HistoryRowWord } from '../../../ledger/layout.ts';
import { addSums, historySum } from '../../core/books-sum.ts';
import type { CheckedFile } from './checked-file.ts';
import { NUMBERS } from './connection.ts';
import { historyRow } from './history-reader.ts';
import { mustEqualBalances, type VerifiedAccounts } from './verify-accounts.ts';
import { differ, mustEqual } from './verify-difference.ts';

const TABLE = 'history';

/** The sparse history has an entry where one is due, with the balances of that time, and no other. */
export class HistoryCheck {
  readonly #file: CheckedFile;
  readonly #accounts: VerifiedAccounts;
  readonly #at: Statement;
  #expected = 0;
  /** Of the entries, see RowSums. */
  sum = 0;

  constructor(file: CheckedFile, accounts: VerifiedAccounts) {
    this.#file = file;
    this.#accounts = accounts;
    this.#at = file.database
      .prepare('SELECT balances FROM history WHERE account = ? AND timestamp = ?')
      .pluck();
  }

  /** The account's balances stand as they did after the row of that time. */
  check(handle: number, lo: number, hi: number): void {
    const timestamp = (BigInt(hi) << 32n) | BigInt(lo);
    const blob = this.#file.reading(TABLE, () => this.#at.get(handle, timestamp));
    const name = `account ${handle} at ${timestamp}`;
    if (blob === undefined) differ(TABLE, name, 'an entry', 'none');
    const row = historyRow(handle, lo, hi, blob as Uint8Array);
    if (row === null) differ(TABLE, name, 'an entry that fits its CRC-32', 'one that fails it');
    mustEqualBalances(TABLE, name, this.#accounts.balances(handle), row, HistoryRowWord.balances);
    this.#expected += 1;
    this.sum = addSums(this.sum, historySum(row));
  }

  finish(): void {
    const count = this.#file.database.prepare('SELECT count(*) FROM history').pluck();
    const found = this.#file.reading(TABLE, () => count.get() as number);
    if (found !== this.#expected) this.#nameLost();
    mustEqual(TABLE, 'number of entries', this.#expected, found);
  }

  /** All that are due are there, and more: the first account that has too many. */
  #nameLost(): void {
    const next = this.#file.database
      .prepare(
        `SELECT account, count(*) FROM history WHERE account > ?
         GROUP BY account ORDER BY account LIMIT ${NUMBERS}`,
      )
      .raw();
    let last = -1;
    for (;;) {
      const all = this.#file.reading(TABLE, () => next.all(last)) as [number, number][];
      if (all.length === 0) return;
      for (const [handle, entries] of all) {
        const known = handle < this.#accounts.count;
        const expected = known ? this.#accounts.historyCount(handle) : 0;
        mustEqual(TABLE, `number of entries of account ${handle}`, expected, entries);
        last = handle;
      }
    }
  }
}

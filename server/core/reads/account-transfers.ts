import { RECORD_WORDS, TRANSFER_ROW_WORDS } from '../../../ledger/layout.ts';
import { AccountHistory } from './account-history.ts';
import { boundsOf, FilterBit, FilterWord, has, meetsShared, meetsSide } from './filter.ts';
import { collectPage, packPage } from './page.ts';
import { concat, isTransfer, rowTimestampOf } from './row.ts';
import type { Source } from './source.ts';

/**
 * A page of an account's transfers: page header, the account's record, rows; each row with the account's
 * balances after it (BALANCES_WORDS) if asked for. Empty if there is no such account.
 */
export function accountTransfers(source: Source, filter: Uint32Array): Uint32Array {
  const accountId = filter.slice(FilterWord.accountId, FilterWord.accountId + 4);
  const handle = source.machine.findAccount(accountId, 0);
  if (handle < 0) return new Uint32Array(0);
  const history = new AccountHistory(source, accountId, handle);
  const reversed = has(filter, FilterBit.reversed);
  const balances = has(filter, FilterBit.balances) ? new RunningBalances(history, reversed) : null;
  let { from, to } = boundsOf(filter);
  const page = collectPage({
    limit: filter[FilterWord.limit]!,
    next: (max) => {
      const rows = from > to ? [] : history.rows(from, to, reversed, max);
      const last = rows.at(-1);
      if (last !== undefined && reversed) to = rowTimestampOf(last) - 1n;
      else if (last !== undefined) from = rowTimestampOf(last) + 1n;
      return balances === null ? rows : balances.addTo(rows);
    },
    pick: (row) =>
      isTransfer(row) && meetsShared(filter, row) && meetsSide(filter, row) ? row : null,
    timestampOf: rowTimestampOf,
  });
  const account = new Uint32Array(RECORD_WORDS);
  source.machine.readAccount(handle, account, 0);
  return packPage(page, account);
}

/** The balances after each row of a run, found once and then carried from row to row. */
class RunningBalances {
  readonly #history: AccountHistory;
  readonly #reversed: boolean;
  #balances: Uint32Array | null = null;
  /** Reversed: the row whose effect the balances still hold. */
  #last: Uint32Array[] = [];

  constructor(history: AccountHistory, reversed: boolean) {
    this.#history = history;
    this.#reversed = reversed;
  }

  /** The rows, all of them that follow those of the last call, each with the balances after it. */
  addTo(rows: readonly Uint32Array[]): Uint32Array[] {
    const [first] = rows;
    if (first === undefined) return [];
    this.#history.prepare(rows);
    const balances = this.#balances;
    if (balances === null) {
      this.#balances = this.#history.balancesAt(rowTimestampOf(first));
      return this.#extend(rows, this.#balances, true);
    }
    return this.#extend(rows, balances, false);
  }

  #extend(rows: readonly Uint32Array[], balances: Uint32Array, isStart: boolean): Uint32Array[] {
    return rows.map((row, i) => {
      if (this.#reversed) {
        this.#history.rollBack(balances, this.#last);
        this.#last = [row];
      } else if (!isStart || i > 0) {
        this.#history.roll(balances, [row]);
      }
      return concat([row.subarray(0, TRANSFER_ROW_WORDS), balances]);
    });
  }
}

import { HotWord } from './account-store.ts';
import { Leg, TransferRowWord, TransferWord } from './layout.ts';
import { NO_ACCOUNT } from './outcome.ts';
import { findRow, findRowBefore } from './row-search.ts';
import type { LedgerState } from './state.ts';
import { equal } from './u128.ts';
import { readU64 } from './words.ts';

const { rowTimestamp } = TransferRowWord;

/** Which of an account's rows to give: row timestamps, both included. */
export interface RowBounds {
  readonly from: bigint;
  readonly to: bigint;
  /** The newest of them, newest first; else the oldest, oldest first. */
  readonly reversed: boolean;
  readonly limit: number;
}

/** Where a row lies, and whether it debits the account. False ends the walk. */
export type RowVisitor = (words: Uint32Array, at: number, isDebit: boolean) => boolean;

/** Serials of the account's rows from serial `first` on, within the bounds. */
export function unfoldedAccountRows(
  state: LedgerState,
  accountId: Uint32Array,
  first: number,
  { from, to, reversed, limit }: RowBounds,
): number[] {
  const serials: number[] = [];
  visitAccountRows(state, accountId, first, (words, at, _isDebit, serial) => {
    const timestamp = readU64(words, at + rowTimestamp);
    if (timestamp < from) return false;
    if (timestamp <= to) serials.push(serial);
    return !reversed || serials.length < limit;
  });
  if (!reversed) serials.reverse();
  return serials.slice(0, limit);
}

/**
 * From the account's newest row back, as far as serial `first` or until `visit` says no. Nothing is copied: a
 * busy account may have most of what waits for the books. Returns the link of the row visited last.
 */
export function visitAccountRows(
  state: LedgerState,
  accountId: Uint32Array,
  first: number,
  visit: (...row: [...Parameters<RowVisitor>, serial: number]) => boolean,
): bigint {
  const handle = state.accounts.find(accountId, 0);
  if (handle === NO_ACCOUNT) return 0n;
  const { rows } = state.ids;
  let words = state.accounts.pageOf(handle);
  let link = state.accounts.offsetOf(handle) + HotWord.latestTransfer;
  let serial = findRow(rows, first, rowTimestamp, words[link]!, words[link + 1]!);
  while (serial >= 0) {
    words = rows.wordsOf(serial);
    const row = rows.offsetOf(serial);
    const isDebit = debits(words, row, accountId);
    link = row + (isDebit ? TransferRowWord.previousDebit : TransferRowWord.previousCredit);
    if (!visit(words, row, isDebit, serial)) break;
    serial = findRowBefore(rows, first, serial, rowTimestamp, words[link]!, words[link + 1]!);
  }
  return readU64(words, link);
}

/** The account is one of the row's sides, or the clearing account of a leg. */
function debits(words: Uint32Array, row: number, accountId: Uint32Array): boolean {
  return (words[row + TransferRowWord.leg]! & 0xffff) === Leg.far
    ? !equal(words, row + TransferWord.creditAccountId, accountId, 0)
    : equal(words, row + TransferWord.debitAccountId, accountId, 0);
}

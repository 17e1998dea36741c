import {
  AccountRowWord,
  Leg,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
  TransferWord,
} from './layout.ts';
import { NO_ACCOUNT } from './outcome.ts';
import type { RowRing } from './row-ring.ts';
import type { LedgerState } from './state.ts';
import { equal } from './u128.ts';

/** Walks an account's rows back from its newest, as far as `firstSerial`. Rows are copied, newest first. */
export function unfoldedRows(
  state: LedgerState,
  accountId: Uint32Array,
  firstSerial: number,
): Uint32Array[] {
  const found: Uint32Array[] = [];
  const handle = state.accounts.find(accountId, 0);
  if (handle === NO_ACCOUNT) return found;
  const page = state.accounts.pageOf(handle);
  const latest = state.accounts.offsetOf(handle) + AccountRowWord.latestTransfer;
  const { rows } = state.ids;
  let serial = findByTimestamp(rows, firstSerial, page[latest]!, page[latest + 1]!);
  while (serial >= 0) {
    const words = rows.wordsOf(serial);
    const at = rows.offsetOf(serial);
    const row = words.slice(at, at + TRANSFER_ROW_WORDS);
    found.push(row);
    const previous = previousWord(row, accountId);
    serial = findByTimestamp(rows, firstSerial, row[previous]!, row[previous + 1]!);
  }
  return found;
}

/** The row's link for this account, which is one of its sides, or the clearing account of a leg. */
function previousWord(row: Uint32Array, accountId: Uint32Array): number {
  const isDebit =
    (row[TransferRowWord.leg]! & 0xffff) === Leg.far
      ? !equal(row, TransferWord.creditAccountId, accountId, 0)
      : equal(row, TransferWord.debitAccountId, accountId, 0);
  return isDebit ? TransferRowWord.previousDebit : TransferRowWord.previousCredit;
}

/** Serial of the row with this row timestamp, from `first` on, or -1. Rows ascend by it. */
function findByTimestamp(rows: RowRing, first: number, lo: number, hi: number): number {
  let from = first;
  let end = rows.end;
  while (from < end) {
    const middle = Math.floor((from + end) / 2);
    const words = rows.wordsOf(middle);
    const at = rows.offsetOf(middle) + TransferRowWord.rowTimestamp;
    if (words[at + 1]! < hi || (words[at + 1] === hi && words[at]! < lo)) from = middle + 1;
    else end = middle;
  }
  if (from === rows.end) return -1;
  const words = rows.wordsOf(from);
  const at = rows.offsetOf(from) + TransferRowWord.rowTimestamp;
  return words[at] === lo && words[at + 1] === hi ? from : -1;
}

import { HotWord } from './account-store.ts';
import {
  Leg,
  PendingState,
  RequestedRowWord,
  TRANSFER_ROW_WORDS,
  TransferFlag,
  TransferRowWord,
  TransferWord,
} from './layout.ts';
import { NO_ACCOUNT } from './outcome.ts';
import { findRow, firstRowFrom } from './row-search.ts';
import type { LedgerState } from './state.ts';
import { equal } from './u128.ts';

const { rowTimestamp } = TransferRowWord;

/** State of a row's transfer; none unless it is a pending one. */
export function pendingStateOf(state: LedgerState, row: Uint32Array): PendingState {
  const isTransfer = (row[TransferRowWord.leg]! & 0xffff) <= Leg.far;
  const isPending = (row[TransferWord.codeAndFlags]! & (TransferFlag.pending << 16)) !== 0;
  return isTransfer && isPending ? state.ids.stateOf(row, 0) : PendingState.none;
}

/** Copies of rows from serial `first` on, within these row timestamps. */
export function unfoldedRows(
  state: LedgerState,
  first: number,
  from: bigint,
  to: bigint,
  reversed: boolean,
  limit: number,
): Uint32Array[] {
  const begin = serialFrom(state, first, from);
  const end = serialFrom(state, first, to + 1n);
  const found: Uint32Array[] = [];
  for (let step = 0; step < Math.min(end - begin, limit); step += 1) {
    found.push(copyRow(state, reversed ? end - 1 - step : begin + step));
  }
  return found;
}

/** Walks an account's rows back from its newest, as far as serial `first`. Rows are copied, newest first. */
export function unfoldedAccountRows(
  state: LedgerState,
  accountId: Uint32Array,
  first: number,
): Uint32Array[] {
  const found: Uint32Array[] = [];
  const handle = state.accounts.find(accountId, 0);
  if (handle === NO_ACCOUNT) return found;
  const page = state.accounts.pageOf(handle);
  const latest = state.accounts.offsetOf(handle) + HotWord.latestTransfer;
  const { rows } = state.ids;
  let serial = findRow(rows, first, rowTimestamp, page[latest]!, page[latest + 1]!);
  while (serial >= 0) {
    const row = copyRow(state, serial);
    found.push(row);
    const previous = previousWord(row, accountId);
    serial = findRow(rows, first, rowTimestamp, row[previous]!, row[previous + 1]!);
  }
  return found;
}

/** What was asked for, of a row that the books don't hold; null if it was what the row says. */
export function unfoldedRequested(state: LedgerState, timestamp: bigint): Uint32Array | null {
  const { requested } = state;
  const [lo, hi] = halves(timestamp);
  const serial = findRow(requested, requested.begin, RequestedRowWord.timestamp, lo, hi);
  if (serial < 0) return null;
  const at = requested.offsetOf(serial) + RequestedRowWord.amount;
  return requested.wordsOf(serial).slice(at, at + 4);
}

function copyRow(state: LedgerState, serial: number): Uint32Array {
  const { rows } = state.ids;
  const at = rows.offsetOf(serial);
  const row = rows.wordsOf(serial).slice(at, at + TRANSFER_ROW_WORDS);
  row[TransferRowWord.pendingState] = pendingStateOf(state, row);
  return row;
}

function serialFrom(state: LedgerState, first: number, timestamp: bigint): number {
  const [lo, hi] = halves(timestamp);
  return firstRowFrom(state.ids.rows, first, rowTimestamp, lo, hi);
}

function halves(timestamp: bigint): [lo: number, hi: number] {
  return [Number(timestamp & 0xffff_ffffn), Number(timestamp >> 32n)];
}

/** The row's link for this account, which is one of its sides, or the clearing account of a leg. */
function previousWord(row: Uint32Array, accountId: Uint32Array): number {
  const isDebit =
    (row[TransferRowWord.leg]! & 0xffff) === Leg.far
      ? !equal(row, TransferWord.creditAccountId, accountId, 0)
      : equal(row, TransferWord.debitAccountId, accountId, 0);
  return isDebit ? TransferRowWord.previousDebit : TransferRowWord.previousCredit;
}

import {
  Leg,
  PendingState,
  RequestedRowWord,
  TRANSFER_ROW_WORDS,
  TransferFlag,
  TransferRowWord,
  TransferWord,
} from './layout.ts';
import { findRow, firstRowFrom } from './row-search.ts';
import type { LedgerState } from './state.ts';

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

/** What was asked for, of a row that the books don't hold; null if it was what the row says. */
export function unfoldedRequested(state: LedgerState, timestamp: bigint): Uint32Array | null {
  const { requested } = state;
  const [lo, hi] = halves(timestamp);
  const serial = findRow(requested, requested.begin, RequestedRowWord.timestamp, lo, hi);
  if (serial < 0) return null;
  const at = requested.offsetOf(serial) + RequestedRowWord.amount;
  return requested.wordsOf(serial).slice(at, at + 4);
}

/** A copy of an unfolded row with its PendingState. */
export function copyRow(state: LedgerState, serial: number): Uint32Array {
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

import {
  AccountRowWord,
  AccountWord,
  BALANCES_WORDS,
  HISTORY_EVERY,
  HISTORY_ROW_WORDS,
  HistoryRowWord,
  RECORD_WORDS,
  TransferRowWord,
  TransferWord,
} from './layout.ts';
import type { LedgerState } from './state.ts';
import { add, subtract } from './u128.ts';
import { copyWords } from './words.ts';

/** Adds to or takes from one column of an account; `column` is its AccountWord. */
export function addToColumn(
  state: LedgerState,
  handle: number,
  column: number,
  amount: Uint32Array,
  amountAt: number,
): void {
  const page = state.accounts.pageOf(handle);
  const at = state.accounts.offsetOf(handle) + column;
  add(page, at, amount, amountAt);
  state.digest.column(page, at);
  state.accounts.markChanged(handle);
}

export function takeFromColumn(
  state: LedgerState,
  handle: number,
  column: number,
  amount: Uint32Array,
  amountAt: number,
): void {
  const page = state.accounts.pageOf(handle);
  const at = state.accounts.offsetOf(handle) + column;
  subtract(page, at, amount, amountAt);
  state.digest.column(page, at);
  state.accounts.markChanged(handle);
}

/**
 * Books the event's transfer row and links it into both accounts' histories. Called once all balances
 * stand as they are after the event. The outcome's timestamp becomes the record's, the event's own the row's.
 */
export function bookRow(
  state: LedgerState,
  record: Uint32Array,
  recordAt: number,
  debit: number,
  credit: number,
  leg: number,
  otherUnit: number,
): void {
  const { ids, time, outcome } = state;
  const serial = ids.addRow(record, recordAt);
  const rows = ids.rows.wordsOf(serial);
  const row = ids.rows.offsetOf(serial);
  copyWords(record, recordAt, rows, row, RECORD_WORDS);
  rows[row + TransferWord.timestamp] = outcome.timestampLo;
  rows[row + TransferWord.timestamp + 1] = outcome.timestampHi;
  rows[row + TransferRowWord.leg] = (otherUnit << 16) | leg;
  rows[row + TransferRowWord.crc] = 0;
  rows[row + TransferRowWord.rowTimestamp] = time.lo;
  rows[row + TransferRowWord.rowTimestamp + 1] = time.hi;
  link(state, debit, rows, row + TransferRowWord.previousDebit);
  link(state, credit, rows, row + TransferRowWord.previousCredit);
}

/** Puts the row at the head of the account's history; `previousAt` is the row's link for this side. */
function link(state: LedgerState, handle: number, rows: Uint32Array, previousAt: number): void {
  const page = state.accounts.pageOf(handle);
  const row = state.accounts.offsetOf(handle);
  rows[previousAt] = page[row + AccountRowWord.latestTransfer]!;
  rows[previousAt + 1] = page[row + AccountRowWord.latestTransfer + 1]!;
  page[row + AccountRowWord.latestTransfer] = state.time.lo;
  page[row + AccountRowWord.latestTransfer + 1] = state.time.hi;
  // Wraps round after 2^32 rows, which HISTORY_EVERY divides.
  const count = page[row + AccountRowWord.transferCount]! + 1;
  page[row + AccountRowWord.transferCount] = count;
  if (count % HISTORY_EVERY === 0) addHistory(state, handle, page, row);
}

function addHistory(state: LedgerState, handle: number, page: Uint32Array, row: number): void {
  const at = state.history.addRow(HISTORY_ROW_WORDS);
  const { words } = state.history;
  words[at + HistoryRowWord.handle] = handle;
  words[at + HistoryRowWord.rowTimestamp] = state.time.lo;
  words[at + HistoryRowWord.rowTimestamp + 1] = state.time.hi;
  const balances = row + AccountWord.debitsPending;
  copyWords(page, balances, words, at + HistoryRowWord.balances, BALANCES_WORDS);
}

import { HotWord } from './account-store.ts';
import type { EventTime } from './event-time.ts';
import {
  AccountFlag,
  BALANCES_WORDS,
  HISTORY_EVERY,
  HISTORY_ROW_WORDS,
  HistoryRowWord,
  PENDING_ROW_WORDS,
  PendingRowWord,
  type PendingState,
  RequestedRowWord,
  TransferRowWord,
  TransferWord,
} from './layout.ts';
import type { LedgerState } from './state.ts';
import { add, copy, subtract } from './u128.ts';
import { copyRecord, copyWords } from './words.ts';

const HISTORY_FLAG = AccountFlag.history << 16;

/** Adds to one column of an account; `column` is its HotWord. */
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
}

/** Closes or reopens an account. */
export function setClosed(state: LedgerState, handle: number, closed: boolean): void {
  const page = state.accounts.pageOf(handle);
  const at = state.accounts.offsetOf(handle) + HotWord.codeAndFlags;
  const flag = AccountFlag.closed << 16;
  page[at] = closed ? page[at]! | flag : page[at]! & ~flag;
  state.digest.mix(page[at]!);
}

/**
 * Books a row whose transfer's id is new (`hash` as KnownIds.hashOf) and links it into both accounts'
 * histories. Called once all balances stand as they are after the event. The outcome's timestamp becomes
 * the record's.
 */
export function bookTransfer(
  state: LedgerState,
  record: Uint32Array,
  recordAt: number,
  hash: number,
  debit: number,
  credit: number,
  leg: number,
  otherUnit: number,
  time: EventTime,
): void {
  const serial = state.ids.addRow(hash);
  book(state, serial, record, recordAt, debit, credit, leg, otherUnit, time);
}

/** Books a row that is no transfer, at the event's time: a hold, a release or an expiry. Returns its serial. */
export function bookMovement(
  state: LedgerState,
  record: Uint32Array,
  recordAt: number,
  debit: number,
  credit: number,
  leg: number,
  otherUnit: number,
): number {
  const serial = state.ids.rows.append();
  book(state, serial, record, recordAt, debit, credit, leg, otherUnit, state.time);
  return serial;
}

/** When the event's row is booked: of an imported event at the time that it gives, which is the outcome's. */
export function rowTime(state: LedgerState): EventTime {
  const { importTime, outcome, time } = state;
  if (!state.isImport) return time;
  importTime.set(outcome.timestampLo, outcome.timestampHi);
  return importTime;
}

function book(
  state: LedgerState,
  serial: number,
  record: Uint32Array,
  recordAt: number,
  debit: number,
  credit: number,
  leg: number,
  otherUnit: number,
  time: EventTime,
): void {
  const { accounts, ids, outcome } = state;
  const rows = ids.rows.wordsOf(serial);
  const row = ids.rows.offsetOf(serial);
  copyRecord(record, recordAt, rows, row);
  rows[row + TransferWord.timestamp] = outcome.timestampLo;
  rows[row + TransferWord.timestamp + 1] = outcome.timestampHi;
  rows[row + TransferRowWord.leg] = (otherUnit << 16) | leg;
  rows[row + TransferRowWord.crc] = 0;
  rows[row + TransferRowWord.rowTimestamp] = time.lo;
  rows[row + TransferRowWord.rowTimestamp + 1] = time.hi;
  const debitPage = accounts.pageOf(debit);
  const debitAt = accounts.offsetOf(debit);
  link(debitPage, debitAt, rows, row + TransferRowWord.previousDebit, time);
  settle(state, debit, debitPage, debitAt, time);
  const creditPage = accounts.pageOf(credit);
  const creditAt = accounts.offsetOf(credit);
  link(creditPage, creditAt, rows, row + TransferRowWord.previousCredit, time);
  settle(state, credit, creditPage, creditAt, time);
  state.lastRowLo = time.lo;
  state.lastRowHi = time.hi;
}

/** Puts the row at the head of the account's history; `previousAt` is the row's link for this side. */
function link(
  page: Uint32Array,
  account: number,
  rows: Uint32Array,
  previousAt: number,
  time: EventTime,
): void {
  const latest = account + HotWord.latestTransfer;
  rows[previousAt] = page[latest]!;
  rows[previousAt + 1] = page[latest + 1]!;
  page[latest] = time.lo;
  page[latest + 1] = time.hi;
  // Wraps round after 2^32 rows, which HISTORY_EVERY divides.
  page[account + HotWord.transferCount]! += 1;
}

/** The books must learn of the account, and every so often of its balances at this row. */
function settle(
  state: LedgerState,
  handle: number,
  page: Uint32Array,
  account: number,
  time: EventTime,
): void {
  if (page[account + HotWord.changed] === 0) state.accounts.markChanged(handle);
  const isNth = (page[account + HotWord.transferCount]! & (HISTORY_EVERY - 1)) === 0;
  const isKept = (page[account + HotWord.codeAndFlags]! & HISTORY_FLAG) !== 0;
  if (isNth || isKept) addHistory(state, handle, page, account, time);
}

export function addHistory(
  state: LedgerState,
  handle: number,
  page: Uint32Array,
  row: number,
  time: EventTime,
): void {
  const at = state.history.addRow(HISTORY_ROW_WORDS);
  const { words } = state.history;
  words[at + HistoryRowWord.handle] = handle;
  words[at + HistoryRowWord.rowTimestamp] = time.lo;
  words[at + HistoryRowWord.rowTimestamp + 1] = time.hi;
  copyWords(page, row + HotWord.debitsPending, words, at + HistoryRowWord.balances, BALANCES_WORDS);
}

/** Tells the books what became of a pending transfer. `state.deadline` is its own, if `timeout` isn't 0. */
export function notePending(
  state: LedgerState,
  pending: Uint32Array,
  pendingAt: number,
  to: PendingState,
  resolvedLo: number,
  resolvedHi: number,
): void {
  const at = state.pendings.addRow(PENDING_ROW_WORDS);
  const { words } = state.pendings;
  words[at + PendingRowWord.timestamp] = pending[pendingAt + TransferWord.timestamp]!;
  words[at + PendingRowWord.timestamp + 1] = pending[pendingAt + TransferWord.timestamp + 1]!;
  words[at + PendingRowWord.state] = to;
  if (pending[pendingAt + TransferWord.timeout] !== 0) {
    words[at + PendingRowWord.deadline] = state.deadline.lo;
    words[at + PendingRowWord.deadline + 1] = state.deadline.hi;
  }
  words[at + PendingRowWord.resolved] = resolvedLo;
  words[at + PendingRowWord.resolved + 1] = resolvedHi;
}

/** Keeps what was asked for, beside the row that was booked last. */
export function noteRequested(state: LedgerState, amount: Uint32Array, amountAt: number): void {
  const { requested } = state;
  const serial = requested.append();
  const words = requested.wordsOf(serial);
  const at = requested.offsetOf(serial);
  words[at + RequestedRowWord.timestamp] = state.lastRowLo;
  words[at + RequestedRowWord.timestamp + 1] = state.lastRowHi;
  words[at + RequestedRowWord.timestamp + 2] = 0;
  words[at + RequestedRowWord.timestamp + 3] = 0;
  copy(amount, amountAt, words, at + RequestedRowWord.amount);
}

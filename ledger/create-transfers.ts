import { HotWord } from './account-store.ts';
import {
  balanceCredit,
  balanceDebit,
  closedStatus,
  creditLimitStatus,
  debitLimitStatus,
  OK,
  overflowStatus,
} from './amount-rules.ts';
import {
  existingHeadStatus,
  existingResolutionStatus,
  existingTransferStatus,
} from './exists-rules.ts';
import { importedTransferStatus, timestampStatus } from './import-rules.ts';
import { invariant } from './invariant.ts';
import { Known } from './known-ids.ts';
import { Leg, PendingState, TransferFlag, TransferWord } from './layout.ts';
import { NO_ACCOUNT } from './outcome.ts';
import {
  addToColumn,
  bookTransfer,
  notePending,
  noteRequested,
  rowTime,
  setClosed,
} from './posting.ts';
import { reserve } from './reserve.ts';
import { resolvePending } from './resolve-pending.ts';
import type { LedgerState } from './state.ts';
import { CREATED, InternalStatus, TransferStatus } from './status.ts';
import { copy, equal, isHighHalfMax, isMax, isZero } from './u128.ts';
import { copyRecord } from './words.ts';

const F = TransferFlag;
const KNOWN_FLAGS = 0x1ff;
const RESOLVES = F.postPendingTransfer | F.voidPendingTransfer;
const BALANCES = F.balancingDebit | F.balancingCredit;
const CLOSES = F.closingDebit | F.closingCredit;

/**
 * One event of create_transfers: its status. `event` is its number in the entry, `debit` and `credit`
 * are the accounts it names, or -1, and `hash` is its id's. What is transient the caller burns.
 */
export function createTransfer(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  event: number,
  debit: number,
  credit: number,
  hash: number,
): number {
  const flags = words[at + TransferWord.codeAndFlags]! >>> 16;
  // An account that is here has its slot here; but a clearing account's id may belong to any slot.
  const mayBeOthers =
    debit === NO_ACCOUNT || isHighHalfMax(words, at + TransferWord.debitAccountId);
  if (mayBeOthers && !ownsHome(state, words, at, flags)) return InternalStatus.wrong_unit;
  const early = statusBeforeId(state, words, at, flags);
  if (early !== OK) return early;
  const known = state.ids.locate(hash, words, at + TransferWord.id, event);
  if (known !== Known.none) return statusOfKnown(state, known, words, at, flags, event);
  if ((flags & RESOLVES) !== 0) return resolvePending(state, words, at, flags, event);
  const fields = statusOfFields(words, at, flags);
  if (fields !== OK) return fields;
  if (debit === NO_ACCOUNT) return TransferStatus.debit_account_not_found;
  if (credit === NO_ACCOUNT) {
    const owner = state.ownerOf(words, at + TransferWord.creditAccountId);
    if (owner === state.unit) return TransferStatus.credit_account_not_found;
    if (flags !== 0 || state.chain.open) return InternalStatus.not_across_units;
    return reserve(state, words, at, debit, owner);
  }
  return transfer(state, words, at, flags, debit, credit);
}

/**
 * This unit owns the account that is the event's home; a post or void need not name one. In a chain an id
 * that no account can have is refused by the chain's unit, whatever its slot.
 */
function ownsHome(state: LedgerState, words: Uint32Array, at: number, flags: number): boolean {
  const { debitAccountId, creditAccountId } = TransferWord;
  if (state.chain.open && isNobodys(words, at + debitAccountId)) return true;
  if ((flags & RESOLVES) === 0 || !isZero(words, at + debitAccountId)) {
    return state.owns(words, at + debitAccountId);
  }
  return isZero(words, at + creditAccountId) || state.owns(words, at + creditAccountId);
}

function isNobodys(words: Uint32Array, at: number): boolean {
  return isZero(words, at) || isHighHalfMax(words, at);
}

function statusBeforeId(state: LedgerState, words: Uint32Array, at: number, flags: number): number {
  const W = TransferWord;
  const isImported = (flags & F.imported) !== 0;
  const lo = words[at + W.timestamp]!;
  const hi = words[at + W.timestamp + 1]!;
  const timestamp = timestampStatus(state, isImported, lo, hi, TransferStatus);
  if (timestamp !== OK) return timestamp;
  if ((flags & ~KNOWN_FLAGS) !== 0) return TransferStatus.reserved_flag;
  if (isZero(words, at + W.id)) return TransferStatus.id_must_not_be_zero;
  if (isMax(words, at + W.id)) return TransferStatus.id_must_not_be_int_max;
  return OK;
}

/** Existence is tested before validity, so a retry gets its first outcome whatever else it says. */
function statusOfKnown(
  state: LedgerState,
  known: Known,
  words: Uint32Array,
  at: number,
  flags: number,
  event: number,
): number {
  if (known === Known.open) return InternalStatus.in_flight;
  if (known === Known.burnt) return TransferStatus.id_already_failed;
  const { ids, outcome, accounts } = state;
  const stored = ids.foundWords;
  const storedAt = ids.foundAt;
  const status =
    (flags & RESOLVES) === 0
      ? existingTransferStatus(words, at, stored, storedAt)
      : statusOfResolution(state, words, at, stored, storedAt, event);
  if (status === TransferStatus.exists) {
    outcome.takeTimestamp(stored, storedAt + TransferWord.timestamp);
    outcome.debit = accounts.find(stored, storedAt + TransferWord.debitAccountId);
    outcome.credit = accounts.find(stored, storedAt + TransferWord.creditAccountId);
  }
  return status;
}

function statusOfResolution(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  stored: Uint32Array,
  storedAt: number,
  event: number,
): number {
  const head = existingHeadStatus(words, at, stored, storedAt);
  if (head !== TransferStatus.exists) return head;
  const { ids } = state;
  const pending = ids.locatePending(words, at + TransferWord.pendingId, event);
  invariant(pending === Known.row, 'a booked post or void has lost its pending transfer');
  return existingResolutionStatus(words, at, stored, storedAt, ids.foundWords, ids.foundAt);
}

/** Rules that the record alone decides. Ids of clearing accounts count as 2^128 - 1. */
function statusOfFields(words: Uint32Array, at: number, flags: number): number {
  const W = TransferWord;
  const debit = at + W.debitAccountId;
  const credit = at + W.creditAccountId;
  if (isZero(words, debit)) return TransferStatus.debit_account_id_must_not_be_zero;
  if (isHighHalfMax(words, debit)) return TransferStatus.debit_account_id_must_not_be_int_max;
  if (isZero(words, credit)) return TransferStatus.credit_account_id_must_not_be_zero;
  if (isHighHalfMax(words, credit)) return TransferStatus.credit_account_id_must_not_be_int_max;
  if (equal(words, debit, words, credit)) return TransferStatus.accounts_must_be_different;
  if (!isZero(words, at + W.pendingId)) return TransferStatus.pending_id_must_be_zero;
  if ((flags & F.pending) === 0) {
    if (words[at + W.timeout] !== 0) return TransferStatus.timeout_reserved_for_pending_transfer;
    if ((flags & CLOSES) !== 0) return TransferStatus.closing_transfer_must_be_pending;
  }
  if (words[at + W.ledger] === 0) return TransferStatus.ledger_must_not_be_zero;
  if ((words[at + W.codeAndFlags]! & 0xffff) === 0) return TransferStatus.code_must_not_be_zero;
  return OK;
}

/** Both accounts are here. */
function transfer(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  flags: number,
  debit: number,
  credit: number,
): number {
  const debitPage = state.accounts.pageOf(debit);
  const debitAt = state.accounts.offsetOf(debit);
  const creditPage = state.accounts.pageOf(credit);
  const creditAt = state.accounts.offsetOf(credit);
  const ledger = debitPage[debitAt + HotWord.ledger];
  if (ledger !== creditPage[creditAt + HotWord.ledger]) {
    return TransferStatus.accounts_must_have_the_same_ledger;
  }
  if (ledger !== words[at + TransferWord.ledger]) {
    return TransferStatus.transfer_must_have_the_same_ledger_as_accounts;
  }
  if ((flags & F.imported) !== 0) {
    const imported = importedTransferStatus(state, words, at, debit, credit);
    if (imported !== OK) return imported;
  }
  const closed = closedStatus(debitPage, debitAt, creditPage, creditAt);
  if (closed !== OK) return closed;
  let amountWords = words;
  let amountAt = at + TransferWord.amount;
  if ((flags & BALANCES) !== 0) {
    amountWords = state.amount;
    copy(words, amountAt, amountWords, 0);
    amountAt = 0;
    if ((flags & F.balancingDebit) !== 0) balanceDebit(amountWords, debitPage, debitAt);
    if ((flags & F.balancingCredit) !== 0) balanceCredit(amountWords, creditPage, creditAt);
  }
  const isPending = (flags & F.pending) !== 0;
  const overflow = overflowStatus(
    debitPage,
    debitAt,
    creditPage,
    creditAt,
    amountWords,
    amountAt,
    isPending,
  );
  if (overflow !== OK) return overflow;
  if (isPending && !setDeadline(state, words, at, flags)) return TransferStatus.overflows_timeout;
  const debitLimit = debitLimitStatus(debitPage, debitAt, amountWords, amountAt);
  if (debitLimit !== OK) return debitLimit;
  const creditLimit = creditLimitStatus(creditPage, creditAt, amountWords, amountAt);
  if (creditLimit !== OK) return creditLimit;
  if (state.chain.open) {
    state.chain.keep(state, debit);
    state.chain.keep(state, credit);
  }
  if (flags === 0) bookPlain(state, words, at, debit, credit);
  else book(state, words, at, flags, debit, credit, amountWords, amountAt);
  state.outcome.debit = debit;
  state.outcome.credit = credit;
  return CREATED;
}

/** False if the deadline is past the end of time. */
function setDeadline(state: LedgerState, words: Uint32Array, at: number, flags: number): boolean {
  const timeout = words[at + TransferWord.timeout]!;
  if (timeout === 0 || (flags & F.imported) !== 0) return true;
  return state.deadline.set(state.time.lo, state.time.hi, timeout);
}

function bookPlain(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  debit: number,
  credit: number,
): void {
  const amountAt = at + TransferWord.amount;
  addToColumn(state, debit, HotWord.debitsPosted, words, amountAt);
  addToColumn(state, credit, HotWord.creditsPosted, words, amountAt);
  bookTransfer(state, words, at, state.ids.hash, debit, credit, Leg.both, 0, state.time);
}

function book(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  flags: number,
  debit: number,
  credit: number,
  amount: Uint32Array,
  amountAt: number,
): void {
  const isPending = (flags & F.pending) !== 0;
  const debitColumn = isPending ? HotWord.debitsPending : HotWord.debitsPosted;
  const creditColumn = isPending ? HotWord.creditsPending : HotWord.creditsPosted;
  addToColumn(state, debit, debitColumn, amount, amountAt);
  addToColumn(state, credit, creditColumn, amount, amountAt);
  if ((flags & F.closingDebit) !== 0) setClosed(state, debit, true);
  if ((flags & F.closingCredit) !== 0) setClosed(state, credit, true);
  const { outcome, stored } = state;
  if ((flags & F.imported) !== 0) {
    outcome.takeTimestamp(words, at + TransferWord.timestamp);
  }
  const { timestampLo: lo, timestampHi: hi } = outcome;
  copyRecord(words, at, stored, 0);
  copy(amount, amountAt, stored, TransferWord.amount);
  stored[TransferWord.timestamp] = lo;
  stored[TransferWord.timestamp + 1] = hi;
  bookTransfer(state, stored, 0, state.ids.hash, debit, credit, Leg.both, 0, rowTime(state));
  if (!equal(stored, TransferWord.amount, words, at + TransferWord.amount)) {
    noteRequested(state, words, at + TransferWord.amount);
  }
  if (!isPending) return;
  notePending(state, stored, 0, PendingState.pending, 0, 0);
  if (stored[TransferWord.timeout] !== 0) {
    state.timeouts.add(lo, hi, state.deadline.lo, state.deadline.hi);
  }
}

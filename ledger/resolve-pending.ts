import { HotWord } from './account-store.ts';
import { closedStatus, OK } from './amount-rules.ts';
import { importedRegressStatus } from './import-rules.ts';
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
  takeFromColumn,
} from './posting.ts';
import type { LedgerState } from './state.ts';
import { CREATED, InternalStatus, TransferStatus } from './status.ts';
import { copy, equal, greater, isMax, isZero } from './u128.ts';

const F = TransferFlag;
const POST_AND_VOID = F.postPendingTransfer | F.voidPendingTransfer;
const EXCLUDED =
  F.pending | F.balancingDebit | F.balancingCredit | F.closingDebit | F.closingCredit;

/** One event that posts or voids a pending transfer, its id being new: its status. */
export function resolvePending(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  flags: number,
  event: number,
): number {
  const { ids } = state;
  const hash = ids.hash;
  const fields = statusOfFields(words, at, flags);
  if (fields !== OK) return fields;
  const known = ids.locatePending(words, at + TransferWord.pendingId, event);
  // A crossing with that id is on its way: whether it becomes a transfer is not known yet.
  if (known === Known.open) return InternalStatus.in_flight;
  if (known !== Known.row) return TransferStatus.pending_transfer_not_found;
  const pending = ids.foundWords;
  const p = ids.foundAt;
  const isVoid = (flags & F.voidPendingTransfer) !== 0;
  const status = statusOfPending(state, words, at, isVoid, pending, p);
  if (status !== OK) return status;
  const late = statusOfTime(state, words, at, flags, pending, p);
  if (late !== OK) return late;
  const debit = state.accounts.find(pending, p + TransferWord.debitAccountId);
  const credit = state.accounts.find(pending, p + TransferWord.creditAccountId);
  invariant(debit !== NO_ACCOUNT && credit !== NO_ACCOUNT, 'a pending transfer lost an account');
  if (!isVoid) {
    const closed = closedOf(state, debit, credit);
    if (closed !== OK) return closed;
  }
  inherit(state.stored, words, at, pending, p);
  copy(state.amount, 0, state.stored, TransferWord.amount);
  state.chain.keep(state, debit);
  state.chain.keep(state, credit);
  release(state, debit, credit, pending, p, isVoid);
  if (!isVoid) {
    addToColumn(state, debit, HotWord.debitsPosted, state.amount, 0);
    addToColumn(state, credit, HotWord.creditsPosted, state.amount, 0);
  }
  book(state, words, at, flags, hash, debit, credit, pending, p);
  return CREATED;
}

function statusOfFields(words: Uint32Array, at: number, flags: number): number {
  const pendingId = at + TransferWord.pendingId;
  if ((flags & POST_AND_VOID) === POST_AND_VOID || (flags & EXCLUDED) !== 0) {
    return TransferStatus.flags_are_mutually_exclusive;
  }
  if (isZero(words, pendingId)) return TransferStatus.pending_id_must_not_be_zero;
  if (isMax(words, pendingId)) return TransferStatus.pending_id_must_not_be_int_max;
  if (equal(words, pendingId, words, at + TransferWord.id)) {
    return TransferStatus.pending_id_must_be_different;
  }
  return words[at + TransferWord.timeout] === 0
    ? OK
    : TransferStatus.timeout_reserved_for_pending_transfer;
}

/** The rules on the pending transfer; sets state.amount to what is posted or voided. */
function statusOfPending(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  isVoid: boolean,
  pending: Uint32Array,
  p: number,
): number {
  const W = TransferWord;
  if ((pending[p + W.codeAndFlags]! & (F.pending << 16)) === 0) {
    return TransferStatus.pending_transfer_not_pending;
  }
  if (differs(words, at + W.debitAccountId, pending, p + W.debitAccountId)) {
    return TransferStatus.pending_transfer_has_different_debit_account_id;
  }
  if (differs(words, at + W.creditAccountId, pending, p + W.creditAccountId)) {
    return TransferStatus.pending_transfer_has_different_credit_account_id;
  }
  const ledger = words[at + W.ledger]!;
  if (ledger !== 0 && ledger !== pending[p + W.ledger]) {
    return TransferStatus.pending_transfer_has_different_ledger;
  }
  const code = words[at + W.codeAndFlags]! & 0xffff;
  if (code !== 0 && code !== (pending[p + W.codeAndFlags]! & 0xffff)) {
    return TransferStatus.pending_transfer_has_different_code;
  }
  const { amount } = state;
  const isWhole = isVoid ? isZero(words, at + W.amount) : isMax(words, at + W.amount);
  copy(isWhole ? pending : words, (isWhole ? p : at) + W.amount, amount, 0);
  if (greater(amount, 0, pending, p + W.amount)) {
    return TransferStatus.exceeds_pending_transfer_amount;
  }
  if (isVoid && !equal(amount, 0, pending, p + W.amount)) {
    return TransferStatus.pending_transfer_has_different_amount;
  }
  switch (state.ids.stateOf(pending, p)) {
    case PendingState.posted:
      return TransferStatus.pending_transfer_already_posted;
    case PendingState.voided:
      return TransferStatus.pending_transfer_already_voided;
    case PendingState.expired:
      return TransferStatus.pending_transfer_expired;
    default:
      return OK;
  }
}

/** An account is named, and it is another one. */
function differs(words: Uint32Array, at: number, pending: Uint32Array, p: number): boolean {
  return !isZero(words, at) && !equal(words, at, pending, p);
}

/** The regress rule, then the deadline, which holds though its expiry may not be applied yet. */
function statusOfTime(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  flags: number,
  pending: Uint32Array,
  p: number,
): number {
  if ((flags & F.imported) !== 0) {
    const regress = importedRegressStatus(state, words, at + TransferWord.timestamp);
    if (regress !== OK) return regress;
  }
  const timeout = pending[p + TransferWord.timeout]!;
  if (timeout === 0) return OK;
  const { deadline, time } = state;
  const timestamp = p + TransferWord.timestamp;
  deadline.set(pending[timestamp]!, pending[timestamp + 1]!, timeout);
  // An import's given time doesn't count: its outcome must not hang on whether the expiry is late.
  const isLate = deadline.isPast(time.lo, time.hi);
  return isLate ? TransferStatus.pending_transfer_expired : OK;
}

function closedOf({ accounts }: LedgerState, debit: number, credit: number): number {
  return closedStatus(
    accounts.pageOf(debit),
    accounts.offsetOf(debit),
    accounts.pageOf(credit),
    accounts.offsetOf(credit),
  );
}

/** Gives the reservation back; if it is for nothing, what the pending transfer closed is open again. */
export function release(
  state: LedgerState,
  debit: number,
  credit: number,
  pending: Uint32Array,
  p: number,
  reopens: boolean,
): void {
  const reserved = p + TransferWord.amount;
  takeFromColumn(state, debit, HotWord.debitsPending, pending, reserved);
  takeFromColumn(state, credit, HotWord.creditsPending, pending, reserved);
  if (!reopens) return;
  const flags = pending[p + TransferWord.codeAndFlags]! >>> 16;
  if ((flags & F.closingDebit) !== 0) setClosed(state, debit, false);
  if ((flags & F.closingCredit) !== 0) setClosed(state, credit, false);
}

/** The record that is stored: what the event leaves out is its pending transfer's. */
function inherit(
  stored: Uint32Array,
  words: Uint32Array,
  at: number,
  pending: Uint32Array,
  p: number,
): void {
  const W = TransferWord;
  stored.fill(0);
  copy(words, at + W.id, stored, W.id);
  copy(pending, p + W.debitAccountId, stored, W.debitAccountId);
  copy(pending, p + W.creditAccountId, stored, W.creditAccountId);
  copy(words, at + W.pendingId, stored, W.pendingId);
  const has128 = !isZero(words, at + W.userData128);
  copy(has128 ? words : pending, (has128 ? at : p) + W.userData128, stored, W.userData128);
  const has64 = (words[at + W.userData64]! | words[at + W.userData64 + 1]!) !== 0;
  const from64 = has64 ? words : pending;
  stored[W.userData64] = from64[(has64 ? at : p) + W.userData64]!;
  stored[W.userData64 + 1] = from64[(has64 ? at : p) + W.userData64 + 1]!;
  stored[W.userData32] = words[at + W.userData32]! || pending[p + W.userData32]!;
  stored[W.ledger] = pending[p + W.ledger]!;
  const flags = words[at + W.codeAndFlags]! & 0xffff_0000;
  stored[W.codeAndFlags] = flags | (pending[p + W.codeAndFlags]! & 0xffff);
}

function book(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  flags: number,
  hash: number,
  debit: number,
  credit: number,
  pending: Uint32Array,
  p: number,
): void {
  const { outcome, ids, stored } = state;
  if ((flags & F.imported) !== 0) {
    outcome.takeTimestamp(words, at + TransferWord.timestamp);
  }
  const { timestampLo: lo, timestampHi: hi } = outcome;
  bookTransfer(state, stored, 0, hash, debit, credit, Leg.both, 0, rowTime(state));
  ids.resolved.add(ids.rows.end - 1);
  if (!equal(stored, TransferWord.amount, words, at + TransferWord.amount)) {
    noteRequested(state, words, at + TransferWord.amount);
  }
  const isPost = (flags & F.postPendingTransfer) !== 0;
  notePending(state, pending, p, isPost ? PendingState.posted : PendingState.voided, lo, hi);
  if (pending[p + TransferWord.timeout] !== 0) {
    const timestamp = p + TransferWord.timestamp;
    state.timeouts.remove(pending[timestamp]!, pending[timestamp + 1]!);
  }
  outcome.debit = debit;
  outcome.credit = credit;
}

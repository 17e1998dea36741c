import { type AccountStore, HotWord } from './account-store.ts';
import { AccountFlag, AccountWord, TransferFlag, TransferWord } from './layout.ts';
import { AccountStatus, TransferStatus } from './status.ts';
import { equal, greater, isMax, isZero } from './u128.ts';

const BALANCING = (TransferFlag.balancingDebit | TransferFlag.balancingCredit) << 16;

/**
 * Compares an event with the stored record of its id; the first difference names the status. Not for
 * posts and voids.
 */
export function existingTransferStatus(
  event: Uint32Array,
  e: number,
  stored: Uint32Array,
  s: number,
): number {
  const W = TransferWord;
  const head = existingHeadStatus(event, e, stored, s);
  if (head !== TransferStatus.exists) return head;
  if (!equal(event, e + W.debitAccountId, stored, s + W.debitAccountId)) {
    return TransferStatus.exists_with_different_debit_account_id;
  }
  if (!equal(event, e + W.creditAccountId, stored, s + W.creditAccountId)) {
    return TransferStatus.exists_with_different_credit_account_id;
  }
  // A balancing transfer asks for an upper bound: what it booked is no less than what it could book now.
  const amountFits =
    (event[e + W.codeAndFlags]! & BALANCING) !== 0
      ? !greater(stored, s + W.amount, event, e + W.amount)
      : equal(event, e + W.amount, stored, s + W.amount);
  if (!amountFits) return TransferStatus.exists_with_different_amount;
  if (!equal(event, e + W.userData128, stored, s + W.userData128)) {
    return TransferStatus.exists_with_different_user_data_128;
  }
  if (differs64(event, e + W.userData64, stored, s + W.userData64)) {
    return TransferStatus.exists_with_different_user_data_64;
  }
  if (event[e + W.userData32] !== stored[s + W.userData32]) {
    return TransferStatus.exists_with_different_user_data_32;
  }
  if (event[e + W.ledger] !== stored[s + W.ledger]) {
    return TransferStatus.exists_with_different_ledger;
  }
  return event[e + W.codeAndFlags] === stored[s + W.codeAndFlags]
    ? TransferStatus.exists
    : TransferStatus.exists_with_different_code;
}

/** Flags, pending_id and timeout, which all kinds of transfers compare alike, and first. */
export function existingHeadStatus(
  event: Uint32Array,
  e: number,
  stored: Uint32Array,
  s: number,
): number {
  const W = TransferWord;
  if ((event[e + W.codeAndFlags]! ^ stored[s + W.codeAndFlags]!) >>> 16 !== 0) {
    return TransferStatus.exists_with_different_flags;
  }
  if (!equal(event, e + W.pendingId, stored, s + W.pendingId)) {
    return TransferStatus.exists_with_different_pending_id;
  }
  return event[e + W.timeout] === stored[s + W.timeout]
    ? TransferStatus.exists
    : TransferStatus.exists_with_different_timeout;
}

/**
 * The rest of the comparison for a post or a void, which leaves out what it takes from its pending
 * transfer: a field that is 0 compares as the pending transfer's.
 */
export function existingResolutionStatus(
  event: Uint32Array,
  e: number,
  stored: Uint32Array,
  s: number,
  pending: Uint32Array,
  p: number,
): number {
  const W = TransferWord;
  const differs128 = (word: number) => {
    const given = isZero(event, e + word) ? pending : event;
    return !equal(given, (given === event ? e : p) + word, stored, s + word);
  };
  if (differs128(W.debitAccountId)) return TransferStatus.exists_with_different_debit_account_id;
  if (differs128(W.creditAccountId)) return TransferStatus.exists_with_different_credit_account_id;
  const isPost = (event[e + W.codeAndFlags]! & (TransferFlag.postPendingTransfer << 16)) !== 0;
  const wholeAmount = isPost ? isMax(event, e + W.amount) : isZero(event, e + W.amount);
  const amountWords = wholeAmount ? pending : event;
  if (!equal(amountWords, (wholeAmount ? p : e) + W.amount, stored, s + W.amount)) {
    return TransferStatus.exists_with_different_amount;
  }
  if (differs128(W.userData128)) return TransferStatus.exists_with_different_user_data_128;
  const has64 = (event[e + W.userData64]! | event[e + W.userData64 + 1]!) !== 0;
  if (
    differs64(has64 ? event : pending, (has64 ? e : p) + W.userData64, stored, s + W.userData64)
  ) {
    return TransferStatus.exists_with_different_user_data_64;
  }
  const userData32 = event[e + W.userData32]! || pending[p + W.userData32]!;
  if (userData32 !== stored[s + W.userData32]) {
    return TransferStatus.exists_with_different_user_data_32;
  }
  const ledger = event[e + W.ledger]!;
  if (ledger !== 0 && ledger !== stored[s + W.ledger]) {
    return TransferStatus.exists_with_different_ledger;
  }
  const code = event[e + W.codeAndFlags]! & 0xffff;
  const same = code === 0 || code === (stored[s + W.codeAndFlags]! & 0xffff);
  return same ? TransferStatus.exists : TransferStatus.exists_with_different_code;
}

/** `closed` is left out: a resend after a close is `exists`. */
export function existingAccountStatus(
  accounts: AccountStore,
  handle: number,
  event: Uint32Array,
  e: number,
): number {
  const W = AccountWord;
  const page = accounts.pageOf(handle);
  const row = accounts.offsetOf(handle);
  const code =
    (event[e + W.codeAndFlags]! ^ page[row + HotWord.codeAndFlags]!) & ~(AccountFlag.closed << 16);
  if (code >>> 16 !== 0) return AccountStatus.exists_with_different_flags;
  if (!accounts.hasUserData128(handle, event, e + W.userData128)) {
    return AccountStatus.exists_with_different_user_data_128;
  }
  if (differs64(event, e + W.userData64, page, row + HotWord.userData64)) {
    return AccountStatus.exists_with_different_user_data_64;
  }
  if (event[e + W.userData32] !== page[row + HotWord.userData32]) {
    return AccountStatus.exists_with_different_user_data_32;
  }
  if (event[e + W.ledger] !== page[row + HotWord.ledger]) {
    return AccountStatus.exists_with_different_ledger;
  }
  return code === 0 ? AccountStatus.exists : AccountStatus.exists_with_different_code;
}

function differs64(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number): boolean {
  return a[aAt] !== b[bAt] || a[aAt + 1] !== b[bAt + 1];
}

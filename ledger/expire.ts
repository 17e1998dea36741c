import { invariant } from './invariant.ts';
import { Leg, PendingState, TransferFlag, TransferWord } from './layout.ts';
import { NO_ACCOUNT } from './outcome.ts';
import { bookMovement, notePending } from './posting.ts';
import { release } from './resolve-pending.ts';
import type { LedgerState } from './state.ts';
import { CREATED, InternalStatus } from './status.ts';

/** One item of an expire sub-batch, the pending transfer's timestamp at `at`: CREATED if it expired now. */
export function expire(state: LedgerState, words: Uint32Array, at: number, event: number): number {
  const { ids, time, deadline, outcome } = state;
  invariant(ids.locateRow(words, at, event), 'what is to expire was never booked');
  const pending = ids.foundWords;
  const p = ids.foundAt;
  const flags = pending[p + TransferWord.codeAndFlags]! >>> 16;
  const timeout = pending[p + TransferWord.timeout]!;
  invariant((flags & TransferFlag.pending) !== 0 && timeout !== 0, 'what is to expire never does');
  if (ids.stateOf(pending, p) !== PendingState.pending) return InternalStatus.not_expired;
  const timestamp = p + TransferWord.timestamp;
  deadline.set(pending[timestamp]!, pending[timestamp + 1]!, timeout);
  if (!deadline.isPast(time.lo, time.hi)) return InternalStatus.not_expired;
  const debit = state.accounts.find(pending, p + TransferWord.debitAccountId);
  const credit = state.accounts.find(pending, p + TransferWord.creditAccountId);
  invariant(debit !== NO_ACCOUNT && credit !== NO_ACCOUNT, 'a pending transfer lost an account');
  release(state, debit, credit, pending, p, true);
  // The record that is booked is the pending transfer's own, its timestamp too.
  outcome.takeTimestamp(pending, timestamp);
  const serial = bookMovement(state, pending, p, debit, credit, Leg.expiry, 0);
  ids.resolved.add(serial);
  notePending(state, pending, p, PendingState.expired, time.lo, time.hi);
  state.timeouts.remove(pending[timestamp]!, pending[timestamp + 1]!);
  outcome.debit = debit;
  outcome.credit = credit;
  return CREATED;
}

import { InternalStatus, TransferStatus as S } from '../status.ts';
import { inherited } from './oracle-exists.ts';
import { AccountBit, Flag, has, U128_MAX } from './oracle-flags.ts';
import type { OracleLedger, Pending } from './oracle-ledger.ts';
import type { TransferFields } from './records.ts';

/** A post or a void of a new id, evaluated at `at`, to be stored with `timestamp`. */
export function resolvePending(
  ledger: OracleLedger,
  event: TransferFields,
  at: bigint,
  timestamp: bigint,
): number {
  const early = statusOfFields(event);
  if (early !== null) return early;
  if (ledger.isOpen(event.pendingId)) return InternalStatus.in_flight;
  const stored = ledger.transfers.get(event.pendingId);
  if (stored === undefined) return S.pending_transfer_not_found;
  const pending = ledger.pendings.get(event.pendingId);
  if (pending === undefined) return S.pending_transfer_not_pending;
  const asked = inherited(ledger, event);
  const status =
    statusAgainst(asked, pending) ?? statusOfState(ledger, asked, pending, at, timestamp);
  if (status !== null) return status;
  book(ledger, { ...asked, timestamp }, pending, event.amount);
  return S.created;
}

function statusOfFields(event: TransferFields): number | null {
  const others = Flag.pending | Flag.balancingDebit | Flag.balancingCredit;
  const closing = Flag.closingDebit | Flag.closingCredit;
  if (has(event, others | closing)) return S.flags_are_mutually_exclusive;
  if (has(event, Flag.post) && has(event, Flag.void)) return S.flags_are_mutually_exclusive;
  if (event.pendingId === 0n) return S.pending_id_must_not_be_zero;
  if (event.pendingId === U128_MAX) return S.pending_id_must_not_be_int_max;
  if (event.pendingId === event.id) return S.pending_id_must_be_different;
  if (event.timeout !== 0) return S.timeout_reserved_for_pending_transfer;
  return null;
}

function statusAgainst(asked: TransferFields, pending: Pending): number | null {
  const { record, state } = pending;
  if (asked.debit !== record.debit) return S.pending_transfer_has_different_debit_account_id;
  if (asked.credit !== record.credit) return S.pending_transfer_has_different_credit_account_id;
  if (asked.ledger !== record.ledger) return S.pending_transfer_has_different_ledger;
  if (asked.code !== record.code) return S.pending_transfer_has_different_code;
  if (asked.amount > record.amount) return S.exceeds_pending_transfer_amount;
  if (has(asked, Flag.void) && asked.amount !== record.amount) {
    return S.pending_transfer_has_different_amount;
  }
  if (state === 'posted') return S.pending_transfer_already_posted;
  if (state === 'voided') return S.pending_transfer_already_voided;
  if (state === 'expired') return S.pending_transfer_expired;
  return null;
}

function statusOfState(
  ledger: OracleLedger,
  asked: TransferFields,
  { record: { debit, credit }, deadline }: Pending,
  at: bigint,
  timestamp: bigint,
): number | null {
  if (has(asked, Flag.imported) && ledger.regresses(timestamp)) {
    return S.imported_event_timestamp_must_not_regress;
  }
  // Its expiry entry may be late: the deadline itself counts too.
  if (deadline !== null && deadline <= at) return S.pending_transfer_expired;
  if (has(asked, Flag.void)) return null;
  if (has(ledger.accounts.get(debit)!, AccountBit.closed)) return S.debit_account_already_closed;
  if (has(ledger.accounts.get(credit)!, AccountBit.closed)) return S.credit_account_already_closed;
  return null;
}

/** Takes the whole reservation off, and posts what is asked. */
function book(
  ledger: OracleLedger,
  record: TransferFields,
  pending: Pending,
  requested: bigint,
): void {
  const { debit, credit, amount, timestamp } = record;
  const isPost = has(record, Flag.post);
  ledger.move(debit, credit, { pending: -pending.record.amount, posted: isPost ? amount : 0n });
  if (!isPost) reopen(ledger, pending.record);
  const state = isPost ? 'posted' : 'voided';
  ledger.resolve(pending, state);
  ledger.addTransfer(record);
  const resolved = { id: pending.record.id, state } as const;
  const kind = 'transfer';
  ledger.addEvent({ kind, timestamp, record, debit, credit, requested, pending: resolved });
}

/** What a closing transfer had closed, once it is voided or has expired. */
export function reopen(ledger: OracleLedger, pending: TransferFields): void {
  if (has(pending, Flag.closingDebit)) ledger.setClosed(pending.debit, false);
  if (has(pending, Flag.closingCredit)) ledger.setClosed(pending.credit, false);
}

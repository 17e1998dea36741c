import { TransferStatus as S } from '../status.ts';
import { Flag, has, U128_MAX } from './oracle-flags.ts';
import type { OracleLedger } from './oracle-ledger.ts';
import type { TransferFields } from './records.ts';

/** Idempotency: an event with the id of a stored transfer. Timestamps are not compared. */
export function compareTransfer(
  ledger: OracleLedger,
  event: TransferFields,
  known: TransferFields,
): number {
  if (event.flags !== known.flags) return S.exists_with_different_flags;
  if (event.pendingId !== known.pendingId) return S.exists_with_different_pending_id;
  if (event.timeout !== known.timeout) return S.exists_with_different_timeout;
  const asked = has(known, Flag.post | Flag.void) ? inherited(ledger, event) : event;
  if (asked.debit !== known.debit) return S.exists_with_different_debit_account_id;
  if (asked.credit !== known.credit) return S.exists_with_different_credit_account_id;
  const isBalancing = has(known, Flag.balancingDebit | Flag.balancingCredit);
  const isAmount = isBalancing ? asked.amount >= known.amount : asked.amount === known.amount;
  if (!isAmount) return S.exists_with_different_amount;
  if (asked.userData128 !== known.userData128) return S.exists_with_different_user_data_128;
  if (asked.userData64 !== known.userData64) return S.exists_with_different_user_data_64;
  if (asked.userData32 !== known.userData32) return S.exists_with_different_user_data_32;
  if (asked.ledger !== known.ledger) return S.exists_with_different_ledger;
  if (asked.code !== known.code) return S.exists_with_different_code;
  return S.exists;
}

/** What a post or void says with what it leaves out taken from its pending transfer. */
export function inherited(ledger: OracleLedger, event: TransferFields): TransferFields {
  const pending = ledger.transfers.get(event.pendingId)!;
  const all = has(event, Flag.post) ? U128_MAX : 0n;
  return {
    ...event,
    debit: event.debit || pending.debit,
    credit: event.credit || pending.credit,
    amount: event.amount === all ? pending.amount : event.amount,
    userData128: event.userData128 || pending.userData128,
    userData64: event.userData64 || pending.userData64,
    userData32: event.userData32 || pending.userData32,
    ledger: event.ledger || pending.ledger,
    code: event.code || pending.code,
  };
}

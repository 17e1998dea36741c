import { TransferStatus as S } from '../status.ts';
import { AccountBit, has, U128_MAX } from './oracle-flags.ts';
import type { AccountFields } from './records.ts';

/** Each column, and pending and posted together. */
export function overflowStatus(
  debit: AccountFields,
  credit: AccountFields,
  amount: bigint,
  isPending: boolean,
): number | null {
  if (isPending && debit.debitsPending + amount > U128_MAX) return S.overflows_debits_pending;
  if (isPending && credit.creditsPending + amount > U128_MAX) return S.overflows_credits_pending;
  if (debit.debitsPosted + amount > U128_MAX) return S.overflows_debits_posted;
  if (credit.creditsPosted + amount > U128_MAX) return S.overflows_credits_posted;
  if (debit.debitsPending + debit.debitsPosted + amount > U128_MAX) return S.overflows_debits;
  if (credit.creditsPending + credit.creditsPosted + amount > U128_MAX) return S.overflows_credits;
  return null;
}

export function limitStatus(
  debit: AccountFields,
  credit: AccountFields,
  amount: bigint,
): number | null {
  const debits = debit.debitsPending + debit.debitsPosted + amount;
  if (has(debit, AccountBit.debitsLimited) && debits > debit.creditsPosted) {
    return S.exceeds_credits;
  }
  const credits = credit.creditsPending + credit.creditsPosted + amount;
  if (has(credit, AccountBit.creditsLimited) && credits > credit.debitsPosted) {
    return S.exceeds_debits;
  }
  return null;
}

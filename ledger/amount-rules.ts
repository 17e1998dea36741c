import { AccountFlag, AccountWord, TransferWord } from './layout.ts';
import type { LedgerState } from './state.ts';
import { TransferStatus } from './status.ts';
import { sum3Exceeds, sum3Overflows, sumOverflows } from './u128.ts';

/** No rule failed. No public status is 0. */
export const OK = 0;

/**
 * Would the amount overflow a column, or pending and posted together? `debit` and `credit` are the
 * accounts' rows. A crossing is tested as the plain transfer it is to its client; pending and posted
 * together leave room for its reservation and for its completion too.
 */
export function overflowStatus(
  debitPage: Uint32Array,
  debit: number,
  creditPage: Uint32Array,
  credit: number,
  record: Uint32Array,
  at: number,
): number {
  const amount = at + TransferWord.amount;
  const { debitsPending, debitsPosted, creditsPending, creditsPosted } = AccountWord;
  if (sumOverflows(debitPage, debit + debitsPosted, record, amount)) {
    return TransferStatus.overflows_debits_posted;
  }
  if (sumOverflows(creditPage, credit + creditsPosted, record, amount)) {
    return TransferStatus.overflows_credits_posted;
  }
  if (sum3Overflows(debitPage, debit + debitsPending, debit + debitsPosted, record, amount)) {
    return TransferStatus.overflows_debits;
  }
  if (sum3Overflows(creditPage, credit + creditsPending, credit + creditsPosted, record, amount)) {
    return TransferStatus.overflows_credits;
  }
  return OK;
}

export function debitLimitStatus(
  page: Uint32Array,
  row: number,
  record: Uint32Array,
  at: number,
): number {
  if (!hasFlag(page, row, AccountFlag.debitsMustNotExceedCredits)) return OK;
  const { debitsPending, debitsPosted, creditsPosted } = AccountWord;
  const exceeds = sum3Exceeds(
    page,
    row + debitsPending,
    row + debitsPosted,
    record,
    at + TransferWord.amount,
    row + creditsPosted,
  );
  return exceeds ? TransferStatus.exceeds_credits : OK;
}

export function creditLimitStatus(
  page: Uint32Array,
  row: number,
  record: Uint32Array,
  at: number,
): number {
  if (!hasFlag(page, row, AccountFlag.creditsMustNotExceedDebits)) return OK;
  const { creditsPending, creditsPosted, debitsPosted } = AccountWord;
  const exceeds = sum3Exceeds(
    page,
    row + creditsPending,
    row + creditsPosted,
    record,
    at + TransferWord.amount,
    row + debitsPosted,
  );
  return exceeds ? TransferStatus.exceeds_debits : OK;
}

/** A transient failure burns the id, so that a retry can't succeed by surprise. */
export function burnIfTransient(
  state: LedgerState,
  status: number,
  record: Uint32Array,
  at: number,
): void {
  switch (status) {
    case TransferStatus.debit_account_not_found:
    case TransferStatus.credit_account_not_found:
    case TransferStatus.pending_transfer_not_found:
    case TransferStatus.debit_account_already_closed:
    case TransferStatus.credit_account_already_closed:
    case TransferStatus.exceeds_credits:
    case TransferStatus.exceeds_debits:
      state.ids.burn(record, at + TransferWord.id, state.time.lo, state.time.hi);
  }
}

function hasFlag(page: Uint32Array, row: number, flag: number): boolean {
  return (page[row + AccountWord.codeAndFlags]! & (flag << 16)) !== 0;
}

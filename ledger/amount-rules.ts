import { HotWord } from './account-store.ts';
import { AccountFlag, TransferWord } from './layout.ts';
import type { LedgerState } from './state.ts';
import { TransferStatus } from './status.ts';
import { limitToRest, sum3Exceeds, sum3Overflows, sumOverflows } from './u128.ts';

/** No rule failed. No public status is 0. */
export const OK = 0;

const CLOSED = AccountFlag.closed << 16;
const DEBITS_LIMITED = AccountFlag.debitsMustNotExceedCredits << 16;
const CREDITS_LIMITED = AccountFlag.creditsMustNotExceedDebits << 16;

/**
 * Would the amount overflow a column, or pending and posted together? `debit` and `credit` are where
 * the accounts lie. A crossing is tested as the plain transfer it is to its client; pending and posted
 * together leave room for its reservation and for its completion too.
 */
export function overflowStatus(
  debitPage: Uint32Array,
  debit: number,
  creditPage: Uint32Array,
  credit: number,
  words: Uint32Array,
  amount: number,
  isPending: boolean,
): number {
  const { debitsPending, debitsPosted, creditsPending, creditsPosted } = HotWord;
  // Five numbers below 2^126, as nearly all are.
  const high =
    debitPage[debit + debitsPending + 3]! |
    debitPage[debit + debitsPosted + 3]! |
    creditPage[credit + creditsPending + 3]! |
    creditPage[credit + creditsPosted + 3]! |
    words[amount + 3]!;
  if (high >>> 30 === 0) return OK;
  if (isPending) {
    if (sumOverflows(debitPage, debit + debitsPending, words, amount)) {
      return TransferStatus.overflows_debits_pending;
    }
    if (sumOverflows(creditPage, credit + creditsPending, words, amount)) {
      return TransferStatus.overflows_credits_pending;
    }
  }
  if (sumOverflows(debitPage, debit + debitsPosted, words, amount)) {
    return TransferStatus.overflows_debits_posted;
  }
  if (sumOverflows(creditPage, credit + creditsPosted, words, amount)) {
    return TransferStatus.overflows_credits_posted;
  }
  if (sum3Overflows(debitPage, debit + debitsPending, debit + debitsPosted, words, amount)) {
    return TransferStatus.overflows_debits;
  }
  if (sum3Overflows(creditPage, credit + creditsPending, credit + creditsPosted, words, amount)) {
    return TransferStatus.overflows_credits;
  }
  return OK;
}

export function debitLimitStatus(
  page: Uint32Array,
  account: number,
  words: Uint32Array,
  amount: number,
): number {
  if ((page[account + HotWord.codeAndFlags]! & DEBITS_LIMITED) === 0) return OK;
  const exceeds = sum3Exceeds(
    page,
    account + HotWord.debitsPending,
    account + HotWord.debitsPosted,
    words,
    amount,
    account + HotWord.creditsPosted,
  );
  return exceeds ? TransferStatus.exceeds_credits : OK;
}

export function creditLimitStatus(
  page: Uint32Array,
  account: number,
  words: Uint32Array,
  amount: number,
): number {
  if ((page[account + HotWord.codeAndFlags]! & CREDITS_LIMITED) === 0) return OK;
  const exceeds = sum3Exceeds(
    page,
    account + HotWord.creditsPending,
    account + HotWord.creditsPosted,
    words,
    amount,
    account + HotWord.debitsPosted,
  );
  return exceeds ? TransferStatus.exceeds_debits : OK;
}

/** A closed account takes nothing but voids and expiries. */
export function closedStatus(
  debitPage: Uint32Array,
  debit: number,
  creditPage: Uint32Array,
  credit: number,
): number {
  if ((debitPage[debit + HotWord.codeAndFlags]! & CLOSED) !== 0) {
    return TransferStatus.debit_account_already_closed;
  }
  if ((creditPage[credit + HotWord.codeAndFlags]! & CLOSED) !== 0) {
    return TransferStatus.credit_account_already_closed;
  }
  return OK;
}

/** amount = what the debit account may still be debited without exceeding its credits, if that is less. */
export function balanceDebit(amount: Uint32Array, page: Uint32Array, account: number): void {
  const { creditsPosted, debitsPosted, debitsPending } = HotWord;
  limitToRest(
    amount,
    page,
    account + creditsPosted,
    account + debitsPosted,
    account + debitsPending,
  );
}

/** The mirror image, on the credit account. */
export function balanceCredit(amount: Uint32Array, page: Uint32Array, account: number): void {
  const { debitsPosted, creditsPosted, creditsPending } = HotWord;
  limitToRest(
    amount,
    page,
    account + debitsPosted,
    account + creditsPosted,
    account + creditsPending,
  );
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

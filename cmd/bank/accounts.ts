import { CZK } from './money.ts';

/** The ledger of every account and transfer of a bank's book. */
export const BOOK_LEDGER = CZK.numeric;

/** Chart of accounts: 1 assets, 2 liabilities, 4 income, 5 expense. */
export const AccountCode = {
  cash: 1010,
  partnerBank: 1020,
  customer: 2010,
  interestIncome: 4010,
  feeIncome: 4020,
  interestExpense: 5010,
} as const;

export type BankAccountKind = Exclude<keyof typeof AccountCode, 'customer'>;

/** An account to create before the book is replayed. Ids and user data are u128. */
export interface PlannedAccount {
  readonly id: bigint;
  readonly ledger: number;
  readonly code: number;
  readonly flags: number;
}

const U64_MAX = 2n ** 64n - 1n;
/** 'BANK' in the high half of the low 64 bits keeps the bank's ids clear of hand-made small ones. */
const BANK_ID_BASE = 0x4241_4e4bn << 32n;

/** A u128 from its halves. */
export function u128(high: bigint, low: bigint): bigint {
  if (high < 0n || high > U64_MAX || low < 0n || low > U64_MAX) {
    throw new RangeError(`not two halves of a u128: ${high}, ${low}`);
  }
  return (high << 64n) | low;
}

/** The customer is the party, so that a later second account of theirs shares the slot. */
export function customerAccountId(accountNumber: number): bigint {
  if (!Number.isSafeInteger(accountNumber) || accountNumber < 1) {
    throw new RangeError(`not a customer's account number: ${accountNumber}`);
  }
  return u128(BigInt(accountNumber), 1n);
}

/**
 * An account of the bank itself: no party, and a low part made of the kind's code and, for a partner
 * bank, its two letters ('' is the one general partner account). Must never change: a second
 * replay of a book finds its accounts and transfers by these ids.
 */
export function bankAccountId(kind: BankAccountKind, partnerBank = ''): bigint {
  if (kind !== 'partnerBank' && partnerBank !== '') {
    throw new RangeError(`a ${kind} account belongs to no partner bank, got '${partnerBank}'`);
  }
  if (partnerBank !== '' && !/^[A-Z]{2}$/.test(partnerBank)) {
    throw new RangeError(`not a partner bank's code of two capital letters: '${partnerBank}'`);
  }
  const letters =
    partnerBank === '' ? 0 : (partnerBank.charCodeAt(0) << 8) | partnerBank.charCodeAt(1);
  return BANK_ID_BASE | (BigInt(AccountCode[kind]) << 16n) | BigInt(letters);
}

import {
  AccountCode,
  type BankAccountKind,
  BOOK_LEDGER,
  bankAccountId,
  customerAccountId,
  type PlannedAccount,
  u128,
} from './accounts.ts';
import type { BookRow, Operation } from './book.ts';

/** A transfer's code; a row without an operation is one of the bank's own, such as interest. */
export const TransferCode: Readonly<Record<Operation, number>> = {
  'cash-deposit': 1,
  'cash-withdrawal': 2,
  'card-withdrawal': 3,
  'transfer-in': 4,
  'transfer-out': 5,
  '': 6,
};

/** What one row of the book asks of the ledger. Ids are u128; the amount is in minor units. */
export interface PlannedTransfer {
  readonly id: bigint;
  readonly debitAccountId: bigint;
  readonly creditAccountId: bigint;
  readonly amount: bigint;
  readonly ledger: number;
  readonly code: number;
  /** The book's transaction_id. */
  readonly userData64: bigint;
  /** The book's date as the number YYYYMMDD. */
  readonly userData32: number;
}

interface BankAccount {
  readonly kind: BankAccountKind;
  readonly partnerBank: string;
}

/** The bank's own account on the other side of a row: its purpose decides before its operation. */
function bankAccountOf(row: BookRow): BankAccount {
  if (row.purpose === 'interest-credited') return { kind: 'interestExpense', partnerBank: '' };
  if (row.purpose === 'statement-fee') return { kind: 'feeIncome', partnerBank: '' };
  if (row.purpose === 'sanction-interest') return { kind: 'interestIncome', partnerBank: '' };
  switch (row.operation) {
    case 'cash-deposit':
    case 'cash-withdrawal':
    case 'card-withdrawal':
      return { kind: 'cash', partnerBank: '' };
    case 'transfer-in':
    case 'transfer-out':
    case '':
      return { kind: 'partnerBank', partnerBank: row.partnerBank };
  }
}

/** Every account that the rows touch, once each, in the order of first use. */
export function planAccounts(rows: Iterable<BookRow>): PlannedAccount[] {
  const accounts: PlannedAccount[] = [];
  const seen = new Set<number | string>();
  for (const row of rows) {
    const { kind, partnerBank } = bankAccountOf(row);
    const bankKey = `${kind} ${partnerBank}`;
    if (!seen.has(bankKey)) {
      seen.add(bankKey);
      accounts.push(account(bankAccountId(kind, partnerBank), AccountCode[kind], 0));
    }
    if (!seen.has(row.accountId)) {
      seen.add(row.accountId);
      // No limit flag: a bank's customers may go below zero.
      const id = customerAccountId(row.accountId);
      accounts.push(account(id, AccountCode.customer, 0));
    }
  }
  return accounts;
}

function account(id: bigint, code: number, flags: number): PlannedAccount {
  return { id, ledger: BOOK_LEDGER, code, flags };
}

/**
 * The transfer of one row. Its id is the line over the transaction_id: ascending along the book, and
 * the same whenever the same book is replayed, so that a second replay books nothing twice.
 */
export function planTransfer(row: BookRow): PlannedTransfer {
  const { kind, partnerBank } = bankAccountOf(row);
  const bank = bankAccountId(kind, partnerBank);
  const customer = customerAccountId(row.accountId);
  return {
    id: u128(BigInt(row.line), BigInt(row.transactionId)),
    debitAccountId: row.side === 'credit' ? bank : customer,
    creditAccountId: row.side === 'credit' ? customer : bank,
    amount: BigInt(row.amount),
    ledger: BOOK_LEDGER,
    code: TransferCode[row.operation],
    userData64: BigInt(row.transactionId),
    userData32: Number(row.date.replaceAll('-', '')),
  };
}

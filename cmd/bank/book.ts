/**
 * The form of a bank's book: a CSV file without quoting, one transaction a line, in the order in
 * which the bank booked them. Read by `csv.ts`, written by `generate.ts`.
 */

export const COLUMNS = [
  'transaction_id',
  'date',
  'account_id',
  'side',
  'operation',
  'purpose',
  'amount_haler',
  'recorded_balance_haler',
  'partner_bank',
  'partner_account',
] as const;

/** Seen by the customer: a credit raises the balance, a debit lowers it. */
export const SIDES = ['credit', 'debit'] as const;

export const OPERATIONS = [
  'cash-deposit',
  'cash-withdrawal',
  'card-withdrawal',
  'transfer-in',
  'transfer-out',
  '',
] as const;

export const PURPOSES = [
  'interest-credited',
  'statement-fee',
  'household',
  'pension',
  'insurance',
  'loan-payment',
  'sanction-interest',
  '',
] as const;

export type Column = (typeof COLUMNS)[number];
export type Side = (typeof SIDES)[number];
export type Operation = (typeof OPERATIONS)[number];
export type Purpose = (typeof PURPOSES)[number];

export interface BookRow {
  /** Of the file, the header being line 1: a row's name in errors, and part of its transfer's id. */
  readonly line: number;
  readonly transactionId: number;
  /** YYYY-MM-DD, a day of the calendar. */
  readonly date: string;
  readonly accountId: number;
  readonly side: Side;
  readonly operation: Operation;
  readonly purpose: Purpose;
  /** Haler, a safe integer, not negative. */
  readonly amount: number;
  /** Haler, a safe integer: what the bank says the customer has after this row. */
  readonly recordedBalance: number;
  /** Two capital letters, or empty. */
  readonly partnerBank: string;
  /** Digits, or empty. */
  readonly partnerAccount: string;
}

export interface Book {
  readonly path: string;
  readonly rows: readonly BookRow[];
}

/** Thrown when a book is not in its form: names the place and what was expected there. */
export class BookError extends Error {
  override readonly name = 'BookError';
  readonly path: string;
  /** Undefined when the whole file is at fault. */
  readonly line: number | undefined;
  readonly column: Column | undefined;

  constructor(
    place: { path: string; line?: number; column?: Column },
    problem: string,
    options?: ErrorOptions,
  ) {
    const line = place.line === undefined ? '' : `:${place.line}`;
    const column = place.column === undefined ? '' : `column ${place.column}: `;
    super(`${place.path}${line}: ${column}${problem}`, options);
    this.path = place.path;
    this.line = place.line;
    this.column = place.column;
  }
}

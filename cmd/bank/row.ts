import {
  type Book,
  BookError,
  type BookRow,
  COLUMNS,
  type Column,
  OPERATIONS,
  PURPOSES,
  SIDES,
} from './book.ts';

const SHOWN_CHARACTERS_MAX = 40;
const WHOLE = /^(?:0|[1-9]\d*)$/;
const WHOLE_OR_NEGATIVE = /^(?:0|-?[1-9]\d*)$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const PARTNER_BANK = /^[A-Z]{2}$/;
const PARTNER_ACCOUNT = /^\d{1,20}$/;

/** A field's value as an error shows it: escaped, and cut when long. */
export function shown(text: string): string {
  if (text.length <= SHOWN_CHARACTERS_MAX) return JSON.stringify(text);
  return `${JSON.stringify(text.slice(0, SHOWN_CHARACTERS_MAX))} and more`;
}

function isCalendarDay(text: string): boolean {
  const parts = DATE.exec(text);
  if (parts === null) return false;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  if (year === 0 || month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return day <= days;
}

/** Turns the ten fields of one line after the other into rows; any fault is a `BookError`. */
export class RowReader {
  readonly #path: string;
  /** The lines of the transaction ids read so far: an id names one transaction of a book. */
  readonly #lineOfTransaction = new Map<number, number>();
  /** Days found to be valid: a book has a few hundred days and a million rows. */
  readonly #days = new Map<string, string>();
  #line = 0;

  constructor(path: Book['path']) {
    this.#path = path;
  }

  read(line: number, fields: readonly string[]): BookRow {
    this.#line = line;
    const transactionId = this.#identifier('transaction_id', fields[0]!);
    const earlier = this.#lineOfTransaction.get(transactionId);
    if (earlier !== undefined) {
      throw this.#refuse(
        'transaction_id',
        `an id used once, not on line ${earlier} too`,
        fields[0]!,
      );
    }
    this.#lineOfTransaction.set(transactionId, line);
    return {
      line,
      transactionId,
      date: this.#date(fields[1]!),
      accountId: this.#identifier('account_id', fields[2]!),
      side: this.#oneOf('side', SIDES, fields[3]!),
      operation: this.#oneOf('operation', OPERATIONS, fields[4]!),
      purpose: this.#oneOf('purpose', PURPOSES, fields[5]!),
      amount: this.#integer('amount_haler', WHOLE, 'a whole number, 0 or more', fields[6]!),
      recordedBalance: this.#integer(
        'recorded_balance_haler',
        WHOLE_OR_NEGATIVE,
        'a whole number',
        fields[7]!,
      ),
      partnerBank: this.#matching(
        'partner_bank',
        PARTNER_BANK,
        'two capital letters or nothing',
        fields[8]!,
      ),
      partnerAccount: this.#matching(
        'partner_account',
        PARTNER_ACCOUNT,
        'up to 20 digits or nothing',
        fields[9]!,
      ),
    };
  }

  #refuse(column: Column, expected: string, text: string): BookError {
    return new BookError(
      { path: this.#path, line: this.#line, column },
      `expected ${expected}, got ${shown(text)}`,
    );
  }

  #integer(column: Column, form: RegExp, expected: string, text: string): number {
    if (!form.test(text)) throw this.#refuse(column, expected, text);
    const value = Number(text);
    if (!Number.isSafeInteger(value)) {
      throw this.#refuse(column, 'a whole number below 2^53', text);
    }
    return value;
  }

  #identifier(column: Column, text: string): number {
    const value = this.#integer(column, WHOLE, 'a whole number, 1 or more', text);
    if (value === 0) throw this.#refuse(column, 'a whole number, 1 or more', text);
    return value;
  }

  #date(text: string): string {
    const known = this.#days.get(text);
    if (known !== undefined) return known;
    if (!isCalendarDay(text)) throw this.#refuse('date', 'a day as YYYY-MM-DD', text);
    this.#days.set(text, text);
    return text;
  }

  #oneOf<const T extends string>(column: Column, allowed: readonly T[], text: string): T {
    const found = allowed.find((value) => value === text);
    if (found !== undefined) return found;
    const names = allowed.map((value) => (value === '' ? 'nothing' : value));
    throw this.#refuse(column, `one of ${names.join(', ')}`, text);
  }

  #matching(column: Column, form: RegExp, expected: string, text: string): string {
    if (text !== '' && !form.test(text)) throw this.#refuse(column, expected, text);
    return text;
  }
}

/** The column in which a byte stands, counted by the commas before it; the last one takes the rest. */
export function columnAt(bytesBefore: Uint8Array): Column {
  const commas = bytesBefore.reduce((count, byte) => count + (byte === 0x2c ? 1 : 0), 0);
  return COLUMNS[Math.min(commas, COLUMNS.length - 1)]!;
}

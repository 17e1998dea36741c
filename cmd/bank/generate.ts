import { COLUMNS } from './book.ts';
import {
  type Customer,
  cashDeposit,
  createCustomer,
  type Movement,
  monthEnd,
  settle,
  wishes,
} from './customers.ts';
import { Random } from './random.ts';

/** A minute at 2,000 rows/s, and a quarter more. */
export const ROWS_DEFAULT = 150_000;
export const ACCOUNTS_DEFAULT = 1_500;
const ROWS_MAX = 10_000_000;
/** About a thousand years of bank days: keeps dates in four digits. */
const ROWS_PER_ACCOUNT_MAX = 100_000;
const CHUNK_CHARACTERS = 65_536;
const DAY_MS = 86_400_000;
const FIRST_DAY_MS = Date.UTC(2024, 0, 1);

export interface GenerateOptions {
  /** A whole number from 0 to 2^53 - 1: the same options give the same bytes. */
  readonly seed: number;
  readonly rows?: number;
  readonly accounts?: number;
}

/**
 * Writes a bank's book in chunks of text. It starts with one opening deposit an account, and every
 * recorded balance is the sum of the account's rows so far.
 */
export function generateBook(options: GenerateOptions): Generator<string> {
  const rows = options.rows ?? ROWS_DEFAULT;
  const accounts = options.accounts ?? Math.min(ACCOUNTS_DEFAULT, rows);
  if (!Number.isSafeInteger(rows) || rows < 1 || rows > ROWS_MAX) {
    throw new RangeError(`rows are a whole number from 1 to ${ROWS_MAX}, got ${rows}`);
  }
  if (!Number.isSafeInteger(accounts) || accounts < 1 || accounts > rows) {
    throw new RangeError(
      `accounts are a whole number from 1 to the rows, ${rows}, got ${accounts}`,
    );
  }
  if (rows / accounts > ROWS_PER_ACCOUNT_MAX) {
    throw new RangeError(`at most ${ROWS_PER_ACCOUNT_MAX} rows an account, got ${rows / accounts}`);
  }
  return writeBook(new Random(options.seed), rows, accounts);
}

function* writeBook(random: Random, rows: number, accounts: number): Generator<string> {
  const customers = Array.from({ length: accounts }, (_, index) =>
    createCustomer(index + 1, random),
  );
  let chunk = `${COLUMNS.join(',')}\n`;
  let written = 0;
  for (const { date, customer, movement } of bookings(customers, random)) {
    written += 1;
    chunk += line(written, date, customer, movement);
    if (written === rows) break;
    if (chunk.length >= CHUNK_CHARACTERS) {
      yield chunk;
      chunk = '';
    }
  }
  yield chunk;
}

interface Booking {
  readonly date: string;
  readonly customer: Customer;
  readonly movement: Movement;
}

/** The bank's bookings day by day, without end; each is settled before it is yielded. */
function* bookings(customers: readonly Customer[], random: Random): Generator<Booking> {
  const opening = customers.map((customer) => ({ customer, movement: cashDeposit(random) }));
  yield* settleAll(opening, isoDay(FIRST_DAY_MS), random);
  let bankDay = 0;
  for (let dayMs = FIRST_DAY_MS + DAY_MS; ; dayMs += DAY_MS) {
    const day = new Date(dayMs);
    const date = isoDay(dayMs);
    if (day.getUTCDate() === 1) bankDay = 0;
    if (day.getUTCDay() % 6 !== 0) {
      bankDay += 1;
      const wanted = customers.flatMap((customer) =>
        [...wishes(customer, bankDay, random)].map((movement) => ({ customer, movement })),
      );
      yield* settleAll(wanted, date, random);
    }
    if (new Date(dayMs + DAY_MS).getUTCDate() === 1) {
      const closing = customers.flatMap((customer) =>
        [...monthEnd(customer)].map((movement) => ({ customer, movement })),
      );
      yield* settleAll(closing, date, random);
    }
  }
}

function* settleAll(
  wanted: { customer: Customer; movement: Movement }[],
  date: string,
  random: Random,
): Generator<Booking> {
  random.shuffle(wanted);
  for (const { customer, movement } of wanted) {
    if (settle(customer, movement, random)) yield { date, customer, movement };
  }
}

function isoDay(dayMs: number): string {
  return new Date(dayMs).toISOString().slice(0, 10);
}

function line(transactionId: number, date: string, customer: Customer, movement: Movement): string {
  const { side, operation, purpose, amount, partnerBank = '', partnerAccount = '' } = movement;
  const { accountNumber, balance } = customer;
  const fields = [transactionId, date, accountNumber, side, operation, purpose, amount, balance];
  return `${fields.join(',')},${partnerBank},${partnerAccount}\n`;
}

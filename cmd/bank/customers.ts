import type { Operation, Purpose, Side } from './book.ts';
import type { Random } from './random.ts';

/** What the generator's customers do with their money; amounts and balances are in haler. */

const PARTNER_BANKS = 'AB CD EF GH IJ KL MN OP QR ST UV WX YZ'.split(' ');
const CROWN = 100;
const STATEMENT_FEE = 14.6 * CROWN;
const INTEREST_PERCENT_A_YEAR = 3;
const SANCTION_PERCENT_A_MONTH = 1;
/** Every month has this many bank days. */
const BANK_DAYS_A_MONTH = 20;
/** How often a payment that the balance does not cover is made all the same. */
const OVERDRAW_CHANCE = 0.2;

export interface Movement {
  readonly side: Side;
  readonly operation: Operation;
  readonly purpose: Purpose;
  readonly amount: number;
  readonly partnerBank?: string;
  readonly partnerAccount?: string;
}

/** A payment that comes every month on the same bank day, from or to the same partner. */
interface StandingOrder {
  readonly bankDay: number;
  readonly movement: Movement;
}

export interface Customer {
  readonly accountNumber: number;
  readonly orders: readonly StandingOrder[];
  balance: number;
}

export function createCustomer(accountNumber: number, random: Random): Customer {
  const isPensioner = random.chance(0.3);
  const income = isPensioner ? random.integer(5_000, 15_000) : random.integer(9_000, 40_000);
  const order = (
    operation: 'transfer-in' | 'transfer-out',
    purpose: Purpose,
    crowns: number,
  ): StandingOrder => ({
    bankDay: random.integer(1, BANK_DAYS_A_MONTH),
    movement: {
      side: operation === 'transfer-in' ? 'credit' : 'debit',
      operation,
      purpose,
      amount: crowns * CROWN,
      partnerBank: random.pick(PARTNER_BANKS),
      partnerAccount: String(random.integer(10_000, 99_999_999)),
    },
  });
  const share = (low: number, high: number) =>
    Math.ceil((income * random.integer(low, high)) / 100);

  const orders = [order('transfer-in', isPensioner ? 'pension' : '', income)];
  orders.push(order('transfer-out', 'household', share(15, 35)));
  if (random.chance(0.4)) orders.push(order('transfer-out', 'insurance', share(1, 5)));
  if (random.chance(0.15)) orders.push(order('transfer-out', 'loan-payment', share(5, 15)));
  if (random.chance(0.6)) orders.push(order('transfer-out', '', share(2, 10)));
  return { accountNumber, orders, balance: 0 };
}

export function cashDeposit(random: Random): Movement {
  const amount = random.integer(2, 150) * 100 * CROWN;
  return { side: 'credit', operation: 'cash-deposit', purpose: '', amount };
}

/** What a customer wants on the nth bank day of a month; `settle` decides what becomes of it. */
export function* wishes(customer: Customer, bankDay: number, random: Random): Generator<Movement> {
  for (const order of customer.orders) if (order.bankDay === bankDay) yield order.movement;
  // Withdrawals follow the balance, so that no balance grows without bound over a long book.
  if (random.chance(0.14)) yield withdrawal('cash-withdrawal', customer, random);
  if (random.chance(0.02)) yield withdrawal('card-withdrawal', customer, random);
  if (random.chance(0.04)) yield cashDeposit(random);
}

function withdrawal(
  operation: 'cash-withdrawal' | 'card-withdrawal',
  { balance }: Customer,
  random: Random,
): Movement {
  const hundreds = (balance * random.integer(5, 40)) / 100 / (100 * CROWN);
  const amount = Math.max(1, Math.floor(hundreds)) * 100 * CROWN;
  return { side: 'debit', operation, purpose: '', amount };
}

/** The bank's own bookings at a month's end. */
export function* monthEnd({ balance }: Customer): Generator<Movement> {
  const interest = Math.floor((balance * INTEREST_PERCENT_A_YEAR) / 1_200);
  if (interest > 0) {
    yield { side: 'credit', operation: '', purpose: 'interest-credited', amount: interest };
  }
  const bankDebit = { side: 'debit', operation: 'cash-withdrawal' } as const;
  if (balance < 0) {
    const amount = Math.ceil((-balance * SANCTION_PERCENT_A_MONTH) / 100);
    yield { ...bankDebit, purpose: 'sanction-interest', amount };
  }
  yield { ...bankDebit, purpose: 'statement-fee', amount: STATEMENT_FEE };
}

/** Books a movement; false when the customer's balance does not cover it and it is not made. */
export function settle(customer: Customer, movement: Movement, random: Random): boolean {
  const { side, purpose, amount } = movement;
  if (side === 'credit') {
    customer.balance += amount;
    return true;
  }
  const isTheBanks = purpose === 'statement-fee' || purpose === 'sanction-interest';
  if (customer.balance < amount && !isTheBanks && !random.chance(OVERDRAW_CHANCE)) return false;
  customer.balance -= amount;
  return true;
}

import { describe, expect, test } from 'vitest';
import { AccountCode, bankAccountId, customerAccountId, u128 } from './accounts.ts';
import type { BookRow } from './book.ts';
import { parseBook } from './csv.ts';
import { generateBook } from './generate.ts';
import { planAccounts, planTransfer } from './plan.ts';

const row = (changes: Partial<BookRow>): BookRow => ({
  line: 2,
  transactionId: 171812,
  date: '1993-01-31',
  accountId: 576,
  side: 'debit',
  operation: '',
  purpose: '',
  amount: 90_000,
  recordedBalance: 90_000,
  partnerBank: '',
  partnerAccount: '',
  ...changes,
});

describe('ids', () => {
  test('a customer is the party of their account', () => {
    expect(customerAccountId(576)).toBe((576n << 64n) | 1n);
    expect(() => customerAccountId(0)).toThrow('not a customer');
    expect(() => customerAccountId(1.5)).toThrow('not a customer');
  });

  test("the bank's own accounts have no party and keep their ids for ever", () => {
    expect(bankAccountId('cash').toString(16)).toBe('42414e4b03f20000');
    expect(bankAccountId('partnerBank').toString(16)).toBe('42414e4b03fc0000');
    expect(bankAccountId('partnerBank', 'AB').toString(16)).toBe('42414e4b03fc4142');
    expect(bankAccountId('interestIncome').toString(16)).toBe('42414e4b0faa0000');
    expect(bankAccountId('feeIncome').toString(16)).toBe('42414e4b0fb40000');
    expect(bankAccountId('interestExpense').toString(16)).toBe('42414e4b13920000');
  });

  test('a bank code that is none, or on an account without one, is refused', () => {
    expect(() => bankAccountId('partnerBank', 'ab')).toThrow('two capital letters');
    expect(() => bankAccountId('cash', 'AB')).toThrow('belongs to no partner bank');
  });

  test('halves that do not fit are refused', () => {
    expect(u128(2n ** 64n - 1n, 2n ** 64n - 1n)).toBe(2n ** 128n - 1n);
    expect(() => u128(2n ** 64n, 0n)).toThrow(RangeError);
    expect(() => u128(0n, 2n ** 64n)).toThrow(RangeError);
    expect(() => u128(0n, -1n)).toThrow(RangeError);
  });
});

describe("the bank's account of a row", () => {
  test.each([
    ['cash-deposit', '', '', bankAccountId('cash')],
    ['cash-withdrawal', '', '', bankAccountId('cash')],
    ['cash-withdrawal', 'household', '', bankAccountId('cash')],
    ['card-withdrawal', '', '', bankAccountId('cash')],
    ['', 'interest-credited', '', bankAccountId('interestExpense')],
    ['cash-withdrawal', 'statement-fee', '', bankAccountId('feeIncome')],
    ['cash-withdrawal', 'sanction-interest', '', bankAccountId('interestIncome')],
    ['transfer-in', 'pension', 'YZ', bankAccountId('partnerBank', 'YZ')],
    ['transfer-out', '', 'WX', bankAccountId('partnerBank', 'WX')],
    ['transfer-out', 'loan-payment', 'OP', bankAccountId('partnerBank', 'OP')],
    ['transfer-out', 'insurance', '', bankAccountId('partnerBank')],
    ['', 'loan-payment', 'AB', bankAccountId('partnerBank', 'AB')],
    ['', '', '', bankAccountId('partnerBank')],
  ] as const)('%j for %j with bank %j', (operation, purpose, partnerBank, bankId) => {
    const debit = planTransfer(row({ side: 'debit', operation, purpose, partnerBank }));
    expect(debit.debitAccountId).toBe(customerAccountId(576));
    expect(debit.creditAccountId).toBe(bankId);
    const credit = planTransfer(row({ side: 'credit', operation, purpose, partnerBank }));
    expect(credit.debitAccountId).toBe(bankId);
    expect(credit.creditAccountId).toBe(customerAccountId(576));
  });
});

describe('the plan of a book', () => {
  test('a transfer carries the row', () => {
    expect(planTransfer(row({ line: 7, side: 'credit', operation: 'transfer-in' }))).toEqual({
      id: (7n << 64n) | 171812n,
      debitAccountId: bankAccountId('partnerBank'),
      creditAccountId: customerAccountId(576),
      amount: 90_000n,
      ledger: 203,
      code: 4,
      userData64: 171812n,
      userData32: 19_930_131,
    });
  });

  test('accounts are listed once each, in order of use, customers with no limit', () => {
    const rows = [
      row({ operation: 'cash-deposit' }),
      row({ operation: 'cash-deposit', accountId: 9 }),
      row({ operation: 'transfer-in', partnerBank: 'AB' }),
      row({ operation: 'transfer-in', partnerBank: 'CD', accountId: 9 }),
    ];
    const customer = { ledger: 203, code: AccountCode.customer, flags: 0 };
    const cash = { ledger: 203, code: AccountCode.cash, flags: 0 };
    const partner = { ledger: 203, code: AccountCode.partnerBank, flags: 0 };
    expect(planAccounts(rows)).toEqual([
      { ...cash, id: bankAccountId('cash') },
      { ...customer, id: customerAccountId(576) },
      { ...customer, id: customerAccountId(9) },
      { ...partner, id: bankAccountId('partnerBank', 'AB') },
      { ...partner, id: bankAccountId('partnerBank', 'CD') },
    ]);
  });

  test('ids ascend along a book, every account is planned, and most rows cross four units', () => {
    const text = [...generateBook({ seed: 5, rows: 4_000, accounts: 300 })].join('');
    const { rows } = parseBook('generated.csv', Buffer.from(text));
    const planned = new Set(planAccounts(rows).map((account) => account.id));
    let previousId = 0n;
    let crossings = 0;
    for (const transfer of rows.map(planTransfer)) {
      expect(transfer.id > previousId).toBe(true);
      previousId = transfer.id;
      expect(planned.has(transfer.debitAccountId)).toBe(true);
      expect(planned.has(transfer.creditAccountId)).toBe(true);
      if (unitOf(transfer.debitAccountId) !== unitOf(transfer.creditAccountId)) crossings += 1;
    }
    expect(crossings / rows.length).toBeGreaterThan(0.6);
  });
});

/** The design's rule for a slot, over four units of 256 slots each. */
function unitOf(id: bigint): number {
  const half = id >> 64n === 0n ? id : id >> 64n;
  const high = Number((half >> 32n) & 0xffff_ffffn);
  return (fmix32(high ^ fmix32(Number(half & 0xffff_ffffn))) >>> 22) >>> 8;
}

function fmix32(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

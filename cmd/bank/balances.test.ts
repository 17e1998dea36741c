import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compareBalances, customerBalance, expectedBalances, finalBalances } from './balances.ts';
import { parseBook, readBook } from './csv.ts';
import { generateBook } from './generate.ts';
import { CZK, formatMoney } from './money.ts';
import { planAccounts } from './plan.ts';

const REAL_BOOK = fileURLToPath(
  new URL('../../../shared/data/berka-1993-1994.csv.gz', import.meta.url),
);
const present = existsSync(REAL_BOOK);
const sum = (balances: Iterable<bigint>) => [...balances].reduce((total, one) => total + one, 0n);

const HEADER =
  'transaction_id,date,account_id,side,operation,purpose,amount_haler,recorded_balance_haler,partner_bank,partner_account\n';
const { rows } = parseBook(
  'small.csv',
  Buffer.from(
    `${HEADER}1,2024-01-01,7,credit,cash-deposit,,500,500,,\n` +
      '2,2024-01-01,8,credit,cash-deposit,,100,100,,\n' +
      '3,2024-01-02,7,debit,cash-withdrawal,,800,-310,,\n' +
      '4,2024-01-02,8,debit,cash-withdrawal,,40,61,,\n',
  ),
);

describe('balances', () => {
  test('a customer has what was credited less what was debited', () => {
    expect(customerBalance({ creditsPosted: 3n, debitsPosted: 10n })).toBe(-7n);
  });

  test('are added up for each account by itself, below zero too', () => {
    const balances = expectedBalances(rows);
    expect(balances).toEqual([500n, 100n, -300n, 60n]);
    expect([...finalBalances(rows, balances)]).toEqual([
      [7, -300n],
      [8, 60n],
    ]);
  });

  test('are compared with the recorded ones, whichever is larger', () => {
    const statistics = { rows: 4, balancesExact: 2, balanceOffMax: 10n };
    expect(compareBalances(rows, [500n, 100n, -300n, 60n])).toEqual(statistics);
    expect(compareBalances(rows, [500n, 100n, -320n, 62n])).toEqual(statistics);
  });

  test('that are not one a row are refused', () => {
    expect(() => compareBalances(rows, [1n])).toThrow('1 balances for 4 rows');
    expect(() => finalBalances(rows, [1n])).toThrow('1 balances for 4 rows');
  });
});

describe('the real book of 1993 and 1994', () => {
  if (!present) {
    console.warn(`no real book at ${REAL_BOOK}: a generated book is checked in its place`);
    test('is not here: a generated book adds up instead', () => {
      const text = [...generateBook({ seed: 9, rows: 46_997, accounts: 1_229 })].join('');
      const book = parseBook('generated.csv', Buffer.from(text));
      expect(compareBalances(book.rows, expectedBalances(book.rows))).toEqual({
        rows: 46_997,
        balancesExact: 46_997,
        balanceOffMax: 0n,
      });
    });
    return;
  }

  test('adds up to the balances that the bank recorded, but for its rounding', () => {
    const book = readBook(REAL_BOOK);
    const balances = expectedBalances(book.rows);
    expect(compareBalances(book.rows, balances)).toEqual({
      rows: 46_997,
      balancesExact: 27_119,
      balanceOffMax: 70n,
    });
    expect(balances.filter((balance) => balance < 0n)).toHaveLength(88);
    const finals = finalBalances(book.rows, balances);
    expect(finals.size).toBe(1_229);
    expect(formatMoney(sum(finals.values()), CZK)).toBe('39,296,762.80 CZK');
  });

  test("needs 17 of the bank's own accounts", () => {
    expect(planAccounts(readBook(REAL_BOOK).rows)).toHaveLength(1_229 + 17);
  });
});

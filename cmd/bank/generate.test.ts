import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { compareBalances, expectedBalances } from './balances.ts';
import { COLUMNS, OPERATIONS, PURPOSES } from './book.ts';
import { parseBook } from './csv.ts';
import { type GenerateOptions, generateBook } from './generate.ts';

const textOf = (options: GenerateOptions) => [...generateBook(options)].join('');
const rowsOf = (options: GenerateOptions) =>
  parseBook('generated.csv', Buffer.from(textOf(options))).rows;

describe('a generated book', () => {
  test('has the same bytes for the same seed, from one release to the next', () => {
    const text = textOf({ seed: 7, rows: 5_000, accounts: 100 });
    expect(textOf({ seed: 7, rows: 5_000, accounts: 100 })).toBe(text);
    expect(createHash('sha256').update(text).digest('hex')).toBe(
      '3c5c9eec762a160ff15b25ebfa7bcdee516bae5832868de4e7bf2ccc0a3a828e',
    );
  });

  test.each([1, 2 ** 32 + 7, 2 ** 53 - 1])('has other bytes for the seed %d', (seed) => {
    const options = { rows: 200, accounts: 20 };
    expect(textOf({ ...options, seed })).not.toBe(textOf({ ...options, seed: 7 }));
  });

  test.each([
    [1, 1],
    [20, 20],
    [21, 20],
    [3_000, 7],
  ])(
    'of %d rows over %d accounts has as many, and all recorded balances exact',
    (rows, accounts) => {
      for (const seed of [0, 1, 2]) {
        const book = rowsOf({ seed, rows, accounts });
        expect(new Set(book.map((row) => row.accountId)).size).toBe(accounts);
        expect(compareBalances(book, expectedBalances(book))).toEqual({
          rows,
          balancesExact: rows,
          balanceOffMax: 0n,
        });
      }
    },
  );

  test('is plausible: days in order, every kind of row, customers seldom below zero', () => {
    const book = rowsOf({ seed: 3, rows: 60_000, accounts: 1_000 });
    const dates = book.map((row) => row.date);
    expect(dates).toEqual(dates.toSorted());
    expect(new Set(book.map((row) => row.operation))).toEqual(new Set(OPERATIONS));
    expect(new Set(book.map((row) => row.purpose))).toEqual(new Set(PURPOSES));
    const belowZero = book.filter((row) => row.recordedBalance < 0).length;
    expect(belowZero).toBeGreaterThan(0);
    expect(belowZero / book.length).toBeLessThan(0.01);
    expect(new Set(book.map((row) => row.partnerBank)).size).toBe(14);
    for (const row of book) {
      expect(row.partnerBank !== '').toBe(row.operation.startsWith('transfer-'));
      const isMonthEnd = row.date.endsWith('-31') || /-(04|06|09|11)-30|-02-29$/.test(row.date);
      if (row.purpose === 'interest-credited') expect(isMonthEnd).toBe(true);
      if (row.purpose === 'statement-fee') expect(row.amount).toBe(1_460);
    }
  });

  test('keeps balances bounded over two centuries on one account', () => {
    const book = rowsOf({ seed: 3, rows: 20_000, accounts: 1 });
    const highest = book.reduce((most, row) => Math.max(most, row.recordedBalance), 0);
    expect(highest).toBeLessThan(1_000_000_00);
  });

  test('has by default the accounts and rows for a minute at 2,000 rows/s', () => {
    const book = rowsOf({ seed: 1 });
    expect(book.length).toBeGreaterThanOrEqual(120_000);
    expect(new Set(book.map((row) => row.accountId)).size).toBe(1_500);
    expect(rowsOf({ seed: 1, rows: 10 })).toHaveLength(10);
  });

  test('comes in chunks, so that a large one need not be held', () => {
    for (const chunk of generateBook({ seed: 1, rows: 20_000 })) {
      expect(chunk.length).toBeLessThan(70_000);
    }
    expect(textOf({ seed: 1, rows: 1 }).startsWith(`${COLUMNS.join(',')}\n1,2024-01-01,1,`)).toBe(
      true,
    );
  });
});

describe('options out of range are refused before anything is written', () => {
  test.each([
    [{ seed: -1 }, 'a seed is a whole number'],
    [{ seed: 0.5 }, 'a seed is a whole number'],
    [{ seed: 1, rows: 0 }, 'rows are a whole number from 1'],
    [{ seed: 1, rows: 1.5 }, 'rows are a whole number from 1'],
    [{ seed: 1, rows: 10_000_001 }, 'rows are a whole number from 1'],
    [{ seed: 1, rows: 10, accounts: 0 }, 'accounts are a whole number from 1 to the rows'],
    [{ seed: 1, rows: 10, accounts: 11 }, 'accounts are a whole number from 1 to the rows'],
    [{ seed: 1, rows: 100_001, accounts: 1 }, 'at most 100000 rows an account'],
  ])('%j', (options, message) => {
    expect(() => generateBook(options)).toThrow(message);
  });
});

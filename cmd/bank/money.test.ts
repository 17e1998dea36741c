import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CZK, formatMoney, parseMoney } from './money.ts';

const JPY = { code: 'JPY', numeric: 392, scale: 0 };
const GOLD = { code: 'gold, 1/1000 oz', numeric: 1, scale: 3 };
const DIGITS = { code: '1.5', numeric: 2, scale: 0 };
const KWD = { code: 'KWD', numeric: 414, scale: 3 };

describe('format', () => {
  test.each([
    [3_929_676_280n, CZK, '39,296,762.80 CZK'],
    [0n, CZK, '0.00 CZK'],
    [5n, CZK, '0.05 CZK'],
    [-5n, CZK, '-0.05 CZK'],
    [99_999n, CZK, '999.99 CZK'],
    [100_000n, CZK, '1,000.00 CZK'],
    [-123_456_789n, CZK, '-1,234,567.89 CZK'],
    [1_234_567n, JPY, '1,234,567 JPY'],
    [1_234_567n, KWD, '1,234.567 KWD'],
  ])('%s minor units are written by the scale of the currency', (minor, currency, text) => {
    expect(formatMoney(minor, currency)).toBe(text);
  });
});

describe('parse', () => {
  test('reads back whatever was formatted', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 128n), max: 2n ** 128n }),
        fc.constantFrom(CZK, JPY, KWD, GOLD, DIGITS),
        (minor, currency) => {
          expect(parseMoney(formatMoney(minor, currency), currency)).toBe(minor);
        },
      ),
    );
  });

  test.each([
    ['1234567.89', 123_456_789n],
    ['12.5', 1_250n],
    ['12', 1_200n],
    [' -1,000.00CZK ', -100_000n],
  ])('takes %j, without commas, currency or trailing decimals', (text, minor) => {
    expect(parseMoney(text, CZK)).toBe(minor);
  });

  test.each([
    ['', 'digits'],
    ['12,34.00', 'digits'],
    ['1,2345', 'digits'],
    ['1.', 'digits'],
    ['.50', 'digits'],
    ['+1', 'digits'],
    ['--1', 'digits'],
    ['1e3', 'digits'],
    ['1.005 CZK', 'at most 2 decimals'],
    ['1.00 EUR', 'the currency CZK'],
    ['1.00 czk', 'the currency CZK'],
  ])('refuses %j and says what it expected', (text, expected) => {
    expect(() => parseMoney(text, CZK)).toThrow(
      `not an amount of money: ${JSON.stringify(text)}: expected ${expected}`,
    );
  });

  test('refuses decimals in a currency that has none', () => {
    expect(() => parseMoney('1.0', JPY)).toThrow('expected no decimals');
  });
});

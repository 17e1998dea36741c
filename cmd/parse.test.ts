import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAmount, parseLedger, parseTimestamp } from './parse.ts';
import { timeText } from './show.ts';

const EUR = { number: 978, currency: 'EUR', scale: 2 };
const POINTS = { number: 7, currency: 'Points', scale: 0 };
const FAKE = { number: 8, currency: '978', scale: 1 };

describe('a ledger', () => {
  it('is meant by its number, or by its name in any case', () => {
    expect(parseLedger([EUR, POINTS], '978')).toBe(EUR);
    expect(parseLedger([EUR, POINTS], 'eur')).toBe(EUR);
    expect(parseLedger([EUR, POINTS], 'POINTS')).toBe(POINTS);
    expect(parseLedger([FAKE, EUR], '978')).toBe(EUR);
  });

  it("is, where several have a currency's code, the one with the currency's number", () => {
    expect(parseLedger([{ ...EUR, number: 11 }, EUR, { ...EUR, number: 1_978 }], 'eur')).toBe(EUR);
  });

  it('is asked for again if it is not known, or if several have that name', () => {
    expect(() => parseLedger([EUR, POINTS], '5')).toThrow(
      'there is no ledger 5; known are 978 (EUR), 7 (Points)',
    );
    const twice = [POINTS, { ...POINTS, number: 9 }];
    expect(() => parseLedger(twice, 'Points')).toThrow(
      "'Points' may be any of 7 (Points), 9 (Points): give the number",
    );
  });
});

describe('an amount', () => {
  it('is taken in the form of its ledger', () => {
    expect(parseAmount('1,234.5 EUR', EUR)).toBe(123_450n);
    expect(parseAmount('12 Points', POINTS)).toBe(12n);
    const gold = { number: 1, currency: 'gold, 1/1000 oz', scale: 3 };
    expect(parseAmount('0.5 gold, 1/1000 oz', gold)).toBe(500n);
  });

  it('is refused below 0, above what the ledger can hold, and in another form', () => {
    expect(() => parseAmount('-1', EUR)).toThrow('amount: -1 must be 0 .. 2^128-1');
    expect(() => parseAmount(`${2n ** 128n}`, POINTS)).toThrow('must be 0 .. 2^128-1');
    expect(() => parseAmount('1.5', POINTS)).toThrow('no decimals');
    expect(() => parseAmount('1 Points', EUR)).toThrow('the currency EUR');
  });
});

describe('a time', () => {
  it('is a day, a UTC time, or nanoseconds', () => {
    expect(parseTimestamp('--at', '1970-01-02')).toBe(86_400_000_000_000n);
    expect(parseTimestamp('--at', '1970-01-01T00:00:00.001Z')).toBe(1_000_000n);
    expect(parseTimestamp('--at', '1970-01-01T00:00:00.000000042Z')).toBe(42n);
    expect(parseTimestamp('--at', '42')).toBe(42n);
  });

  it.each([
    ['1970-01-01', 86_400_000_000_000n],
    ['1970-01-01T00:01Z', 120_000_000_000n],
    ['1970-01-01T00:00:01Z', 2_000_000_000n],
    ['1970-01-01T00:00:00.1Z', 200_000_000n],
    ['1970-01-01T00:00:00.001Z', 2_000_000n],
    ['1970-01-01T00:00:00.000000042Z', 43n],
    ['42', 43n],
  ])('that ends with %s holds all of it', (text, next) => {
    expect(parseTimestamp('--to', text, 'end')).toBe(next - 1n);
  });

  it('is printed as it can be typed', () => {
    const ns = fc.bigInt({ min: 1n, max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(ns, (time) => {
        expect(parseTimestamp('--at', timeText(time), 'end')).toBe(time);
      }),
    );
  });

  it.each([
    '0',
    '',
    '-5',
    'yesterday',
    '2026-13-01',
    '2026-02-31',
    '2026-02-29T12:00:00Z',
    '2026-01-01T24:00Z',
    '2026-01-01T00:00:00',
    '2026-01-01T00:00:00.0000000001Z',
    `${2n ** 63n}`,
  ])('is not %j', (text) => {
    expect(() => parseTimestamp('--at', text)).toThrow('--at: ');
  });
});

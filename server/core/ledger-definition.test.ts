import { describe, expect, it } from 'vitest';
import { ledgerProblem } from './ledger-definition.ts';

const EUR = { ledger: 978, currency: 'EUR', scale: 2 };

describe('a ledger’s definition', () => {
  it.each([
    EUR,
    { ledger: 1, currency: 'JPY', scale: 0 },
    { ledger: 0xffff_ffff, currency: 'pledged gold, 1/1000 oz', scale: 3 },
    { ledger: 7, currency: '积分', scale: 0 },
    { ledger: 8, currency: 'BTC', scale: 8 },
    { ledger: 9, currency: 'EUR-6', scale: 6 },
    { ledger: 10, currency: 'x'.repeat(32), scale: 18 },
  ])('may be $ledger $currency $scale', (definition) => {
    expect(ledgerProblem(definition)).toBeNull();
  });

  it.each([
    [{ ledger: 0 }, 'number: 0'],
    [{ ledger: 2 ** 32 }, 'number: 4294967296'],
    [{ ledger: 1.5 }, 'number: 1.5'],
    [{ currency: '' }, 'currency: '],
    [{ currency: 'x'.repeat(33) }, 'currency: '],
    [{ currency: 'E\nR' }, 'currency: '],
    [{ currency: ' EUR' }, 'currency: '],
    [{ currency: 'EUR ' }, 'currency: '],
    [{ currency: 'E\u200bUR' }, 'currency: '],
    [{ currency: 'Points', scale: 19 }, 'scale: 19'],
    [{ currency: 'Points', scale: -1 }, 'scale: -1'],
    [{ scale: 3 }, 'scale: 3, but EUR has 2 decimal places'],
    [{ currency: 'eur', scale: 3 }, 'scale: 3, but eur has 2 decimal places'],
  ])('may not be with %j', (change, problem) => {
    expect(ledgerProblem({ ...EUR, ...change })).toContain(problem);
  });
});

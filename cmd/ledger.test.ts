import { describe, expect, it } from 'vitest';
import { MisuseError } from './exit.ts';
import { definitionOf } from './ledger.ts';

describe('a ledger on the command line', () => {
  it('has the scale that ISO 4217 gives its code, and any other its own', () => {
    expect(definitionOf('392', 'JPY')).toEqual({ number: 392, currency: 'JPY', scale: 0 });
    expect(definitionOf('392', 'jpy')).toEqual({ number: 392, currency: 'JPY', scale: 0 });
    expect(definitionOf('7', 'pledged gold', '3')).toEqual({
      number: 7,
      currency: 'pledged gold',
      scale: 3,
    });
  });

  it.each([
    ['7', 'ERU', undefined, "'ERU' is no code of ISO 4217: a name of your own needs --scale"],
    ['978', 'EUR', '3', 'EUR has 2 decimal places by ISO 4217'],
    ['0', 'EUR', undefined, 'number takes a whole number from 1'],
    ['x', 'EUR', undefined, 'number takes a whole number from 1'],
    ['7', ' Points', '0', 'code: must be 1 .. 32 printable characters'],
    ['7', 'Points', '19', '--scale takes a whole number from 0 to 18'],
  ])('is a misuse as %s %s %s', (number, code, scale, message) => {
    expect(() => definitionOf(number, code, scale)).toThrow(MisuseError);
    expect(() => definitionOf(number, code, scale)).toThrow(message);
  });
});

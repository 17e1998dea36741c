import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvariantError } from './invariant.ts';
import { getWords, putWords } from './testing/records.ts';
import {
  add,
  equal,
  greater,
  isHighHalfMax,
  isMax,
  isZero,
  subtract,
  sum3Exceeds,
  sum3Overflows,
  sumOverflows,
} from './u128.ts';

const MAX = 2n ** 128n - 1n;
const edges = [
  0n,
  1n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 64n,
  2n ** 96n - 1n,
  2n ** 127n,
  MAX - 1n,
  MAX,
];
const u128 = fc.oneof(
  fc.constantFrom(...edges),
  fc.bigInt({ min: 0n, max: MAX }),
  fc.bigInt({ min: 0n, max: 3n }),
  fc.bigInt({ min: MAX - 3n, max: MAX }),
);

/** Each number a word further in than four words a number, so that a wrong offset shows. */
function pack(...numbers: readonly bigint[]): Uint32Array {
  const words = new Uint32Array(1 + numbers.length * 4);
  numbers.forEach((number, i) => {
    putWords(words, 1 + i * 4, 4, number);
  });
  return words;
}

describe('u128 in four words', () => {
  it('compares as BigInt does', () => {
    fc.assert(
      fc.property(u128, u128, (a, b) => {
        const words = pack(a, b);
        expect(greater(words, 1, words, 5)).toBe(a > b);
        expect(equal(words, 1, words, 5)).toBe(a === b);
        expect(isZero(words, 1)).toBe(a === 0n);
        expect(isMax(words, 1)).toBe(a === MAX);
        expect(isHighHalfMax(words, 1)).toBe(a >= 2n ** 128n - 2n ** 64n);
      }),
    );
  });

  it('adds as BigInt does, and refuses to wrap round', () => {
    fc.assert(
      fc.property(u128, u128, (a, b) => {
        const words = pack(a, b);
        expect(sumOverflows(words, 1, words, 5)).toBe(a + b > MAX);
        if (a + b > MAX) {
          expect(() => add(words, 1, words, 5)).toThrow(InvariantError);
        } else {
          add(words, 1, words, 5);
          expect(getWords(words, 1, 4)).toBe(a + b);
          expect(getWords(words, 5, 4)).toBe(b);
        }
      }),
    );
  });

  it('subtracts as BigInt does, and refuses to go below zero', () => {
    fc.assert(
      fc.property(u128, u128, (a, b) => {
        const words = pack(a, b);
        if (a < b) {
          expect(() => subtract(words, 1, words, 5)).toThrow(InvariantError);
        } else {
          subtract(words, 1, words, 5);
          expect(getWords(words, 1, 4)).toBe(a - b);
        }
      }),
    );
  });

  it('compares a sum of three with a bound as BigInt does', () => {
    const near = fc
      .tuple(u128, u128, u128, fc.bigInt({ min: -1n, max: 1n }))
      .map(([a, b, c, d]) => {
        const bound = a + b + c + d;
        return [a, b, c, bound < 0n ? 0n : bound > MAX ? MAX : bound] as const;
      });
    fc.assert(
      fc.property(fc.oneof(near, fc.tuple(u128, u128, u128, u128)), ([a, b, c, bound]) => {
        const words = pack(a, b, c, bound);
        expect(sum3Overflows(words, 1, 5, words, 9)).toBe(a + b + c > MAX);
        expect(sum3Exceeds(words, 1, 5, words, 9, 13)).toBe(a + b + c > bound);
      }),
    );
  });
});

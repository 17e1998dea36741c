import { describe, expect, it } from 'vitest';
import { accountId, IdSource, id } from './id.ts';

describe('ids', () => {
  it('ascend, also within a millisecond and when the clock goes back', () => {
    const times = [5, 5, 5, 9, 9, 3, 3, 9, 10, 2 ** 47];
    const source = new IdSource(() => times.shift()!);
    const ids = Array.from({ length: 10 }, () => source.next());
    for (let i = 1; i < ids.length; i += 1) expect(ids[i]! > ids[i - 1]!).toBe(true);
    expect(ids[0]! >> 80n).toBe(5n);
    expect(ids[9]! >> 80n).toBe(2n ** 47n);
  });

  it('carry the time and differ in 80 bits', () => {
    const before = BigInt(Date.now());
    const first = id();
    expect(first >> 80n >= before).toBe(true);
    expect(first < 2n ** 128n).toBe(true);
    const sources = Array.from({ length: 100 }, () => new IdSource(() => 7).next());
    expect(new Set(sources).size).toBe(100);
    // All eighty bits take part.
    const union = sources.reduce((sum, value) => sum | value, 0n) & (2n ** 80n - 1n);
    expect(union).toBe(2n ** 80n - 1n);
  });
});

describe('account ids', () => {
  it('keep a party together', () => {
    const ids = Array.from({ length: 50 }, () => accountId(7n));
    expect(new Set(ids.map((value) => value >> 64n))).toEqual(new Set([7n]));
    expect(new Set(ids).size).toBe(50);
  });

  it('are of different parties when none is given', () => {
    const parties = Array.from({ length: 500 }, () => accountId() >> 64n);
    expect(new Set(parties).size).toBe(500);
    // All halves of the range are taken, so that the accounts spread.
    expect(new Set(parties.map((party) => party >> 60n)).size).toBe(16);
  });

  it.each([0n, -1n, 2n ** 64n - 1n])('have no party %d', (party) => {
    expect(() => accountId(party)).toThrow('invalid_argument');
  });
});

import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, planRound } from './plan.ts';

const planned = (seed: number, rounds: number) =>
  Array.from({ length: rounds }, (_, i) => planRound(seed, i + 1, FAULT_KINDS));

describe('a plan of rounds', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(planned(7, 50)).toEqual(planned(7, 50));
    expect(planned(7, 50)).not.toEqual(planned(8, 50));
  });

  it('gives a round alone as it gives it among all', () => {
    expect(planRound(7, 37, FAULT_KINDS)).toEqual(planned(7, 50)[36]);
  });

  it('brings every kind of fault once before any comes again', () => {
    const kinds = planned(3, 3 * FAULT_KINDS.length).map(({ kind }) => kind);
    for (let at = 0; at < kinds.length; at += FAULT_KINDS.length) {
      expect(new Set(kinds.slice(at, at + FAULT_KINDS.length)).size).toBe(FAULT_KINDS.length);
    }
  });

  it('hits leaders mostly, and now and then a server that leads nothing', () => {
    const followers = planned(5, 300).filter(({ rank }) => rank === null).length;
    expect(followers).toBeGreaterThan(5);
    expect(followers).toBeLessThan(60);
  });
});

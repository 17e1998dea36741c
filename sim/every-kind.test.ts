import { describe, expect, it } from 'vitest';
import { runEveryKind } from './every-kind.ts';

const firstSeed = Number(process.env.EVENKEEL_SEED ?? 1) >>> 0;

describe('every kind of transfer, under random faults', () => {
  // Even seeds have one unit, odd ones three.
  it.each([0, 1, 2, 3])(`stays right (seed ${firstSeed} + %i)`, (n) => {
    expect(runEveryKind((firstSeed + n) >>> 0).faults).toEqual([]);
  });

  it('runs the same from the same seed, and some of it expires', () => {
    const run = runEveryKind(firstSeed);
    expect(runEveryKind(firstSeed)).toEqual(run);
    expect(run.expired).toBeGreaterThan(0);
  });
});

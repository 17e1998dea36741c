import { describe, expect, it } from 'vitest';
import { rehearseKillAndRestart } from './rehearsal.ts';

const seed = Number(process.env.EVENKEEL_SEED ?? 1) >>> 0;

describe('three simulated zones, the busiest server killed and restarted', () => {
  it(`answers every transfer, loses none, and ends with equal books (seed ${seed})`, () => {
    const rehearsal = rehearseKillAndRestart({ seed, units: 4 });
    expect(rehearsal.faults).toEqual([]);
    expect(rehearsal.answeredWhileDown).toBeGreaterThan(0);
  });

  it('runs the same from the same seed, and otherwise from another', () => {
    const once = rehearseKillAndRestart({ seed, units: 4 });
    const twice = rehearseKillAndRestart({ seed, units: 4 });
    const other = rehearseKillAndRestart({ seed: seed + 1, units: 4 });
    expect(twice).toEqual(once);
    expect(other.runHash).not.toBe(once.runHash);
  });
});

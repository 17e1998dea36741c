import { describe, expect, it } from 'vitest';
import { type ExplorerReport, explore } from './testing/explorer.ts';

// EXPLORER_STEPS: steps a walk; EVENKEEL_SEED: the first seed. A failure names the seed that
// repeats it.
const { EXPLORER_STEPS, EVENKEEL_SEED } = process.env;
const STEPS = Number(EXPLORER_STEPS ?? 5_000);
const SEED = Number(EVENKEEL_SEED ?? 1);
const WALKS = 8;

function walk(size: number): ExplorerReport[] {
  return Array.from({ length: WALKS }, (_, i) => explore({ seed: SEED + i, size, steps: STEPS }));
}

describe('random walks', () => {
  it.each([3, 5])(
    'keep %d servers safe, and live again once healed',
    (size) => {
      const reports = walk(size);
      // The walks must have met what they are for.
      const sum = (of: (report: ExplorerReport) => number) =>
        reports.reduce((total, report) => total + of(report), 0);
      expect(sum(({ elections }) => elections)).toBeGreaterThan(2 * WALKS);
      expect(sum(({ crashes }) => crashes)).toBeGreaterThan(2 * WALKS);
      expect(sum(({ committed }) => committed)).toBeGreaterThan(10 * WALKS);
      expect(sum(({ reads }) => reads)).toBeGreaterThan(5 * WALKS);
    },
    60_000 + STEPS * WALKS,
  );

  it('repeat exactly under the same seed', () => {
    const options = { seed: SEED + 99, size: 3, steps: 1_000 };
    expect(explore(options)).toEqual(explore(options));
  });

  it('find out a shell that says durable without a sync', () => {
    const broken = Array.from({ length: WALKS }, (_, i) => () => {
      explore({ seed: SEED + i, size: 3, steps: 10_000, skipDurability: true });
    });
    expect(broken.some(fails)).toBe(true);
  });
});

function fails(run: () => void): boolean {
  try {
    run();
    return false;
  } catch {
    return true;
  }
}

import { describe, expect, it } from 'vitest';
import { explore, exploreMany } from './testing/explorer.ts';
import { noCounts, pathsMissed } from './testing/explorer-counts.ts';

// Short walks; testing/explorer-main.ts goes as far as one likes. EVENKEEL_SEED: the first seed. A failure names the
// seed that repeats it.
const SEED = Number(process.env.EVENKEEL_SEED ?? 1);

describe('random walks', () => {
  it.each([3, 5])('keep %d servers safe, and live again once healed', (size) => {
    const report = exploreMany({ seed: SEED, size, steps: 50_000, walkSteps: 5_000 });
    // So short a walk may miss the rarest paths.
    for (const name of ['elections', 'crashes', 'commits', 'reads', 'snapshots'] as const)
      expect([name, report[name]]).not.toEqual([name, 0]);
    expect(report.simpleChanges + report.jointChanges).toBeGreaterThan(0);
  });

  it('are no proof when a path was never met', () => {
    expect(pathsMissed({ ...noCounts(), steps: 200_000, elections: 1 })).toContain('snapshots');
    expect(pathsMissed({ ...noCounts(), steps: 1_000 })).toEqual([]);
  });

  it('repeat exactly under the same seed', () => {
    const options = { seed: SEED + 99, size: 3, steps: 1_000 };
    expect(explore(options)).toEqual(explore(options));
  });

  it('find out a shell that says durable without a sync', () => {
    const options = { seed: SEED, size: 3, steps: 50_000, walkSteps: 5_000 };
    expect(() => exploreMany({ ...options, skipDurability: true })).toThrow(/seed \d+, size 3/);
  });
});

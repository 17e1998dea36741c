import { expect, it } from 'vitest';
import { loseZone } from './zone-loss.ts';

const SEED = 1;
/** City candidacy of at most 400 ms, two round trips and a commit over the long link, and a heartbeat. */
const GAP_MS_MAX = 600;

// With 256 units over 20 seeds: node sim/zone-loss-main.ts
it('many units whose zone falls silent are served again about as soon as few', () => {
  const few = loseZone(SEED, 2);
  const many = loseZone(SEED, 40);
  expect(many.gapsMs.length).toBeGreaterThanOrEqual(10);
  for (const { gapsMs } of [few, many]) expect(gapsMs.at(-1)).toBeLessThan(GAP_MS_MAX);
});

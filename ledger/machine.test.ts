import fc from 'fast-check';
import { describe, it } from 'vitest';
import { actions, run } from './testing/actions.ts';
import { RandomWorld } from './testing/random-world.ts';

/** Runs in a few seconds; the rest is for machines that do other things too. */
const TIMEOUT_MS = 60_000;

describe('a unit and the reference ledger', () => {
  it(
    'agree on every result, balance, event and deadline, whatever is asked, forgotten and looked up again',
    () => {
      const seed = fc.integer({ min: 0, max: 0xffff_ffff });
      const steps = fc.array(seed, { maxLength: 120, size: 'max' });
      fc.assert(
        fc.property(seed, steps, (worldSeed, stepSeeds) => {
          const world = new RandomWorld(worldSeed, false);
          for (const step of stepSeeds) world.step(step);
          world.end();
        }),
        { numRuns: 30 },
      );
    },
    TIMEOUT_MS,
  );
});

describe('units with crossings between them', () => {
  it(
    'agree with the oracle on every result and balance, and stay level, whatever is asked and however often',
    () => {
      fc.assert(
        fc.property(actions(), (steps) => run(steps, 1_000)),
        { numRuns: 25 },
      );
    },
    TIMEOUT_MS,
  );

  it(
    'give the same results when they forget all that the books hold, look it up and restart',
    () => {
      fc.assert(fc.property(actions({ folds: true }), fc.integer({ min: 0, max: 3 }), run), {
        numRuns: 40,
      });
    },
    TIMEOUT_MS,
  );
});

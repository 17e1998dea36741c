import { expect, it } from 'vitest';
import type { Mutant } from '../mutants/mutant.ts';
import { runMutants } from './mutants.ts';

const MUTANT: Mutant = {
  bug: 1,
  fault: 'A majority is half.',
  file: 'consensus/quorum.ts',
  find: 'return Math.floor(size / 2) + 1;',
  replace: 'return Math.floor(size / 2);',
  testFile: 'consensus/quorum.test.ts',
  test: 'C51 a majority is more than half',
};

// Those that are found out are what `npm run mutants` sees all the time.
it('tells a break that no test finds out, and those that prove nothing', async () => {
  const outcomes = await runMutants(
    [
      { ...MUTANT, replace: `${MUTANT.find} // the same` },
      { ...MUTANT, find: 'return Math.ceil(size / 2) + 1;' },
      { ...MUTANT, test: 'C51 a majority is half' },
      { ...MUTANT, replace: 'return nothing;' },
    ],
    { jobs: 2, onOutcome: () => {} },
  );
  expect(outcomes.map(({ verdict }) => verdict)).toEqual([
    'survived',
    'not_applicable',
    'test_unfit',
    'nonsense',
  ]);
}, 120_000);

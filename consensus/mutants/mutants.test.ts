/** That the breaks still fit the code; whether a test finds each out is seen by `npm run mutants`. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { occurrences } from '../testing/mutants.ts';
import { MUTANTS } from './all.ts';

const ROOT = dirname(dirname(import.meta.dirname));
/** Faults in the list that the breaks go through. */
const BUGS = 53;

describe('breaks for faults met in the field', () => {
  it('are there for each of them', () => {
    const missing = Array.from({ length: BUGS }, (_, i) => i + 1).filter(
      (number) => !MUTANTS.some(({ bug }) => bug === number),
    );
    expect(missing).toEqual([]);
  });

  it.each(MUTANTS)('$bug: $fault', (mutant) => {
    const { file, find, replace, testFile, test } = mutant;
    expect(replace).not.toBe(find);
    // Else the code has changed: say in the file of this break which line breaks it now.
    expect([file, find, occurrences(mutant)]).toEqual([file, find, 1]);
    const text = readFileSync(join(ROOT, testFile), 'utf8');
    // Suites that several files share have the titles of their tests.
    if (!text.includes('.conformance.ts')) expect(text).toContain(test.trim());
  });
});

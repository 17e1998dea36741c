import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RandomWorld } from '../../../ledger/testing/random-world.ts';
import { booksFile, prepareFile } from './connection.ts';
import { type Difference, verifyBooks } from './verify.ts';
import { BooksWriter } from './writer.ts';

/** All that the machine of a random world folds, into a file. What is found there at the end. */
function differenceAfter(file: string, worldSeed: number, steps: number[]): Difference | null {
  rmSync(file, { force: true });
  prepareFile(file, 1, 'c');
  const writer = new BooksWriter(file, 1);
  const world = new RandomWorld(worldSeed, false);
  const { books } = world.unit;
  const commit = books.commit.bind(books);
  books.commit = (fold) => {
    writer.commit(structuredClone(fold));
    commit(fold);
  };
  for (const step of steps) world.step(step);
  world.end();
  writer.close();
  return verifyBooks(file, () => {}).difference;
}

test('books that the machine fills verify, whatever it was asked', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-verify-machine-'));
  const seed = fc.integer({ min: 0, max: 0xffff_ffff });
  const steps = fc.array(seed, { minLength: 20, maxLength: 120, size: 'max' });
  try {
    fc.assert(
      fc.property(seed, steps, (worldSeed, stepSeeds) => {
        expect(differenceAfter(booksFile(folder, 1), worldSeed, stepSeeds)).toBe(null);
      }),
      { numRuns: 12 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 60_000);

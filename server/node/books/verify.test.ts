import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commit } from '../../core/books.conformance.ts';
import { FoldMaker } from '../../core/books.fixture.ts';
import { booksFile, prepareFile } from './connection.ts';
import { StorageThread } from './storage-thread.ts';
import { verifyBooks } from './verify.ts';
import { BooksWriter } from './writer.ts';

const UNIT = 2;
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-verify-'));
  file = booksFile(folder, UNIT);
});
afterEach(() => rmSync(folder, { recursive: true }));

const verify = (): ReturnType<typeof verifyBooks> => verifyBooks(file, () => {});

test('sound books verify, whatever they hold', () => {
  const size = fc.record({ accounts: fc.nat(3), transfers: fc.nat(200), burnt: fc.nat(3) });
  const folds = fc.array(size, { maxLength: 4 });
  fc.assert(
    fc.property(fc.nat(), folds, fc.boolean(), (seed, sizes, randomIds) => {
      rmSync(file, { force: true });
      prepareFile(file, UNIT, 'c');
      const writer = new BooksWriter(file, UNIT);
      const maker = new FoldMaker(UNIT, { seed, randomIds });
      writer.commit(maker.next({ accounts: 3 }));
      for (const each of sizes) writer.commit(maker.next(each));
      writer.close();
      const rows = sizes.reduce((sum, { transfers }) => sum + transfers, 0);
      const accounts = sizes.reduce((sum, each) => sum + each.accounts, 3);
      expect(verify()).toEqual({
        file,
        unit: UNIT,
        index: sizes.length + 1,
        accounts,
        rows,
        difference: null,
      });
    }),
    { numRuns: 25 },
  );
});

test('empty books verify', () => {
  prepareFile(file, UNIT, 'c');
  expect(verify()).toMatchObject({ index: 0, rows: 0, difference: null });
});

test('books verify at one state while their server goes on', async () => {
  const thread = new StorageThread();
  const books = thread.open(UNIT, folder, 'c');
  const maker = new FoldMaker(UNIT);
  await commit(books, maker.next({ accounts: 20, transfers: 2_000 }));
  let under = commit(books, maker.next({ transfers: 10_000 }));
  const indexes = new Set<number>();
  for (let round = 0; round < 6; round++) {
    const { difference, index } = verify();
    expect(difference).toBe(null);
    indexes.add(index);
    await under;
    under = commit(books, maker.next({ transfers: 1_000 }));
  }
  await under;
  await thread.close();
  expect(indexes.size).toBeGreaterThan(1);
});

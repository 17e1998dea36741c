import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FoldMaker } from '../../core/books.fixture.ts';
import { booksFile, prepareFile } from './connection.ts';
import {
  dropOtherGenerations,
  generationFile,
  generationOf,
  switchGeneration,
} from './generation.ts';
import { verifyBooks } from './verify.ts';
import { BooksWriter } from './writer.ts';

vi.setConfig({ testTimeout: 60_000 });

const UNIT = 1;
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-generation-'));
  file = booksFile(folder, UNIT);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Books of so many folds. */
function write(path: string, folds: number): void {
  prepareFile(path, UNIT, 'c');
  const writer = new BooksWriter(path, UNIT);
  const maker = new FoldMaker(UNIT);
  for (let fold = 0; fold < folds; fold++) {
    writer.commit(maker.next({ accounts: 10, transfers: 100 }));
  }
  writer.close();
}

test('what is left of the former WAL, kept there by a reader, is never taken for part of the next file', () => {
  write(file, 1);
  // Somebody reads all the while, so that the writer's close leaves the WAL where it is.
  const reader = new Sqlite(file, { readonly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM transfer_row').get();
  const writer = new BooksWriter(file, UNIT);
  const maker = new FoldMaker(UNIT);
  maker.next({ accounts: 10, transfers: 100 });
  writer.commit(maker.next({ transfers: 500 }));
  writer.close();
  expect(existsSync(`${file}-wal`)).toBe(true);

  const next = generationFile(file, 1);
  write(next, 5);
  switchGeneration(file, next);
  expect(verifyBooks(file, () => {})).toMatchObject({ index: 5, difference: null });
  expect(reader.prepare('SELECT count(*) FROM transfer_row').pluck().get()).toBe(100);
  reader.close();
  dropOtherGenerations(file);
  expect(verifyBooks(file, () => {})).toMatchObject({ index: 5, difference: null });
});

test('a start removes half-built generations and former ones, and nothing else', () => {
  write(file, 1);
  for (const number of [1, 2]) write(generationFile(file, number), number + 1);
  switchGeneration(file, generationFile(file, 1));
  switchGeneration(file, generationFile(file, 2));
  for (const suffix of ['', '-wal', '-shm']) writeFileSync(generationFile(file, 30) + suffix, 'x');
  writeFileSync(`${file}-wal`, 'x');
  write(booksFile(folder, 11), 1);
  dropOtherGenerations(file);
  expect(readdirSync(folder).sort()).toEqual([
    'unit-1.generation-2.sqlite',
    'unit-1.sqlite',
    'unit-11.sqlite',
  ]);
  expect(lstatSync(file).isSymbolicLink()).toBe(true);
  expect(generationOf(file)).toBe(2);
  expect(verifyBooks(file, () => {})).toMatchObject({ index: 3, difference: null });
});

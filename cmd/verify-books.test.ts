import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FoldMaker } from '../server/core/books.fixture.ts';
import { booksFile, prepareFile } from '../server/node/books/connection.ts';
import { BooksWriter } from '../server/node/books/writer.ts';
import { EXIT_FAILED, MisuseError } from './exit.ts';
import { register } from './verify-books.ts';

let folder: string;
let file: string;
let out: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-verify-cmd-'));
  file = booksFile(folder, 1);
  prepareFile(file, 1, 'c');
  const writer = new BooksWriter(file, 1);
  writer.commit(new FoldMaker(1).next({ accounts: 4, transfers: 30 }));
  writer.close();
  out = '';
  vi.spyOn(console, 'error').mockImplementation(() => {});
  vi.spyOn(console, 'log').mockImplementation((line: string) => {
    out += `${line}\n`;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  rmSync(folder, { recursive: true });
});

function run(...args: string[]): void {
  const program = new Command('evenkeel').exitOverride();
  register(program);
  program.parse(['node', 'evenkeel', 'verify-books', ...args]);
}

test('sound books exit 0 and say what they hold', () => {
  run(file);
  expect(out).toBe('The books of unit 1 hold at entry 1: 4 accounts, 30 transfer rows.\n');
  expect(process.exitCode).toBe(undefined);
});

test('a difference exits 1 and names table, row, what was expected and what was found', () => {
  const database = new Sqlite(file);
  database.exec('UPDATE pending_row SET deadline = deadline + 1');
  database.close();
  run(file, '--json');
  expect(process.exitCode).toBe(EXIT_FAILED);
  const { sound, difference } = JSON.parse(out) as Record<string, Record<string, string>>;
  expect(sound).toBe(false);
  expect(difference).toMatchObject({ table: 'pending_row' });
  out = '';
  run(file);
  expect(out).toContain('  table     pending_row\n');
  expect(out).toMatch(/found +row \d+ fails its CRC-32/);
});

test('what is not the books of a unit is misuse', () => {
  const other = join(folder, 'other.sqlite');
  const database = new Sqlite(other);
  database.exec('CREATE TABLE other (x)');
  database.close();
  for (const path of [other, folder, join(folder, 'none')]) {
    expect(() => run(path)).toThrow(MisuseError);
  }
});

test('a copy of books in use holds all commits if made as docs/operations.md says, not by itself', () => {
  rmSync(file);
  prepareFile(file, 1, 'c');
  const writer = new BooksWriter(file, 1);
  writer.commit(new FoldMaker(1).next({ accounts: 4, transfers: 30 }));
  const copy = (name: string) => join(folder, `${name}.sqlite`);
  const reader = new Sqlite(file, { readonly: true });
  reader.exec(`VACUUM INTO '${copy('vacuum')}'`);
  for (const name of ['with', 'bare']) copyFileSync(file, copy(name));
  copyFileSync(`${file}-wal`, `${copy('with')}-wal`);
  for (const name of ['vacuum', 'with']) run(copy(name));
  expect(out).toBe(
    'The books of unit 1 hold at entry 1: 4 accounts, 30 transfer rows.\n'.repeat(2),
  );
  out = '';
  run(copy('bare'));
  expect(out).not.toContain('30 transfer rows');
  reader.close();
  writer.close();
});

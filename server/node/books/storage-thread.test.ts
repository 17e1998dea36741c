import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commit } from '../../core/books.conformance.ts';
import { emptyFold, FoldMaker } from '../../core/books.fixture.ts';
import { booksFile, openToWrite } from './connection.ts';
import { FORMAT_VERSION, readMeta, writeMeta } from './schema.ts';
import { StorageThread } from './storage-thread.ts';

let folder: string;
let thread: StorageThread;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-thread-'));
  thread = new StorageThread();
});
afterEach(async () => {
  await thread.close();
  rmSync(folder, { recursive: true });
});

describe('open', () => {
  const file = (): string => booksFile(folder, 2);

  async function makeBooks(): Promise<void> {
    thread.open(2, folder, 'c');
    await thread.close();
    thread = new StorageThread();
  }

  test('refuses a file that has a writer, in the same process too', () => {
    thread.open(2, folder, 'c');
    expect(() => thread.open(2, folder, 'c')).toThrow(`${file()} has another writer`);
  });

  test('refuses the books of another cluster, and gives the lock back', async () => {
    await makeBooks();
    const message = `${file()} belongs to cluster c, not to cluster d`;
    expect(() => thread.open(2, folder, 'd')).toThrow(message);
    expect(() => thread.open(2, folder, 'd')).toThrow(message);
    thread.open(2, folder, 'c');
  });

  test('refuses the books of another unit', async () => {
    await makeBooks();
    renameSync(file(), booksFile(folder, 1));
    const message = 'holds the books of unit 2, not of unit 1';
    expect(() => thread.open(1, folder, 'c')).toThrow(message);
  });

  test('refuses books of another format', async () => {
    await makeBooks();
    const database = openToWrite(file());
    writeMeta(database, { ...readMeta(database), formatVersion: FORMAT_VERSION + 1 });
    database.close();
    expect(() => thread.open(2, folder, 'c')).toThrow(
      `${file()} has books of format ${FORMAT_VERSION + 1}, this release reads format ${FORMAT_VERSION}`,
    );
  });

  test('refuses a database of others, and what is no database', () => {
    const database = new Sqlite(file());
    database.exec('CREATE TABLE meta_data (x)');
    database.close();
    expect(() => thread.open(2, folder, 'c')).toThrow(`${file()} is a database, but not the books`);
    writeFileSync(file(), 'no database at all, and long enough to be one'.repeat(20));
    expect(() => thread.open(2, folder, 'c')).toThrow(`${file()} can't be opened: `);
  });
});

test('what is under way is counted until it is done', async () => {
  const [one, two] = [thread.open(1, folder, 'c'), thread.open(2, folder, 'c')];
  const fold = new FoldMaker(1).next({ accounts: 3 });
  const bytes = fold.accounts.byteLength;
  const all = [commit(one, fold), commit(two, emptyFold(2, 0, 1))];
  expect(thread).toMatchObject({ pendingFolds: 2, pendingBytes: bytes });
  await Promise.all(all);
  expect(thread).toMatchObject({ pendingFolds: 0, pendingBytes: 0 });
});

test('close waits for commits under way, takes the WAL in, and ends the thread', async () => {
  const books = thread.open(1, folder, 'c');
  let error: Error | null | undefined;
  books.commit(new FoldMaker(1).next({ accounts: 5_000, transfers: 20_000 }), (answer) => {
    error = answer;
  });
  await thread.close();
  expect(error).toBe(null);
  expect(existsSync(`${booksFile(folder, 1)}-wal`)).toBe(false);
  expect(() => thread.open(1, folder, 'c')).toThrow('the storage thread is closed');
  expect(() => books.commit(emptyFold(1, 1, 2), () => {})).toThrow('closed');
});

test('a unit whose commit failed leaves the others alone', async () => {
  const [one, two] = [thread.open(1, folder, 'c'), thread.open(2, folder, 'c')];
  const text = `${booksFile(folder, 1)}: the books can't be written: the fold of entries 6..9`;
  await expect(commit(one, emptyFold(1, 5, 9))).rejects.toThrow(text);
  await expect(commit(one, emptyFold(1, 0, 1))).rejects.toThrow(text);
  await commit(two, emptyFold(2, 0, 1));
});

test('the books are opened so that commits are whole, and synced by our own checkpoints', () => {
  const database = openToWrite(join(folder, 'any.sqlite'));
  // 1 is NORMAL: what the log must keep hangs from it. What it does is SQLite's promise.
  expect(database.pragma('synchronous', { simple: true })).toBe(1);
  expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
  expect(database.pragma('wal_autocheckpoint', { simple: true })).toBe(0);
  database.close();
});

describe('a storage thread that dies', () => {
  const deaths = [
    ['by an exception', "throw new Error('out of order')", 'died: out of order'],
    ['by an exit', 'process.exit(3)', 'died: exit code 3'],
  ] as const;
  test.each(deaths)('%s fails what is under way and what comes after', async (_, act, text) => {
    const script = `import { parentPort } from 'node:worker_threads';
      parentPort.on('message', (message) => { if (message.kind === 'commit') { ${act}; } });`;
    const dying = new StorageThread({
      script: new URL(`data:text/javascript,${encodeURIComponent(script)}`),
    });
    const books = dying.open(1, folder, 'c');
    await expect(commit(books, emptyFold(1, 0, 1))).rejects.toThrow(text);
    expect(dying).toMatchObject({ pendingFolds: 0, pendingBytes: 0 });
    await expect(commit(books, emptyFold(1, 0, 1))).rejects.toThrow(text);
    await dying.close();
  });
});

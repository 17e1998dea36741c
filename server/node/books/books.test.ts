import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type BooksUnderTest, describeBooks } from '../../core/books.conformance.ts';
import { describeCopies } from '../../core/books-copy.conformance.ts';
import type { SqliteBooks } from './sqlite-books.ts';
import { StorageThread } from './storage-thread.ts';

const thread = new StorageThread();
afterAll(() => thread.close());

describeBooks('SQLite books', () => booksOver(thread, async () => {}));
// Two servers, so two threads: each knows a unit once.
describeCopies('SQLite books', () => {
  const own = new StorageThread();
  return booksOver(own, () => own.close());
});

function booksOver(storage: StorageThread, disposed: () => Promise<void>): BooksUnderTest {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-books-'));
  const opened: SqliteBooks[] = [];
  const closeAll = async (): Promise<void> => {
    for (const books of opened) books.close();
    await Promise.all(opened.map((books) => books.closed));
  };
  return {
    open(unit) {
      const books = storage.open(unit, folder, 'test-cluster');
      opened.push(books);
      return books;
    },
    restart: closeAll,
    async dispose() {
      await closeAll();
      await disposed();
      rmSync(folder, { recursive: true });
    },
  };
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { describeReads } from '../../core/reads/reads.conformance.ts';
import type { SqliteBooks } from './sqlite-books.ts';
import { StorageThread } from './storage-thread.ts';

const thread = new StorageThread();
afterAll(() => thread.close());

describeReads(
  'SQLite books',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'evenkeel-reads-'));
    const opened: SqliteBooks[] = [];
    const closeAll = async (): Promise<void> => {
      for (const books of opened) books.close();
      await Promise.all(opened.map((books) => books.closed));
    };
    return {
      open(unit) {
        const books = thread.open(unit, folder, 'test-cluster');
        opened.push(books);
        return books;
      },
      restart: closeAll,
      async dispose() {
        await closeAll();
        rmSync(folder, { recursive: true });
      },
    };
  },
  { count: 4, steps: 400 },
);

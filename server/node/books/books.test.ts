import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeBooks } from '../../core/books.conformance.ts';
import { StorageThread } from './storage-thread.ts';

describeBooks('SQLite books', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-books-'));
  let thread = new StorageThread();
  return {
    open: (unit) => thread.open(unit, folder, 'test-cluster'),
    async restart() {
      await thread.close();
      thread = new StorageThread();
    },
    async dispose() {
      await thread.close();
      rmSync(folder, { recursive: true });
    },
  };
});

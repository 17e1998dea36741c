import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FoldMaker } from '../../core/books.fixture.ts';
import { booksFile } from './connection.ts';
import { measureCopy } from './measure-copy.ts';
import { measureFilter } from './measure-filter.ts';
import type { SqliteBooks } from './sqlite-books.ts';
import { StorageThread } from './storage-thread.ts';
import { verifyBooks } from './verify.ts';

// How fast the books take transfers, from posting a fold to its `done`, and give accounts back:
//   node server/node/books/measure.ts --transfers 2000000 --fold 100000 --random-ids
// and then how a filter of old ids is filled from them, and what it costs and settles:
//   node server/node/books/measure.ts --transfers 1000000 --copy
//   node server/node/books/measure.ts --transfers 20000000 --random-ids --filter-mib 64

const { values } = parseArgs({
  options: {
    transfers: { type: 'string', default: '2000000' },
    fold: { type: 'string', default: '100000' },
    accounts: { type: 'string', default: '10000' },
    'random-ids': { type: 'boolean', default: false },
    /** Pending transfers, posts, crossings and user data too. */
    mixed: { type: 'boolean', default: false },
    'filter-mib': { type: 'string' },
    /** To books that have the accounts alone. */
    copy: { type: 'boolean', default: false },
    verify: { type: 'boolean', default: false },
    folder: { type: 'string', default: tmpdir() },
  },
});
const transfers = Number(values.transfers);
const perFold = Number(values.fold);
const accounts = Number(values.accounts);

const UNIT = 1;

const ACCOUNTS_A_FOLD = 200_000;
const folder = mkdtempSync(join(values.folder, 'evenkeel-measure-'));
const thread = new StorageThread();
try {
  await measure(thread.open(UNIT, folder, 'measure'));
} finally {
  await thread.close();
  rmSync(folder, { recursive: true });
}

async function measure(books: SqliteBooks): Promise<void> {
  const mix = values.mixed ? 'all' : 'plain';
  const maker = new FoldMaker(UNIT, { randomIds: values['random-ids'], mix });
  const createMs = await timedCommit(books, maker, { accounts });
  const emptyBytes = fileBytes();
  let commitMs = 0;
  const cpuBefore = process.cpuUsage();
  let makeCpuUs = 0;
  for (let made = 0; made < transfers; made += perFold) {
    const cpu = process.cpuUsage();
    const fold = maker.next({ transfers: Math.min(perFold, transfers - made) });
    makeCpuUs += cpuUs(cpu);
    commitMs += await timed(() => commit(books, fold));
  }
  const usPerRow = (cpuUs(cpuBefore) - makeCpuUs) / transfers;
  console.log(`${accounts} accounts created in ${createMs.toFixed(0)} ms`);
  console.log(
    `${Math.round(transfers / commitMs)} k transfer rows/s, ${usPerRow.toFixed(2)} us of CPU a row`,
  );
  console.log(`load: ${(await timed(() => load(books))).toFixed(0)} ms`);
  const filterMib = values['filter-mib'];
  if (filterMib !== undefined) measureFilter(books, Number(filterMib) * 2 ** 20);
  if (values.copy) await measureCopyTo(books);
  books.close();
  await books.closed;
  console.log(`${((fileBytes() - emptyBytes) / transfers).toFixed(1)} bytes a transfer on disk`);
  if (values.verify) await measureVerify();
}

async function measureCopyTo(books: SqliteBooks): Promise<void> {
  const other = new StorageThread();
  const target = other.open(UNIT, join(folder, 'target'), 'measure');
  const maker = new FoldMaker(UNIT, {
    randomIds: values['random-ids'],
    mix: values.mixed ? 'all' : 'plain',
  });
  await timedCommit(target, maker, { accounts });
  await measureCopy(books, target);
  await other.close();
}

async function measureVerify(): Promise<void> {
  const start = performance.now();
  const { rows, difference } = verifyBooks(booksFile(folder, UNIT), () => {});
  const seconds = (performance.now() - start) / 1_000;
  const rate = (rows / seconds / 1_000).toFixed(0);
  const mib = process.memoryUsage().rss / 2 ** 20;
  console.log(
    `verify: ${seconds.toFixed(1)} s, ${rate} k rows/s, ${mib.toFixed(0)} MiB, ${difference === null ? 'sound' : JSON.stringify(difference)}`,
  );
}

function load(books: SqliteBooks): void {
  let rows = 0;
  for (const piece of books.load().accounts) rows += piece.length;
  if (rows === 0) throw new Error('no accounts');
}

async function timedCommit(
  books: SqliteBooks,
  maker: FoldMaker,
  size: { accounts: number },
): Promise<number> {
  let ms = 0;
  for (let made = 0; made < size.accounts; made += ACCOUNTS_A_FOLD) {
    const fold = maker.next({ accounts: Math.min(ACCOUNTS_A_FOLD, size.accounts - made) });
    ms += await timed(() => commit(books, fold));
  }
  return ms;
}

function commit(books: SqliteBooks, fold: ReturnType<FoldMaker['next']>): Promise<void> {
  return new Promise((resolve, reject) => {
    books.commit(fold, (error) => (error === null ? resolve() : reject(error)));
  });
}

async function timed(act: () => void | Promise<void>): Promise<number> {
  const start = performance.now();
  await act();
  return performance.now() - start;
}

function cpuUs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

/** The file and its WAL. */
function fileBytes(): number {
  const file = booksFile(folder, UNIT);
  const wal = statSync(`${file}-wal`, { throwIfNoEntry: false });
  return statSync(file).size + (wal?.size ?? 0);
}

import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { IdFilter } from '../../../ledger/id-filter.ts';
import { FoldMaker } from '../../core/books.fixture.ts';
import { booksFile } from './connection.ts';
import type { SqliteBooks } from './sqlite-books.ts';
import { StorageThread } from './storage-thread.ts';

// How fast the books take transfers, from posting a fold to its `done`, and give accounts back:
//   node server/node/books/measure.ts --transfers 2000000 --fold 100000 --random-ids
// and then how a filter of old ids is filled from them, and what it costs and settles:
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
    verify: { type: 'boolean', default: false },
    folder: { type: 'string', default: tmpdir() },
  },
});
const transfers = Number(values.transfers);
const perFold = Number(values.fold);
const accounts = Number(values.accounts);

const UNIT = 1;

const ACCOUNTS_A_FOLD = 200_000;
/** Read in a few milliseconds. */
const SLICE_IDS = 4_096;
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
  books.close();
  await books.closed;
  console.log(`${((fileBytes() - emptyBytes) / transfers).toFixed(1)} bytes a transfer on disk`);
  if (values.verify) await measureVerify();
}

/** Fills a filter in slices, as a start does in the background, and asks it for all ids and for others. */
function measureFilter(books: SqliteBooks, bytesMax: number): void {
  const seed = randomInt(2 ** 32);
  const filter = new IdFilter(seed, bytesMax);
  const readMs = new Slowest();
  const addMs = new Slowest();
  const start = performance.now();
  let count = 0;
  for (const ids of idSlices(books, readMs)) {
    for (let at = 0; at < ids.length; at += 4) {
      // The clock costs more than what it times, so not every time.
      if (count % 64 === 0) addMs.time(() => filter.add(ids, at));
      else filter.add(ids, at);
      count += 1;
    }
  }
  const fillMs = performance.now() - start;
  console.log(
    `filter: ${count} ids in ${(fillMs / 1_000).toFixed(1)} s, ${(filter.bytes / 2 ** 20).toFixed(1)} MiB; ` +
      `slowest slice of ${SLICE_IDS} ids ${readMs.ms.toFixed(1)} ms, slowest add ${addMs.ms.toFixed(2)} ms`,
  );
  let missed = 0;
  for (const ids of idSlices(books, readMs)) {
    for (let at = 0; at < ids.length; at += 4) if (!filter.mayHold(ids, at)) missed += 1;
    const found = books.lookUp(ids.slice(0, 256));
    missed += found.filter((row) => !(row instanceof Uint32Array)).length;
  }
  console.log(`resent: ${missed} of ${count} ids denied by the filter, or not found in the books`);
  askOthers(filter);
}

function askOthers(filter: IdFilter): void {
  const others = 2_000_000;
  const ids = new Uint32Array(others * 4);
  for (let part = 0; part < ids.length; part += 16_384) {
    crypto.getRandomValues(ids.subarray(part, part + 16_384));
  }
  const start = performance.now();
  let maybes = 0;
  for (let at = 0; at < ids.length; at += 4) if (filter.mayHold(ids, at)) maybes += 1;
  const ns = ((performance.now() - start) * 1e6) / others;
  const share = ((maybes / others) * 100).toFixed(3);
  console.log(`others: ${share} % of new ids need a look-up, ${ns.toFixed(0)} ns a question`);
}

function* idSlices(books: SqliteBooks, slowest: Slowest): Generator<Uint32Array> {
  let last: Uint32Array | null = null;
  for (;;) {
    const after: Uint32Array | null = last;
    const ids = slowest.time(() => books.idsAfter(after, SLICE_IDS));
    if (ids.length === 0) return;
    yield ids;
    last = ids.slice(ids.length - 4);
  }
}

class Slowest {
  ms = 0;

  time<T>(act: () => T): T {
    const start = performance.now();
    const result = act();
    this.ms = Math.max(this.ms, performance.now() - start);
    return result;
  }
}

async function measureVerify(): Promise<void> {
  const { verifyBooks } = await import('./verify.ts');
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

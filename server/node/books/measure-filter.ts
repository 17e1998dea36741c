import { randomInt } from 'node:crypto';
import { IdFilter } from '../../../ledger/id-filter.ts';
import type { SqliteBooks } from './sqlite-books.ts';

/** Read in a few milliseconds. */
const SLICE_IDS = 4_096;

/** Fills a filter in slices, as a start does in the background, and asks it for all ids and for others. */
export function measureFilter(books: SqliteBooks, bytesMax: number): void {
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
    const ids: Uint32Array = slowest.time(() => books.idsAfter(after, SLICE_IDS));
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

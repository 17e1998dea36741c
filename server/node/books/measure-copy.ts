import type { BooksBuild, BooksChunk, BooksReading, BooksState } from '../../core/books-copy.ts';
import type { SqliteBooks } from './sqlite-books.ts';

/** How long a copy of the books takes from one thread to another, without a network between them. */
export async function measureCopy(source: SqliteBooks, target: SqliteBooks): Promise<void> {
  const start = performance.now();
  const cpu = process.cpuUsage();
  const build = target.build('own');
  const own = await asked<BooksState | null>((done) => build.open(done));
  const openMs = performance.now() - start;
  const reading = source.copy(own);
  const state = await asked<BooksState | null>((done) => reading.open(done));
  const bytes = await move(reading, build);
  const movedMs = performance.now() - start;
  await settled((done) => build.finish(state!, done));
  const finishedMs = performance.now() - start;
  await settled((done) => build.install(done));
  const endMs = performance.now() - start;
  reading.close();
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `copied: ${(bytes / 2 ** 20).toFixed(0)} MiB in ${endMs.toFixed(0)} ms, of that base ${openMs.toFixed(0)}, ` +
      `rows ${(movedMs - openMs).toFixed(0)}, finish ${(finishedMs - movedMs).toFixed(0)}, ` +
      `switch ${(endMs - finishedMs).toFixed(0)}; ${((user + system) / 1e3).toFixed(0)} ms of CPU`,
  );
}

/** The next chunk is read while one is written. */
async function move(reading: BooksReading, build: BooksBuild): Promise<number> {
  let bytes = 0;
  let writing = Promise.resolve();
  for (;;) {
    const chunk = await asked<BooksChunk | null>((done) => reading.next(done));
    await writing;
    if (chunk === null) return bytes;
    bytes += chunk.rows.byteLength;
    writing = settled((done) => build.add(chunk, done));
  }
}

function asked<T>(call: (done: (error: Error | null, value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    call((error, value) => (error === null ? resolve(value) : reject(error))),
  );
}

function settled(call: (done: (error: Error | null) => void) => void): Promise<void> {
  return asked<void>((done) => call((error) => done(error, undefined)));
}

import { once } from 'node:events';
import { table } from './show.ts';

/** Rows are aligned among so many. */
const ROWS_AT_ONCE = 500;

/** Whoever reads us has seen enough and closed the pipe, such as head does: no failure. */
export class ClosedPipe extends Error {
  override readonly name = 'ClosedPipe';
}

/** Runs `work`, which prints by `printLine`; a reader that closes the pipe ends it in good order. */
export async function printing(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const closed = new AbortController();
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    closed.abort(new ClosedPipe());
  };
  process.stdout.on('error', onError);
  try {
    await work(closed.signal);
  } catch (error) {
    if (!(error instanceof ClosedPipe)) throw error;
  } finally {
    process.stdout.off('error', onError);
  }
}

/** Waits while the reader is behind. */
export async function printLine(text: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (process.stdout.write(`${text}\n`)) return;
  await once(process.stdout, 'drain', { signal }).catch(() => signal.throwIfAborted());
}

/** A table of as many rows as come. */
export async function printTable(
  header: readonly string[],
  rows: AsyncIterable<readonly string[]>,
  signal: AbortSignal,
): Promise<void> {
  let chunk: (readonly string[])[] = [header];
  for await (const row of rows) {
    chunk.push(row);
    if (chunk.length < ROWS_AT_ONCE) continue;
    await printLine(table(chunk), signal);
    chunk = [];
  }
  if (chunk.length > 0) await printLine(table(chunk), signal);
}

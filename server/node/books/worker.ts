import { parentPort, workerData } from 'node:worker_threads';
import type { Fold } from '../../../ledger/fold.ts';
import { switchGeneration, syncWal } from './generation.ts';
import type { FromStorage, ToStorage } from './messages.ts';
import { type Throttle, waitAsSlow } from './throttle.ts';
import { BooksWriter } from './writer.ts';

/**
 * The storage thread: one a server, the only writer of all its books. A commit blocks it until the
 * commit is durable; what comes meanwhile waits in the port.
 */
const port = parentPort!;
const throttle = workerData as Throttle | null;
const writers = new Map<number, BooksWriter>();

port.on('message', (message: ToStorage) => {
  switch (message.kind) {
    case 'open':
      open(message.unit, message.file);
      break;
    case 'commit':
      commit(message.unit, message.id, message.fold);
      break;
    case 'sync':
      sync(message.id, message.file);
      break;
    case 'install':
      install(message);
      break;
    case 'close':
      close(message.unit);
      break;
  }
});

function open(unit: number, file: string): void {
  try {
    const writer = new BooksWriter(file, unit);
    writers.set(unit, writer);
    writer.shareCache(2 * writers.size);
    // At each doubling is enough: hundreds of units must not each be told of all others.
    if (Number.isInteger(Math.log2(writers.size))) {
      for (const other of writers.values()) other.shareCache(2 * writers.size);
    }
  } catch (error) {
    post({ kind: 'failed', unit, error: describe(error) });
  }
}

function commit(unit: number, id: number, fold: Fold): void {
  const writer = writers.get(unit);
  try {
    if (writer === undefined) throw new Error('its file is not open');
    const startMs = performance.now();
    writer.commit(fold);
    if (throttle !== null) waitAsSlow(throttle, performance.now() - startMs);
  } catch (error) {
    post({ kind: 'done', id, error: describe(error) });
    return;
  }
  post({ kind: 'done', id, error: null });
  try {
    writer.checkpointIfDue();
  } catch (error) {
    post({ kind: 'failed', unit, error: `checkpoint: ${describe(error)}` });
  }
}

/** What is not in the file yet is in its WAL: a checkpoint would have to wait for readers, a sync does not. */
function sync(id: number, file: string): void {
  try {
    syncWal(file);
  } catch (error) {
    post({ kind: 'done', id, error: describe(error) });
    return;
  }
  post({ kind: 'done', id, error: null });
}

/** What the former writer's file has in its WAL goes with it. */
function install({ id, unit, file, generation }: ToStorage & { kind: 'install' }): void {
  try {
    writers.get(unit)?.close();
    writers.delete(unit);
    switchGeneration(file, generation);
    writers.set(unit, new BooksWriter(file, unit));
  } catch (error) {
    post({ kind: 'done', id, error: describe(error) });
    return;
  }
  post({ kind: 'done', id, error: null });
}

function close(unit: number): void {
  writers.get(unit)?.close();
  writers.delete(unit);
  post({ kind: 'closed', unit });
}

function post(message: FromStorage): void {
  port.postMessage(message);
}

/** SQLite's own code tells a full disk from a broken one. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return code === undefined ? error.message : `${code}: ${error.message}`;
}

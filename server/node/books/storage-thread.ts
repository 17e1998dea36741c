import { Worker } from 'node:worker_threads';
import type { Fold } from '../../../ledger/fold.ts';
import { arraysOf, foldBytes } from '../../core/books-fold.ts';
import { booksFile, lockToWrite, prepareFile } from './connection.ts';
import { dropOtherGenerations } from './generation.ts';
import type { FromStorage, ToStorage } from './messages.ts';
import { BooksReader } from './reader.ts';
import { SqliteBooks } from './sqlite-books.ts';
import type { Throttle } from './throttle.ts';

type Done = (error: Error | null) => void;

interface Outstanding {
  readonly unit: number;
  readonly bytes: number;
  readonly done: Done;
}

interface OpenUnit {
  readonly books: SqliteBooks;
  /** Gives the lock back, once the storage thread has closed the file or is dead. */
  readonly release: () => void;
  /** Set once the file can't be written any more. */
  failure: Error | null;
}

/** All for tests. */
export interface StorageThreadOptions {
  /** Instead of the worker: one that dies. */
  readonly script?: URL;
  /** Commits take so many times longer as its first word says; see makeThrottle. */
  readonly throttle?: Throttle | null;
}

const WORKER = new URL('./worker.ts', import.meta.url);

/** The thread that writes the books of all units of a server. */
export class StorageThread {
  readonly #worker: Worker;
  readonly #outstanding = new Map<number, Outstanding>();
  readonly #units = new Map<number, OpenUnit>();
  readonly #exited: Promise<void>;
  #lastId = 0;
  #pendingBytes = 0;
  #state: 'running' | 'closing' | 'dead' = 'running';
  #death: Error | null = null;

  constructor({ script = WORKER, throttle = null }: StorageThreadOptions = {}) {
    this.#worker = new Worker(script, { workerData: throttle });
    this.#worker.on('message', (message: FromStorage) => this.#receive(message));
    this.#worker.on('messageerror', (error) => this.#die(`died: ${error.message}`, error));
    this.#worker.on('error', (error) => this.#die(`died: ${(error as Error).message}`, error));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#die(this.#state === 'closing' ? 'is closed' : `died: exit code ${code}`);
        resolve();
      });
    });
  }

  /** Commits posted and not done yet, over all units. */
  get pendingFolds(): number {
    return this.#outstanding.size;
  }

  /** What they hold in memory. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Opens `unit-<n>.sqlite`, made if there is none. Throws if it has another writer, or is not the
   * books of this unit in this cluster and format. Blocks for a few syncs, and for SQLite's recovery
   * after a crash.
   */
  open(unit: number, folder: string, clusterId: string): SqliteBooks {
    if (this.#state !== 'running') throw this.#death ?? new Error('the storage thread is closing');
    const file = booksFile(folder, unit);
    const lock = lockToWrite(file);
    try {
      prepareFile(file, unit, clusterId);
      const closed = Promise.withResolvers<void>();
      const release = (): void => {
        lock.close();
        closed.resolve();
      };
      dropOtherGenerations(file);
      const books = new SqliteBooks(unit, clusterId, new BooksReader(file), {
        commit: (fold, done) => this.#commit(unit, fold, done),
        sync: (done) => this.#sync(unit, file, done),
        install: (generation, done) => this.#install(unit, file, generation, done),
        close: () => this.#post({ kind: 'close', unit }),
        closed: closed.promise,
      });
      this.#units.set(unit, { books, release, failure: null });
      this.#post({ kind: 'open', unit, file });
      return books;
    } catch (error) {
      lock.close();
      const text = error instanceof Error ? error.message : String(error);
      if (text.startsWith(file)) throw error;
      throw new Error(`${file} can't be opened: ${text}`, { cause: error });
    }
  }

  /** Waits for what was committed, not for more; then nothing of the thread keeps the process alive. */
  async close(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'closing';
      const all = [...this.#units.values()].map(({ books }) => books);
      for (const books of all) books.close();
      await Promise.all(all.map((books) => books.closed));
      await this.#worker.terminate();
    }
    await this.#exited;
  }

  #commit(unit: number, fold: Fold, done: Done): void {
    const id = this.#begin(unit, foldBytes(fold), done);
    if (id !== null) this.#post({ kind: 'commit', id, unit, fold }, buffersOf(fold));
  }

  #sync(unit: number, file: string, done: Done): void {
    const id = this.#begin(unit, 0, done);
    if (id !== null) this.#post({ kind: 'sync', id, unit, file });
  }

  #install(unit: number, file: string, generation: string, done: Done): void {
    const id = this.#begin(unit, 0, done);
    if (id !== null) this.#post({ kind: 'install', id, unit, file, generation });
  }

  /** The number of a message that will be answered; null if the unit has failed, and `done` is told. */
  #begin(unit: number, bytes: number, done: Done): number | null {
    const failure = this.#death ?? this.#units.get(unit)?.failure ?? null;
    if (failure !== null) {
      process.nextTick(done, failure);
      return null;
    }
    const id = ++this.#lastId;
    this.#outstanding.set(id, { unit, bytes, done });
    this.#pendingBytes += bytes;
    return id;
  }

  #receive(message: FromStorage): void {
    switch (message.kind) {
      case 'done':
        this.#finish(message.id, message.error);
        break;
      case 'failed':
        this.#fail(message.unit, message.error);
        break;
      case 'closed':
        this.#units.get(message.unit)?.release();
        this.#units.delete(message.unit);
        break;
    }
  }

  #finish(id: number, error: string | null): void {
    const commit = this.#outstanding.get(id);
    if (commit === undefined) throw new Error(`the storage thread answered commit ${id} twice`);
    this.#outstanding.delete(id);
    this.#pendingBytes -= commit.bytes;
    if (error === null) {
      commit.done(null);
      return;
    }
    this.#fail(commit.unit, error);
    commit.done(this.#units.get(commit.unit)?.failure ?? new Error(error));
  }

  /** The first failure of a unit is its last word: what comes after it would follow on nothing. */
  #fail(unit: number, text: string): void {
    const open = this.#units.get(unit);
    if (open === undefined || open.failure !== null) return;
    open.failure = new Error(`${open.books.file}: the books can't be written: ${text}`);
  }

  #die(text: string, cause?: unknown): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#death = new Error(`the storage thread ${text}`, { cause });
    const commits = [...this.#outstanding.values()];
    this.#outstanding.clear();
    this.#pendingBytes = 0;
    for (const { release } of this.#units.values()) release();
    for (const { done } of commits) done(this.#death);
  }

  #post(message: ToStorage, transfer: ArrayBuffer[] = []): void {
    if (this.#state !== 'dead') this.#worker.postMessage(message, transfer);
  }
}

/** Each buffer once: rows of several tables may share one. */
function buffersOf(fold: Fold): ArrayBuffer[] {
  return [...new Set(arraysOf(fold).map((array) => array.buffer as ArrayBuffer))];
}

import type { BooksImage, Fold } from '../../../ledger/fold.ts';
import type {
  AccountTransfersQuery,
  Books,
  HistoryBalances,
  LookUp,
  ScanQuery,
} from '../../core/books.ts';
import type { BooksBuild, BooksReading, BooksState } from '../../core/books-copy.ts';
import { SqliteReading } from './copy-thread.ts';
import { dropOtherGenerations, generationFile, generationOf } from './generation.ts';
import { BooksReader } from './reader.ts';
import { SqliteBuild } from './sqlite-build.ts';
import { walkTransfers } from './walk.ts';

/** The storage thread's end of one unit. */
export interface UnitStorage {
  commit(fold: Fold, done: (error: Error | null) => void): void;
  /** Makes all that is committed durable. */
  sync(done: (error: Error | null) => void): void;
  /** Puts another generation of the file in force. No commit is under way. */
  install(generation: string, done: (error: Error | null) => void): void;
  close(): void;
  /** Resolves when the storage thread has let go of the file. */
  readonly closed: Promise<void>;
}

/** Books in SQLite: written by the storage thread, read here over a read-only connection. */
export class SqliteBooks implements Books {
  readonly #unit: number;
  readonly #clusterId: string;
  #reader: BooksReader;
  readonly #storage: UnitStorage;
  /** The last of each, to be ended with the books. */
  #reading: SqliteReading | null = null;
  #build: SqliteBuild | null = null;
  #lastGeneration: number;
  #state: 'idle' | 'committing' | 'installing' | 'closed' = 'idle';

  constructor(unit: number, clusterId: string, reader: BooksReader, storage: UnitStorage) {
    this.#unit = unit;
    this.#clusterId = clusterId;
    this.#reader = reader;
    this.#storage = storage;
    this.#lastGeneration = generationOf(reader.file);
  }

  get file(): string {
    return this.#reader.file;
  }

  /** Resolves after close(), when the file can be opened again or replaced. */
  get closed(): Promise<void> {
    return this.#storage.closed;
  }

  load(): BooksImage {
    return this.#reader.image();
  }

  /** The fold's buffers move to the storage thread: they are empty here afterwards. */
  commit(fold: Fold, done: (error: Error | null) => void): void {
    if (this.#state !== 'idle')
      throw new Error(`the books of unit ${this.#unit} are ${this.#state}`);
    this.#state = 'committing';
    this.#storage.commit(fold, (error) => {
      if (this.#state === 'committing') this.#state = 'idle';
      done(error);
    });
  }

  sync(done: (error: Error | null, index: number) => void): void {
    const index = this.index();
    this.#storage.sync((error) => done(error, index));
  }

  index(): number {
    return this.#reader.index();
  }

  lookUp(ids: Uint32Array): LookUp[] {
    return this.#reader.lookUp(ids);
  }

  rowsAt(timestamps: Uint32Array): (Uint32Array | null)[] {
    return this.#reader.rowsAt(timestamps);
  }

  accountTransfers(query: AccountTransfersQuery): Uint32Array[] {
    return walkTransfers(this.#reader, query);
  }

  scan(query: ScanQuery): Uint32Array[] {
    return this.#reader.scan(query);
  }

  balancesAt(handle: number, timestamp: bigint): HistoryBalances | null {
    return this.#reader.balancesAt(handle, timestamp);
  }

  requestedAt(timestamps: Uint32Array): (Uint32Array | null)[] {
    return this.#reader.requestedAt(timestamps);
  }

  idsAfter(id: Uint32Array | null, limit: number): Uint32Array {
    return this.#reader.idsAfter(id, limit);
  }

  copy(have: BooksState | null): BooksReading {
    this.#reading?.close();
    this.#reading = new SqliteReading(this.file, have);
    return this.#reading;
  }

  build(from: 'own' | 'nothing'): BooksBuild {
    // Each build its own: one that was abandoned may still be going away.
    this.#lastGeneration += 1;
    const file = generationFile(this.file, this.#lastGeneration);
    this.#build?.abandon();
    this.#build = new SqliteBuild({
      file,
      unit: this.#unit,
      clusterId: this.#clusterId,
      own: from === 'own' ? this.file : null,
      install: (done) => this.#install(file, done),
    });
    return this.#build;
  }

  #install(generation: string, done: (error: Error | null) => void): void {
    if (this.#state !== 'idle')
      throw new Error(`the books of unit ${this.#unit} are ${this.#state}`);
    this.#state = 'installing';
    this.#storage.install(generation, (error) => {
      if (this.#state !== 'installing') return;
      this.#state = 'idle';
      try {
        if (error !== null) throw error;
        const { file } = this.#reader;
        this.#reader.close();
        this.#reader = new BooksReader(file);
        this.#build = null;
        dropOtherGenerations(file);
      } catch (cause) {
        done(cause as Error);
        return;
      }
      done(null);
    });
  }

  /** A commit that is under way still completes, and its `done` is called. See `closed`. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#reading?.close();
    this.#build?.abandon();
    // Before the writer: the last to close a file takes its WAL in, and a reader can't.
    this.#reader.close();
    this.#storage.close();
  }
}

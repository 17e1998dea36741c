import type { BooksImage, Fold } from '../../../ledger/fold.ts';
import type {
  AccountTransfersQuery,
  Books,
  HistoryBalances,
  LookUp,
  ScanQuery,
} from '../../core/books.ts';
import type { BooksReader } from './reader.ts';
import { walkTransfers } from './walk.ts';

/** The storage thread's end of one unit. */
export interface UnitStorage {
  commit(fold: Fold, done: (error: Error | null) => void): void;
  close(): void;
  /** Resolves when the storage thread has let go of the file. */
  readonly closed: Promise<void>;
}

/** Books in SQLite: written by the storage thread, read here over a read-only connection. */
export class SqliteBooks implements Books {
  readonly #unit: number;
  readonly #reader: BooksReader;
  readonly #storage: UnitStorage;
  #state: 'idle' | 'committing' | 'closed' = 'idle';

  constructor(unit: number, reader: BooksReader, storage: UnitStorage) {
    this.#unit = unit;
    this.#reader = reader;
    this.#storage = storage;
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

  /** A commit that is under way still completes, and its `done` is called. See `closed`. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    // Before the writer: the last to close a file takes its WAL in, and a reader can't.
    this.#reader.close();
    this.#storage.close();
  }
}

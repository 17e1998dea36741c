import type { BooksImage, Fold } from '../ledger/fold.ts';
import type {
  AccountTransfersQuery,
  Books,
  HistoryBalances,
  LookUp,
  ScanQuery,
} from '../server/core/books.ts';
import type { BooksBuild, BooksReading, BooksState } from '../server/core/books-copy.ts';
import { foldBytes } from '../server/core/books-fold.ts';
import { SimulatedBuild, SimulatedReading } from './books-copies.ts';
import { BooksTables } from './books-tables.ts';

type Done = (error: Error | null) => void;

/** A simulated storage thread: calls `complete` once it has written `bytes` durably. */
export type ScheduleCommit = (bytes: number, complete: () => void) => void;

/**
 * The books of one unit in memory: the contract that the SQLite books keep, and their crashes. The
 * object is the disk too: it outlives the server, whose successor opens it again.
 */
export class SimulatedBooks implements Books {
  readonly #unit: number;
  readonly #schedule: ScheduleCommit;
  #tables: BooksTables;
  /** A commit, or the switch to another generation, that the storage thread is at. */
  #inFlight: { readonly write: () => void; readonly done: Done } | null = null;
  /** Counts processes: copies end with theirs. */
  #process = 0;
  #failure: Error | null = null;
  #closed = false;

  constructor(unit: number, schedule: ScheduleCommit) {
    this.#unit = unit;
    this.#schedule = schedule;
    this.#tables = new BooksTables(unit);
  }

  load(): BooksImage {
    return this.#tables.image();
  }

  /** The fold's buffers are taken away at once, as a move to another thread does. */
  commit(fold: Fold, done: Done): void {
    if (this.#closed) throw new Error(`the books of unit ${this.#unit} are closed`);
    if (this.#inFlight !== null) throw new Error(`the books of unit ${this.#unit} are committing`);
    const bytes = foldBytes(fold);
    const own = takeOver(fold);
    this.#later(bytes, () => this.#tables.fold(own), done);
  }

  copy(have: BooksState | null): BooksReading {
    return new SimulatedReading(this.#tables, have, this.#copying());
  }

  build(from: 'own' | 'nothing'): BooksBuild {
    const own = from === 'own' ? this.#tables : null;
    return new SimulatedBuild(this.#unit, own, this.#copying(), (tables, done) => {
      if (this.#inFlight !== null)
        throw new Error(`the books of unit ${this.#unit} are committing`);
      this.#later(0, () => (this.#tables = tables), done);
    });
  }

  /** Runs what a copy does, later, unless the process has died by then. */
  #copying(): ScheduleCommit {
    const process = this.#process;
    return (bytes, complete) =>
      this.#schedule(bytes, () => {
        if (process === this.#process) complete();
      });
  }

  #later(bytes: number, write: () => void, done: Done): void {
    const work = { write, done };
    this.#inFlight = work;
    this.#schedule(bytes, () => {
      // After a crash the storage thread is another one, and this work is settled.
      if (this.#inFlight !== work) return;
      this.#inFlight = null;
      this.#write(work.write);
      done(this.#failure);
    });
  }

  sync(done: (error: Error | null, index: number) => void): void {
    const { index } = this.#tables;
    this.#copying()(0, () => done(null, index));
  }

  index(): number {
    return this.#tables.index;
  }

  lookUp(ids: Uint32Array): LookUp[] {
    return this.#tables.lookUp(ids);
  }

  rowsAt(timestamps: Uint32Array): (Uint32Array | null)[] {
    return this.#tables.rowsAt(timestamps);
  }

  accountTransfers(query: AccountTransfersQuery): Uint32Array[] {
    return this.#tables.accountTransfers(query);
  }

  scan(query: ScanQuery): Uint32Array[] {
    return this.#tables.scan(query);
  }

  balancesAt(handle: number, timestamp: bigint): HistoryBalances | null {
    return this.#tables.balancesAt(handle, timestamp);
  }

  requestedAt(timestamps: Uint32Array): (Uint32Array | null)[] {
    return this.#tables.requestedAt(timestamps);
  }

  idsAfter(id: Uint32Array | null, limit: number): Uint32Array {
    return this.#tables.idsAfter(id, limit);
  }

  /** A commit that is under way still completes. */
  close(): void {
    this.#closed = true;
  }

  /**
   * The process died. A commit that was not done is lost, or durable though nobody was told; its
   * `done` never comes. Then the books can be opened again.
   */
  crash(inFlight: 'lost' | 'kept' = 'lost'): void {
    const work = this.#inFlight;
    this.#inFlight = null;
    this.#process += 1;
    if (work !== null && inFlight === 'kept') this.#write(work.write);
    this.reopen();
  }

  /** The next server's turn, after close() and the last `done`. */
  reopen(): void {
    if (this.#inFlight !== null) throw new Error(`unit ${this.#unit} still has a commit under way`);
    this.#failure = null;
    this.#closed = false;
  }

  /** The first failure stays: what comes after it would follow on nothing. */
  #write(write: () => void): void {
    try {
      if (this.#failure === null) write();
    } catch (error) {
      this.#failure = error as Error;
    }
  }
}

function takeOver(fold: Fold): Fold {
  const buffers = new Map<ArrayBuffer, ArrayBuffer>();
  const move = (array: Uint32Array | Uint16Array): ArrayBuffer => {
    const buffer = array.buffer as ArrayBuffer;
    const moved = buffers.get(buffer) ?? buffer.transfer();
    buffers.set(buffer, moved);
    return moved;
  };
  const words = (array: Uint32Array): Uint32Array => {
    const { byteOffset, length } = array;
    return new Uint32Array(move(array), byteOffset, length);
  };
  const slots = fold.slots;
  const slotCount = slots?.length ?? 0;
  const slotsOffset = slots?.byteOffset ?? 0;
  return {
    ...fold,
    slots: slots && new Uint16Array(move(slots), slotsOffset, slotCount),
    accounts: words(fold.accounts),
    transfers: words(fold.transfers),
    pendings: words(fold.pendings),
    requested: words(fold.requested),
    history: words(fold.history),
    burnt: words(fold.burnt),
    opened: words(fold.opened),
    closed: words(fold.closed),
    decisions: words(fold.decisions),
    channels: words(fold.channels),
  };
}

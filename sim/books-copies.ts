import {
  type BooksBuild,
  type BooksChunk,
  type BooksReading,
  type BooksState,
  CopyTable,
  CopyTotals,
} from '../server/core/books-copy.ts';
import type { ScheduleCommit } from './books.ts';
import { BooksTables } from './books-tables.ts';

/** One state of simulated books, all taken at once. */
export class SimulatedReading implements BooksReading {
  readonly #tables: BooksTables;
  readonly #have: BooksState | null;
  readonly #schedule: ScheduleCommit;
  #chunks: BooksChunk[] = [];
  #closed = false;

  constructor(tables: BooksTables, have: BooksState | null, schedule: ScheduleCommit) {
    this.#tables = tables;
    this.#have = have;
    this.#schedule = schedule;
  }

  open(done: (error: Error | null, state: BooksState | null) => void): void {
    this.#later(0, () => {
      this.#chunks = this.#tables.copyOut(this.#have?.lastRowTimestamp ?? 0n);
      done(null, this.#tables.state());
    });
  }

  next(done: (error: Error | null, chunk: BooksChunk | null) => void): void {
    const chunk = this.#chunks.shift() ?? null;
    this.#later(chunk?.rows.byteLength ?? 0, () => done(null, chunk));
  }

  close(): void {
    this.#closed = true;
  }

  #later(bytes: number, run: () => void): void {
    if (this.#closed) throw new Error('this reading is closed');
    this.#schedule(bytes, () => {
      if (!this.#closed) run();
    });
  }
}

/** Tables that are nobody's until they are installed. */
export class SimulatedBuild implements BooksBuild {
  readonly #own: BooksTables | null;
  readonly #tables: BooksTables;
  readonly #schedule: ScheduleCommit;
  readonly #install: (tables: BooksTables, done: (error: Error | null) => void) => void;
  #totals = new CopyTotals(null);
  #closed = false;

  constructor(
    unit: number,
    own: BooksTables | null,
    schedule: ScheduleCommit,
    install: (tables: BooksTables, done: (error: Error | null) => void) => void,
  ) {
    this.#own = own;
    this.#tables = new BooksTables(unit);
    this.#schedule = schedule;
    this.#install = install;
  }

  open(done: (error: Error | null, own: BooksState | null) => void): void {
    this.#later(0, () => {
      const state = this.#own?.state() ?? null;
      for (const chunk of this.#own?.copyOut(0n) ?? []) {
        const { table } = chunk;
        const kept =
          table === CopyTable.transfers ||
          table === CopyTable.requested ||
          table === CopyTable.history;
        if (kept) this.#tables.copyIn(chunk);
      }
      this.#totals = new CopyTotals(state);
      done(null, state);
    });
  }

  add(chunk: BooksChunk, done: (error: Error | null) => void): void {
    this.#later(chunk.rows.byteLength, () =>
      done(
        errorOf(() => {
          this.#totals.add(chunk);
          this.#tables.copyIn(chunk);
        }),
      ),
    );
  }

  finish(state: BooksState, done: (error: Error | null) => void): void {
    this.#later(0, () =>
      done(
        errorOf(() => {
          this.#totals.finish(state);
          this.#tables.copied(state);
        }),
      ),
    );
  }

  install(done: (error: Error | null) => void): void {
    this.#install(this.#tables, done);
  }

  abandon(): void {
    this.#closed = true;
  }

  #later(bytes: number, run: () => void): void {
    if (this.#closed) throw new Error('this copy is abandoned');
    this.#schedule(bytes, () => {
      if (!this.#closed) run();
    });
  }
}

function errorOf(run: () => void): Error | null {
  try {
    run();
    return null;
  } catch (error) {
    return error as Error;
  }
}

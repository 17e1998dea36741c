import { rmSync } from 'node:fs';
import type { BooksBuild, BooksChunk, BooksState } from '../../core/books-copy.ts';
import { CopyThread, errorOf } from './copy-thread.ts';

export interface BuildPlan {
  /** The generation to be made. */
  readonly file: string;
  readonly unit: number;
  readonly clusterId: string;
  readonly own: string | null;
  /** Puts the finished file in force. */
  install(done: (error: Error | null) => void): void;
}

/** Builds a new generation in a thread of its own. */
export class SqliteBuild implements BooksBuild {
  readonly #plan: BuildPlan;
  readonly #thread: CopyThread;
  /** Installed or abandoned. */
  #over = false;

  constructor(plan: BuildPlan) {
    this.#plan = plan;
    const { file, unit, clusterId, own } = plan;
    this.#thread = new CopyThread({ kind: 'build', file, unit, clusterId, own });
  }

  open(done: (error: Error | null, own: BooksState | null) => void): void {
    this.#thread.ask({ kind: 'open' }, [], (answer) => {
      if (answer.error === null) done(null, answer.state ?? null);
      else done(errorOf(answer.error), null);
    });
  }

  add(chunk: BooksChunk, done: (error: Error | null) => void): void {
    const { table, rows } = chunk;
    // Of a part of a buffer only that part moves.
    const whole = rows.byteLength === rows.buffer.byteLength ? rows : rows.slice();
    const buffer = whole.buffer as ArrayBuffer;
    this.#thread.ask({ kind: 'add', chunk: { table, rows: whole } }, [buffer], ({ error }) =>
      done(error && errorOf(error)),
    );
  }

  finish(state: BooksState, done: (error: Error | null) => void): void {
    this.#thread.ask({ kind: 'finish', state }, [], ({ error }) => done(error && errorOf(error)));
  }

  install(done: (error: Error | null) => void): void {
    this.#over = true;
    void this.#thread.close().then(() => this.#plan.install(done));
  }

  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    // A generation that is not in force harms nobody; the next start would remove it too.
    void this.#thread.close().then(() => rmSync(this.#plan.file, { force: true }));
  }
}

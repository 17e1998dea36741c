import { Worker } from 'node:worker_threads';
import type { BooksChunk, BooksReading, BooksState } from '../../core/books-copy.ts';
import { EvenkeelError } from '../../core/error.ts';
import type { CopyTask, FromCopy, ToCopy } from './copy-messages.ts';

type Answered = (answer: FromCopy) => void;

const WORKER = new URL('./copy-worker.ts', import.meta.url);

/** A thread for one copy, so that neither the logic nor the commits of other units wait for it. */
export class CopyThread {
  readonly #worker: Worker;
  readonly #waiting: Answered[] = [];
  #failure: FromCopy | null = null;
  #closed = false;

  constructor(task: CopyTask) {
    this.#worker = new Worker(WORKER, { workerData: task });
    this.#worker.on('message', (answer: FromCopy) => this.#answer(answer));
    this.#worker.on('error', (error) => this.#fail(String(error)));
    this.#worker.on('messageerror', (error) => this.#fail(String(error)));
    this.#worker.on('exit', (code) => this.#fail(`its thread ended with code ${code}`));
  }

  ask(message: ToCopy, transfer: ArrayBuffer[], answered: Answered): void {
    if (this.#closed) throw new Error('this copy is closed');
    if (this.#failure !== null) {
      const failure = this.#failure;
      process.nextTick(() => {
        if (!this.#closed) answered(failure);
      });
      return;
    }
    this.#waiting.push(answered);
    this.#worker.postMessage(message, transfer);
  }

  /** No answer comes any more. Resolves when the thread has let go of its files. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiting.length = 0;
    await this.#worker.terminate();
  }

  #answer(answer: FromCopy): void {
    if (!this.#closed) this.#waiting.shift()?.(answer);
  }

  #fail(text: string): void {
    this.#failure ??= { error: { code: 'copy_failed', message: `the copy failed: ${text}` } };
    for (const answered of this.#waiting.splice(0)) answered(this.#failure);
  }
}

/** Reads one state of a unit's file. */
export class SqliteReading implements BooksReading {
  readonly #thread: CopyThread;

  constructor(file: string, have: BooksState | null) {
    this.#thread = new CopyThread({ kind: 'read', file, have });
  }

  open(done: (error: Error | null, state: BooksState | null) => void): void {
    this.#thread.ask({ kind: 'open' }, [], (answer) => {
      if (answer.error === null) done(null, answer.state ?? null);
      else done(errorOf(answer.error), null);
    });
  }

  next(done: (error: Error | null, chunk: BooksChunk | null) => void): void {
    this.#thread.ask({ kind: 'next' }, [], (answer) => {
      if (answer.error === null) done(null, answer.chunk ?? null);
      else done(errorOf(answer.error), null);
    });
  }

  close(): void {
    void this.#thread.close();
  }
}

export function errorOf({ code, message }: { code: string; message: string }): Error {
  return new EvenkeelError(code, message);
}

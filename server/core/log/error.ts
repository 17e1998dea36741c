import { EvenkeelError } from '../error.ts';

/**
 * - `log_rotten`: bytes that were once durable read back wrong. At start what lies before them is kept (`Log.rot`), and it
 *   is thrown only if nothing tells what the server has promised; later the process must stop, and starts so.
 * - `log_foreign`: the log is intact, but another server's.
 * - `log_failed`: a write or sync failed earlier. What is on disk is unknown, so the process must stop.
 */
export type LogErrorCode = 'log_rotten' | 'log_foreign' | 'log_failed';

export class LogError extends EvenkeelError {
  constructor(code: LogErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, `${code}: ${message}`, options);
    this.name = 'LogError';
  }
}

export function rotten(segment: string, offset: number, what: string, cause?: unknown): LogError {
  const message = `${segment} at byte ${offset}: ${what}`;
  return new LogError('log_rotten', message, { cause });
}

/** A caller's mistake or a bug of ours, never a fault of the disk. */
export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`log: ${what}`);
}

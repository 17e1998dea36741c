import { EvenkeelError } from './error.ts';

/**
 * The files of one server's log, in one flat folder. The log is written against this interface alone,
 * so that the simulator can tear, lose and rot what it likes under the very same code.
 *
 * Reads answer at once; writes and syncs of one file complete later, in the order of their calls.
 * Nothing may be believed durable before a sync, called after the write completed, has completed.
 */
export interface Disk {
  /** Names of all files, sorted. */
  list(): string[];
  /** Bytes in the file; 0 if there is none. */
  size(name: string): number;
  /**
   * Up to `length` bytes from `offset`; fewer at the end of the file. The caller owns the array, which
   * starts at a multiple of 8 bytes in its buffer. Throws DiskError on EIO.
   */
  read(name: string, offset: number, length: number): Uint8Array;
  /**
   * Writes all chunks one after the other from `offset`, extending the file; a gap reads as zeros. The
   * chunks must not change until done.
   */
  write(name: string, offset: number, chunks: readonly Uint8Array[], done: DiskDone): void;
  /** Makes every completed write of the file durable, its size and its name too. */
  sync(name: string, done: DiskDone): void;
  /** Deletes a file; durable when done. */
  remove(name: string, done: DiskDone): void;
  /** Room left where the files are, for whoever takes it first. */
  freeBytes(): number;
}

/** `error` is null on success. After a failed write or sync the process must stop. Never called before the call returns. */
export type DiskDone = (error: Error | null) => void;

/** The disk refused. Code `disk_failed`. */
export class DiskError extends EvenkeelError {
  constructor(operation: string, name: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super('disk_failed', `disk_failed: ${operation} of ${name}: ${reason}`, { cause });
    this.name = 'DiskError';
  }
}

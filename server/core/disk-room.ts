import type { Disk } from './disk.ts';
import type { LogLine } from './environment.ts';
import { DISK_ROOM_MS } from './limits.ts';

/**
 * Whether the disk still has room. Below the reserve this server leads nothing if it can help it, and proposes nothing;
 * below half of it, it takes no entries either, so that the rest stays for votes, marks and the books of what is
 * applied. Not checked at each write: a second's entries are far less than the reserve.
 */
export class DiskRoom {
  readonly #disk: Pick<Disk, 'freeBytes'>;
  readonly #reserveBytes: number;
  readonly #log: LogLine;
  #dueMs = Number.NEGATIVE_INFINITY;
  #freeBytes = Number.POSITIVE_INFINITY;
  #isLow = false;

  constructor(disk: Pick<Disk, 'freeBytes'>, reserveBytes: number, log: LogLine) {
    this.#disk = disk;
    this.#reserveBytes = reserveBytes;
    this.#log = log;
  }

  /** Every tick. True if `isLow` has changed. */
  step(nowMs: number): boolean {
    if (nowMs < this.#dueMs) return false;
    this.#dueMs = nowMs + DISK_ROOM_MS;
    const freeBytes = this.#disk.freeBytes();
    this.#freeBytes = freeBytes;
    const reserveBytes = this.#reserveBytes;
    // A quarter more before it counts as well again, or it would hand over to and fro.
    const isLow = freeBytes < reserveBytes * (this.#isLow ? 1.25 : 1);
    if (isLow === this.#isLow) return false;
    this.#isLow = isLow;
    if (isLow) {
      const text = `the disk is full: ${freeBytes} bytes free, the reserve is ${reserveBytes}; free some, or this server leads and books nothing`;
      this.#log('error', text, { freeBytes, reserveBytes });
    } else {
      this.#log('info', 'the disk has room again', { freeBytes, reserveBytes });
    }
    return true;
  }

  get isLow(): boolean {
    return this.#isLow;
  }

  get isSpent(): boolean {
    return this.#freeBytes < this.#reserveBytes / 2;
  }
}

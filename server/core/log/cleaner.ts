import type { Disk, DiskDone } from '../disk.ts';
import { segmentName } from './format.ts';
import type { Segments } from './segments.ts';

/** Takes away segments that nobody needs, one after the other, oldest first: so a crash leaves no gap. */
export class Cleaner {
  readonly #disk: Disk;
  readonly #segments: Segments;
  readonly #failed: (error: Error) => void;
  /** Names of files on their way out. */
  #queue: string[];
  #busy = false;

  /** `leftOver`: files that are no part of the log. They go with the first call of `remove`. */
  constructor(
    disk: Disk,
    segments: Segments,
    leftOver: readonly number[],
    failed: (error: Error) => void,
  ) {
    this.#disk = disk;
    this.#segments = segments;
    this.#queue = leftOver.map(segmentName);
    this.#failed = failed;
  }

  /** These are the oldest, dead, and all that made them so is durable. */
  remove(numbers: readonly number[]): void {
    for (const number of numbers) {
      this.#segments.drop(number);
      this.#queue.push(segmentName(number));
    }
    if (!this.#busy) this.#next();
  }

  #next(): void {
    const name = this.#queue.shift();
    this.#busy = name !== undefined;
    if (name === undefined) return;
    const removed: DiskDone = (error) => {
      if (error !== null) this.#failed(error);
      else this.#next();
    };
    this.#disk.remove(name, removed);
  }
}

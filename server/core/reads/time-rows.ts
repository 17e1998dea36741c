import type { ScanQuery } from '../books.ts';
import { rowTimestampOf, withPendingState } from './row.ts';
import { type Source, TIMESTAMP_MAX } from './source.ts';

export interface TimeRange {
  /** Row timestamps, both included. */
  readonly from: bigint;
  readonly to: bigint;
  readonly reversed: boolean;
}

/**
 * A unit's rows of all legs in the order of their timestamps: the books', then memory's, or the other way
 * round. From the books only those that the scan's source names; from memory all. For one call.
 */
export class TimeRows {
  readonly #source: Source;
  readonly #scan: ScanQuery['source'];
  readonly #reversed: boolean;
  #from: bigint;
  #to: bigint;
  /** The books may hold rows that memory holds too, for a moment: each is taken from one only. */
  readonly #oldestUnfolded: bigint;
  #part: 'books' | 'memory' | 'end';

  constructor(source: Source, scan: ScanQuery['source'], { from, to, reversed }: TimeRange) {
    this.#source = source;
    this.#scan = scan;
    this.#reversed = reversed;
    this.#from = from;
    this.#to = to;
    const [oldest] = source.machine.unfoldedRows(0n, TIMESTAMP_MAX, false, 1);
    this.#oldestUnfolded = oldest === undefined ? TIMESTAMP_MAX + 1n : rowTimestampOf(oldest);
    this.#part = reversed ? 'memory' : 'books';
  }

  /** The next rows in order, at most `max`; none = the end. */
  next(max: number): Uint32Array[] {
    while (this.#part !== 'end') {
      const rows = this.#part === 'books' ? this.#fromBooks(max) : this.#fromMemory(max);
      const last = rows.at(-1);
      if (last !== undefined) {
        const position = rowTimestampOf(last);
        if (this.#reversed) this.#to = position - 1n;
        else this.#from = position + 1n;
        return rows;
      }
      const first = this.#reversed ? 'memory' : 'books';
      if (this.#part !== first) this.#part = 'end';
      else this.#part = this.#reversed ? 'books' : 'memory';
    }
    return [];
  }

  #fromBooks(limit: number): Uint32Array[] {
    const to = this.#to < this.#oldestUnfolded ? this.#to : this.#oldestUnfolded - 1n;
    if (to < this.#from) return [];
    const { machine, books } = this.#source;
    const rows = books.scan({
      source: this.#scan,
      fromTimestamp: this.#from,
      toTimestamp: to,
      reversed: this.#reversed,
      limit,
    });
    return withPendingState(machine, rows);
  }

  #fromMemory(limit: number): Uint32Array[] {
    if (this.#to < this.#from) return [];
    const { machine } = this.#source;
    return machine.unfoldedRows(this.#from, this.#to, this.#reversed, limit);
  }
}

import type { Entry } from '../../../consensus/types.ts';

/** The part of a unit that the cache tells what it no longer holds. */
export interface CachedUnit {
  /** Called in the order of `add`; also for entries that were truncated meanwhile. */
  forget(entry: Entry): void;
}

/** What an entry costs beside its payload. */
const ENTRY_OVERHEAD_BYTES = 128;

/**
 * Recent entries of all units, dropped oldest first once they take more than the limit. An entry that is not on disk
 * yet is never dropped: nothing else holds it.
 */
export class EntryCache {
  readonly #limitBytes: number;
  #queue: { readonly unit: CachedUnit; readonly entry: Entry }[] = [];
  /** Index in the queue of the oldest. */
  #head = 0;
  /** Dropped so far, and how many of all that were ever added are on disk. */
  #dropped = 0;
  #durable = 0;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** How many were ever added. */
  get added(): number {
    return this.#dropped + this.#queue.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(unit: CachedUnit, entry: Entry): void {
    this.#queue.push({ unit, entry });
    this.#bytes += entry.payload.length + ENTRY_OVERHEAD_BYTES;
    this.#trim();
  }

  /** The first `count` that were ever added are on disk. */
  durable(count: number): void {
    this.#durable = count;
    this.#trim();
  }

  #trim(): void {
    while (this.#bytes > this.#limitBytes && this.#dropped < this.#durable) {
      const { unit, entry } = this.#queue[this.#head]!;
      this.#head += 1;
      this.#dropped += 1;
      this.#bytes -= entry.payload.length + ENTRY_OVERHEAD_BYTES;
      unit.forget(entry);
    }
    // The dropped part would hold its entries; cutting it off each time would cost as much as it holds.
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}

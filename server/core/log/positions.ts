import type { Position } from './stage.ts';

/** Segment, offset / 8, payload bytes, CRC seed. */
const COLUMNS = 4;
/** Slots of compacted entries are given back once there are so many, and as many as live ones. */
const DEAD_SLOTS_MIN = 64;

/** Where the entries of a unit lie, 16 bytes each: those from `first` on, without a gap. */
export class Positions {
  #words = new Uint32Array(16 * COLUMNS);
  #first = 1;
  /** Slot of `#first`. */
  #from = 0;
  /** Slots in use, those of compacted entries too. */
  #used = 0;

  get first(): number {
    return this.#first;
  }

  get last(): number {
    return this.#first + this.#used - this.#from - 1;
  }

  push(position: Position, payloadBytes: number): void {
    const at = this.#used * COLUMNS;
    if (at === this.#words.length) {
      const grown = new Uint32Array(2 * at);
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#used += 1;
    this.move(this.last, position, payloadBytes);
  }

  /** The entry lies elsewhere from now on. */
  move(index: number, position: Position, payloadBytes: number): void {
    const at = this.#at(index);
    this.#words[at] = position.segment;
    this.#words[at + 1] = position.offset / 8;
    this.#words[at + 2] = payloadBytes;
    this.#words[at + 3] = position.seed;
  }

  /** Forgets all behind `last`. */
  truncate(last: number): void {
    this.#used = this.#from + last + 1 - this.#first;
  }

  /** Forgets all before `first`, which may be beyond the end. */
  startAt(first: number): void {
    if (first > this.last) {
      this.#from = 0;
      this.#used = 0;
    } else {
      this.#from += first - this.#first;
    }
    this.#first = first;
    if (this.#from < DEAD_SLOTS_MIN || this.#from * 2 < this.#used) return;
    this.#words = this.#words.slice(this.#from * COLUMNS);
    this.#used -= this.#from;
    this.#from = 0;
  }

  segment(index: number): number {
    return this.#words[this.#at(index)]!;
  }

  offset(index: number): number {
    return this.#words[this.#at(index) + 1]! * 8;
  }

  payloadBytes(index: number): number {
    return this.#words[this.#at(index) + 2]!;
  }

  seed(index: number): number {
    return this.#words[this.#at(index) + 3]!;
  }

  #at(index: number): number {
    return (this.#from + index - this.#first) * COLUMNS;
  }
}

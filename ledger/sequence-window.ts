import { invariant } from './invariant.ts';

const CAPACITY_MIN = 16;
/** Sequences between the oldest unfinished one and the newest. More means that a unit has been away for hours. */
const CAPACITY_MAX = 1 << 26;

/**
 * A row of words for each sequence of a moving window, first word zero where there is none. A ring:
 * sequences come and go almost in order.
 */
export class SequenceWindow {
  readonly #rowWords: number;
  #words: Uint32Array;
  #mask = CAPACITY_MIN - 1;
  #first: number;
  #end: number;

  constructor(rowWords: number, first: number) {
    this.#rowWords = rowWords;
    this.#words = new Uint32Array(CAPACITY_MIN * rowWords);
    this.#first = first;
    this.#end = first;
  }

  /** All sequences below are gone. */
  get first(): number {
    return this.#first;
  }

  /** No sequence from here on was ever set. */
  get end(): number {
    return this.#end;
  }

  get words(): Uint32Array {
    return this.#words;
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  /** Offset of the sequence's row in `words`, or -1 if it has none. */
  find(sequence: number): number {
    if (sequence < this.#first || sequence >= this.#end) return -1;
    const at = (sequence & this.#mask) * this.#rowWords;
    return this.#words[at] === 0 ? -1 : at;
  }

  /** Makes room for the sequence's row and returns its offset; its first word must be set at once. */
  add(sequence: number): number {
    invariant(sequence >= this.#first, 'a sequence is behind its window');
    this.reach(sequence);
    return (sequence & this.#mask) * this.#rowWords;
  }

  /** Sequences up to this one have been: those without a row are gone. */
  reach(sequence: number): void {
    while (sequence - this.#first > this.#mask) this.#grow();
    if (sequence >= this.#end) this.#end = sequence + 1;
  }

  remove(sequence: number): void {
    this.#clear(sequence);
    while (this.#first < this.#end && this.find(this.#first) < 0) this.#first += 1;
  }

  dropThrough(sequence: number): void {
    const end = Math.min(this.#end, sequence + 1);
    for (let gone = this.#first; gone < end; gone += 1) this.#clear(gone);
    if (sequence >= this.#first) this.#first = sequence + 1;
    if (this.#end < this.#first) this.#end = this.#first;
  }

  #clear(sequence: number): void {
    const at = (sequence & this.#mask) * this.#rowWords;
    this.#words.fill(0, at, at + this.#rowWords);
  }

  #grow(): void {
    const old = this.#words;
    const oldMask = this.#mask;
    const capacity = (oldMask + 1) * 2;
    invariant(capacity <= CAPACITY_MAX, 'a channel has too many unfinished crossings');
    this.#words = new Uint32Array(capacity * this.#rowWords);
    this.#mask = capacity - 1;
    for (let sequence = this.#first; sequence < this.#end; sequence += 1) {
      const from = (sequence & oldMask) * this.#rowWords;
      const to = (sequence & this.#mask) * this.#rowWords;
      this.#words.set(old.subarray(from, from + this.#rowWords), to);
    }
  }
}

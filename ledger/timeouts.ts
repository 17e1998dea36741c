import { IdIndex, NONE } from './id-index.ts';
import { invariant } from './invariant.ts';
import { EXPIRE_ITEM_WORDS } from './layout.ts';
import { readU64, WordBuffer } from './words.ts';

const PAGE_SHIFT = 10;
const PAGE_ROWS = 1 << PAGE_SHIFT;
const PAGE_MASK = PAGE_ROWS - 1;
/** timestamp and two zero words, which are the key; deadline; position in the heap; a spare word. */
const ROW_WORDS = 8;
const RowWord = { timestamp: 0, deadline: 4, position: 6 } as const;

/**
 * Pending transfers that are to expire: a heap by (deadline, timestamp), and an index, so that one that
 * is resolved leaves at once and the next deadline is always a real one. In pages: growth copies nothing.
 */
export class Timeouts {
  readonly #index: IdIndex;
  readonly #pages: Uint32Array[] = [];
  readonly #heapPages: Uint32Array[] = [];
  readonly #free = new WordBuffer();
  readonly #key = new Uint32Array(4);
  #used = 0;
  #count = 0;

  constructor(hashSeed: number) {
    this.#index = new IdIndex(hashSeed);
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    const pageWords = PAGE_ROWS * (ROW_WORDS * this.#pages.length + this.#heapPages.length);
    return this.#index.bytes + pageWords * Uint32Array.BYTES_PER_ELEMENT;
  }

  /** ns; null if nothing is to expire. */
  get nextDeadline(): bigint | null {
    if (this.#count === 0) return null;
    const place = this.#at(0);
    return readU64(this.#pageOf(place), this.#offsetOf(place) + RowWord.deadline);
  }

  /** Both u64s as low and high word; the timestamp is the pending transfer's. */
  add(timestampLo: number, timestampHi: number, deadlineLo: number, deadlineHi: number): void {
    const place = this.#takePlace();
    const page = this.#pageOf(place);
    const row = this.#offsetOf(place);
    page[row + RowWord.timestamp] = timestampLo;
    page[row + RowWord.timestamp + 1] = timestampHi;
    page[row + RowWord.deadline] = deadlineLo;
    page[row + RowWord.deadline + 1] = deadlineHi;
    this.#index.add(this.#index.hashOf(page, row), place + 1);
    if (this.#count >>> PAGE_SHIFT === this.#heapPages.length) {
      this.#heapPages.push(new Uint32Array(PAGE_ROWS));
    }
    this.#count += 1;
    this.#rise(this.#count - 1, place);
  }

  /** It is resolved. */
  remove(timestampLo: number, timestampHi: number): void {
    const slot = this.#slotOf(timestampLo, timestampHi);
    invariant(slot !== NONE, 'a pending transfer with a timeout is not known as such');
    const place = this.#index.valueAt(slot) - 1;
    const position = this.#pageOf(place)[this.#offsetOf(place) + RowWord.position]!;
    this.#index.removeAt(slot);
    this.#free.push(place);
    this.#count -= 1;
    if (position === this.#count) return;
    const last = this.#at(this.#count);
    // It may belong on either side of where the hole is.
    this.#rise(position, last);
    if (this.#at(position) === last) this.#sink(position, last);
  }

  /** Items of an expire sub-batch: what is due at that time, at most `max`, by (deadline, timestamp). */
  due(nowLo: number, nowHi: number, max: number): Uint32Array {
    const items = new WordBuffer();
    // Positions in the heap whose parents are all taken: the next due one is among them.
    const candidates: number[] = this.#count > 0 ? [0] : [];
    while (items.length < max * EXPIRE_ITEM_WORDS && candidates.length > 0) {
      const position = this.#takeFirst(candidates);
      const place = this.#at(position);
      const page = this.#pageOf(place);
      const row = this.#offsetOf(place);
      const hi = page[row + RowWord.deadline + 1]!;
      if (hi > nowHi || (hi === nowHi && page[row + RowWord.deadline]! > nowLo)) break;
      const at = items.addRow(EXPIRE_ITEM_WORDS);
      items.words[at] = page[row + RowWord.timestamp]!;
      items.words[at + 1] = page[row + RowWord.timestamp + 1]!;
      for (const child of [2 * position + 1, 2 * position + 2]) {
        if (child < this.#count) candidates.push(child);
      }
    }
    return items.take();
  }

  #slotOf(timestampLo: number, timestampHi: number): number {
    const index = this.#index;
    this.#key[0] = timestampLo;
    this.#key[1] = timestampHi;
    const hash = index.hashOf(this.#key, 0);
    for (let slot = index.first(hash); slot !== NONE; slot = index.next(hash, slot)) {
      const page = this.#pageOf(index.valueAt(slot) - 1);
      const row = this.#offsetOf(index.valueAt(slot) - 1);
      if (page[row] === this.#key[0] && page[row + 1] === this.#key[1]) return slot;
    }
    return NONE;
  }

  #takeFirst(candidates: number[]): number {
    let first = 0;
    for (let i = 1; i < candidates.length; i += 1) {
      if (this.#isBefore(this.#at(candidates[i]!), this.#at(candidates[first]!))) first = i;
    }
    const [position] = candidates.splice(first, 1);
    return position!;
  }

  /** Puts the place at this position or further up. */
  #rise(from: number, place: number): void {
    let position = from;
    while (position > 0) {
      const parent = (position - 1) >>> 1;
      const above = this.#at(parent);
      if (!this.#isBefore(place, above)) break;
      this.#put(position, above);
      position = parent;
    }
    this.#put(position, place);
  }

  /** Puts the place at this position or further down. */
  #sink(from: number, place: number): void {
    let position = from;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#isBefore(this.#at(child + 1), this.#at(child))) {
        child += 1;
      }
      const below = this.#at(child);
      if (!this.#isBefore(below, place)) break;
      this.#put(position, below);
      position = child;
    }
    this.#put(position, place);
  }

  #isBefore(a: number, b: number): boolean {
    const aPage = this.#pageOf(a);
    const bPage = this.#pageOf(b);
    const aRow = this.#offsetOf(a);
    const bRow = this.#offsetOf(b);
    for (const word of [RowWord.deadline, RowWord.timestamp]) {
      for (let high = 1; high >= 0; high -= 1) {
        const x = aPage[aRow + word + high]!;
        const y = bPage[bRow + word + high]!;
        if (x !== y) return x < y;
      }
    }
    return false;
  }

  #at(position: number): number {
    return this.#heapPages[position >>> PAGE_SHIFT]![position & PAGE_MASK]!;
  }

  #put(position: number, place: number): void {
    this.#heapPages[position >>> PAGE_SHIFT]![position & PAGE_MASK] = place;
    this.#pageOf(place)[this.#offsetOf(place) + RowWord.position] = position;
  }

  #takePlace(): number {
    if (this.#free.length > 0) {
      const place = this.#free.words[this.#free.length - 1]!;
      this.#free.truncate(this.#free.length - 1);
      return place;
    }
    if (this.#used >>> PAGE_SHIFT === this.#pages.length) {
      this.#pages.push(new Uint32Array(PAGE_ROWS * ROW_WORDS));
    }
    this.#used += 1;
    return this.#used - 1;
  }

  #pageOf(place: number): Uint32Array {
    return this.#pages[place >>> PAGE_SHIFT]!;
  }

  #offsetOf(place: number): number {
    return (place & PAGE_MASK) * ROW_WORDS;
  }
}

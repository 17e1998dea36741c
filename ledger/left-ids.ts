import { IdFilter } from './id-filter.ts';
import { copy, greater } from './u128.ts';

export interface IdFilterOptions {
  /** Most that it takes; beyond it more ids are looked up in the books. */
  readonly bytesMax: number;
  /** It is made once, of so many ids in a row that are asked for, more than one in WORTH is in doubt. */
  readonly windowIds: number;
}

/** What a filter saves must be worth reading all ids of the books once. */
const WORTH = 16;

/**
 * Which transfer ids may have left memory for the books. Ids in time order, as clients make them, are
 * told by the greatest that ever left. If many come in another order a filter of all ids is filled, some
 * at a time, from the books, and then tells too. It decides look-ups, never results: replicas may differ.
 */
export class LeftIds {
  readonly #hashSeed: number;
  readonly #options: IdFilterOptions;
  readonly #max = new Uint32Array(4);
  #some = false;
  #filter: IdFilter | null = null;
  /** Where filling goes on: after this id; null = from the first. Not used once the filter is complete. */
  #filledTo: Uint32Array | null = null;
  #isComplete = false;
  #asked = 0;
  #doubted = 0;

  constructor(hashSeed: number, options: IdFilterOptions) {
    this.#hashSeed = hashSeed;
    this.#options = options;
  }

  get some(): boolean {
    return this.#some;
  }

  get bytes(): number {
    return this.#filter?.bytes ?? 0;
  }

  /** The books hold rows, and ids up to this one, that memory does not. */
  load(max: Uint32Array): void {
    copy(max, 0, this.#max, 0);
    this.#some = true;
  }

  /** A row without an id of its own has left memory. */
  addNone(): void {
    this.#some = true;
  }

  add(id: Uint32Array, at: number): void {
    if (!this.#some || greater(id, at, this.#max, 0)) copy(id, at, this.#max, 0);
    this.#some = true;
    this.#filter?.add(id, at);
  }

  mayHold(id: Uint32Array, at: number): boolean {
    if (!this.#some || greater(id, at, this.#max, 0)) return false;
    return this.#filter === null || !this.#isComplete || this.#filter.mayHold(id, at);
  }

  /** Counts an id that was asked for and is not in memory, and whether only the books can tell. */
  note(isInDoubt: boolean): void {
    if (this.#filter !== null) return;
    this.#asked += 1;
    if (isInDoubt) this.#doubted += 1;
    if (this.#asked < this.#options.windowIds) return;
    if (this.#doubted * WORTH > this.#asked) {
      this.#filter = new IdFilter(this.#hashSeed, this.#options.bytesMax);
    }
    this.#asked = 0;
    this.#doubted = 0;
  }

  /** True while the filter wants the next ids of the books. */
  get isFilling(): boolean {
    return this.#filter !== null && !this.#isComplete;
  }

  /** The next ids are those after this one; null: from the first on. */
  get filledTo(): Uint32Array | null {
    return this.#filledTo;
  }

  /** The next ids of the books, ascending, four words each; none: that was all. */
  fill(ids: Uint32Array): void {
    for (let at = 0; at < ids.length; at += 4) this.#filter!.add(ids, at);
    // What is folded meanwhile behind this place is still in memory, and comes when it leaves.
    if (ids.length === 0) this.#isComplete = true;
    else this.#filledTo = ids.slice(-4);
  }
}

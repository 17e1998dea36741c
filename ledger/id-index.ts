import { invariant } from './invariant.ts';

/** A slot: the id's hash, then its value; no value, no entry. */
const SLOT_WORDS = 2;
const CAPACITY_MIN = 64;
/** In the table that is left behind: the entry has moved on, what was probed past it has not. */
const MOVED = -1;
/**
 * Old slots that each change moves over. Twice what is needed to be done before the new table, which
 * is twice as large, fills up in turn.
 */
const SLOTS_PER_STEP = 8;

/** No slot. */
export const NONE = -1;
/** Slots of the table that is left behind are numbered from here downwards. */
const OLD_SLOTS = -2;

/**
 * From the hashes of u128 ids to signed words other than 0 and -1. It holds no ids: whoever does walks
 * the slots of a hash and compares. So it stays small in the cache, and an absent id is told without
 * touching a row. Open addressing with linear probing and backward-shift deletion. It grows without a
 * pause: every change carries a few slots over to the new table. A slot's number holds until the next change.
 */
export class IdIndex {
  readonly #seed: number;
  #slots = new Int32Array(CAPACITY_MIN * SLOT_WORDS);
  #mask = CAPACITY_MIN - 1;
  /** While growing: the table left behind, and its first slot that has not been looked at. */
  #old: Int32Array | null = null;
  #oldMask = 0;
  #oldNext = 0;
  #size = 0;

  constructor(hashSeed: number) {
    this.#seed = hashSeed | 0;
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#slots.byteLength + (this.#old?.byteLength ?? 0);
  }

  hashOf(words: Uint32Array, at: number): number {
    return hashId(this.#seed, words, at);
  }

  /** The first slot with this hash, or NONE. */
  first(hash: number): number {
    return this.#search(hash, hash & this.#mask);
  }

  /** The next one after it. */
  next(hash: number, slot: number): number {
    if (slot <= OLD_SLOTS) return this.#searchOld(hash, (OLD_SLOTS - slot + 1) & this.#oldMask);
    return this.#search(hash, (slot + 1) & this.#mask);
  }

  valueAt(slot: number): number {
    if (slot >= 0) return this.#slots[slot * SLOT_WORDS + 1]!;
    return this.#old![(OLD_SLOTS - slot) * SLOT_WORDS + 1]!;
  }

  /** Reads where the hash belongs, so that it is in the cache when it is needed. */
  touch(hash: number): number {
    return this.#slots[(hash & this.#mask) * SLOT_WORDS]!;
  }

  /** Adds an id that is absent. */
  add(hash: number, value: number): void {
    // At most half full: probes stay short, and end at an empty slot.
    if ((this.#size + 1) * 2 > this.#mask) this.#grow();
    if (this.#old !== null) this.#step(this.#old);
    place(this.#slots, this.#mask, hash, value);
    this.#size += 1;
  }

  removeAt(slot: number): void {
    invariant(slot !== NONE, 'an id to remove is not known');
    if (slot >= 0) closeHole(this.#slots, this.#mask, slot);
    else this.#old![(OLD_SLOTS - slot) * SLOT_WORDS + 1] = MOVED;
    this.#size -= 1;
    if (this.#old !== null) this.#step(this.#old);
  }

  #search(hash: number, from: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    let probe = from;
    while (slots[probe * SLOT_WORDS + 1] !== 0) {
      if (slots[probe * SLOT_WORDS] === hash) return probe;
      probe = (probe + 1) & mask;
    }
    return this.#old === null ? NONE : this.#searchOld(hash, hash & this.#oldMask);
  }

  #searchOld(hash: number, from: number): number {
    const old = this.#old!;
    let probe = from;
    while (old[probe * SLOT_WORDS + 1] !== 0) {
      const isHere = old[probe * SLOT_WORDS] === hash && old[probe * SLOT_WORDS + 1] !== MOVED;
      if (isHere) return OLD_SLOTS - probe;
      probe = (probe + 1) & this.#oldMask;
    }
    return NONE;
  }

  #grow(): void {
    // Never with a table still left behind: SLOTS_PER_STEP sees to that, removals only help.
    invariant(this.#old === null, 'an index grew before it had moved all of its ids');
    this.#old = this.#slots;
    this.#oldMask = this.#mask;
    this.#oldNext = 0;
    const capacity = (this.#mask + 1) * 2;
    this.#slots = new Int32Array(capacity * SLOT_WORDS);
    this.#mask = capacity - 1;
  }

  #step(old: Int32Array): void {
    const end = Math.min(this.#oldNext + SLOTS_PER_STEP, this.#oldMask + 1);
    for (let slot = this.#oldNext * SLOT_WORDS; slot < end * SLOT_WORDS; slot += SLOT_WORDS) {
      const value = old[slot + 1]!;
      if (value === 0 || value === MOVED) continue;
      place(this.#slots, this.#mask, old[slot]!, value);
      old[slot + 1] = MOVED;
    }
    this.#oldNext = end;
    if (end > this.#oldMask) this.#old = null;
  }
}

function place(slots: Int32Array, mask: number, hash: number, value: number): void {
  let probe = hash & mask;
  while (slots[probe * SLOT_WORDS + 1] !== 0) probe = (probe + 1) & mask;
  slots[probe * SLOT_WORDS] = hash;
  slots[probe * SLOT_WORDS + 1] = value;
}

/** Moves back what was probed past the hole, so that no search ends early. */
function closeHole(slots: Int32Array, mask: number, at: number): void {
  let hole = at;
  for (let probe = (hole + 1) & mask; slots[probe * SLOT_WORDS + 1] !== 0; ) {
    const from = probe * SLOT_WORDS;
    const wanted = slots[from]! & mask;
    // Only what stands at or after its own place once it stands in the hole.
    if (((probe - wanted) & mask) >= ((probe - hole) & mask)) {
      slots[hole * SLOT_WORDS] = slots[from]!;
      slots[hole * SLOT_WORDS + 1] = slots[from + 1]!;
      hole = probe;
    }
    probe = (probe + 1) & mask;
  }
  slots[hole * SLOT_WORDS] = 0;
  slots[hole * SLOT_WORDS + 1] = 0;
}

/**
 * Two multiply-mix rounds a word: with one, a flipped top bit would pass through unchanged for every
 * seed, and ids could be chosen so that they all collide. The halves are mixed side by side, which a
 * processor does in the time of one.
 */
function hashId(seed: number, words: Uint32Array, at: number): number {
  const low = mixWord(mixWord(seed, words[at]!), words[at + 1]!);
  const high = mixWord(mixWord(~seed, words[at + 2]!), words[at + 3]!);
  return mixWord(low, high) | 0;
}

function mixWord(hash: number, word: number): number {
  let mixed = Math.imul(hash + word, 0x9e37_79b1);
  mixed ^= mixed >>> 16;
  mixed = Math.imul(mixed, 0x85eb_ca6b);
  return mixed ^ (mixed >>> 15);
}

import { invariant } from './invariant.ts';

/** A slot: the id's hash, then its value; no value, no entry. */
const SLOT_WORDS = 2;
const CAPACITY_MIN = 64;
/** In the table that is left behind: the entry has moved on, what was probed past it has not. */
const MOVED = 0xffff_ffff;
/**
 * Old slots that each change moves over. Twice what is needed to be done before the new table, which
 * is twice as large, fills up in turn.
 */
const SLOTS_PER_STEP = 8;

/** Knows the ids behind the values of an index, which holds no ids itself. */
export interface IdHolder {
  holdsId(value: number, words: Uint32Array, at: number): boolean;
}

/**
 * From a u128 id to a word other than 0 and 2^32 - 1. Open addressing with linear probing and
 * backward-shift deletion. Only hashes lie in it: it stays small in the cache, and an absent id is told
 * without touching a row. It grows without a pause: every change carries a few slots over to the new table.
 */
export class IdIndex {
  readonly #seed: number;
  readonly #holder: IdHolder;
  #slots = new Uint32Array(CAPACITY_MIN * SLOT_WORDS);
  #mask = CAPACITY_MIN - 1;
  /** While growing: the table left behind, and its first slot that has not been looked at. */
  #old: Uint32Array | null = null;
  #oldMask = 0;
  #oldNext = 0;
  #size = 0;

  constructor(hashSeed: number, holder: IdHolder) {
    this.#seed = hashSeed | 0;
    this.#holder = holder;
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

  /** 0 = absent. */
  find(words: Uint32Array, at: number): number {
    return this.findHashed(hashId(this.#seed, words, at), words, at);
  }

  /** The same with the id's hash at hand. */
  findHashed(hash: number, words: Uint32Array, at: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    let probe = hash & mask;
    let value = slots[probe * SLOT_WORDS + 1]!;
    while (value !== 0) {
      if (slots[probe * SLOT_WORDS] === hash && this.#holder.holdsId(value, words, at)) {
        return value;
      }
      probe = (probe + 1) & mask;
      value = slots[probe * SLOT_WORDS + 1]!;
    }
    return this.#old === null ? 0 : this.#findOld(this.#old, hash, words, at);
  }

  /** Adds an id that is absent. */
  add(words: Uint32Array, at: number, value: number): void {
    this.addHashed(hashId(this.#seed, words, at), value);
  }

  addHashed(hash: number, value: number): void {
    // At most half full: probes stay short, and end at an empty slot.
    if ((this.#size + 1) * 2 > this.#mask) this.#grow();
    if (this.#old !== null) this.#step(this.#old);
    place(this.#slots, this.#mask, hash, value);
    this.#size += 1;
  }

  remove(words: Uint32Array, at: number): void {
    const hash = hashId(this.#seed, words, at);
    if (this.#old !== null) this.#step(this.#old);
    this.#size -= 1;
    const slots = this.#slots;
    const mask = this.#mask;
    for (let probe = hash & mask; ; probe = (probe + 1) & mask) {
      const value = slots[probe * SLOT_WORDS + 1]!;
      if (value === 0) break;
      if (slots[probe * SLOT_WORDS] === hash && this.#holder.holdsId(value, words, at)) {
        closeHole(slots, mask, probe);
        return;
      }
    }
    invariant(this.#old !== null, 'an id to remove is not known');
    const slot = this.#oldSlot(this.#old, hash, words, at);
    invariant(slot >= 0, 'an id to remove is not known');
    this.#old[slot + 1] = MOVED;
  }

  #findOld(old: Uint32Array, hash: number, words: Uint32Array, at: number): number {
    const slot = this.#oldSlot(old, hash, words, at);
    return slot < 0 ? 0 : old[slot + 1]!;
  }

  #oldSlot(old: Uint32Array, hash: number, words: Uint32Array, at: number): number {
    const mask = this.#oldMask;
    for (let probe = hash & mask; ; probe = (probe + 1) & mask) {
      const slot = probe * SLOT_WORDS;
      const value = old[slot + 1]!;
      if (value === 0) return -1;
      const matches = old[slot] === hash && value !== MOVED;
      if (matches && this.#holder.holdsId(value, words, at)) return slot;
    }
  }

  #grow(): void {
    // Never with a table still left behind: SLOTS_PER_STEP sees to that, removals only help.
    invariant(this.#old === null, 'an index grew before it had moved all of its ids');
    this.#old = this.#slots;
    this.#oldMask = this.#mask;
    this.#oldNext = 0;
    const capacity = (this.#mask + 1) * 2;
    this.#slots = new Uint32Array(capacity * SLOT_WORDS);
    this.#mask = capacity - 1;
  }

  #step(old: Uint32Array): void {
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

function place(slots: Uint32Array, mask: number, hash: number, value: number): void {
  let probe = hash & mask;
  while (slots[probe * SLOT_WORDS + 1] !== 0) probe = (probe + 1) & mask;
  slots[probe * SLOT_WORDS] = hash;
  slots[probe * SLOT_WORDS + 1] = value;
}

/** Moves back what was probed past the hole, so that no search ends early. */
function closeHole(slots: Uint32Array, mask: number, at: number): void {
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
  return mixWord(low, high) >>> 0;
}

function mixWord(hash: number, word: number): number {
  let mixed = Math.imul(hash + word, 0x9e37_79b1);
  mixed ^= mixed >>> 16;
  mixed = Math.imul(mixed, 0x85eb_ca6b);
  return mixed ^ (mixed >>> 15);
}

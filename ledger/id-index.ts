import { equal } from './u128.ts';

/** Parts grow one at a time, so that no insertion copies more than 1/256 of a large index. */
const PART_BITS = 8;
const SLOT_WORDS = 5;
const VALUE = 4;
const CAPACITY_MIN = 16;

interface Part {
  slots: Uint32Array;
  mask: number;
  used: number;
}

/**
 * From a u128 id to a non-zero word. Open addressing with linear probing and backward-shift deletion;
 * ids lie in the slots, so that a look-up touches one place in memory.
 */
export class IdIndex {
  readonly #seed: number;
  readonly #parts: Part[];
  #size = 0;

  constructor(hashSeed: number) {
    this.#seed = hashSeed | 0;
    this.#parts = Array.from({ length: 1 << PART_BITS }, () => ({
      slots: new Uint32Array(SLOT_WORDS),
      mask: 0,
      used: 0,
    }));
  }

  get size(): number {
    return this.#size;
  }

  /** 0 = absent. */
  find(words: Uint32Array, at: number): number {
    const hash = hashId(this.#seed, words, at);
    const part = this.#parts[hash >>> (32 - PART_BITS)]!;
    return part.slots[findSlot(part, hash, words, at) + VALUE]!;
  }

  /** Sets the value of an id, present or not. */
  put(words: Uint32Array, at: number, value: number): void {
    const hash = hashId(this.#seed, words, at);
    const part = this.#parts[hash >>> (32 - PART_BITS)]!;
    let slot = findSlot(part, hash, words, at);
    if (part.slots[slot + VALUE] === 0) {
      // At most three quarters full, and always one slot empty: a probe ends there.
      if ((part.used + 1) * 4 > part.mask * 3) {
        this.#grow(part);
        slot = findSlot(part, hash, words, at);
      }
      part.slots[slot] = words[at]!;
      part.slots[slot + 1] = words[at + 1]!;
      part.slots[slot + 2] = words[at + 2]!;
      part.slots[slot + 3] = words[at + 3]!;
      part.used += 1;
      this.#size += 1;
    }
    part.slots[slot + VALUE] = value;
  }

  /** True if it was there. */
  remove(words: Uint32Array, at: number): boolean {
    const hash = hashId(this.#seed, words, at);
    const part = this.#parts[hash >>> (32 - PART_BITS)]!;
    const { slots, mask } = part;
    const slot = findSlot(part, hash, words, at);
    if (slots[slot + VALUE] === 0) return false;
    let hole = slot / SLOT_WORDS;
    for (let probe = (hole + 1) & mask; ; probe = (probe + 1) & mask) {
      const from = probe * SLOT_WORDS;
      if (slots[from + VALUE] === 0) break;
      const wanted = hashId(this.#seed, slots, from) & mask;
      // Moves back only what stands at or after its own place once it stands in the hole.
      if (((probe - wanted) & mask) >= ((probe - hole) & mask)) {
        slots.copyWithin(hole * SLOT_WORDS, from, from + SLOT_WORDS);
        hole = probe;
      }
    }
    slots.fill(0, hole * SLOT_WORDS, (hole + 1) * SLOT_WORDS);
    part.used -= 1;
    this.#size -= 1;
    return true;
  }

  get bytes(): number {
    let bytes = 0;
    for (const { slots } of this.#parts) bytes += slots.byteLength;
    return bytes;
  }

  #grow(part: Part): void {
    const old = part.slots;
    const capacity = Math.max(CAPACITY_MIN, (part.mask + 1) * 2);
    part.slots = new Uint32Array(capacity * SLOT_WORDS);
    part.mask = capacity - 1;
    for (let from = 0; from < old.length; from += SLOT_WORDS) {
      if (old[from + VALUE] === 0) continue;
      const slot = findSlot(part, hashId(this.#seed, old, from), old, from);
      for (let word = 0; word < SLOT_WORDS; word += 1) part.slots[slot + word] = old[from + word]!;
    }
  }
}

/** Where the id stands, or the empty slot where it would. */
function findSlot(part: Part, hash: number, words: Uint32Array, at: number): number {
  const { slots, mask } = part;
  for (let probe = hash & mask; ; probe = (probe + 1) & mask) {
    const slot = probe * SLOT_WORDS;
    if (slots[slot + VALUE] === 0 || equal(slots, slot, words, at)) return slot;
  }
}

/**
 * Two multiply-mix rounds a word: with one, a flipped top bit would pass through unchanged for every
 * seed, and a client could choose ids that all collide.
 */
function hashId(seed: number, words: Uint32Array, at: number): number {
  let hash = seed;
  for (let word = 0; word < 4; word += 1) {
    hash = Math.imul(hash + words[at + word]!, 0x9e37_79b1);
    hash ^= hash >>> 16;
    hash = Math.imul(hash, 0x85eb_ca6b);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

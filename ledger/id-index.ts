import { invariant } from './invariant.ts';

/** Parts grow one at a time, so that no insertion copies more than a 32nd of a large index. */
const PART_BITS = 5;
/** A slot: the id's hash, then its value; no value, no entry. */
const SLOT_WORDS = 2;
const CAPACITY_MIN = 16;

interface Part {
  slots: Uint32Array;
  mask: number;
  used: number;
}

/** Knows the ids behind the values of an index, which holds no ids itself. */
export interface IdHolder {
  holdsId(value: number, words: Uint32Array, at: number): boolean;
}

/**
 * From a u128 id to a non-zero word. Open addressing with linear probing and backward-shift deletion.
 * Only hashes lie in it: it stays small in the cache, and an absent id is told without touching a row.
 */
export class IdIndex {
  readonly #seed: number;
  readonly #holder: IdHolder;
  readonly #parts: Part[];
  #size = 0;

  constructor(hashSeed: number, holder: IdHolder) {
    this.#seed = hashSeed | 0;
    this.#holder = holder;
    this.#parts = Array.from({ length: 1 << PART_BITS }, () => ({
      slots: new Uint32Array(SLOT_WORDS),
      mask: 0,
      used: 0,
    }));
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    let bytes = 0;
    for (const { slots } of this.#parts) bytes += slots.byteLength;
    return bytes;
  }

  /** 0 = absent. */
  find(words: Uint32Array, at: number): number {
    const hash = hashId(this.#seed, words, at);
    const part = this.#parts[hash >>> (32 - PART_BITS)]!;
    return part.slots[this.#findSlot(part, hash, words, at) + 1]!;
  }

  /** Adds an id that is absent. */
  add(words: Uint32Array, at: number, value: number): void {
    const hash = hashId(this.#seed, words, at);
    const part = this.#parts[hash >>> (32 - PART_BITS)]!;
    // At most half full: probes stay short, and end at an empty slot.
    if ((part.used + 1) * 2 > part.mask) grow(part);
    place(part, hash, value);
    part.used += 1;
    this.#size += 1;
  }

  remove(words: Uint32Array, at: number): void {
    const hash = hashId(this.#seed, words, at);
    const part = this.#parts[hash >>> (32 - PART_BITS)]!;
    const { slots, mask } = part;
    const slot = this.#findSlot(part, hash, words, at);
    invariant(slots[slot + 1] !== 0, 'an id to remove is not known');
    let hole = slot / SLOT_WORDS;
    for (let probe = (hole + 1) & mask; slots[probe * SLOT_WORDS + 1] !== 0; ) {
      const from = probe * SLOT_WORDS;
      const wanted = slots[from]! & mask;
      // Moves back only what stands at or after its own place once it stands in the hole.
      if (((probe - wanted) & mask) >= ((probe - hole) & mask)) {
        slots[hole * SLOT_WORDS] = slots[from]!;
        slots[hole * SLOT_WORDS + 1] = slots[from + 1]!;
        hole = probe;
      }
      probe = (probe + 1) & mask;
    }
    slots[hole * SLOT_WORDS] = 0;
    slots[hole * SLOT_WORDS + 1] = 0;
    part.used -= 1;
    this.#size -= 1;
  }

  /** Where the id stands, or an empty slot. */
  #findSlot(part: Part, hash: number, words: Uint32Array, at: number): number {
    const { slots, mask } = part;
    for (let probe = hash & mask; ; probe = (probe + 1) & mask) {
      const slot = probe * SLOT_WORDS;
      const value = slots[slot + 1]!;
      if (value === 0) return slot;
      if (slots[slot] === hash && this.#holder.holdsId(value, words, at)) return slot;
    }
  }
}

function place(part: Part, hash: number, value: number): void {
  const { slots, mask } = part;
  let probe = hash & mask;
  while (slots[probe * SLOT_WORDS + 1] !== 0) probe = (probe + 1) & mask;
  slots[probe * SLOT_WORDS] = hash;
  slots[probe * SLOT_WORDS + 1] = value;
}

function grow(part: Part): void {
  const old = part.slots;
  const capacity = Math.max(CAPACITY_MIN, (part.mask + 1) * 2);
  part.slots = new Uint32Array(capacity * SLOT_WORDS);
  part.mask = capacity - 1;
  for (let from = 0; from < old.length; from += SLOT_WORDS) {
    if (old[from + 1] !== 0) place(part, old[from]!, old[from + 1]!);
  }
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

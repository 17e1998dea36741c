/**
 * Split-block Bloom filter: an id sets one bit in each of the eight words of one block, so that a question
 * costs one cache line a layer. About one answer in a thousand is a false "maybe" at BITS_PER_ID.
 */
const BLOCK_WORDS = 8;
const BLOCK_BYTES = BLOCK_WORDS * Uint32Array.BYTES_PER_ELEMENT;
const BITS_PER_ID = 16;
const IDS_PER_BLOCK = (BLOCK_BYTES * 8) / BITS_PER_ID;
const FIRST_LAYER_BYTES = 64 * 1_024;
/** Each layer is so many times larger than the one before it: few layers to ask, and little memory at first. */
const GROWTH = 4;
/** Odd numbers, one a word of a block, that spread the same hash differently. */
const SALTS = Uint32Array.of(
  0x47b6_137b,
  0x4497_4d91,
  0x8824_ad5b,
  0xa2b7_289d,
  0x7054_95c7,
  0x2df1_424b,
  0x9efc_4947,
  0x5c6b_fb31,
);

/**
 * Ids that have left memory: tells for sure that one is not among them, or "maybe". It grows by one more
 * layer when the last is full, which copies nothing and so never pauses. At `bytesMax` it grows no
 * more: what comes then makes "maybe" more frequent, never wrong.
 */
export class IdFilter {
  readonly #seed: number;
  readonly #bytesMax: number;
  /** The last is the one that takes ids. */
  readonly #layers: Uint32Array[] = [];
  /** Ids that the last layer takes before the next is needed. */
  #room = 0;
  #bytes = 0;
  /** There is no memory for a single block, so nothing is known of what was added. */
  #blind = false;

  constructor(hashSeed: number, bytesMax: number) {
    this.#seed = hashSeed | 0;
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(words: Uint32Array, at: number): void {
    if (this.#room === 0) this.#grow();
    else this.#room -= 1;
    const layer = this.#layers.at(-1);
    if (layer === undefined) {
      this.#blind = true;
      return;
    }
    const block = blockOf(layer, hashId(this.#seed, words, at));
    const key = hashId(~this.#seed, words, at);
    for (let word = 0; word < BLOCK_WORDS; word += 1) {
      layer[block + word]! |= 1 << (Math.imul(key, SALTS[word]!) >>> 27);
    }
  }

  mayHold(words: Uint32Array, at: number): boolean {
    if (this.#blind) return true;
    const layers = this.#layers;
    const hash = hashId(this.#seed, words, at);
    const key = hashId(~this.#seed, words, at);
    // The largest layer first: it holds the most.
    for (let i = layers.length - 1; i >= 0; i -= 1) {
      const layer = layers[i]!;
      if (holdsAll(layer, blockOf(layer, hash), key)) return true;
    }
    return false;
  }

  #grow(): void {
    const left = this.#bytesMax - this.#bytes;
    const wanted = this.#layers.length === 0 ? FIRST_LAYER_BYTES : this.#lastBytes * GROWTH;
    // The last layer takes all that is left: a small one behind it would soon be overfull.
    const bytes = left < wanted * 2 ? left : wanted;
    const blocks = Math.floor(bytes / BLOCK_BYTES);
    if (blocks === 0) return;
    this.#layers.push(new Uint32Array(blocks * BLOCK_WORDS));
    this.#bytes += blocks * BLOCK_BYTES;
    this.#room = blocks * IDS_PER_BLOCK - 1;
  }

  get #lastBytes(): number {
    return this.#layers.at(-1)?.byteLength ?? 0;
  }
}

function holdsAll(layer: Uint32Array, block: number, key: number): boolean {
  for (let word = 0; word < BLOCK_WORDS; word += 1) {
    const bit = Math.imul(key, SALTS[word]!) >>> 27;
    if (((layer[block + word]! >>> bit) & 1) === 0) return false;
  }
  return true;
}

/** Where the id's block starts in the layer, whose number of blocks need not be a power of two. */
function blockOf(layer: Uint32Array, hash: number): number {
  const blocks = layer.length / BLOCK_WORDS;
  return Math.floor((hash * blocks) / 2 ** 32) * BLOCK_WORDS;
}

/** Two multiply-mix rounds a word, as in the id index: see there. */
function hashId(seed: number, words: Uint32Array, at: number): number {
  const low = mixWord(mixWord(seed, words[at]!), words[at + 1]!);
  const high = mixWord(mixWord(seed ^ 0x5bd1_e995, words[at + 2]!), words[at + 3]!);
  return mixWord(low, high) >>> 0;
}

function mixWord(hash: number, word: number): number {
  let mixed = Math.imul(hash + word, 0x9e37_79b1);
  mixed ^= mixed >>> 16;
  mixed = Math.imul(mixed, 0x85eb_ca6b);
  return mixed ^ (mixed >>> 15);
}

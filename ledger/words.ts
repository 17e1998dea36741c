import { invariant } from './invariant.ts';

const LENGTH_MIN = 64;

/** Rows appended one after the other until they are taken away whole. */
export class WordBuffer {
  #words = new Uint32Array(LENGTH_MIN);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get words(): Uint32Array {
    return this.#words;
  }

  /** Makes room for one row of zeros and returns where it starts in `words`. */
  addRow(rowWords: number): number {
    const at = this.#length;
    if (at + rowWords > this.#words.length) {
      const grown = new Uint32Array(Math.max(at + rowWords, this.#words.length * 2));
      grown.set(this.#words.subarray(0, at));
      this.#words = grown;
    }
    this.#words.fill(0, at, at + rowWords);
    this.#length = at + rowWords;
    return at;
  }

  push(word: number): void {
    // In two steps: addRow may replace the array, and the left side would have named the old one.
    const at = this.addRow(1);
    this.#words[at] = word;
  }

  /** A copy of all rows, for another owner; the buffer is empty afterwards. */
  take(): Uint32Array {
    const taken = this.#words.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }
}

/** For a row: a view of it to copy from would cost more than the copy. */
export function copyWords(
  from: Uint32Array,
  fromAt: number,
  to: Uint32Array,
  toAt: number,
  count: number,
): void {
  for (let word = 0; word < count; word += 1) to[toAt + word] = from[fromAt + word]!;
}

/** Sequences, indices and counts: u64 words whose value a double holds exactly. */
export function readSafeU64(words: Uint32Array, at: number): number {
  const value = words[at + 1]! * 0x1_0000_0000 + words[at]!;
  invariant(Number.isSafeInteger(value), 'a sequence is past 2^53');
  return value;
}

export function writeSafeU64(words: Uint32Array, at: number, value: number): void {
  words[at] = value >>> 0;
  words[at + 1] = Math.floor(value / 0x1_0000_0000);
}

export function readU64(words: Uint32Array, at: number): bigint {
  return (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]!);
}

export function writeU64(words: Uint32Array, at: number, value: bigint): void {
  words[at] = Number(value & 0xffff_ffffn);
  words[at + 1] = Number(value >> 32n);
}

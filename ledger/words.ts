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
    if (at + rowWords > this.#words.length) this.#grow(at + rowWords);
    this.#words.fill(0, at, at + rowWords);
    this.#length = at + rowWords;
    return at;
  }

  push(word: number): void {
    if (this.#length === this.#words.length) this.#grow(this.#length + 1);
    this.#words[this.#length] = word;
    this.#length += 1;
  }

  #grow(length: number): void {
    const grown = new Uint32Array(Math.max(length, this.#words.length * 2));
    grown.set(this.#words.subarray(0, this.#length));
    this.#words = grown;
  }

  /** Takes the newest rows away again: `length` words stay. */
  truncate(length: number): void {
    invariant(length <= this.#length, 'rows to take back are gone');
    this.#length = length;
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

/** RECORD_WORDS, spelled out: a loop takes three times as long, and every transfer is copied once. */
export function copyRecord(from: Uint32Array, fromAt: number, to: Uint32Array, toAt: number): void {
  to[toAt + 0] = from[fromAt + 0]!;
  to[toAt + 1] = from[fromAt + 1]!;
  to[toAt + 2] = from[fromAt + 2]!;
  to[toAt + 3] = from[fromAt + 3]!;
  to[toAt + 4] = from[fromAt + 4]!;
  to[toAt + 5] = from[fromAt + 5]!;
  to[toAt + 6] = from[fromAt + 6]!;
  to[toAt + 7] = from[fromAt + 7]!;
  to[toAt + 8] = from[fromAt + 8]!;
  to[toAt + 9] = from[fromAt + 9]!;
  to[toAt + 10] = from[fromAt + 10]!;
  to[toAt + 11] = from[fromAt + 11]!;
  to[toAt + 12] = from[fromAt + 12]!;
  to[toAt + 13] = from[fromAt + 13]!;
  to[toAt + 14] = from[fromAt + 14]!;
  to[toAt + 15] = from[fromAt + 15]!;
  to[toAt + 16] = from[fromAt + 16]!;
  to[toAt + 17] = from[fromAt + 17]!;
  to[toAt + 18] = from[fromAt + 18]!;
  to[toAt + 19] = from[fromAt + 19]!;
  to[toAt + 20] = from[fromAt + 20]!;
  to[toAt + 21] = from[fromAt + 21]!;
  to[toAt + 22] = from[fromAt + 22]!;
  to[toAt + 23] = from[fromAt + 23]!;
  to[toAt + 24] = from[fromAt + 24]!;
  to[toAt + 25] = from[fromAt + 25]!;
  to[toAt + 26] = from[fromAt + 26]!;
  to[toAt + 27] = from[fromAt + 27]!;
  to[toAt + 28] = from[fromAt + 28]!;
  to[toAt + 29] = from[fromAt + 29]!;
  to[toAt + 30] = from[fromAt + 30]!;
  to[toAt + 31] = from[fromAt + 31]!;
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

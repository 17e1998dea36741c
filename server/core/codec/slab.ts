/** 256 records. */
const SLAB_WORDS = 8_192;

/**
 * Gives out zeroed word arrays cut from larger ones: to a message of one transfer an array of its own
 * costs more than decoding it. Nothing is given back: a slab goes when all its pieces are gone.
 */
export class Slab {
  #buffer = new ArrayBuffer(0);
  #usedWords = 0;

  take(words: number): Uint32Array {
    if (words > SLAB_WORDS / 8) return new Uint32Array(words);
    if ((this.#usedWords + words) * 4 > this.#buffer.byteLength) {
      this.#buffer = new ArrayBuffer(SLAB_WORDS * 4);
      this.#usedWords = 0;
    }
    const piece = new Uint32Array(this.#buffer, this.#usedWords * 4, words);
    this.#usedWords += words;
    return piece;
  }
}

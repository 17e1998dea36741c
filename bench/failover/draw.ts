import { createHash } from 'node:crypto';

const WORDS = 8;

/** Draws that depend on a seed and a name alone: round 137 is the same whether or not 136 others came before it. */
export class Draw {
  readonly #name: string;
  #block = 0;
  #words: Uint32Array = new Uint32Array(WORDS);
  #at = WORDS;

  constructor(seed: number, name: string) {
    this.#name = `${seed}/${name}`;
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor((this.#next() / 2 ** 32) * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.#next() / 2 ** 32 < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)]!;
  }

  /** The items in an order of its own. */
  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items];
    return items.map(() => left.splice(this.integer(0, left.length - 1), 1)[0]!);
  }

  #next(): number {
    if (this.#at === WORDS) {
      const digest = createHash('sha256').update(`${this.#name}/${this.#block}`).digest();
      this.#words = Uint32Array.from({ length: WORDS }, (_, i) => digest.readUInt32LE(i * 4));
      this.#block += 1;
      this.#at = 0;
    }
    this.#at += 1;
    return this.#words[this.#at - 1]!;
  }
}

import type { Position } from './stage.ts';

/** Segment, offset / 8, payload bytes, CRC seed. */
const COLUMNS = 4;

/** Where the entries of a unit lie, 16 bytes each; entry i is the i-th of the unit. */
export class Positions {
  #words = new Uint32Array(16 * COLUMNS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(position: Position, payloadBytes: number): void {
    const at = this.#count * COLUMNS;
    if (at === this.#words.length) {
      const grown = new Uint32Array(2 * at);
      grown.set(this.#words);
      this.#words = grown;
    }
    this.#words[at] = position.segment;
    this.#words[at + 1] = position.offset / 8;
    this.#words[at + 2] = payloadBytes;
    this.#words[at + 3] = position.seed;
    this.#count += 1;
  }

  truncate(count: number): void {
    this.#count = count;
  }

  segment(i: number): number {
    return this.#words[i * COLUMNS]!;
  }

  offset(i: number): number {
    return this.#words[i * COLUMNS + 1]! * 8;
  }

  payloadBytes(i: number): number {
    return this.#words[i * COLUMNS + 2]!;
  }

  seed(i: number): number {
    return this.#words[i * COLUMNS + 3]!;
  }
}

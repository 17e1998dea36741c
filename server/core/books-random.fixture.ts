/** mulberry32: the same noise from the same seed. */
export class Noise {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  id(): Uint32Array {
    return Uint32Array.of(this.next(), this.next(), this.next(), this.next());
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0;
    let value = this.#state;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return (value ^ (value >>> 14)) >>> 0;
  }
}

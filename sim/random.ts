/** xoshiro128** (Blackman, Vigna): small, fast, good enough for choices; not for secrets. */
export class Random {
  readonly #state: Uint32Array;

  /** One stream per concern: the same seed and label give the same stream, whatever other streams are used. */
  constructor(seed: number, label: string) {
    let hash = (0x811c_9dc5 ^ seed) >>> 0;
    for (let i = 0; i < label.length; i += 1) {
      hash = Math.imul(hash ^ label.charCodeAt(i), 0x0100_0193) >>> 0;
    }
    this.#state = new Uint32Array(4);
    for (let i = 0; i < 4; i += 1) {
      // splitmix32, so that near seeds give unrelated states
      hash = (hash + 0x9e37_79b9) >>> 0;
      let mixed = hash;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
      this.#state[i] = mixed ^ (mixed >>> 16);
    }
  }

  /** Uniform u32. */
  next(): number {
    const state = this.#state;
    const s1 = state[1]!;
    const times5 = Math.imul(s1, 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0;
    const shifted = s1 << 9;
    state[2]! ^= state[0]!;
    state[3]! ^= s1;
    state[1]! ^= state[2]!;
    state[0]! ^= state[3]!;
    state[2]! ^= shifted;
    state[3] = (state[3]! << 11) | (state[3]! >>> 21);
    return result;
  }

  /** Uniform integer in 0 .. bound - 1. */
  below(bound: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * bound);
  }

  /** True with that probability. */
  chance(probability: number): boolean {
    return this.next() < probability * 0x1_0000_0000;
  }
}

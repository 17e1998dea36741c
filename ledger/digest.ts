import { invariant } from './invariant.ts';

const HEX_DIGITS = 16;

/**
 * Execution digest: 64 bits chained over every log index, empty entries too, and within it over every
 * event's status and timestamp and every balance column that an event wrote. Replicas that applied the
 * same entries have the same digest at the same index, whatever they folded, evicted or restarted
 * from; where digests differ one of them computed wrongly. It finds faults, not forgers.
 */
export class Digest {
  /** Both lanes, as signed words. A chain that is undone puts them back. */
  a = 0;
  b = 0;

  static parse(hex: string): Digest {
    invariant(/^[0-9a-f]{16}$/.test(hex), `'${hex}' is not an execution digest`);
    const digest = new Digest();
    digest.a = Number.parseInt(hex.slice(0, HEX_DIGITS / 2), 16) | 0;
    digest.b = Number.parseInt(hex.slice(HEX_DIGITS / 2), 16) | 0;
    return digest;
  }

  toString(): string {
    return hex32(this.a) + hex32(this.b);
  }

  mix(word: number): void {
    this.#mix4(word, 0, 0, 0);
  }

  index(index: number): void {
    this.#mix4(index, Math.floor(index / 0x1_0000_0000), 0, 1);
  }

  event(status: number, timestampLo: number, timestampHi: number): void {
    this.#mix4(status | 0, timestampLo | 0, timestampHi | 0, 2);
  }

  /** One u128 column as it stands after an event. */
  column(words: Uint32Array, at: number): void {
    this.#mix4(words[at]! | 0, words[at + 1]! | 0, words[at + 2]! | 0, words[at + 3]! | 0);
  }

  /** Each lane takes every word under a multiplier of its own, so that no two words can swap. */
  #mix4(w0: number, w1: number, w2: number, w3: number): void {
    let a = this.a;
    let b = this.b;
    a = Math.imul(a ^ w0, 0x9e37_79b1);
    b = Math.imul(b ^ w1, 0x85eb_ca6b);
    a = Math.imul((a ^ (a >>> 15)) + w2, 0xc2b2_ae35);
    b = Math.imul((b ^ (b >>> 13)) + w3, 0x27d4_eb2f);
    a ^= b >>> 16;
    b ^= a >>> 15;
    a = Math.imul(a + w1, 0x1656_67b1);
    b = Math.imul(b + w0, 0x9e37_79b1);
    this.a = (a ^ w3 ^ (b >>> 17)) | 0;
    this.b = (b ^ w2 ^ (a >>> 14)) | 0;
  }
}

function hex32(word: number): string {
  return (word >>> 0).toString(16).padStart(HEX_DIGITS / 2, '0');
}

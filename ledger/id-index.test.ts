import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdIndex, NONE } from './id-index.ts';
import { InvariantError } from './invariant.ts';
import { idWords } from './testing/records.ts';
import { equal } from './u128.ts';

/** Holds ids as an account store does: value n stands for the n-th id ever added. */
class Ids {
  readonly index: IdIndex;
  readonly held: Uint32Array[] = [];

  constructor(seed: number) {
    this.index = new IdIndex(seed);
  }

  /** 0 = absent. */
  find(id: bigint): number {
    const slot = this.#slotOf(id);
    return slot === NONE ? 0 : this.index.valueAt(slot);
  }

  add(id: bigint): number {
    this.held.push(idWords(id));
    this.index.add(this.index.hashOf(this.held.at(-1)!, 0), this.held.length);
    return this.held.length;
  }

  remove(id: bigint): void {
    this.index.removeAt(this.#slotOf(id));
  }

  #slotOf(id: bigint): number {
    const words = idWords(id);
    const hash = this.index.hashOf(words, 0);
    let slot = this.index.first(hash);
    while (slot !== NONE && !equal(this.held[this.index.valueAt(slot) - 1]!, 0, words, 0)) {
      slot = this.index.next(hash, slot);
    }
    return slot;
  }
}

describe('the id index', () => {
  it('finds what was added and not removed, and nothing else', () => {
    // Few ids, so that they come and go; in some runs their high words alone differ.
    const id = fc.tuple(fc.bigInt({ min: 0n, max: 400n }), fc.constantFrom(0n, 32n, 96n));
    const step = fc.tuple(
      fc.boolean(),
      id.map(([n, shift]) => n << shift),
    );
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(step, { maxLength: 1_500, size: 'max' }),
        (seed, steps) => {
          const ids = new Ids(seed);
          const expected = new Map<bigint, number>();
          for (const [isAdd, key] of steps) {
            expect(ids.find(key)).toBe(expected.get(key) ?? 0);
            if (isAdd && !expected.has(key)) expected.set(key, ids.add(key));
            if (!isAdd && expected.delete(key)) ids.remove(key);
          }
          expect(ids.index.size).toBe(expected.size);
          for (const [key, value] of expected) expect(ids.find(key)).toBe(value);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('keeps every id while it grows, and gives their room back when they go', () => {
    const ids = new Ids(7);
    const count = 50_000;
    for (let id = 1; id <= count; id += 1) ids.add(BigInt(id) << 64n);
    const wrong = Array.from({ length: count }, (_, i) => i + 1).filter(
      (id) => ids.find(BigInt(id) << 64n) !== id,
    );
    expect(wrong).toEqual([]);
    const { bytes } = ids.index;
    for (let id = 1; id <= count; id += 1) ids.remove(BigInt(id) << 64n);
    expect(ids.index.size).toBe(0);
    for (let id = 1; id <= count; id += 1) ids.add(BigInt(id) << 64n);
    expect(ids.index.bytes).toBe(bytes);
  });

  it('refuses to remove what it does not hold', () => {
    const ids = new Ids(0);
    ids.add(5n);
    expect(() => ids.remove(6n)).toThrow(InvariantError);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdFilter } from './id-filter.ts';

const MIB = 1_024 * 1_024;
const words = fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: 4, maxLength: 4 });

/** Ids that differ in the given word alone, as ids of one maker may. */
function idAt(n: number, word: number): Uint32Array {
  const id = new Uint32Array(4);
  id[word] = n;
  return id;
}

/** How many of the ids from `from` up to `to` it may hold. */
function maybes(filter: IdFilter, from: number, to: number, word: number): number {
  let count = 0;
  for (let n = from; n < to; n += 1) count += filter.mayHold(idAt(n, word), 0) ? 1 : 0;
  return count;
}

describe('the filter of ids that have left memory', () => {
  it('never denies an id that was added, whatever memory it may take', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 4_096 }),
        fc.array(words, { minLength: 1, maxLength: 300 }),
        (seed, bytesMax, ids) => {
          const filter = new IdFilter(seed, bytesMax);
          for (const id of ids) filter.add(Uint32Array.from(id), 0);
          return ids.every((id) => filter.mayHold(Uint32Array.of(9, ...id), 1));
        },
      ),
    );
  });

  it('holds nothing at first', () => {
    const filter = new IdFilter(1, MIB);
    expect(maybes(filter, 0, 100, 0)).toBe(0);
    expect(filter.bytes).toBe(0);
  });

  it.each([0, 1, 2, 3])('denies nearly all others, if ids differ in word %i alone', (word) => {
    const filter = new IdFilter(7, 2 * MIB);
    const count = 400_000;
    for (let n = 0; n < count; n += 1) filter.add(idAt(n, word), 0);
    expect(maybes(filter, 0, count, word)).toBe(count);
    // About 0.1 % a layer.
    expect(maybes(filter, count, 2 * count, word)).toBeLessThan(count * 0.008);
  });

  it('grows by layers up to its maximum and never past it', () => {
    const filter = new IdFilter(3, 3 * MIB);
    const sizes = new Set<number>();
    for (let n = 0; n < 2_000_000; n += 1) {
      filter.add(idAt(n, 1), 0);
      sizes.add(filter.bytes);
    }
    expect([...sizes]).toEqual([64 * 1_024, 320 * 1_024, 1_344 * 1_024, 3 * MIB]);
    expect(maybes(filter, 0, 2_000_000, 1)).toBe(2_000_000);
  });

  it('says maybe of every id once it has no memory to know one by', () => {
    const filter = new IdFilter(3, 31);
    expect(filter.mayHold(idAt(1, 0), 0)).toBe(false);
    filter.add(idAt(1, 0), 0);
    expect(filter.bytes).toBe(0);
    expect(maybes(filter, 0, 100, 0)).toBe(100);
  });

  it('errs on other ids under another seed, so that none can be chosen to be wrong', () => {
    const [one, two] = [new IdFilter(1, 1_024), new IdFilter(2, 1_024)];
    for (let n = 0; n < 1_500; n += 1) {
      one.add(idAt(n, 0), 0);
      two.add(idAt(n, 0), 0);
    }
    let both = 0;
    let first = 0;
    for (let n = 10_000; n < 40_000; n += 1) {
      const wrong = one.mayHold(idAt(n, 0), 0);
      first += wrong ? 1 : 0;
      both += wrong && two.mayHold(idAt(n, 0), 0) ? 1 : 0;
    }
    expect(first).toBeGreaterThan(300);
    expect(both).toBeLessThan(first / 4);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slotOf } from './slot.ts';
import { idWords } from './testing/records.ts';

const MASK = 0xffff_ffffn;

/** MurmurHash3's finalizer as published, in BigInt. */
function fmix32(value: bigint): bigint {
  let h = value & MASK;
  h ^= h >> 16n;
  h = (h * 0x85eb_ca6bn) & MASK;
  h ^= h >> 13n;
  h = (h * 0xc2b2_ae35n) & MASK;
  return h ^ (h >> 16n);
}

function slotOfHalf(half: bigint): number {
  return Number(fmix32((half >> 32n) ^ fmix32(half & MASK)) >> 22n);
}

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe('the slot of an account', () => {
  it('is that of its party, whatever the low 64 bits are', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), u64, (party, low) => {
        expect(slotOf(idWords((party << 64n) | low), 0)).toBe(slotOfHalf(party));
      }),
    );
  });

  it('is that of its low 64 bits if it has no party', () => {
    fc.assert(
      fc.property(u64, (low) => {
        expect(slotOf(idWords(low), 0)).toBe(slotOfHalf(low));
      }),
    );
  });

  it('never changes: units on disk rely on it', () => {
    expect([0n, 1n, 2n, 3n, 1n << 64n].map((id) => slotOf(idWords(id), 0))).toEqual(
      [0n, 1n, 2n, 3n, 1n].map(slotOfHalf),
    );
    expect(slotOf(idWords(1n), 0)).toBe(191);
  });
});

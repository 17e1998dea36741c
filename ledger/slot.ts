/** MurmurHash3's 32-bit finalizer. */
function fmix32(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85eb_ca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2_ae35);
  h ^= h >>> 16;
  return h >>> 0;
}

/**
 * Slot (0..1023) of the account id at `offset`: of its party, the high 64 bits, so that all accounts
 * of a customer share a unit; of the low 64 bits when the party is 0.
 */
export function slotOf(words: Uint32Array, offset: number): number {
  let lo = words[offset + 2]!;
  let hi = words[offset + 3]!;
  if (lo === 0 && hi === 0) {
    lo = words[offset]!;
    hi = words[offset + 1]!;
  }
  return fmix32(hi ^ fmix32(lo)) >>> 22;
}

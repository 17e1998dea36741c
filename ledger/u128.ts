import { invariant } from './invariant.ts';

// Unsigned 128-bit numbers as four words, least significant first, in place. A limb sum stays below
// 2^35, which a double holds exactly. Tested against BigInt in u128.test.ts.

const LIMB_MAX = 0xffff_ffff;

export function isZero(words: Uint32Array, at: number): boolean {
  return (words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]!) === 0;
}

/** The high 64 bits are all ones. */
export function isHighHalfMax(words: Uint32Array, at: number): boolean {
  return words[at + 2] === LIMB_MAX && words[at + 3] === LIMB_MAX;
}

export function isMax(words: Uint32Array, at: number): boolean {
  return isHighHalfMax(words, at) && words[at] === LIMB_MAX && words[at + 1] === LIMB_MAX;
}

export function equal(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number): boolean {
  return (
    a[aAt] === b[bAt] &&
    a[aAt + 1] === b[bAt + 1] &&
    a[aAt + 2] === b[bAt + 2] &&
    a[aAt + 3] === b[bAt + 3]
  );
}

/** a > b */
export function greater(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number): boolean {
  for (let limb = 3; limb >= 0; limb -= 1) {
    const x = a[aAt + limb]!;
    const y = b[bAt + limb]!;
    if (x !== y) return x > y;
  }
  return false;
}

export function copy(from: Uint32Array, fromAt: number, to: Uint32Array, toAt: number): void {
  to[toAt] = from[fromAt]!;
  to[toAt + 1] = from[fromAt + 1]!;
  to[toAt + 2] = from[fromAt + 2]!;
  to[toAt + 3] = from[fromAt + 3]!;
}

/** a + b >= 2^128 */
export function sumOverflows(a: Uint32Array, aAt: number, b: Uint32Array, bAt: number): boolean {
  // Two numbers below 2^127, as nearly all are.
  if ((a[aAt + 3]! | b[bAt + 3]!) >>> 31 === 0) return false;
  let carry = 0;
  for (let limb = 0; limb < 4; limb += 1) {
    carry = a[aAt + limb]! + b[bAt + limb]! + carry > LIMB_MAX ? 1 : 0;
  }
  return carry !== 0;
}

/** words[a] + words[b] + added >= 2^128 */
export function sum3Overflows(
  words: Uint32Array,
  a: number,
  b: number,
  added: Uint32Array,
  addedAt: number,
): boolean {
  // Three numbers below 2^126.
  if ((words[a + 3]! | words[b + 3]! | added[addedAt + 3]!) >>> 30 === 0) return false;
  let carry = 0;
  for (let limb = 0; limb < 4; limb += 1) {
    const sum = words[a + limb]! + words[b + limb]! + added[addedAt + limb]! + carry;
    carry = Math.floor(sum / 0x1_0000_0000);
  }
  return carry !== 0;
}

/** words[a] + words[b] + added > words[limit], without wrapping round. */
export function sum3Exceeds(
  words: Uint32Array,
  a: number,
  b: number,
  added: Uint32Array,
  addedAt: number,
  limit: number,
): boolean {
  let carry = 0;
  let exceeds = false;
  for (let limb = 0; limb < 4; limb += 1) {
    const sum = words[a + limb]! + words[b + limb]! + added[addedAt + limb]! + carry;
    carry = Math.floor(sum / 0x1_0000_0000);
    const low = sum - carry * 0x1_0000_0000;
    const bound = words[limit + limb]!;
    // A higher limb outweighs all below it.
    if (low !== bound) exceeds = low > bound;
  }
  return carry !== 0 || exceeds;
}

/** words[at] += added. The caller has tested that it fits. */
export function add(words: Uint32Array, at: number, added: Uint32Array, addedAt: number): void {
  let carry = 0;
  for (let limb = 0; limb < 4; limb += 1) {
    const sum = words[at + limb]! + added[addedAt + limb]! + carry;
    words[at + limb] = sum;
    carry = sum > LIMB_MAX ? 1 : 0;
  }
  invariant(carry === 0, 'a balance grew past 2^128 - 1');
}

/** words[at] -= taken. A column never goes below zero. */
export function subtract(
  words: Uint32Array,
  at: number,
  taken: Uint32Array,
  takenAt: number,
): void {
  let borrow = 0;
  for (let limb = 0; limb < 4; limb += 1) {
    const difference = words[at + limb]! - taken[takenAt + limb]! - borrow;
    words[at + limb] = difference;
    borrow = difference < 0 ? 1 : 0;
  }
  invariant(borrow === 0, 'a balance went below zero');
}

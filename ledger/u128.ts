import { invariant } from './invariant.ts';

// Unsigned 128-bit numbers as four words, least significant first, in place. Limbs are added as signed
// 32-bit integers, which is what the processor has; the carry out of a limb is the majority of both
// addends and the inverted sum at the top bit. Tested against BigInt in u128.test.ts.

const LIMB_MAX = 0xffff_ffff;
const LIMB = 0x1_0000_0000;

export function isZero(words: Uint32Array, at: number): boolean {
  return (words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]!) === 0;
}

/** The high 64 bits are all ones. */
export function isHighHalfMax(words: Uint32Array, at: number): boolean {
  return (words[at + 2]! & words[at + 3]!) === -1;
}

export function isMax(words: Uint32Array, at: number): boolean {
  return (words[at]! & words[at + 1]! & words[at + 2]! & words[at + 3]!) === -1;
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

export function setZero(words: Uint32Array, at: number): void {
  words[at] = 0;
  words[at + 1] = 0;
  words[at + 2] = 0;
  words[at + 3] = 0;
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
    carry = Math.floor(sum / LIMB);
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
  const small =
    isSmall(words, a) && isSmall(words, b) && isSmall(added, addedAt) && isSmall(words, limit);
  if (small) {
    const sum = smallValue(words, a) + smallValue(words, b) + smallValue(added, addedAt);
    return sum > smallValue(words, limit);
  }
  let carry = 0;
  let exceeds = false;
  for (let limb = 0; limb < 4; limb += 1) {
    const sum = words[a + limb]! + words[b + limb]! + added[addedAt + limb]! + carry;
    carry = Math.floor(sum / LIMB);
    const low = sum - carry * LIMB;
    const bound = words[limit + limb]!;
    // A higher limb outweighs all below it.
    if (low !== bound) exceeds = low > bound;
  }
  return carry !== 0 || exceeds;
}

/** words[at] += added. The caller has tested that it fits. */
export function add(words: Uint32Array, at: number, added: Uint32Array, addedAt: number): void {
  let x = words[at]! | 0;
  let y = added[addedAt]! | 0;
  let sum = (x + y) | 0;
  words[at] = sum;
  let carry = ((x & y) | ((x | y) & ~sum)) >>> 31;
  x = words[at + 1]! | 0;
  y = added[addedAt + 1]! | 0;
  sum = (x + y + carry) | 0;
  words[at + 1] = sum;
  carry = ((x & y) | ((x | y) & ~sum)) >>> 31;
  x = words[at + 2]! | 0;
  y = added[addedAt + 2]! | 0;
  sum = (x + y + carry) | 0;
  words[at + 2] = sum;
  carry = ((x & y) | ((x | y) & ~sum)) >>> 31;
  x = words[at + 3]! | 0;
  y = added[addedAt + 3]! | 0;
  sum = (x + y + carry) | 0;
  words[at + 3] = sum;
  carry = ((x & y) | ((x | y) & ~sum)) >>> 31;
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

/** value = min(value, have - used1 - used2, not below zero); the last three are words of one array. */
export function limitToRest(
  value: Uint32Array,
  words: Uint32Array,
  have: number,
  used1: number,
  used2: number,
): void {
  let borrow = 0;
  let exceeds = false;
  for (let limb = 0; limb < 4; limb += 1) {
    const difference = words[have + limb]! - words[used1 + limb]! - words[used2 + limb]! - borrow;
    borrow = difference < 0 ? Math.ceil(-difference / LIMB) : 0;
    const rest = difference + borrow * LIMB;
    // A higher limb outweighs all below it.
    if (value[limb] !== rest) exceeds = value[limb]! > rest;
  }
  if (borrow !== 0) setZero(value, 0);
  else if (exceeds) setDifference(value, words, have, used1, used2);
}

/** value = words[have] - words[used1] - words[used2], which is not below zero. */
function setDifference(
  value: Uint32Array,
  words: Uint32Array,
  have: number,
  used1: number,
  used2: number,
): void {
  copy(words, have, value, 0);
  subtract(value, 0, words, used1);
  subtract(value, 0, words, used2);
}

/** Below 2^52: three of them add up exactly as doubles. */
function isSmall(words: Uint32Array, at: number): boolean {
  return ((words[at + 1]! >>> 20) | words[at + 2]! | words[at + 3]!) === 0;
}

function smallValue(words: Uint32Array, at: number): number {
  return words[at + 1]! * LIMB + words[at]!;
}

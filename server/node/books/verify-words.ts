/** Numbers out of packed rows, to be compared and told. */

export function u128At(words: Uint32Array, at: number): bigint {
  let value = 0n;
  for (let word = 3; word >= 0; word--) value = (value << 32n) | BigInt(words[at + word]!);
  return value;
}

/** As the views show ids. */
export function idText(words: Uint32Array, at: number): string {
  return u128At(words, at).toString(16).padStart(32, '0');
}

/** Index of the first of `count` words in which they differ, or -1. */
export function firstUnequal(
  a: Uint32Array,
  aAt: number,
  b: Uint32Array,
  bAt: number,
  count: number,
): number {
  for (let word = 0; word < count; word++) if (a[aAt + word] !== b[bAt + word]) return word;
  return -1;
}

export function hexWord(word: number): string {
  return `0x${word.toString(16).padStart(8, '0')}`;
}

import type { AccountQuery } from '../../gateway/api.ts';
import { TIMESTAMP_MAX } from '../source.ts';

/** All, oldest first. */
export const ALL: AccountQuery = {
  fromTimestamp: 0n,
  toTimestamp: TIMESTAMP_MAX,
  reversed: false,
  limit: 8_190,
};

export function accountIdOf(handle: number): Uint32Array {
  return Uint32Array.of(handle + 1, 0, 0, 0);
}

/** Four balances as a unit gives them. */
export function fourOf(words: Uint32Array, at = 0): bigint[] {
  return [0, 4, 8, 12].map((column) => {
    let value = 0n;
    for (let word = 3; word >= 0; word -= 1)
      value = (value << 32n) | BigInt(words[at + column + word]!);
    return value;
  });
}

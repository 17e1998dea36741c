import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from './cursor.ts';

const POSITION = { account: 5n, row: 2n ** 63n - 1n };

describe('a cursor', () => {
  it('brings the position back', () => {
    expect(decodeCursor(7, encodeCursor(7, POSITION))).toEqual(POSITION);
  });

  it('is refused by another unit, of another version, cut, or out of bounds', () => {
    const cursor = encodeCursor(7, POSITION);
    expect(() => decodeCursor(8, cursor)).toThrow('cursor: of unit 7');
    expect(() => decodeCursor(7, cursor.subarray(1))).toThrow('cursor: not one of this release');
    expect(() => decodeCursor(7, Uint8Array.of(2, ...cursor.slice(1)))).toThrow('this release');
    expect(() => decodeCursor(7, cursor.fill(0xff, 3))).toThrow('cursor: damaged');
  });
});

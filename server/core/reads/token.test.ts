import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EvenkeelError } from '../error.ts';
import { packAccountQuery, packTransferQuery } from './filter.ts';
import { ALL } from './testing/query.ts';
import { type Cursor, decodeToken, encodeToken } from './token.ts';

const KIND = 16;
const cursor = (unit: number): Cursor => ({ unit, position: BigInt(unit) * 7n, ended: unit === 2 });
const UNITS = [1, 2, 3];
const CURSORS = UNITS.map(cursor);
const FILTER = packAccountQuery(ALL);
const TOKEN = encodeToken(KIND, FILTER, CURSORS);

describe('a page token', () => {
  it('brings the cursors back, also with another limit', () => {
    expect(decodeToken(TOKEN, KIND, FILTER, UNITS)).toEqual(CURSORS);
    const other = packAccountQuery({ ...ALL, limit: 5 });
    expect(decodeToken(TOKEN, KIND, other, UNITS)).toEqual(CURSORS);
  });

  it('starts from nothing if it is empty', () => {
    const start = { unit: 1, position: 0n, ended: false };
    expect(decodeToken(new Uint8Array(0), KIND, FILTER, [1])).toEqual([start]);
  });

  it.each([
    ['reversed', packAccountQuery({ ...ALL, reversed: true })],
    ['a condition more', packAccountQuery({ ...ALL, code: 1 })],
    ['a condition of 0 more', packAccountQuery({ ...ALL, userData32: 0 })],
    ['another bound', packAccountQuery({ ...ALL, toTimestamp: 5n })],
    ['another amount', packTransferQuery({ ...ALL, amountMin: 1n })],
  ])('is refused with other conditions: %s', (_, filter) => {
    expect(() => decodeToken(TOKEN, KIND, filter, UNITS)).toThrow(
      'page_token: of a request with other conditions',
    );
  });

  it('is refused by another kind of request, of another version, cut, or of other units', () => {
    expect(() => decodeToken(TOKEN, 17, FILTER, UNITS)).toThrow('another kind');
    expect(() => decodeToken(Uint8Array.of(2, ...TOKEN.slice(1)), KIND, FILTER, UNITS)).toThrow(
      'not one of this release',
    );
    expect(() => decodeToken(TOKEN.subarray(0, -1), KIND, FILTER, UNITS)).toThrow('damaged');
    expect(() => decodeToken(TOKEN, KIND, FILTER, [1, 2])).toThrow('damaged');
    expect(() => decodeToken(TOKEN, KIND, FILTER, [1, 2, 4])).toThrow('damaged');
  });

  it('of any bytes is taken or refused, and never gives a position out of bounds', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.tuple(fc.nat({ max: 42 }), fc.nat({ max: 255 })).map(([at, value]) => {
        const token = TOKEN.slice();
        token[at] = value;
        return token;
      }),
    );
    fc.assert(
      fc.property(bytes, (token) => {
        try {
          for (const { position } of decodeToken(token, KIND, FILTER, UNITS)) {
            expect(position).toBeLessThan(2n ** 63n);
          }
        } catch (error) {
          if (!(error instanceof EvenkeelError)) throw error;
          expect(error.code).toBe('invalid_request');
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

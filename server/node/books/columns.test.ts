import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ID_BYTES, idOrder, NUMBER_BYTES, putId, putNumber } from './columns.ts';

test('numbers below 2^63 become their 20 digits', () => {
  const column = new Uint32Array(3 * (NUMBER_BYTES / 4));
  const near = fc.nat(63).map((bit) => 2n ** BigInt(bit));
  const value = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    near.map((bit) => bit - 1n),
  );
  fc.assert(
    fc.property(value, fc.nat(2), (number, row) => {
      putNumber(column, row, Number(number & 0xffff_ffffn), Number(number >> 32n));
      const digits = Buffer.from(column.buffer, row * NUMBER_BYTES, NUMBER_BYTES).toString('ascii');
      expect(digits).toBe(String(number).padStart(NUMBER_BYTES, '0'));
    }),
    { numRuns: 2_000 },
  );
});

test('ids become big-endian bytes', () => {
  const words = Uint32Array.of(9, 0x0403_0201, 0x0807_0605, 0x0c0b_0a09, 0x100f_0e0d);
  const column = new Uint32Array(2 * (ID_BYTES / 4));
  putId(column, 1, words, 1);
  const bytes = Array.from(new Uint8Array(column.buffer, ID_BYTES));
  expect(bytes).toEqual([16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
});

test('the order of insertion names each row once, ascending by the upper half of the id', () => {
  const upper = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.constant(5n));
  fc.assert(
    fc.property(fc.array(upper, { maxLength: 40 }), (halves) => {
      const rows = new Uint32Array(halves.length * 5);
      for (const [row, half] of halves.entries()) {
        rows[row * 5 + 2] = Number(half & 0xffff_ffffn);
        rows[row * 5 + 3] = Number(half >> 32n);
      }
      const order = Array.from(idOrder(rows, 5, halves.length));
      expect(order.toSorted((a, b) => a - b)).toEqual([...halves.keys()]);
      const highest = halves.reduce((a, b) => (a > b ? a : b), 0n);
      const lowest = halves.reduce((a, b) => (a < b ? a : b), highest);
      const step = (highest - lowest) / 2n ** 32n + 1n;
      for (let at = 1; at < order.length; at++) {
        const [before, after] = [halves[order[at - 1]!]!, halves[order[at]!]!];
        expect(after + step >= before).toBe(true);
      }
    }),
  );
});

import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32OfWords } from './crc32.ts';

test('equals zlib for any words at any offset', () => {
  const words = fc.array(fc.nat(0xffff_ffff), { maxLength: 50 });
  fc.assert(
    fc.property(words, fc.nat(50), (values, skip) => {
      const all = Uint32Array.from(values);
      const offset = Math.min(skip, all.length);
      const bytes = new Uint8Array(all.buffer, offset * 4);
      expect(crc32OfWords(all, offset, all.length - offset)).toBe(crc32(bytes));
    }),
  );
});

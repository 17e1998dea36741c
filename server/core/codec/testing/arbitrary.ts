import fc from 'fast-check';
import type { RecordFields } from './schema.ts';

/** Every length in bytes is as likely as any other; often the low words are zero. */
export function unsigned(bytes: number): fc.Arbitrary<bigint> {
  const any = fc
    .integer({ min: 0, max: bytes })
    .chain((length) => fc.bigInt({ min: 0n, max: 2n ** BigInt(8 * length) - 1n }));
  const zeroBits = fc.integer({ min: 0, max: bytes / 4 - 1 }).map((words) => BigInt(32 * words));
  return fc.tuple(any, zeroBits).map(([value, bits]) => (value >> bits) << bits);
}

export const u32 = fc.oneof(
  fc.constantFrom(0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);
export const u16 = fc.oneof(fc.constantFrom(0, 1, 0xffff), fc.integer({ min: 0, max: 0xffff }));

export const recordFields: fc.Arbitrary<RecordFields> = fc.record({
  wide: fc.array(unsigned(16), { minLength: 6, maxLength: 6 }),
  userData64: unsigned(8),
  userData32: u32,
  timeout: u32,
  ledger: u32,
  code: u16,
  flags: u16,
  timestamp: unsigned(8),
});

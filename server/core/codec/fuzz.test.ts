import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EvenkeelError } from '../error.ts';
import {
  decodeAccountBalance,
  decodeAccountTransfers,
  decodeQueryAccounts,
  decodeQueryTransfers,
  decodeWatch,
} from './read-requests.ts';
import { decodeCreateAccounts, decodeCreateTransfers, decodeLookup } from './requests.ts';
import { recordFields } from './testing/arbitrary.ts';
import { encode, toBytes } from './testing/schema.ts';

const DECODERS = [
  decodeCreateTransfers,
  decodeCreateAccounts,
  decodeLookup,
  decodeAccountTransfers,
  decodeAccountBalance,
  decodeQueryAccounts,
  decodeQueryTransfers,
  decodeWatch,
];

/** Decodes, or refuses with the typed error. Anything else fails the test. */
function outcome(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean {
  try {
    decode(bytes);
    return true;
  } catch (error) {
    if (error instanceof EvenkeelError && error.code === 'invalid_request') return false;
    throw error;
  }
}

const valid = fc.array(recordFields, { minLength: 1, maxLength: 3 }).map((events) =>
  encode('CreateTransfersRequest', {
    transfers: events.map((fields) => ({
      id: toBytes(fields.wide[0]!),
      amount: toBytes(fields.wide[3]!),
      userData_64: fields.userData64.toString(),
      ledger: fields.ledger,
      code: fields.code,
    })),
  }),
);

it('random bytes are decoded or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const decode of DECODERS) outcome(decode, bytes);
    }),
    { numRuns: 3_000 },
  );
});

it('bytes of few different values, which get deep into the decoders, are decoded or refused', () => {
  const byte = fc.constantFrom(0x0a, 0x12, 0x39, 0x50, 0x58, 0x69, 0x80, 0xff, 0x00, 0x01, 0x04);
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 60 }), (bytes) => {
      for (const decode of DECODERS) outcome(decode, Uint8Array.from(bytes));
    }),
    { numRuns: 10_000 },
  );
});

it('a valid request cut anywhere but between events is refused', () => {
  fc.assert(
    fc.property(valid, fc.nat(), (bytes, at) => {
      const cut = bytes.subarray(0, at % bytes.length);
      if (outcome(decodeCreateTransfers, cut)) {
        const { count } = decodeCreateTransfers(cut);
        expect(count).toBeLessThan(decodeCreateTransfers(bytes).count);
      }
    }),
  );
});

it('a valid request with flipped bits is decoded or refused', () => {
  fc.assert(
    fc.property(valid, fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), (bytes, flips) => {
      const flipped = bytes.slice();
      for (const flip of flips) flipped[(flip >> 3) % bytes.length]! ^= 1 << (flip & 7);
      for (const decode of DECODERS) outcome(decode, flipped);
    }),
    { numRuns: 2_000 },
  );
});

it('deep nesting is refused at the first level', () => {
  let bytes = new Uint8Array(0);
  for (let depth = 0; depth < 1_000; depth += 1) bytes = wrap(bytes);
  const groups = new Uint8Array(1 << 20).fill(0x0b);
  for (const decode of DECODERS) {
    expect(outcome(decode, bytes)).toBe(false);
    expect(outcome(decode, groups)).toBe(false);
  }
});

it('a megabyte of empty events is refused without a record made', () => {
  const bytes = new Uint8Array(1 << 20);
  for (let i = 0; i < bytes.length; i += 2) bytes[i] = 0x0a;
  expect(() => decodeCreateTransfers(bytes)).toThrow('transfers: 524288, at most 8190');
});

function wrap(inner: Uint8Array): Uint8Array<ArrayBuffer> {
  const length: number[] = [];
  for (let rest = inner.length; ; rest >>>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Uint8Array.of(0x0a, ...length, ...inner);
}

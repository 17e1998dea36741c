import fc from 'fast-check';
import type protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import * as clusterRequests from './cluster-requests.ts';
import * as readRequests from './read-requests.ts';
import * as requests from './requests.ts';
import {
  FUZZ_TIMES,
  fieldOf,
  mutated,
  outcome,
  type RequestDecoder,
  runs,
  validBytes,
  wrap,
} from './testing/fuzz.ts';
import { message } from './testing/schema.ts';

const TIMEOUT_MS = 20_000 * FUZZ_TIMES;

/** Every request of the .proto files, by the decoder that takes it. */
const MESSAGES: Readonly<Record<string, readonly string[]>> = {
  decodeCreateTransfers: ['CreateTransfersRequest'],
  decodeCreateAccounts: ['CreateAccountsRequest'],
  decodeLookup: ['LookupAccountsRequest', 'LookupTransfersRequest'],
  decodeAccountTransfers: ['GetAccountTransfersRequest'],
  decodeAccountBalance: ['GetAccountBalanceRequest'],
  decodeQueryAccounts: ['QueryAccountsRequest'],
  decodeQueryTransfers: ['QueryTransfersRequest'],
  decodeWatch: ['WatchEventsRequest'],
  decodeCreateLedger: ['CreateLedgerRequest'],
  decodeAddServer: ['AddServerRequest'],
  decodeRemoveServers: ['RemoveServersRequest'],
  decodeZone: ['DrainZoneRequest', 'RestoreZoneRequest'],
  decodeNothing: ['GetTopologyRequest', 'ListLedgersRequest'],
};

const DECODERS: RequestDecoder[] = Object.entries({
  ...requests,
  ...readRequests,
  ...clusterRequests,
}).map(([name, decode]) => ({ name, decode, messages: MESSAGES[name] ?? [] }));

it('every request has a decoder here, and every decoder its requests', () => {
  const { nested } = message('Account').parent as protobuf.Namespace;
  const all = Object.keys(nested ?? {}).filter((name) => name.endsWith('Request'));
  expect(DECODERS.flatMap(({ messages }) => messages).toSorted()).toEqual(all.toSorted());
  expect(DECODERS.filter(({ messages }) => messages.length === 0)).toEqual([]);
});

it(
  'random bytes are decoded or refused',
  () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const decoder of DECODERS) outcome(decoder, bytes);
      }),
      runs(2_000),
    );
  },
  TIMEOUT_MS,
);

it(
  'bytes of few different values, which get deep into the decoders, are decoded or refused',
  () => {
    const byte = fc.constantFrom(0x0a, 0x12, 0x39, 0x50, 0x58, 0x69, 0x80, 0xff, 0x00, 0x01, 0x04);
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), (bytes) => {
        for (const decoder of DECODERS) outcome(decoder, Uint8Array.from(bytes));
      }),
      runs(5_000),
    );
  },
  TIMEOUT_MS,
);

describe.each(DECODERS)('$name', (decoder) => {
  it(
    'decodes valid requests, and decodes or refuses what becomes of them',
    () => {
      for (const name of decoder.messages) {
        fc.assert(
          fc.property(validBytes(name), (bytes) => {
            const valid = outcome(decoder, bytes);
            // What the types allow may still be out of range, or in the wrong order.
            expect(valid).toMatch(/^decoded$|, must be |, at most |after|above/);
          }),
          runs(100),
        );
        fc.assert(
          fc.property(mutated(validBytes(name)), (bytes) => {
            outcome(decoder, bytes);
          }),
          runs(1_000),
        );
      }
    },
    TIMEOUT_MS,
  );

  it(
    'refuses valid requests that are cut, but for cuts between fields',
    () => {
      for (const name of decoder.messages.filter((one) => message(one).fieldsArray.length > 0)) {
        fc.assert(
          fc.property(validBytes(name), fc.nat(), (bytes, at) => {
            const cut = bytes.subarray(0, at % bytes.length);
            const decoded = outcome(decoder, cut) === 'decoded';
            if (decoded) expect(startsOfFields(bytes)).toContain(cut.length);
          }),
          runs(300),
        );
      }
    },
    TIMEOUT_MS,
  );

  it('refuses every field with another wire type, and fields that there are not, naming them', () => {
    for (const name of decoder.messages) {
      const { fieldsArray } = message(name);
      for (const { id, name: field, resolvedType } of fieldsArray) {
        for (const wireType of wrongTypes(fieldsArray, id)) {
          expect(outcome(decoder, fieldOf(id, wireType))).toContain(snake(field));
        }
        const inner = (resolvedType as protobuf.Type | null)?.fieldsArray ?? [];
        for (const one of id === 1 ? inner : []) {
          for (const wireType of wrongTypes(inner, one.id)) {
            const refusal = outcome(decoder, wrap(fieldOf(one.id, wireType)));
            expect(refusal).toContain(`${snake(field)}[0].${snake(one.name)}`);
          }
        }
      }
      const unknown = Math.max(0, ...fieldsArray.map(({ id }) => id)) + 1;
      for (const id of [unknown, 0x0fff_ffff]) {
        expect(outcome(decoder, fieldOf(id, 0))).toContain(`unknown field ${id}`);
      }
    }
  });

  it('refuses deep nesting at the first level', () => {
    let bytes = new Uint8Array(0);
    for (let depth = 0; depth < 1_000; depth += 1) bytes = wrap(bytes);
    const groups = new Uint8Array(1 << 20).fill(0x0b);
    expect(outcome(decoder, bytes)).not.toBe('decoded');
    expect(outcome(decoder, groups)).not.toBe('decoded');
  });
});

it('a megabyte of empty events is refused without a record made', () => {
  const bytes = new Uint8Array(1 << 20);
  for (let i = 0; i < bytes.length; i += 2) bytes[i] = 0x0a;
  const { decodeCreateTransfers, decodeCreateAccounts } = requests;
  expect(() => decodeCreateTransfers(bytes)).toThrow('transfers: 524288, at most 8190');
  expect(() => decodeCreateAccounts(bytes)).toThrow('accounts: 524288, at most 8190');
});

/** Where one of the outer fields begins: the tags of requests are one byte long. */
function startsOfFields(bytes: Uint8Array): number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    starts.push(at);
    const wireType = bytes[at]! & 7;
    at += 1;
    if (wireType === 1) at += 8;
    else {
      let value = 0;
      let shift = 0;
      for (; bytes[at]! > 0x7f; at += 1, shift += 7) value |= (bytes[at]! & 0x7f) << shift;
      value |= bytes[at]! << shift;
      at += 1 + (wireType === 2 ? value : 0);
    }
  }
  return starts;
}

function wrongTypes(fields: readonly protobuf.Field[], id: number): number[] {
  const field = fields.find((one) => one.id === id)!;
  const isMessage = field.resolvedType !== null && 'fieldsArray' in field.resolvedType;
  // A list of numbers is packed.
  const right = isMessage || field.repeated ? 2 : WIRE_TYPES[field.type];
  return [0, 1, 2, 3, 4, 5, 6, 7].filter((wireType) => wireType !== (right ?? 0));
}

const WIRE_TYPES: Readonly<Record<string, number>> = { fixed64: 1, bytes: 2, string: 2 };

/** As the .proto files and the errors have it: protobufjs turns user_data_128 into userData_128. */
function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

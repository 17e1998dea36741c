import fc from 'fast-check';
import protobuf from 'protobufjs';
import { EvenkeelError } from '../../error.ts';
import { message } from './schema.ts';

/** FUZZ_TIMES=N runs every property N times as often, and as much longer. */
export const FUZZ_TIMES = Math.max(1, Number(process.env.FUZZ_TIMES ?? 1));

export const runs = (usual: number): { numRuns: number } => ({ numRuns: usual * FUZZ_TIMES });

export interface RequestDecoder {
  readonly name: string;
  decode(bytes: Uint8Array): unknown;
  /** As in the .proto files. */
  readonly messages: readonly string[];
}

/** 'decoded', or the typed refusal's text. Anything else fails the test. */
export function outcome(decoder: RequestDecoder, bytes: Uint8Array): string {
  try {
    decoder.decode(bytes);
    return 'decoded';
  } catch (error) {
    if (error instanceof EvenkeelError && error.code === 'invalid_request') return error.message;
    throw error;
  }
}

/** A valid message of that type: every field is there, lists have one to three elements. */
export function validBytes(name: string): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const type = message(name);
  return messageValue(type).map((value) => Uint8Array.from(type.encode(value).finish()));
}

/** Fields that only answers have: requests with them are refused. */
const SET_BY_LEDGER = ['pendingState', 'expiresTimestamp'];

function messageValue(type: protobuf.Type): fc.Arbitrary<protobuf.Message> {
  const sent = type.fieldsArray.filter(
    ({ name }) => type.name !== 'Transfer' || !SET_BY_LEDGER.includes(name),
  );
  const fields = sent.map((field): [string, fc.Arbitrary<unknown>] => {
    const one = fieldValue(field.resolve());
    return [field.name, field.repeated ? fc.array(one, { minLength: 1, maxLength: 3 }) : one];
  });
  return fc
    .record(Object.fromEntries(fields))
    .map((plain) => type.fromObject(plain as Record<string, unknown>));
}

function fieldValue(field: protobuf.Field): fc.Arbitrary<unknown> {
  if (field.resolvedType instanceof protobuf.Type) return messageValue(field.resolvedType);
  switch (field.type) {
    case 'bytes':
      return fc.uint8Array({ minLength: 1, maxLength: 16 });
    case 'bool':
      return fc.constant(true);
    case 'string':
      return fc.string({ minLength: 1, maxLength: 8 });
    case 'fixed64':
    case 'uint64':
      return fc.integer({ min: 1, max: 0xffff });
    default:
      return fc.integer({ min: 1, max: 8 });
  }
}

/** What a sender that is broken, or worse, makes of valid bytes. */
export function mutated(bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const byte = fc.integer({ min: 0, max: 0xff });
  const change = fc.oneof(
    fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), byte }),
    fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), byte }),
    fc.record({ kind: fc.constant('remove' as const), at: fc.nat(), byte }),
    fc.record({ kind: fc.constant('double' as const), at: fc.nat(), byte }),
  );
  return fc
    .tuple(bytes, fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([valid, changes]) => {
      const result = [...valid];
      for (const { kind, at, byte: value } of changes) {
        const place = result.length === 0 ? 0 : at % result.length;
        if (kind === 'flip') result[place] = (result[place] ?? 0) ^ (1 << (value & 7));
        else if (kind === 'insert') result.splice(place, 0, value);
        else if (kind === 'remove') result.splice(place, 1 + (value & 7));
        else result.splice(place, 0, ...result.slice(place, place + value));
      }
      return Uint8Array.from(result);
    });
}

/** A field with that wire type and bytes that fit it. */
export function fieldOf(id: number, wireType: number): Uint8Array {
  const payload = [[1], [1, 2, 3, 4, 5, 6, 7, 8], [1, 1], [], [], [1, 2, 3, 4], [], []];
  return Uint8Array.of(...varint((id << 3) | wireType), ...payload[wireType]!);
}

/** `inner` as the only element, and the field, number 1. */
export function wrap(inner: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(0x0a, ...varint(inner.length), ...inner);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) return bytes;
  }
}

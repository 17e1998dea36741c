import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { RECORD_WORDS } from '../../../../ledger/layout.ts';

/** The .proto files as protobufjs reads them: an implementation that knows nothing of ours. */
export const schema = protobuf.loadSync(
  ['ledger', 'cluster'].map((name) =>
    fileURLToPath(new URL(`../../../../proto/evenkeel/v1/${name}.proto`, import.meta.url)),
  ),
);

export function message(name: string): protobuf.Type {
  return schema.lookupType(`evenkeel.v1.${name}`);
}

export function encode(name: string, value: Record<string, unknown>): Uint8Array {
  return message(name).encode(message(name).fromObject(value)).finish();
}

/** As plain data: enums as numbers, fixed64 as decimal strings, bytes as bigint, absent ones as 0. */
export function decode(name: string, bytes: Uint8Array): Record<string, unknown> {
  const plain = message(name).toObject(message(name).decode(bytes), {
    longs: String,
    defaults: true,
    arrays: true,
  });
  return numeric(plain) as Record<string, unknown>;
}

function numeric(value: unknown): unknown {
  if (value instanceof Uint8Array) return toBigint(value);
  if (Array.isArray(value)) return value.map(numeric);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, numeric(item)]));
}

function toBigint(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

export function toBytes(value: bigint, length = 16): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = length - 1; i >= 0; i -= 1) {
    bytes[i] = Number(value & 0xffn);
    value >>= 8n;
  }
  return bytes;
}

/** Without leading zeros. */
export function toShortBytes(value: bigint): Uint8Array {
  let length = 0;
  while (value >> BigInt(8 * length) > 0n) length += 1;
  return toBytes(value, length);
}

export function putBig(words: Uint32Array, offset: number, value: bigint, count: number): void {
  for (let i = 0; i < count; i += 1) {
    words[offset + i] = Number((value >> BigInt(32 * i)) & 0xffff_ffffn);
  }
}

export function getBig(words: Uint32Array, offset: number, count: number): bigint {
  let value = 0n;
  for (let i = count - 1; i >= 0; i -= 1) value = (value << 32n) | BigInt(words[offset + i]!);
  return value;
}

export interface RecordFields {
  /** The six u128 in the order of the record. */
  readonly wide: readonly bigint[];
  readonly userData64: bigint;
  readonly userData32: number;
  readonly timeout: number;
  readonly ledger: number;
  readonly code: number;
  readonly flags: number;
  readonly timestamp: bigint;
}

/** A transfer or account record, by the layout's words: 0, 4 .. 20, 24, 26 .. 30. */
export function packRecord(fields: RecordFields, words = new Uint32Array(RECORD_WORDS), base = 0) {
  fields.wide.forEach((value, i) => {
    putBig(words, base + 4 * i, value, 4);
  });
  putBig(words, base + 24, fields.userData64, 2);
  words[base + 26] = fields.userData32;
  words[base + 27] = fields.timeout;
  words[base + 28] = fields.ledger;
  words[base + 29] = fields.code + fields.flags * 0x1_0000;
  putBig(words, base + 30, fields.timestamp, 2);
  return words;
}

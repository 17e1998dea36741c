import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** The .proto files as protobufjs reads them: an implementation that knows nothing of ours. */
export const schema = protobuf.loadSync(
  ['ledger', 'cluster'].map((name) =>
    fileURLToPath(new URL(`../../proto/evenkeel/v1/${name}.proto`, import.meta.url)),
  ),
);

export type Plain = Record<string, unknown>;

export function encode(name: string, value: Plain): Buffer {
  const type = schema.lookupType(`evenkeel.v1.${name}`);
  return Buffer.from(type.encode(type.fromObject(value)).finish());
}

/** bytes as bigint, fixed64 as bigint, enums by name; absent fields are left out. */
export function decode(name: string, bytes: Uint8Array): Plain {
  const type = schema.lookupType(`evenkeel.v1.${name}`);
  return bigints(type.toObject(type.decode(bytes), { longs: String, enums: String })) as Plain;
}

function bigints(value: unknown, key = ''): unknown {
  if (value instanceof Uint8Array) {
    return value.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  }
  if (Array.isArray(value)) return value.map((item) => bigints(item));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, bigints(item, name)]),
    );
  }
  return /[Tt]imestamp|_64$/.test(key) ? BigInt(value as string) : value;
}

/** Big-endian, without leading zeros. */
export function toBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (; value > 0n; value >>= 8n) bytes.unshift(Number(value & 0xffn));
  return Uint8Array.from(bytes);
}

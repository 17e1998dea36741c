import { Encoder } from './encode.ts';
import { ClientError } from './error.ts';
import type {
  AccountQuery,
  AccountTransfersQuery,
  PageOptions,
  TransferQuery,
  WatchOptions,
} from './read-types.ts';

/** Requests of the calls that read (proto/evenkeel/v1/ledger.proto). */

const STATES = { pending: 1, posted: 2, voided: 3, expired: 4 } as const;
const SIDES = { debits: 1, credits: 2 } as const;
/** Of all fields but the token. */
const QUERY_BYTES_MAX = 4 * 18 + 3 * 9 + 10 * 6;

export function encodeAccountTransfersQuery(
  accountId: bigint,
  query: AccountTransfersQuery & PageOptions,
): Buffer {
  const encoder = newEncoder(query.pageToken);
  encoder.u128(0x0a, accountId, 'accountId');
  encoder.u64(0x11, query.from, 'from');
  encoder.u64(0x19, query.to, 'to');
  encoder.u32(0x20, query.reversed === true ? 1 : 0, '');
  encoder.u32(0x28, query.limit, 'limit');
  encodeUserData(encoder, query, [0x32, 0x39, 0x40]);
  if (query.code !== undefined) encoder.setU32(0x48, query.code, 'code');
  if (query.side !== undefined) encoder.u32(0x50, oneOf(SIDES, query.side, 'side'), 'side');
  encoder.u32(0x58, query.balances === true ? 1 : 0, '');
  encoder.bytes(0x62, query.pageToken);
  return encoder.finish();
}

/** `at`: 0n = now. */
export function encodeBalanceQuery(accountId: bigint, at: bigint): Buffer {
  const encoder = newEncoder();
  encoder.u128(0x0a, accountId, 'accountId');
  encoder.u64(0x11, at, 'at');
  return encoder.finish();
}

export function encodeAccountQuery(query: AccountQuery & PageOptions): Buffer {
  const encoder = newEncoder(query.pageToken);
  encodeShared(encoder, query);
  encoder.u32(0x40, query.reversed === true ? 1 : 0, '');
  encoder.u32(0x48, query.limit, 'limit');
  encoder.bytes(0x52, query.pageToken);
  return encoder.finish();
}

export function encodeTransferQuery(query: TransferQuery & PageOptions): Buffer {
  const encoder = newEncoder(query.pageToken);
  encodeShared(encoder, query);
  if (query.amountMin !== undefined) encoder.element(0x42, query.amountMin, 'amountMin');
  if (query.amountMax !== undefined) encoder.element(0x4a, query.amountMax, 'amountMax');
  if (query.pendingState !== undefined) {
    encoder.u32(0x50, oneOf(STATES, query.pendingState, 'pendingState'), 'pendingState');
  }
  encoder.u32(0x58, query.reversed === true ? 1 : 0, '');
  encoder.u32(0x60, query.limit, 'limit');
  encoder.bytes(0x6a, query.pageToken);
  return encoder.finish();
}

export function encodeWatch({ unit, after, cursor }: WatchOptions): Buffer {
  const encoder = newEncoder(cursor);
  encoder.u32(0x08, unit, 'unit');
  if (cursor === undefined) encoder.u64(0x11, after, 'after');
  encoder.bytes(0x1a, cursor);
  return encoder.finish();
}

/** A condition that isn't known must not go unsent: the answer would hold what it was to leave out. */
function oneOf<Name extends string>(
  numbers: Readonly<Record<Name, number>>,
  name: Name,
  field: string,
): number {
  if (Object.hasOwn(numbers, name)) return numbers[name];
  const known = Object.keys(numbers).join(', ');
  throw new ClientError(
    'invalid_argument',
    `${field}: ${JSON.stringify(name)} is none of ${known}`,
  );
}

function newEncoder(token: Uint8Array = new Uint8Array(0)): Encoder {
  return new Encoder(QUERY_BYTES_MAX + 6 + token.length);
}

/** Fields 1 to 7 of both queries. */
function encodeShared(encoder: Encoder, query: AccountQuery): void {
  encodeUserData(encoder, query, [0x0a, 0x11, 0x18]);
  if (query.ledger !== undefined) encoder.setU32(0x20, query.ledger, 'ledger');
  if (query.code !== undefined) encoder.setU32(0x28, query.code, 'code');
  encoder.u64(0x31, query.from, 'from');
  encoder.u64(0x39, query.to, 'to');
}

function encodeUserData(
  encoder: Encoder,
  { userData128, userData64, userData32 }: AccountQuery,
  [tag128, tag64, tag32]: readonly [number, number, number],
): void {
  if (userData128 !== undefined) encoder.element(tag128, userData128, 'userData128');
  if (userData64 !== undefined) encoder.setU64(tag64, userData64, 'userData64');
  if (userData32 !== undefined) encoder.setU32(tag32, userData32, 'userData32');
}

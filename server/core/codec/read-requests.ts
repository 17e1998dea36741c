import type { PendingState } from '../../../ledger/layout.ts';
import type { AccountQuery, AccountTransfersRequest, TransferQuery } from '../gateway/api.ts';
import { READ_ROWS_MAX } from '../limits.ts';
import {
  ACCOUNT_BALANCE_FIELDS,
  ACCOUNT_BALANCE_WIRE_TYPES,
  ACCOUNT_TRANSFERS_FIELDS,
  ACCOUNT_TRANSFERS_WIRE_TYPES,
  QUERY_ACCOUNTS_FIELDS,
  QUERY_ACCOUNTS_WIRE_TYPES,
  QUERY_TRANSFERS_FIELDS,
  QUERY_TRANSFERS_WIRE_TYPES,
  WATCH_FIELDS,
  WATCH_WIRE_TYPES,
} from './read-fields.ts';
import { invalid, Reader } from './reader.ts';

/**
 * Requests that read. Each throws EvenkeelError 'invalid_request' and nothing else, whatever the bytes; also
 * for a filter that nothing can meet, which would otherwise look like books without such a row.
 */

export interface DecodedBalanceQuery {
  readonly accountId: Uint32Array;
  /** 0n = now. */
  readonly timestamp: bigint;
}

export interface DecodedWatch {
  readonly unit: number;
  readonly afterTimestamp: bigint;
  readonly cursor: Uint8Array;
}

const TIMESTAMP_MAX = 2n ** 63n - 1n;
const PENDING_STATE_MAX = 4;
const SIDES = [undefined, 'debits', 'credits'] as const;

/** What a filter's fields become before they are checked. */
type Draft = { -readonly [Key in keyof TransferQuery]: TransferQuery[Key] };

export function decodeAccountTransfers(bytes: Uint8Array): AccountTransfersRequest {
  const reader = new Reader(bytes, ACCOUNT_TRANSFERS_FIELDS);
  const draft = newDraft();
  const accountId = new Uint32Array(4);
  let side = 0;
  let balances = false;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === 0x0a) reader.u128(accountId, 0);
    else if (tag === 0x11) draft.fromTimestamp = u64(reader);
    else if (tag === 0x19) draft.toTimestamp = u64(reader);
    else if (tag === 0x20) draft.reversed = reader.bool();
    else if (tag === 0x28) draft.limit = reader.varint();
    else if (tag === 0x32) draft.userData128 = u128(reader);
    else if (tag === 0x39) draft.userData64 = u64(reader);
    else if (tag === 0x40) draft.userData32 = reader.varint();
    else if (tag === 0x48) draft.code = code(reader);
    else if (tag === 0x50) side = oneOf(reader, SIDES.length - 1);
    else if (tag === 0x58) balances = reader.bool();
    else if (tag === 0x62) draft.pageToken = reader.bytesField();
    else reader.refuseTag(ACCOUNT_TRANSFERS_WIRE_TYPES);
  }
  const which = SIDES[side];
  const query = { ...checked(draft), accountId, balances };
  return which === undefined ? query : { ...query, side: which };
}

export function decodeAccountBalance(bytes: Uint8Array): DecodedBalanceQuery {
  const reader = new Reader(bytes, ACCOUNT_BALANCE_FIELDS);
  const accountId = new Uint32Array(4);
  let timestamp = 0n;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === 0x0a) reader.u128(accountId, 0);
    else if (tag === 0x11) timestamp = u64(reader);
    else reader.refuseTag(ACCOUNT_BALANCE_WIRE_TYPES);
  }
  checkTimestamp('timestamp', timestamp);
  return { accountId, timestamp };
}

export function decodeQueryAccounts(bytes: Uint8Array): AccountQuery {
  const reader = new Reader(bytes, QUERY_ACCOUNTS_FIELDS);
  const draft = newDraft();
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (readShared(reader, tag, draft)) continue;
    if (tag === 0x40) draft.reversed = reader.bool();
    else if (tag === 0x48) draft.limit = reader.varint();
    else if (tag === 0x52) draft.pageToken = reader.bytesField();
    else reader.refuseTag(QUERY_ACCOUNTS_WIRE_TYPES);
  }
  return checked(draft);
}

export function decodeQueryTransfers(bytes: Uint8Array): TransferQuery {
  const reader = new Reader(bytes, QUERY_TRANSFERS_FIELDS);
  const draft = newDraft();
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (readShared(reader, tag, draft)) continue;
    if (tag === 0x42) draft.amountMin = u128(reader);
    else if (tag === 0x4a) draft.amountMax = u128(reader);
    else if (tag === 0x50) draft.pendingState = oneOf(reader, PENDING_STATE_MAX) as PendingState;
    else if (tag === 0x58) draft.reversed = reader.bool();
    else if (tag === 0x60) draft.limit = reader.varint();
    else if (tag === 0x6a) draft.pageToken = reader.bytesField();
    else reader.refuseTag(QUERY_TRANSFERS_WIRE_TYPES);
  }
  const { amountMin, amountMax } = draft;
  if (amountMin !== undefined && amountMax !== undefined && amountMin > amountMax) {
    throw invalid('amount_min: above amount_max');
  }
  return checked(draft);
}

export function decodeWatch(bytes: Uint8Array): DecodedWatch {
  const reader = new Reader(bytes, WATCH_FIELDS);
  let unit = 0;
  let afterTimestamp = 0n;
  let cursor = new Uint8Array(0) as Uint8Array;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === 0x08) unit = reader.varint();
    else if (tag === 0x11) afterTimestamp = u64(reader);
    else if (tag === 0x1a) cursor = reader.bytesField();
    else reader.refuseTag(WATCH_WIRE_TYPES);
  }
  if (unit === 0) throw invalid('unit: 0, units are numbered from 1');
  checkTimestamp('after_timestamp', afterTimestamp);
  if (cursor.length > 0 && afterTimestamp !== 0n) {
    throw invalid('cursor: excludes after_timestamp');
  }
  return { unit, afterTimestamp, cursor };
}

function newDraft(): Draft {
  return { fromTimestamp: 0n, toTimestamp: 0n, reversed: false, limit: 0 };
}

/** Fields 1 to 7 of both queries. */
function readShared(reader: Reader, tag: number, draft: Draft): boolean {
  if (tag === 0x0a) draft.userData128 = u128(reader);
  else if (tag === 0x11) draft.userData64 = u64(reader);
  else if (tag === 0x18) draft.userData32 = reader.varint();
  else if (tag === 0x20) draft.ledger = notZero(reader, reader.varint());
  else if (tag === 0x28) draft.code = code(reader);
  else if (tag === 0x31) draft.fromTimestamp = u64(reader);
  else if (tag === 0x39) draft.toTimestamp = u64(reader);
  else return false;
  return true;
}

function checked(draft: Draft): TransferQuery {
  const { fromTimestamp, limit } = draft;
  const toTimestamp = draft.toTimestamp || TIMESTAMP_MAX;
  checkTimestamp('from_timestamp', fromTimestamp);
  checkTimestamp('to_timestamp', toTimestamp);
  if (fromTimestamp > toTimestamp) throw invalid('from_timestamp: after to_timestamp');
  if (limit > READ_ROWS_MAX) throw invalid(`limit: ${limit}, at most ${READ_ROWS_MAX}`);
  return { ...draft, toTimestamp, limit: limit === 0 ? READ_ROWS_MAX : limit };
}

function checkTimestamp(name: string, timestamp: bigint): void {
  if (timestamp > TIMESTAMP_MAX) throw invalid(`${name}: above 2^63-1`);
}

function code(reader: Reader): number {
  return notZero(reader, reader.uint16());
}

/** Set to 0, which no record has: to ask for any, the field is left out. */
function notZero(reader: Reader, value: number): number {
  if (value === 0) reader.fail('0 is met by nothing; leave the field out for any');
  return value;
}

function oneOf(reader: Reader, max: number): number {
  const value = reader.varint();
  if (value > max) reader.fail(`${value} is not known, at most ${max}`);
  return value;
}

function u64(reader: Reader): bigint {
  const words = new Uint32Array(2);
  reader.fixed64(words, 0);
  return (BigInt(words[1]!) << 32n) | BigInt(words[0]!);
}

function u128(reader: Reader): bigint {
  const words = new Uint32Array(4);
  reader.u128(words, 0);
  let value = 0n;
  for (let word = 3; word >= 0; word -= 1) value = (value << 32n) | BigInt(words[word]!);
  return value;
}

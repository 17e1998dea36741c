import protobuf from 'protobufjs/minimal.js';
import { accountStatus, transferStatus } from './status.ts';
import type { Account, AccountResult, Balances, Transfer, TransferResult } from './types.ts';

/**
 * Responses from protobuf bytes (proto/evenkeel/v1/ledger.proto). Unknown fields are skipped: a newer server may
 * say more. Malformed bytes throw RangeError or Error.
 */
const PENDING_STATES = ['none', 'pending', 'posted', 'voided', 'expired'] as const;
const CREATED = 0xffff_ffff;
const ACCOUNT_EXISTS = 21;
const TRANSFER_EXISTS = 46;

export function decodeAccountResults(bytes: Uint8Array): AccountResult[] {
  return list(bytes, (reader, end) => {
    let status = 0;
    let timestamp = 0n;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === 0x08) status = reader.uint32();
      else if (tag === 0x11) timestamp = u64(reader);
      else reader.skipType(tag & 7);
    }
    const ok = status === CREATED || status === ACCOUNT_EXISTS;
    return { status: accountStatus(status), ok, timestamp };
  });
}

export function decodeTransferResults(bytes: Uint8Array): TransferResult[] {
  return list(bytes, (reader, end) => {
    let status = 0;
    let timestamp = 0n;
    let debitAccount: Balances | null = null;
    let creditAccount: Balances | null = null;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === 0x08) status = reader.uint32();
      else if (tag === 0x11) timestamp = u64(reader);
      else if (tag === 0x1a) debitAccount = balances(reader);
      else if (tag === 0x22) creditAccount = balances(reader);
      else reader.skipType(tag & 7);
    }
    const ok = status === CREATED || status === TRANSFER_EXISTS;
    const result = { status: transferStatus(status), ok, timestamp };
    if (debitAccount === null && creditAccount === null) return result;
    return {
      ...result,
      ...(debitAccount === null ? {} : { debitAccount }),
      ...(creditAccount === null ? {} : { creditAccount }),
    };
  });
}

export function decodeAccounts(bytes: Uint8Array): Account[] {
  return list(bytes, account);
}

export function decodeTransfers(bytes: Uint8Array): Transfer[] {
  return list(bytes, transfer);
}

/** All elements of field 1. */
function list<T>(bytes: Uint8Array, read: (reader: protobuf.Reader, end: number) => T): T[] {
  const reader = protobuf.Reader.create(bytes);
  const items: T[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 0x0a) items.push(read(reader, endOf(reader)));
    else reader.skipType(tag & 7);
  }
  return items;
}

export function account(reader: protobuf.Reader, end: number): Account {
  const wide = [0n, 0n, 0n, 0n, 0n, 0n];
  let userData64 = 0n;
  let timestamp = 0n;
  const narrow = [0, 0, 0, 0];
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    if (field >= 1 && field <= 6) wide[field - 1] = u128(reader);
    else if (tag === 0x39) userData64 = u64(reader);
    else if (field >= 8 && field <= 11) narrow[field - 8] = reader.uint32();
    else if (tag === 0x61) timestamp = u64(reader);
    else reader.skipType(tag & 7);
  }
  return {
    id: wide[0]!,
    debitsPending: wide[1]!,
    debitsPosted: wide[2]!,
    creditsPending: wide[3]!,
    creditsPosted: wide[4]!,
    ledger: narrow[1]!,
    code: narrow[2]!,
    flags: narrow[3]!,
    userData128: wide[5]!,
    userData64,
    userData32: narrow[0]!,
    timestamp,
  };
}

export function transfer(reader: protobuf.Reader, end: number): Transfer {
  const wide = [0n, 0n, 0n, 0n, 0n, 0n];
  let userData64 = 0n;
  let timestamp = 0n;
  let state = 0;
  let expiresTimestamp = 0n;
  const narrow = [0, 0, 0, 0, 0];
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    if (field >= 1 && field <= 6) wide[field - 1] = u128(reader);
    else if (tag === 0x39) userData64 = u64(reader);
    else if (field >= 8 && field <= 12) narrow[field - 8] = reader.uint32();
    else if (tag === 0x69) timestamp = u64(reader);
    else if (tag === 0x70) state = reader.uint32();
    else if (tag === 0x79) expiresTimestamp = u64(reader);
    else reader.skipType(tag & 7);
  }
  return {
    id: wide[0]!,
    debitAccountId: wide[1]!,
    creditAccountId: wide[2]!,
    amount: wide[3]!,
    ledger: narrow[2]!,
    code: narrow[3]!,
    pendingId: wide[4]!,
    timeout: narrow[1]!,
    flags: narrow[4]!,
    userData128: wide[5]!,
    userData64,
    userData32: narrow[0]!,
    timestamp,
    pendingState: PENDING_STATES[state] ?? 'none',
    expiresTimestamp,
  };
}

export function balances(reader: protobuf.Reader): Balances {
  const wide = [0n, 0n, 0n, 0n];
  const end = endOf(reader);
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = tag >>> 3;
    if (field >= 1 && field <= 4) wide[field - 1] = u128(reader);
    else reader.skipType(tag & 7);
  }
  return {
    debitsPending: wide[0]!,
    debitsPosted: wide[1]!,
    creditsPending: wide[2]!,
    creditsPosted: wide[3]!,
  };
}

export function endOf(reader: protobuf.Reader): number {
  const length = reader.uint32();
  return reader.pos + length;
}

export function u64(reader: protobuf.Reader): bigint {
  const low = reader.fixed32();
  return (BigInt(reader.fixed32()) << 32n) | BigInt(low);
}

export function u128(reader: protobuf.Reader): bigint {
  const bytes = reader.bytes();
  let value = 0n;
  let at = 0;
  while (at < bytes.length) {
    const head = (bytes.length - at) % 6 || 6;
    let part = 0;
    for (let i = 0; i < head; i += 1) part = part * 256 + bytes[at + i]!;
    value = at === 0 ? BigInt(part) : (value << 48n) | BigInt(part);
    at += head;
  }
  return value;
}

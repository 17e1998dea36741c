import protobuf from 'protobufjs/minimal.js';
import { account, balances, endOf, transfer, u64, u128 } from './decode.ts';
import type { LedgerEvent } from './read-types.ts';
import type { Account, Balances, Transfer } from './types.ts';

const SIDES = ['both', 'debit', 'credit'] as const;
const KINDS = [
  null,
  'account_created',
  'transfer',
  'pending',
  'posted',
  'voided',
  'expired',
] as const;

/** WatchEventsResponse. Events of a kind that a newer server may know are left out. */
export function decodeEvents(bytes: Uint8Array): LedgerEvent[] {
  const reader = protobuf.Reader.create(bytes);
  const events: LedgerEvent[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag !== 0x0a) {
      reader.skipType(tag & 7);
      continue;
    }
    const event = eventOf(readFields(reader, endOf(reader)));
    if (event !== null) events.push(event);
  }
  return events;
}

interface Fields {
  kind: number;
  timestamp: bigint;
  cursor: Uint8Array;
  account: Account | null;
  transfer: Transfer | null;
  requestedAmount: bigint | null;
  pendingTransfer: Transfer | null;
  side: number;
  debitAccount: Balances | null;
  creditAccount: Balances | null;
}

function readFields(reader: protobuf.Reader, end: number): Fields {
  const fields: Fields = {
    kind: 0,
    timestamp: 0n,
    cursor: new Uint8Array(0),
    account: null,
    transfer: null,
    requestedAmount: null,
    pendingTransfer: null,
    side: 0,
    debitAccount: null,
    creditAccount: null,
  };
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 0x08) fields.kind = reader.uint32();
    else if (tag === 0x11) fields.timestamp = u64(reader);
    else if (tag === 0x1a) fields.cursor = Uint8Array.from(reader.bytes());
    else if (tag === 0x22) fields.account = account(reader, endOf(reader));
    else if (tag === 0x2a) fields.transfer = transfer(reader, endOf(reader));
    else if (tag === 0x32) fields.requestedAmount = u128(reader);
    else if (tag === 0x3a) fields.pendingTransfer = transfer(reader, endOf(reader));
    else if (tag === 0x40) fields.side = reader.uint32();
    else if (tag === 0x4a) fields.debitAccount = balances(reader);
    else if (tag === 0x52) fields.creditAccount = balances(reader);
    else reader.skipType(tag & 7);
  }
  return fields;
}

function eventOf(fields: Fields): LedgerEvent | null {
  const { timestamp, cursor, debitAccount, creditAccount, pendingTransfer } = fields;
  const kind = KINDS[fields.kind] ?? null;
  if (kind === null) return null;
  if (kind === 'account_created') {
    return { kind, timestamp, cursor, account: present(fields.account, 'account') };
  }
  const side = SIDES[fields.side] ?? 'both';
  const shared = { timestamp, cursor, side, debitAccount, creditAccount };
  if (kind === 'expired') {
    return { ...shared, kind, pendingTransfer: present(pendingTransfer, 'pending transfer') };
  }
  const booked = present(fields.transfer, 'transfer');
  const requestedAmount = fields.requestedAmount ?? booked.amount;
  return { ...shared, kind, transfer: booked, requestedAmount, pendingTransfer };
}

function present<T>(value: T | null, what: string): T {
  if (value === null) throw new Error(`event without its ${what}`);
  return value;
}

import protobuf from 'protobufjs/minimal.js';
import { account, balances, endOf, transfer, u64 } from './decode.ts';
import type {
  AccountBalance,
  AccountTransfer,
  AccountTransfers,
  BookedTransfer,
  Page,
} from './read-types.ts';
import type { Account, Balances, Transfer } from './types.ts';

/** Responses of the calls that read. Unknown fields are skipped. */

export function decodeAccountTransfers(bytes: Uint8Array): AccountTransfers {
  const reader = protobuf.Reader.create(bytes);
  let owner: Account | null = null;
  let nextPageToken: Uint8Array | null = null;
  const transfers: AccountTransfer[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 0x0a) owner = account(reader, endOf(reader));
    else if (tag === 0x12) transfers.push(booked(reader, endOf(reader)));
    else if (tag === 0x1a) nextPageToken = token(reader);
    else reader.skipType(tag & 7);
  }
  if (owner === null) throw new Error('response without an account');
  return { account: owner, transfers, nextPageToken };
}

export function decodeAccountPage(bytes: Uint8Array): Page<Account> {
  return page(bytes, account);
}

export function decodeTransferPage(bytes: Uint8Array): Page<BookedTransfer> {
  return page(bytes, booked);
}

export function decodeAccountBalance(bytes: Uint8Array): AccountBalance {
  const reader = protobuf.Reader.create(bytes);
  let found: Balances | null = null;
  let ledger = 0;
  let final = false;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 0x0a) found = balances(reader);
    else if (tag === 0x10) ledger = reader.uint32();
    else if (tag === 0x18) final = reader.bool();
    else reader.skipType(tag & 7);
  }
  if (found === null) throw new Error('response without balances');
  return { ...found, ledger, final };
}

/** Rows in field 1, the token in field 2. */
function page<T>(bytes: Uint8Array, read: (reader: protobuf.Reader, end: number) => T): Page<T> {
  const reader = protobuf.Reader.create(bytes);
  const rows: T[] = [];
  let nextPageToken: Uint8Array | null = null;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 0x0a) rows.push(read(reader, endOf(reader)));
    else if (tag === 0x12) nextPageToken = token(reader);
    else reader.skipType(tag & 7);
  }
  return { rows, nextPageToken };
}

/** Not a view of the response, which would be kept for it. */
function token(reader: protobuf.Reader): Uint8Array | null {
  const bytes = Uint8Array.from(reader.bytes());
  return bytes.length === 0 ? null : bytes;
}

function booked(reader: protobuf.Reader, end: number): AccountTransfer {
  let row: Transfer | null = null;
  let bookedTimestamp = 0n;
  let after: Balances | null = null;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === 0x0a) row = transfer(reader, endOf(reader));
    else if (tag === 0x11) bookedTimestamp = u64(reader);
    else if (tag === 0x1a) after = balances(reader);
    else reader.skipType(tag & 7);
  }
  if (row === null) throw new Error('row without a transfer');
  return { ...row, bookedTimestamp, ...(after === null ? {} : { balances: after }) };
}

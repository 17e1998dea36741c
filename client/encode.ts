import { ClientError } from './error.ts';
import type { Ledger, NewAccount, NewTransfer } from './types.ts';

/** Requests as protobuf bytes (proto/evenkeel/v1/ledger.proto), hand-written: a transfer takes well under 1 us. */

/** Most events that a request may have. */
const EVENTS_MAX = 8_190;
/** The longest event: tag and length, six u128, two u64, three u32, two u16. */
const EVENT_BYTES_MAX = 3 + 6 * 18 + 2 * 9 + 3 * 6 + 2 * 4;
const BALANCES_BYTES = 2;
const U64_MAX = 2n ** 64n - 1n;
const U128_MAX = 2n ** 128n - 1n;

/** CreateTransfersRequest of one transfer, after `headerBytes` that are left to the caller. */
export function encodeTransfer(
  transfer: NewTransfer,
  balances: boolean,
  headerBytes: number,
): Buffer {
  const encoder = new Encoder(headerBytes + EVENT_BYTES_MAX + BALANCES_BYTES);
  encoder.pos = headerBytes;
  encoder.transfer(transfer, 'transfer');
  if (balances) encoder.u32(0x10, 1, '');
  return encoder.finish();
}

export function encodeTransfers(transfers: readonly NewTransfer[], balances: boolean): Buffer {
  checkCount('transfers', transfers.length);
  const encoder = new Encoder(transfers.length * EVENT_BYTES_MAX + BALANCES_BYTES);
  transfers.forEach((transfer, i) => {
    encoder.transfer(transfer, `transfers[${i}]`);
  });
  if (balances) encoder.u32(0x10, 1, '');
  return encoder.finish();
}

export function encodeAccounts(accounts: readonly NewAccount[]): Buffer {
  checkCount('accounts', accounts.length);
  const encoder = new Encoder(accounts.length * EVENT_BYTES_MAX);
  accounts.forEach((account, i) => {
    encoder.account(account, `accounts[${i}]`);
  });
  return encoder.finish();
}

export function encodeIds(ids: readonly bigint[]): Buffer {
  checkCount('ids', ids.length);
  const encoder = new Encoder(ids.length * 18);
  ids.forEach((id, i) => {
    encoder.element(0x0a, id, `ids[${i}]`);
  });
  return encoder.finish();
}

/** CreateLedgerRequest of proto/evenkeel/v1/cluster.proto. */
export function encodeLedger({ number, currency, scale }: Ledger): Buffer {
  const name = Buffer.from(currency, 'utf8');
  const encoder = new Encoder(3 * 6 + name.length);
  encoder.u32(0x08, number, 'number');
  encoder.u32(0x18, scale, 'scale');
  encoder.bytes(0x12, name);
  return encoder.finish();
}

function checkCount(what: string, count: number): void {
  if (count >= 1 && count <= EVENTS_MAX) return;
  throw new ClientError('invalid_argument', `${what}: ${count}, must be 1 .. ${EVENTS_MAX}`);
}

const scratch = new DataView(new ArrayBuffer(16));
const scratchBytes = new Uint8Array(scratch.buffer);

export class Encoder {
  pos = 0;
  readonly #bytes: Buffer;

  constructor(capacityBytes: number) {
    this.#bytes = Buffer.allocUnsafe(capacityBytes);
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.pos);
  }

  transfer(transfer: NewTransfer, path: string): void {
    const start = this.#open();
    this.u128(0x0a, transfer.id, path, 'id');
    this.u128(0x12, transfer.debitAccountId, path, 'debitAccountId');
    this.u128(0x1a, transfer.creditAccountId, path, 'creditAccountId');
    this.u128(0x22, transfer.amount, path, 'amount');
    this.u128(0x2a, transfer.pendingId, path, 'pendingId');
    this.u128(0x32, transfer.userData128, path, 'userData128');
    this.u64(0x39, transfer.userData64, path, 'userData64');
    this.u32(0x40, transfer.userData32, path, 'userData32');
    this.u32(0x48, transfer.timeout, path, 'timeout');
    this.u32(0x50, transfer.ledger, path, 'ledger');
    this.u32(0x58, transfer.code, path, 'code', 0xffff);
    this.u32(0x60, transfer.flags, path, 'flags', 0xffff);
    this.u64(0x69, transfer.timestamp, path, 'timestamp');
    this.#close(start);
  }

  account(account: NewAccount, path: string): void {
    const start = this.#open();
    this.u128(0x0a, account.id, path, 'id');
    this.u128(0x32, account.userData128, path, 'userData128');
    this.u64(0x39, account.userData64, path, 'userData64');
    this.u32(0x40, account.userData32, path, 'userData32');
    this.u32(0x48, account.ledger, path, 'ledger');
    this.u32(0x50, account.code, path, 'code', 0xffff);
    this.u32(0x58, account.flags, path, 'flags', 0xffff);
    this.u64(0x61, account.timestamp, path, 'timestamp');
    this.#close(start);
  }

  /** Nothing if 0 or absent. Eight bytes where that is enough. */
  u128(tag: number, value: bigint | undefined, path: string, name?: string): void {
    if (value === undefined || value === 0n) return;
    this.element(tag, value, path, name);
  }

  /** Also if 0: of a list. */
  element(tag: number, value: bigint, path: string, name?: string): void {
    if (typeof value !== 'bigint' || value < 0n || value > U128_MAX) {
      refuse(path, name, value, 'a bigint, 0 .. 2^128-1');
    }
    // A DataView writes a BigInt several times as fast as a Buffer does. It takes the low 64 bits.
    scratch.setBigUint64(8, value);
    let from = 8;
    if (value > U64_MAX) {
      scratch.setBigUint64(0, value >> 64n);
      from = 0;
    }
    const bytes = this.#bytes;
    let { pos } = this;
    bytes[pos] = tag;
    bytes[pos + 1] = 16 - from;
    pos += 2;
    for (; from < 16; from += 1) {
      bytes[pos] = scratchBytes[from]!;
      pos += 1;
    }
    this.pos = pos;
  }

  u64(tag: number, value: bigint | undefined, path: string, name?: string): void {
    if (value === undefined || value === 0n) return;
    this.setU64(tag, value, path, name);
  }

  /** Also if 0. */
  setU64(tag: number, value: bigint, path: string, name?: string): void {
    if (typeof value !== 'bigint' || value < 0n || value > U64_MAX) {
      refuse(path, name, value, 'a bigint, 0 .. 2^64-1');
    }
    this.#bytes[this.pos] = tag;
    this.#bytes.writeBigUInt64LE(value, this.pos + 1);
    this.pos += 9;
  }

  u32(
    tag: number,
    value: number | undefined,
    path: string,
    name?: string,
    max = 0xffff_ffff,
  ): void {
    if (value === undefined || value === 0) return;
    this.setU32(tag, value, path, name, max);
  }

  /** Also if 0. */
  setU32(tag: number, value: number, path: string, name?: string, max = 0xffff_ffff): void {
    if (!Number.isInteger(value) || value < 0 || value > max) {
      refuse(path, name, value, `an integer, 0 .. ${max}`);
    }
    const bytes = this.#bytes;
    let { pos } = this;
    bytes[pos] = tag;
    pos += 1;
    while (value > 0x7f) {
      bytes[pos] = value | 0x80;
      pos += 1;
      value >>>= 7;
    }
    bytes[pos] = value;
    this.pos = pos + 1;
  }

  /** Nothing if empty or absent. */
  bytes(tag: number, value: Uint8Array | undefined): void {
    if (value === undefined || value.length === 0) return;
    this.setU32(tag, value.length, '');
    this.#bytes.set(value, this.pos);
    this.pos += value.length;
  }

  /** An event: field 1 of its request. Its length, one byte or two, is known at the end. */
  #open(): number {
    this.#bytes[this.pos] = 0x0a;
    this.pos += 2;
    return this.pos;
  }

  #close(start: number): void {
    const bytes = this.#bytes;
    const length = this.pos - start;
    if (length < 0x80) {
      bytes[start - 1] = length;
      return;
    }
    bytes.copyWithin(start + 1, start, this.pos);
    bytes[start - 1] = length | 0x80;
    bytes[start] = length >>> 7;
    this.pos += 1;
  }
}

function refuse(path: string, name: string | undefined, value: unknown, expected: string): never {
  const field = name === undefined ? path : `${path}.${name}`;
  throw new ClientError('invalid_argument', `${field}: ${String(value)}, must be ${expected}`);
}

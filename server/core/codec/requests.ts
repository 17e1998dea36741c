import {
  AccountWord,
  EVENTS_PER_REQUEST_MAX,
  RECORD_WORDS,
  TransferWord,
} from '../../../ledger/layout.ts';
import {
  ACCOUNT_FIELDS,
  ACCOUNT_WIRE_TYPES,
  AccountTag,
  CREATE_ACCOUNTS_FIELDS,
  CREATE_ACCOUNTS_WIRE_TYPES,
  CREATE_TRANSFERS_FIELDS,
  CREATE_TRANSFERS_WIRE_TYPES,
  LOOKUP_FIELDS,
  LOOKUP_WIRE_TYPES,
  TRANSFER_FIELDS,
  TRANSFER_WIRE_TYPES,
  TransferTag,
} from './fields.ts';
import { invalid, Reader } from './reader.ts';
import { Slab } from './slab.ts';

/**
 * Requests, from protobuf bytes straight into packed words: no object per event, no BigInt. Each
 * throws EvenkeelError 'invalid_request' and nothing else, whatever the bytes.
 */

export interface DecodedTransfers {
  /** count x RECORD_WORDS */
  readonly records: Uint32Array;
  readonly count: number;
  readonly balances: boolean;
}

export interface DecodedAccounts {
  /** count x RECORD_WORDS */
  readonly records: Uint32Array;
  readonly count: number;
}

export interface DecodedIds {
  /** count x 4 words */
  readonly ids: Uint32Array;
  readonly count: number;
}

const EVENTS_TAG = 0x0a;
const BALANCES_TAG = 0x10;

export function decodeCreateTransfers(bytes: Uint8Array, slab = new Slab()): DecodedTransfers {
  const reader = new Reader(bytes, CREATE_TRANSFERS_FIELDS);
  const count = countEvents(reader, 'transfers', BALANCES_TAG, CREATE_TRANSFERS_WIRE_TYPES);
  const records = slab.take(count * RECORD_WORDS);
  let balances = false;
  let index = 0;
  while (reader.pos < reader.end) {
    if (reader.tag() === BALANCES_TAG) {
      balances = reader.bool();
      continue;
    }
    reader.enterEvent('transfers', index, TRANSFER_FIELDS);
    readTransfer(reader, records, index * RECORD_WORDS);
    reader.leaveEvent(CREATE_TRANSFERS_FIELDS);
    index += 1;
  }
  return { records, count, balances };
}

export function decodeCreateAccounts(bytes: Uint8Array): DecodedAccounts {
  const reader = new Reader(bytes, CREATE_ACCOUNTS_FIELDS);
  const count = countEvents(reader, 'accounts', 0, CREATE_ACCOUNTS_WIRE_TYPES);
  const records = new Uint32Array(count * RECORD_WORDS);
  for (let index = 0; index < count; index += 1) {
    reader.tag();
    reader.enterEvent('accounts', index, ACCOUNT_FIELDS);
    readAccount(reader, records, index * RECORD_WORDS);
    reader.leaveEvent(CREATE_ACCOUNTS_FIELDS);
  }
  return { records, count };
}

/** LookupAccountsRequest and LookupTransfersRequest alike. */
export function decodeLookup(bytes: Uint8Array): DecodedIds {
  const reader = new Reader(bytes, LOOKUP_FIELDS);
  const count = countEvents(reader, 'ids', 0, LOOKUP_WIRE_TYPES);
  const ids = new Uint32Array(count * 4);
  for (let index = 0; index < count; index += 1) {
    reader.tag();
    reader.u128(ids, index * 4);
  }
  return { ids, count };
}

/**
 * How many elements field 1 has; `otherTag` is a varint field that may stand between them (0 = none).
 * Every tag of the outer message is checked here, so that the second pass need not.
 */
function countEvents(
  reader: Reader,
  list: string,
  otherTag: number,
  wireTypes: readonly number[],
): number {
  let count = 0;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === EVENTS_TAG) {
      reader.pos = reader.length();
      count += 1;
    } else if (tag === otherTag && tag !== 0) {
      reader.varint();
    } else {
      reader.refuseTag(wireTypes);
    }
  }
  if (count === 0) throw invalid(`${list}: none, at least 1`);
  if (count > EVENTS_PER_REQUEST_MAX) {
    throw invalid(`${list}: ${count}, at most ${EVENTS_PER_REQUEST_MAX}`);
  }
  reader.pos = 0;
  return count;
}

function readTransfer(reader: Reader, records: Uint32Array, base: number): void {
  let code = 0;
  let flags = 0;
  while (reader.pos < reader.end) {
    switch (reader.tag()) {
      case TransferTag.id:
        reader.u128(records, base + TransferWord.id);
        break;
      case TransferTag.debitAccountId:
        reader.u128(records, base + TransferWord.debitAccountId);
        break;
      case TransferTag.creditAccountId:
        reader.u128(records, base + TransferWord.creditAccountId);
        break;
      case TransferTag.amount:
        reader.u128(records, base + TransferWord.amount);
        break;
      case TransferTag.pendingId:
        reader.u128(records, base + TransferWord.pendingId);
        break;
      case TransferTag.userData128:
        reader.u128(records, base + TransferWord.userData128);
        break;
      case TransferTag.userData64:
        reader.fixed64(records, base + TransferWord.userData64);
        break;
      case TransferTag.userData32:
        records[base + TransferWord.userData32] = reader.varint();
        break;
      case TransferTag.timeout:
        records[base + TransferWord.timeout] = reader.varint();
        break;
      case TransferTag.ledger:
        records[base + TransferWord.ledger] = reader.varint();
        break;
      case TransferTag.code:
        code = reader.uint16();
        break;
      case TransferTag.flags:
        flags = reader.uint16();
        break;
      case TransferTag.timestamp:
        reader.fixed64(records, base + TransferWord.timestamp);
        break;
      default:
        reader.refuseTag(TRANSFER_WIRE_TYPES);
    }
  }
  records[base + TransferWord.codeAndFlags] = code | (flags << 16);
}

function readAccount(reader: Reader, records: Uint32Array, base: number): void {
  let code = 0;
  let flags = 0;
  while (reader.pos < reader.end) {
    switch (reader.tag()) {
      case AccountTag.id:
        reader.u128(records, base + AccountWord.id);
        break;
      case AccountTag.debitsPending:
        reader.u128(records, base + AccountWord.debitsPending);
        break;
      case AccountTag.debitsPosted:
        reader.u128(records, base + AccountWord.debitsPosted);
        break;
      case AccountTag.creditsPending:
        reader.u128(records, base + AccountWord.creditsPending);
        break;
      case AccountTag.creditsPosted:
        reader.u128(records, base + AccountWord.creditsPosted);
        break;
      case AccountTag.userData128:
        reader.u128(records, base + AccountWord.userData128);
        break;
      case AccountTag.userData64:
        reader.fixed64(records, base + AccountWord.userData64);
        break;
      case AccountTag.userData32:
        records[base + AccountWord.userData32] = reader.varint();
        break;
      case AccountTag.ledger:
        records[base + AccountWord.ledger] = reader.varint();
        break;
      case AccountTag.code:
        code = reader.uint16();
        break;
      case AccountTag.flags:
        flags = reader.uint16();
        break;
      case AccountTag.timestamp:
        reader.fixed64(records, base + AccountWord.timestamp);
        break;
      default:
        reader.refuseTag(ACCOUNT_WIRE_TYPES);
    }
  }
  records[base + AccountWord.codeAndFlags] = code | (flags << 16);
}

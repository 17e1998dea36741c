import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENTS_PER_REQUEST_MAX, RECORD_WORDS } from '../../../ledger/layout.ts';
import { EvenkeelError } from '../error.ts';
import { decodeCreateAccounts, decodeCreateTransfers, decodeLookup } from './requests.ts';
import { recordFields, u32, unsigned } from './testing/arbitrary.ts';
import {
  encode,
  getBig,
  packRecord,
  type RecordFields,
  toBytes,
  toShortBytes,
} from './testing/schema.ts';

const TRANSFER_WIDE = [
  'id',
  'debitAccountId',
  'creditAccountId',
  'amount',
  'pendingId',
  'userData_128',
];
const ACCOUNT_WIDE = [
  'id',
  'debitsPending',
  'debitsPosted',
  'creditsPending',
  'creditsPosted',
  'userData_128',
];

/** As protobufjs takes it; u128 in 16 bytes, or as short as it goes. */
function plain(fields: RecordFields, wide: readonly string[], short: boolean) {
  const bytes = short ? toShortBytes : toBytes;
  return {
    ...Object.fromEntries(wide.map((name, i) => [name, bytes(fields.wide[i]!)])),
    userData_64: fields.userData64.toString(),
    userData_32: fields.userData32,
    timeout: fields.timeout,
    ledger: fields.ledger,
    code: fields.code,
    flags: fields.flags,
    timestamp: fields.timestamp.toString(),
  };
}

function pack(events: readonly RecordFields[]): Uint32Array {
  const words = new Uint32Array(events.length * RECORD_WORDS);
  events.forEach((event, i) => {
    packRecord(event, words, i * RECORD_WORDS);
  });
  return words;
}

const events = fc.array(recordFields, { minLength: 1, maxLength: 4 });

function refusal(decode: () => unknown): string {
  try {
    decode();
  } catch (error) {
    expect(error).toBeInstanceOf(EvenkeelError);
    expect((error as EvenkeelError).code).toBe('invalid_request');
    return (error as EvenkeelError).message;
  }
  throw new Error('not refused');
}

describe('requests that protobufjs encodes', () => {
  it('decode to the packed transfers they hold', () => {
    fc.assert(
      fc.property(events, fc.boolean(), fc.boolean(), (transfers, balances, short) => {
        const bytes = encode('CreateTransfersRequest', {
          transfers: transfers.map((fields) => plain(fields, TRANSFER_WIDE, short)),
          balances,
        });
        const decoded = decodeCreateTransfers(bytes);
        expect(decoded.count).toBe(transfers.length);
        expect(decoded.balances).toBe(balances);
        expect(decoded.records).toEqual(pack(transfers));
      }),
    );
  });

  it('decode to the packed accounts they hold', () => {
    fc.assert(
      fc.property(events, fc.boolean(), (accounts, short) => {
        const withoutTimeout = accounts.map((fields) => ({ ...fields, timeout: 0 }));
        const bytes = encode('CreateAccountsRequest', {
          accounts: withoutTimeout.map((fields) => plain(fields, ACCOUNT_WIDE, short)),
        });
        const decoded = decodeCreateAccounts(bytes);
        expect(decoded.count).toBe(accounts.length);
        expect(decoded.records).toEqual(pack(withoutTimeout));
      }),
    );
  });

  it('decode to the ids they hold', () => {
    fc.assert(
      fc.property(fc.array(unsigned(16), { minLength: 1, maxLength: 5 }), (ids) => {
        const decoded = decodeLookup(
          encode('LookupAccountsRequest', { ids: ids.map(toShortBytes) }),
        );
        expect(decoded.count).toBe(ids.length);
        expect(ids.map((_, i) => getBig(decoded.ids, i * 4, 4))).toEqual(ids);
      }),
    );
  });
});

describe('protobuf rules', () => {
  it('takes the last of a repeated scalar, also when it is shorter', () => {
    const bytes = hex(`0a 15 0a 10 ${'ff '.repeat(16)} 0a 01 05`);
    expect([...decodeCreateTransfers(bytes).records.subarray(0, 4)]).toEqual([5, 0, 0, 0]);
    expect(decodeCreateTransfers(hex('10 01 0a 00 10 00')).balances).toBe(false);
  });

  it('takes fields in any order, and balances before, between or after events', () => {
    const { records, count, balances } = decodeCreateTransfers(
      hex('0a 05 58 07 0a 01 01 10 01 0a 03 0a 01 02'),
    );
    expect([count, balances, records[0], records[29], records[32]]).toEqual([2, true, 1, 7, 2]);
  });

  it('takes padded varints of up to five bytes', () => {
    const { records } = decodeCreateTransfers(hex('8a 00 87 80 80 80 00 d0 00 85 80 80 80 00'));
    expect(records[28]).toBe(5);
  });

  it('takes an empty event: the ledger judges it', () => {
    expect(decodeCreateTransfers(hex('0a 00')).records).toEqual(new Uint32Array(RECORD_WORDS));
  });
});

describe('malformed requests are refused by field and event', () => {
  const transfers = (count: number, last: string) =>
    hex(
      `${'0a 00 '.repeat(count - 1)}0a ${last.split(' ').length.toString(16).padStart(2, '0')} ${last}`,
    );
  const zeros = (count: number) => '00 '.repeat(count).trim();

  it.each([
    [transfers(4, `22 11 ${zeros(17)}`), 'transfers[3].amount: 17 bytes, at most 16'],
    [transfers(2, `0a 7f ${zeros(4)}`), 'transfers[1].id: truncated: 127 bytes announced, 4 left'],
    [transfers(1, '58 80 80 04'), 'transfers[0].code: 65536, at most 65535'],
    [transfers(1, '60 80 80 04'), 'transfers[0].flags: 65536, at most 65535'],
    [transfers(3, '82 01 00'), 'transfers[2]: unknown field 16'],
    [transfers(1, '00'), 'transfers[0]: unknown field 0'],
    [transfers(1, '08 01'), 'transfers[0].id: wire type 0, expected 2'],
    [transfers(1, '0b'), 'transfers[0].id: wire type 3, expected 2'],
    [transfers(1, '3a 00'), 'transfers[0].user_data_64: wire type 2, expected 1'],
    [transfers(1, '39 00 00'), 'transfers[0].user_data_64: truncated'],
    // The bytes that follow belong to the next event.
    [hex('0a 05 39 00 00 00 00 0a 02 58 01'), 'transfers[0].user_data_64: truncated'],
    [transfers(1, '50 80'), 'transfers[0].ledger: truncated'],
    [transfers(1, '50'), 'transfers[0].ledger: truncated'],
    [transfers(1, '50 ff ff ff ff 1f'), 'transfers[0].ledger: more than 32 bits'],
    [
      transfers(1, '50 81 80 80 80 80 80 80 80 80 00'),
      'transfers[0].ledger: varint of more than 5 bytes',
    ],
    [transfers(1, '80'), 'transfers[0]: truncated'],
    [transfers(1, '70 01'), 'transfers[0].pending_state: set by the ledger; leave it out'],
    [transfers(1, '79 01'), 'transfers[0].expires_timestamp: set by the ledger; leave it out'],
    [hex('0a'), 'transfers: truncated'],
    [hex('0a 05 00'), 'transfers: truncated: 5 bytes announced, 1 left'],
    [hex('0a 00 10'), 'balances: truncated'],
    [hex('0a 00 18 00'), 'unknown field 3'],
    [hex('12 00'), 'balances: wire type 2, expected 0'],
    [hex('08 00'), 'transfers: wire type 0, expected 2'],
    [hex(''), 'transfers: none, at least 1'],
    [hex('10 01'), 'transfers: none, at least 1'],
    [hex('0a 00 '.repeat(EVENTS_PER_REQUEST_MAX + 1)), 'transfers: 8191, at most 8190'],
  ])('%#: %s', (bytes, message) => {
    expect(refusal(() => decodeCreateTransfers(bytes))).toBe(message);
  });

  it.each([
    [hex('0a 00 0a 03 50 ff ff'), 'accounts[1].code: truncated'],
    [hex('0a 04 50 ff ff 04'), 'accounts[0].code: 81919, at most 65535'],
    [hex('0a 04 58 ff ff 04'), 'accounts[0].flags: 81919, at most 65535'],
    [hex('0a 02 6a 00'), 'accounts[0]: unknown field 13'],
    [hex('10 01'), 'unknown field 2'],
    [hex(''), 'accounts: none, at least 1'],
  ])('accounts %#: %s', (bytes, message) => {
    expect(refusal(() => decodeCreateAccounts(bytes))).toBe(message);
  });

  it.each([
    [hex(`0a 11 ${zeros(17)}`), 'ids: 17 bytes, at most 16'],
    [hex(''), 'ids: none, at least 1'],
    [hex('0a 00 '.repeat(EVENTS_PER_REQUEST_MAX + 1)), 'ids: 8191, at most 8190'],
  ])('ids %#: %s', (bytes, message) => {
    expect(refusal(() => decodeLookup(bytes))).toBe(message);
  });

  it('holds the largest u32', () => {
    fc.assert(
      fc.property(u32, (ledger) => {
        const bytes = encode('CreateTransfersRequest', { transfers: [{ ledger }] });
        expect(decodeCreateTransfers(bytes).records[28]).toBe(ledger);
      }),
    );
  });
});

function hex(text: string): Uint8Array {
  return Uint8Array.from(
    text.split(' ').filter((byte) => byte !== ''),
    (byte) => Number.parseInt(byte, 16),
  );
}

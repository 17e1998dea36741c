import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEvents } from './decode-events.ts';
import {
  decodeAccountBalance,
  decodeAccountPage,
  decodeAccountTransfers,
  decodeTransferPage,
} from './decode-reads.ts';
import {
  encodeAccountQuery,
  encodeAccountTransfersQuery,
  encodeBalanceQuery,
  encodeTransferQuery,
  encodeWatch,
} from './encode-reads.ts';
import type { AccountTransfersQuery, TransferQuery } from './read-types.ts';
import { decode, encode } from './testing/schema.ts';

const wide = fc.bigInt({ min: 0n, max: 2n ** 128n - 1n });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const token = fc.uint8Array({ minLength: 1, maxLength: 300 });
const shared = {
  from: u64,
  to: u64,
  reversed: fc.constant(true),
  userData128: wide,
  userData64: u64,
  userData32: u32,
  code: u32,
  limit: u32,
  pageToken: token,
};

const NAMES: Readonly<Record<string, string>> = {
  from: 'fromTimestamp',
  to: 'toTimestamp',
  userData128: 'userData_128',
  userData64: 'userData_64',
  userData32: 'userData_32',
};
/** What means nothing when it is 0, and so is not sent. */
const UNSET_IF_ZERO = ['from', 'to', 'limit'];

/** As protobufjs decodes it. */
function plain(query: object): object {
  return Object.fromEntries(
    Object.entries(query)
      .filter(([name, value]) => !(UNSET_IF_ZERO.includes(name) && BigInt(value as number) === 0n))
      .map(([name, value]) => [
        NAMES[name] ?? name,
        value instanceof Uint8Array
          ? value.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
          : value,
      ]),
  );
}

describe('requests that read', () => {
  it('of transfers hold the conditions that are set, also to 0', () => {
    const query = fc.record(
      { ...shared, ledger: u32, amountMin: wide, amountMax: wide },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(query, (conditions) => {
        const bytes = encodeTransferQuery(conditions);
        expect(decode('QueryTransfersRequest', bytes)).toEqual(plain(conditions));
      }),
    );
    expect(
      decode('QueryTransfersRequest', encodeTransferQuery({ pendingState: 'voided' })),
    ).toEqual({ pendingState: 'PENDING_STATE_VOIDED' });
  });

  it('of accounts do too', () => {
    fc.assert(
      fc.property(fc.record({ ...shared, ledger: u32 }, { requiredKeys: [] }), (conditions) => {
        const bytes = encodeAccountQuery(conditions);
        expect(decode('QueryAccountsRequest', bytes)).toEqual(plain(conditions));
      }),
    );
  });

  it("of an account's transfers too", () => {
    const query = fc.record({ ...shared, balances: fc.constant(true) }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 128n - 1n }), query, (accountId, conditions) => {
        const bytes = encodeAccountTransfersQuery(accountId, conditions);
        expect(decode('GetAccountTransfersRequest', bytes)).toEqual({
          accountId,
          ...plain(conditions),
        });
      }),
    );
    const bytes = encodeAccountTransfersQuery(1n, { side: 'credits' });
    expect(decode('GetAccountTransfersRequest', bytes)).toMatchObject({
      side: 'ACCOUNT_SIDE_CREDITS',
    });
  });

  it('are refused with a condition that is not known, which would be left out', () => {
    for (const side of ['debit', 'toString', '', null]) {
      const query = { side } as unknown as AccountTransfersQuery;
      expect(() => encodeAccountTransfersQuery(1n, query)).toThrow('[invalid_argument] side: ');
    }
    const query = { pendingState: 'none' } as unknown as TransferQuery;
    expect(() => encodeTransferQuery(query)).toThrow(
      '[invalid_argument] pendingState: "none" is none of pending, posted, voided, expired',
    );
  });

  it('of a balance and of events', () => {
    expect(decode('GetAccountBalanceRequest', encodeBalanceQuery(3n, 9n))).toEqual({
      accountId: 3n,
      timestamp: 9n,
    });
    expect(decode('WatchEventsRequest', encodeWatch({ unit: 2, after: 9n }))).toEqual({
      unit: 2,
      afterTimestamp: 9n,
    });
    const cursor = Uint8Array.of(1, 2);
    expect(decode('WatchEventsRequest', encodeWatch({ unit: 2, after: 9n, cursor }))).toEqual({
      unit: 2,
      cursor: 258n,
    });
  });
});

describe('responses of reads', () => {
  const row = { transfer: { id: [7], amount: [5] }, bookedTimestamp: '9' };
  const none = { debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n, creditsPosted: 0n };

  it('hold rows and the token of the next page, or null', () => {
    const accounts = { accounts: [{ id: [1], ledger: 978 }], nextPageToken: [1, 2] };
    expect(decodeAccountPage(encode('QueryAccountsResponse', accounts))).toMatchObject({
      rows: [{ id: 1n, ledger: 978 }],
      nextPageToken: Uint8Array.of(1, 2),
    });
    const transfers = { transfers: [row] };
    expect(decodeTransferPage(encode('QueryTransfersResponse', transfers))).toMatchObject({
      rows: [{ id: 7n, amount: 5n, bookedTimestamp: 9n, pendingState: 'none' }],
      nextPageToken: null,
    });
  });

  it('hold an account with its transfers, and balances where asked for', () => {
    const bytes = encode('GetAccountTransfersResponse', {
      account: { id: [1] },
      transfers: [{ ...row, balances: { debitsPosted: [3] } }, row],
      nextPageToken: [9],
    });
    const statement = decodeAccountTransfers(bytes);
    expect(statement).toMatchObject({
      account: { id: 1n },
      transfers: [{ id: 7n, bookedTimestamp: 9n, balances: { ...none, debitsPosted: 3n } }, {}],
      nextPageToken: Uint8Array.of(9),
    });
    expect(statement.transfers[1]).not.toHaveProperty('balances');
  });

  it('hold a balance', () => {
    const balance = { balances: { creditsPending: [2] }, ledger: 978, final: true };
    expect(decodeAccountBalance(encode('GetAccountBalanceResponse', balance))).toEqual({
      ...none,
      creditsPending: 2n,
      ledger: 978,
      final: true,
    });
  });

  it('hold events, without those of kinds that are not known', () => {
    const at = { timestamp: '4', cursor: [1] };
    const transfer = { id: [7], amount: [5] };
    const events = [
      { ...at, kind: 1, account: { id: [1] } },
      { ...at, kind: 2, transfer, side: 1, debitAccount: {} },
      { ...at, kind: 99 },
      { ...at, kind: 4, transfer, requestedAmount: [], pendingTransfer: { id: [6] } },
      { ...at, kind: 6, pendingTransfer: { id: [6], pendingState: 4 } },
    ];
    const decoded = decodeEvents(encode('WatchEventsResponse', { events }));
    const where = { timestamp: 4n, cursor: Uint8Array.of(1) };
    expect(decoded).toMatchObject([
      { ...where, kind: 'account_created', account: { id: 1n } },
      {
        ...where,
        kind: 'transfer',
        transfer: { id: 7n },
        requestedAmount: 5n,
        pendingTransfer: null,
        side: 'debit',
        debitAccount: none,
        creditAccount: null,
      },
      { kind: 'posted', requestedAmount: 0n, pendingTransfer: { id: 6n } },
      { kind: 'expired', pendingTransfer: { id: 6n, pendingState: 'expired' } },
    ]);
  });
});

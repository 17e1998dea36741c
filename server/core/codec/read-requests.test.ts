import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EvenkeelError } from '../error.ts';
import {
  decodeAccountBalance,
  decodeAccountTransfers,
  decodeQueryAccounts,
  decodeQueryTransfers,
  decodeWatch,
} from './read-requests.ts';
import { unsigned } from './testing/arbitrary.ts';
import { encode, getBig, toShortBytes } from './testing/schema.ts';

const TIMESTAMP_MAX = 2n ** 63n - 1n;
const time = fc.bigInt({ min: 0n, max: TIMESTAMP_MAX });
const limit = fc.integer({ min: 0, max: 8_190 });
const code = fc.integer({ min: 1, max: 65_535 });
const shared = fc.record(
  {
    userData128: unsigned(16),
    userData64: unsigned(8),
    userData32: fc.nat({ max: 0xffff_ffff }),
    ledger: fc.integer({ min: 1, max: 0xffff_ffff }),
    code,
    pageToken: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  },
  { requiredKeys: [] },
);

/** The fields as protobufjs takes them. */
function onTheWire(query: Record<string, unknown>): Record<string, unknown> {
  const { userData128, userData64, userData32, ...rest } = query;
  return {
    ...plain(rest),
    ...(userData128 === undefined ? {} : { userData_128: toShortBytes(userData128 as bigint) }),
    ...(userData64 === undefined ? {} : { userData_64: (userData64 as bigint).toString() }),
    ...(userData32 === undefined ? {} : { userData_32: userData32 }),
  };
}

function plain(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value !== 'bigint'
        ? value
        : /Timestamp$/.test(name)
          ? value.toString()
          : toShortBytes(value),
    ]),
  );
}

/** As the decoders give what is not set. */
function resolved(query: { toTimestamp: bigint; limit: number }): object {
  return {
    ...query,
    toTimestamp: query.toTimestamp === 0n ? TIMESTAMP_MAX : query.toTimestamp,
    limit: query.limit === 0 ? 8_190 : query.limit,
  };
}

const paged = fc.tuple(time, time, fc.boolean(), limit).map(([a, b, reversed, rows]) => {
  const [from, to] = a < b ? [a, b] : [b, a];
  return { fromTimestamp: from, toTimestamp: to, reversed, limit: rows };
});

describe('requests that read', () => {
  it('of accounts decode to the conditions that are set, 0 too', () => {
    fc.assert(
      fc.property(shared, paged, (conditions, how) => {
        const query = { ...conditions, ...how };
        const decoded = decodeQueryAccounts(encode('QueryAccountsRequest', onTheWire(query)));
        expect(decoded).toEqual(resolved(query));
      }),
    );
  });

  it('of transfers have bounds of the amount and a pending state too', () => {
    const more = fc.record(
      {
        amountMin: fc.bigInt({ min: 0n, max: 2n ** 64n }),
        amountMax: fc.bigInt({ min: 2n ** 64n, max: 2n ** 128n - 1n }),
        pendingState: fc.constantFrom(0, 1, 2, 3, 4),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(shared, more, paged, (conditions, bounds, how) => {
        const query = { ...conditions, ...bounds, ...how };
        const bytes = encode('QueryTransfersRequest', onTheWire(query));
        // Proto3 leaves an enum's 0 out.
        const { pendingState, ...decoded } = decodeQueryTransfers(bytes);
        const { pendingState: asked, ...rest } = query;
        expect(decoded).toEqual(resolved(rest));
        expect(pendingState ?? 0).toBe(asked ?? 0);
      }),
    );
  });

  it("of an account's transfers name the account, and its side if only one is wanted", () => {
    const sides = fc.constantFrom(undefined, 'debits' as const, 'credits' as const);
    fc.assert(
      fc.property(
        unsigned(16),
        shared,
        paged,
        sides,
        fc.boolean(),
        (accountId, all, how, side, balances) => {
          const conditions = { ...all };
          delete conditions.ledger;
          const query = { ...conditions, ...how };
          const bytes = encode('GetAccountTransfersRequest', {
            ...onTheWire({ ...query, accountId }),
            side: side === undefined ? 0 : side === 'debits' ? 1 : 2,
            balances,
          });
          const { accountId: words, ...decoded } = decodeAccountTransfers(bytes);
          expect(getBig(words, 0, 4)).toBe(accountId);
          expect(decoded).toEqual({
            ...resolved(query),
            balances,
            ...(side === undefined ? {} : { side }),
          });
        },
      ),
    );
  });

  it('of a balance and of events hold account and time, unit and cursor', () => {
    const query = { accountId: Uint8Array.of(7), timestamp: '9' };
    const { accountId, timestamp } = decodeAccountBalance(
      encode('GetAccountBalanceRequest', query),
    );
    expect([...accountId, timestamp]).toEqual([7, 0, 0, 0, 9n]);
    const watch = { unit: 3, cursor: Uint8Array.of(1, 2) };
    expect(decodeWatch(encode('WatchEventsRequest', watch))).toEqual({
      unit: 3,
      afterTimestamp: 0n,
      cursor: Uint8Array.of(1, 2),
    });
  });
});

describe('a filter that nothing can meet, or that says two things, is refused with the reason', () => {
  const PAST = (2n ** 63n).toString();

  it.each([
    [{ limit: 8_191 }, 'limit: 8191, at most 8190'],
    [{ fromTimestamp: '2', toTimestamp: '1' }, 'from_timestamp: after to_timestamp'],
    [{ fromTimestamp: PAST }, 'from_timestamp: above 2^63-1'],
    [{ toTimestamp: PAST }, 'to_timestamp: above 2^63-1'],
    [{ code: 0 }, 'code: 0 is met by nothing; leave the field out for any'],
    [{ code: 65_536 }, 'code: 65536, at most 65535'],
  ])('%o: %s', (query, message) => {
    const names = ['GetAccountTransfersRequest', 'QueryAccountsRequest', 'QueryTransfersRequest'];
    const decoders = [decodeAccountTransfers, decodeQueryAccounts, decodeQueryTransfers];
    decoders.forEach((decode, i) => {
      expect(refusal(() => decode(encode(names[i]!, query)))).toBe(message);
    });
  });

  it.each([
    [{ ledger: 0 }, 'ledger: 0 is met by nothing; leave the field out for any'],
    [{ amountMin: Uint8Array.of(2), amountMax: Uint8Array.of(1) }, 'amount_min: above amount_max'],
    [{ amountMax: new Uint8Array(17) }, 'amount_max: 17 bytes, at most 16'],
  ])('a query of transfers, %o: %s', (query, message) => {
    const bytes = encode('QueryTransfersRequest', query);
    expect(refusal(() => decodeQueryTransfers(bytes))).toBe(message);
  });

  it('an unknown side, an unknown state, a pending state of accounts', () => {
    expect(refusal(() => decodeAccountTransfers(Uint8Array.of(0x50, 3)))).toBe(
      'side: 3 is not known, at most 2',
    );
    expect(refusal(() => decodeQueryTransfers(Uint8Array.of(0x50, 5)))).toBe(
      'pending_state: 5 is not known, at most 4',
    );
    expect(refusal(() => decodeQueryAccounts(Uint8Array.of(0x58, 1)))).toBe('unknown field 11');
  });

  it.each([
    [{}, 'unit: 0, units are numbered from 1'],
    [{ unit: 1, afterTimestamp: PAST }, 'after_timestamp: above 2^63-1'],
    [
      { unit: 1, afterTimestamp: '1', cursor: Uint8Array.of(1) },
      'cursor: excludes after_timestamp',
    ],
  ])('events, %o: %s', (query, message) => {
    expect(refusal(() => decodeWatch(encode('WatchEventsRequest', query)))).toBe(message);
  });

  it('a time past 2^63-1', () => {
    const bytes = encode('GetAccountBalanceRequest', { timestamp: PAST });
    expect(refusal(() => decodeAccountBalance(bytes))).toBe('timestamp: above 2^63-1');
  });
});

function refusal(decode: () => unknown): string {
  try {
    decode();
  } catch (error) {
    if (error instanceof EvenkeelError && error.code === 'invalid_request') return error.message;
    throw error;
  }
  return 'it was taken';
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeAccountResults,
  decodeAccounts,
  decodeTransferResults,
  decodeTransfers,
} from './decode.ts';
import { decodeTopology } from './decode-topology.ts';
import { encode, toBytes } from './testing/schema.ts';

const wide = fc
  .integer({ min: 0, max: 16 })
  .chain((length) => fc.bigInt({ min: 0n, max: 2n ** BigInt(8 * length) - 1n }));
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

const shared = {
  id: wide,
  ledger: u32,
  code: u32,
  flags: u32,
  userData128: wide,
  userData64: u64,
  userData32: u32,
  timestamp: u64,
};
const balances = {
  debitsPending: wide,
  debitsPosted: wide,
  creditsPending: wide,
  creditsPosted: wide,
};
const account = fc.record({ ...shared, ...balances });
const transfer = fc.record({
  ...shared,
  debitAccountId: wide,
  creditAccountId: wide,
  amount: wide,
  pendingId: wide,
  timeout: u32,
  pendingState: fc.constantFrom('none', 'pending', 'posted', 'voided', 'expired'),
  expiresTimestamp: u64,
});

const SIXTY_FOUR = /[tT]imestamp$|64$/;

/** As protobufjs takes it. */
function plain(value: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const field = name.replace('userData', 'userData_');
      if (name === 'pendingState') return [field, `PENDING_STATE_${String(item).toUpperCase()}`];
      if (typeof item !== 'bigint') return [field, item];
      return [field, SIXTY_FOUR.test(name) ? item.toString() : toBytes(item)];
    }),
  );
}

describe('responses that protobufjs encodes', () => {
  it('decode to the accounts and transfers they hold', () => {
    fc.assert(
      fc.property(account, fc.array(transfer, { maxLength: 3 }), (owner, rows) => {
        const accounts = encode('LookupAccountsResponse', { accounts: [plain(owner)] });
        expect(decodeAccounts(accounts)).toEqual([owner]);
        const transfers = encode('LookupTransfersResponse', { transfers: rows.map(plain) });
        expect(decodeTransfers(transfers)).toEqual(rows);
      }),
    );
  });

  it('decode to the results they hold', () => {
    const results = [
      { status: -1, timestamp: '5', debitAccount: { debitsPosted: [1, 0] }, creditAccount: {} },
      { status: 46, timestamp: '18446744073709551615' },
      { status: 54, creditAccount: { creditsPending: [9] } },
      { status: 999 },
    ];
    const none = { debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n, creditsPosted: 0n };
    expect(decodeTransferResults(encode('CreateTransfersResponse', { results }))).toEqual([
      {
        status: 'created',
        ok: true,
        timestamp: 5n,
        debitAccount: { ...none, debitsPosted: 256n },
        creditAccount: none,
      },
      { status: 'exists', ok: true, timestamp: 2n ** 64n - 1n },
      {
        status: 'exceeds_credits',
        ok: false,
        timestamp: 0n,
        creditAccount: { ...none, creditsPending: 9n },
      },
      { status: 'status_999', ok: false, timestamp: 0n },
    ]);
    const accounts = [{ status: -1, timestamp: '7' }, { status: 21 }, { status: 46 }];
    expect(decodeAccountResults(encode('CreateAccountsResponse', { results: accounts }))).toEqual([
      { status: 'created', ok: true, timestamp: 7n },
      { status: 'exists', ok: true, timestamp: 0n },
      { status: 'status_46', ok: false, timestamp: 0n },
    ]);
  });

  it('may hold fields of a newer server', () => {
    const bytes = encode('CreateTransfersResponse', { results: [{ status: 46, timestamp: '3' }] });
    const newer = Buffer.concat([
      Buffer.of(0x7a, 2, 1, 2),
      Buffer.of(0x0a, bytes[1]! + 3),
      bytes.subarray(2),
      Buffer.of(0x7a, 1, 9),
    ]);
    expect(decodeTransferResults(newer)).toEqual([{ status: 'exists', ok: true, timestamp: 3n }]);
  });

  it('decode to the topology they hold', () => {
    const unit = {
      id: 3,
      slotCount: 7,
      slots: [
        { first: 1, last: 4 },
        { first: 1_021, last: 1_023 },
      ],
      leaderServerId: 2,
      term: 9,
      commitIndex: 2 ** 45,
      appliedIndex: 2 ** 45 - 1,
      booksIndex: 2 ** 33,
      lastIndex: 2 ** 45 + 1,
      executionDigest: 'c0ffee',
      voters: [1, 2, 65_535],
      learners: [4],
    };
    const topology = {
      clusterId: 'c',
      protocolVersion: 2,
      serverId: 1,
      zone: 'hz1',
      zones: [
        { name: 'hz1', leaderWeight: 3, drained: true },
        { name: 'sh1', leaderWeight: 0, drained: false },
      ],
      servers: [{ id: 1, zone: 'hz1', address: 'a:1', peerAddress: 'b:2' }],
      ledgers: [{ number: 978, currency: 'EUR', scale: 2 }],
      registryLeaderServerId: 3,
      ailment: 'clock off',
      clockErrorMs: -700,
    };
    const bytes = encode('GetTopologyResponse', {
      ...topology,
      units: [{ ...unit, role: 'ROLE_LEADER' }],
    });
    expect(decodeTopology(bytes)).toEqual({ ...topology, units: [{ ...unit, role: 'leader' }] });
  });
});

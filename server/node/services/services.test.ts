import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EvenkeelError } from '../../core/error.ts';
import { REQUEST_BYTES_MAX } from './limits.ts';
import { NEXT_PAGE } from './testing/fake-gateway.ts';
import { account, Harness, transfer, until } from './testing/harness.ts';

let server: Harness;
beforeEach(async () => {
  server = await new Harness().start();
});
afterEach(() => server.stop());

describe('the Ledger service', () => {
  it('creates accounts and transfers, and finds them again', async () => {
    const created = await server.call('Ledger/CreateAccounts', {
      accounts: [account(1), account(2), account(1)],
    });
    expect(created).toMatchObject({
      results: [
        { status: 'ACCOUNT_STATUS_CREATED', timestamp: 1_001 },
        { status: 'ACCOUNT_STATUS_CREATED', timestamp: 1_002 },
        { status: 'ACCOUNT_STATUS_EXISTS', timestamp: 1_001 },
      ],
    });
    const booked = await server.call('Ledger/CreateTransfers', {
      transfers: [transfer(77), { ...transfer(78), creditAccountId: [9] }],
      balances: true,
    });
    expect(booked).toEqual({
      results: [
        {
          status: 'TRANSFER_STATUS_CREATED',
          timestamp: 1_003,
          debitAccount: { debitsPosted: [5] },
          creditAccount: { creditsPosted: [5] },
        },
        {
          status: 'TRANSFER_STATUS_CREDIT_ACCOUNT_NOT_FOUND',
          timestamp: 1_004,
          debitAccount: { debitsPosted: [5] },
        },
      ],
    });
    const ids = [[2], [3], [1]];
    expect(await server.call('Ledger/LookupAccounts', { ids })).toMatchObject({
      accounts: [
        { id: [2], creditsPosted: [5], timestamp: 1_002 },
        { id: [1], debitsPosted: [5], timestamp: 1_001 },
      ],
    });
    expect(await server.call('Ledger/LookupTransfers', { ids: [[78], [77]] })).toMatchObject({
      transfers: [{ id: [77], amount: [5], timestamp: 1_003 }],
    });
    expect(await server.call('Ledger/GetAccountTransfers', { accountId: [1] })).toMatchObject({
      account: { id: [1], debitsPosted: [5] },
      transfers: [{ transfer: { id: [77] }, bookedTimestamp: 1_003 }],
    });
  });

  it('answers NOT_FOUND for the transfers of no account', async () => {
    await expect(
      server.call('Ledger/GetAccountTransfers', { accountId: [9] }),
    ).rejects.toMatchObject({ code: status.NOT_FOUND, details: 'no such account' });
  });

  it('answers reads that page, each page with the token of the next', async () => {
    await server.call('Ledger/CreateAccounts', { accounts: [account(1), account(2)] });
    await server.callRaw('Ledger/CreateTransfers', server.transfers(77, 78));
    const nextPageToken = [...NEXT_PAGE];
    const query = { accountId: [1], limit: 1, balances: true };
    expect(await server.call('Ledger/GetAccountTransfers', query)).toMatchObject({
      transfers: [{ transfer: { id: [77] }, balances: { debitsPosted: [10] } }],
      nextPageToken,
    });
    expect(await server.call('Ledger/QueryAccounts', { ledger: 978, limit: 1 })).toMatchObject({
      accounts: [{ id: [1] }],
      nextPageToken,
    });
    expect(await server.call('Ledger/QueryAccounts', { ledger: 1 })).toEqual({ nextPageToken });
    expect(await server.call('Ledger/QueryTransfers', { amountMin: [5] })).toMatchObject({
      transfers: [
        { transfer: { id: [77] }, bookedTimestamp: 1_003 },
        { transfer: { id: [78] }, bookedTimestamp: 1_004 },
      ],
      nextPageToken,
    });
  });

  it('answers the balance at a time, or NOT_FOUND', async () => {
    await server.call('Ledger/CreateAccounts', { accounts: [account(1), account(2)] });
    await server.callRaw('Ledger/CreateTransfers', server.transfers(77));
    const query = { accountId: [1], timestamp: 1_003 };
    expect(await server.call('Ledger/GetAccountBalance', query)).toEqual({
      balances: { debitsPosted: [5] },
      ledger: 978,
      final: true,
    });
    await expect(
      server.call('Ledger/GetAccountBalance', { ...query, accountId: [9] }),
    ).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: 'no such account at that time',
    });
  });

  it.each([
    'CreateAccounts',
    'CreateTransfers',
    'LookupAccounts',
    'LookupTransfers',
    'GetAccountTransfers',
    'GetAccountBalance',
    'QueryAccounts',
    'QueryTransfers',
  ])('refuses a malformed %s before the gateway sees it', async (name) => {
    await expect(server.callRaw(`Ledger/${name}`, Buffer.of(0x7a, 0))).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'unknown field 15',
    });
    expect(server.gateway.started).toBe(0);
  });

  it.each([
    ['unavailable', status.UNAVAILABLE, 'why'],
    ['outcome_unknown', status.UNAVAILABLE, 'outcome_unknown: why'],
    ['overloaded', status.RESOURCE_EXHAUSTED, 'why'],
    ['invalid_request', status.INVALID_ARGUMENT, 'why'],
    ['unknown_ledger', status.INVALID_ARGUMENT, 'why'],
    ['ledger_name_taken', status.ALREADY_EXISTS, 'why'],
    ['account_not_found', status.NOT_FOUND, 'why'],
    ['disk_rotten', status.INTERNAL, 'internal error (disk_rotten)'],
  ])("gives the gateway's %s as %i", async (code, expected, details) => {
    server.gateway.holding = true;
    const answer = server.callRaw('Ledger/CreateTransfers', server.transfers(1));
    await until(() => server.gateway.held.length === 1);
    server.gateway.fail(0, new EvenkeelError(code, 'why'));
    await expect(answer).rejects.toMatchObject({ code: expected, details });
    expect(server.defects).toHaveLength(expected === status.INTERNAL ? 1 : 0);
  });

  it('refuses calls while the gateway has no room, and takes them again when it has', async () => {
    const lookUp = () => server.call('Ledger/LookupAccounts', { ids: [[1]] });
    server.gateway.hasRoom = false;
    await expect(lookUp()).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    await expect(
      server.callRaw('Ledger/CreateTransfers', server.transfers(1)),
    ).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(server.gateway.started).toBe(0);
    server.gateway.hasRoom = true;
    expect(await lookUp()).toEqual({});
  });

  it('cancels at the gateway when the deadline of the client passes', async () => {
    server.gateway.holding = true;
    const options = { deadline: Date.now() + 60 };
    await expect(
      server.call('Ledger/LookupAccounts', { ids: [[1]] }, options),
    ).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    await until(() => server.gateway.cancelled === 1);
  });

  it('cancels nothing that was answered', async () => {
    await server.call('Ledger/LookupAccounts', { ids: [[1]] });
    await server.call('Ledger/LookupAccounts', { ids: [[1]] });
    expect(server.gateway.cancelled).toBe(0);
  });

  it('takes a full request with every field at its longest, and says how much is too much', async () => {
    const wide = Array.from({ length: 16 }, () => 0xff);
    const full = {
      id: wide,
      debitAccountId: wide,
      creditAccountId: wide,
      amount: wide,
      pendingId: wide,
      userData_128: wide,
      userData_64: '18446744073709551615',
      userData_32: 0xffff_ffff,
      timeout: 0xffff_ffff,
      ledger: 0xffff_ffff,
      code: 0xffff,
      flags: 0xffff,
      timestamp: '18446744073709551615',
    };
    const request = server.encode('CreateTransfersRequest', {
      transfers: Array.from({ length: 8_190 }, () => full),
      balances: true,
    });
    expect(request.length).toBe(1_269_452);
    const response = await server.callRaw('Ledger/CreateTransfers', request);
    expect(server.decode('CreateTransfersResponse', response).results).toHaveLength(8_190);

    const tooLong = Buffer.alloc(REQUEST_BYTES_MAX + 1);
    await expect(server.callRaw('Ledger/CreateTransfers', tooLong)).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: 'Received message larger than max (1310721 vs 1310720)',
    });
  });
});

describe('the Cluster service', () => {
  it('refuses fields that it does not know', async () => {
    await expect(server.callRaw('Cluster/GetTopology', Buffer.of(0x7a, 0))).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'unknown field 15',
    });
  });

  it('tells the topology', async () => {
    expect(await server.call('Cluster/GetTopology', {})).toEqual({
      clusterId: 'test',
      protocolVersion: 1,
      serverId: 2,
      zone: 'hz2',
      zones: [{ name: 'hz2', leaderWeight: 1, drained: true }],
      servers: [{ id: 2, zone: 'hz2', address: '127.0.0.1:7402', peerAddress: '127.0.0.1:7502' }],
      ledgers: [{ number: 978, currency: 'EUR', scale: 2 }],
      units: [
        {
          id: 1,
          slotCount: 20,
          slots: [{ last: 9 }, { first: 20, last: 29 }].map((range) => ({ first: 0, ...range })),
          leaderServerId: 2,
          term: 7,
          commitIndex: 2 ** 40,
          appliedIndex: 12,
          booksIndex: 11,
          lastIndex: 14,
          executionDigest: 'abababababababab',
          role: 'ROLE_LEADER',
          voters: [1, 2, 300],
          learners: [4],
        },
      ],
      registryLeaderServerId: 3,
      ailment: 'disk stalled',
      clockErrorMs: -612,
    });
  });

  it('takes changes of the cluster, and says why it refuses one', async () => {
    const added = { id: 4, zone: 'sh1', address: 'a:7404', peerAddress: 'a:7504' };
    await server.call('Cluster/AddServer', { server: added });
    await server.call('Cluster/RemoveServers', { serverIds: [1, 300] });
    await server.call('Cluster/DrainZone', { zone: 'hz1' });
    await server.call('Cluster/RestoreZone', { zone: 'hz1' });
    expect(server.changes.made).toEqual([
      { change: 'addServer', server: added },
      { change: 'removeServers', ids: [1, 300] },
      { change: 'drainZone', zone: 'hz1' },
      { change: 'restoreZone', zone: 'hz1' },
    ]);
    server.changes.refusal = new EvenkeelError('quorum_at_risk', 'quorum_at_risk: why');
    await expect(server.call('Cluster/DrainZone', { zone: 'hz1' })).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: 'quorum_at_risk: why',
    });
    await expect(server.call('Cluster/AddServer', {})).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'id: must be 1 to 65535',
    });
  });

  it('adds a ledger, finds it there the next time, and lists it', async () => {
    const points = { number: 7, currency: '积分', scale: 3 };
    expect(await server.call('Cluster/CreateLedger', points)).toEqual({
      ledger: points,
      existed: false,
    });
    expect(await server.call('Cluster/CreateLedger', points)).toEqual({
      ledger: points,
      existed: true,
    });
    expect(await server.call('Cluster/ListLedgers', {})).toEqual({ ledgers: [points] });
  });

  it('never changes a ledger', async () => {
    await server.call('Cluster/CreateLedger', { number: 7, currency: 'Points', scale: 0 });
    await expect(
      server.call('Cluster/CreateLedger', { number: 7, currency: 'Points', scale: 1 }),
    ).rejects.toMatchObject({ code: status.ALREADY_EXISTS, details: 'ledger_differs' });
  });

  it.each([
    [{ currency: 'Points' }, 'number: 0, must be 1 .. 4294967295'],
    [{ number: 7, currency: '' }, 'currency: must be 1 .. 32 printable characters'],
    [{ number: 7, currency: 'Points', scale: 19 }, 'scale: 19, must be 0 .. 18'],
    [{ number: 7, currency: 'EUR', scale: 3 }, 'EUR has 2 decimal places by ISO 4217'],
  ])('refuses the ledger %j, naming the field', async (ledger, details) => {
    await expect(server.call('Cluster/CreateLedger', ledger)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining(details) as string,
    });
    expect(server.ledgers.kept).toEqual([]);
  });

  it.each([
    ['CreateLedger', Buffer.of(0x12, 1, 0xff), 'currency: not UTF-8'],
    ['CreateLedger', Buffer.of(0x12, 9), 'currency: truncated: 9 bytes announced, 0 left'],
    ['CreateLedger', Buffer.of(0x0a, 0), 'number: wire type 2, expected 0'],
    ['CreateLedger', Buffer.of(0x20, 1), 'unknown field 4'],
    ['ListLedgers', Buffer.of(0x08, 1), 'unknown field 1'],
  ])('refuses a malformed %s', async (method, bytes, details) => {
    await expect(server.callRaw(`Cluster/${method}`, bytes)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details,
    });
  });
});

import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { accountId, type EvenkeelClient, id } from '../../client/index.ts';
import type { LocalCluster } from '../../server/node/local-cluster.ts';
import { clientsOf, startCluster } from './support/cluster.ts';
import { forFile, tempFolder } from './support/defer.ts';
import { bytesField, statusesOf, u128, varintField, Wire } from './support/wire.ts';

const BUDGET_MS = 30_000;
const LEDGER = 978;
const OTHER_LEDGER = 840;
const NO_LEDGER = 999;
const defer = forFile();
const [alice, bob] = [accountId(), accountId()];
let cluster: LocalCluster;
let client: EvenkeelClient;

beforeAll(async () => {
  cluster = await startCluster(defer, tempFolder(defer));
  client = clientsOf(defer, cluster)[0]!;
  const accounts = [alice, bob].map((account) => ({ id: account, ledger: LEDGER, code: 1 }));
  await client.createAccounts(accounts);
}, 60_000);

// However bad the request, no server minds.
afterEach(() => {
  expect(cluster.servers.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready']);
});

/** To each server in turn, for any takes any request. */
let turn = 0;
function wire(): Wire {
  turn += 1;
  return new Wire(onTestFinished, cluster.servers[turn % 3]!.address);
}

/** A transfer of 1 as bytes, with what is put in place of its fields. */
function transfer(
  transferId: bigint,
  changes: { id?: Buffer; amount?: Buffer; ledger?: number } = {},
): Buffer {
  return Buffer.concat([
    bytesField(1, changes.id ?? u128(transferId)),
    bytesField(2, u128(alice)),
    bytesField(3, u128(bob)),
    bytesField(4, changes.amount ?? u128(1n)),
    varintField(10, changes.ledger ?? LEDGER),
    varintField(11, 1),
  ]);
}

const request = (...events: Buffer[]) => Buffer.concat(events.map((event) => bytesField(1, event)));

/** None of these ids is booked, and neither account has moved. */
async function expectNotBooked(ids: readonly bigint[], posted: bigint): Promise<void> {
  expect(await client.lookupTransfers(ids.slice(0, 8_190))).toEqual([]);
  expect(await postedOf()).toBe(posted);
}

async function postedOf(): Promise<bigint> {
  const [a, b] = await client.lookupAccounts([alice, bob]);
  expect(a!.debitsPosted).toBe(b!.creditsPosted);
  return b!.creditsPosted;
}

describe('a request that is refused whole', () => {
  const good = id();
  const bad = id();
  const event = transfer(bad);
  test.each<[string, Buffer, string]>([
    [
      'an unknown field',
      request(transfer(good), Buffer.concat([event, varintField(99, 1)])),
      'transfers[1]: unknown field 99',
    ],
    [
      'an unknown field outside',
      Buffer.concat([request(transfer(good)), varintField(3, 1)]),
      'unknown field 3',
    ],
    [
      'an id of 17 bytes',
      request(transfer(good), transfer(bad, { id: Buffer.alloc(17, 1) })),
      'transfers[1].id: 17 bytes, at most 16',
    ],
    [
      'an amount of 17 bytes',
      request(transfer(good), transfer(bad, { amount: Buffer.alloc(17) })),
      'transfers[1].amount: 17 bytes, at most 16',
    ],
    [
      'a field of another type',
      request(transfer(good), Buffer.concat([event, bytesField(10, Buffer.alloc(4))])),
      'transfers[1].ledger: wire type 2, expected 0',
    ],
    [
      'a code of 17 bits',
      request(transfer(good), Buffer.concat([event, varintField(11, 65_536)])),
      'transfers[1].code: 65536, at most 65535',
    ],
    [
      'a ledger that there is not',
      request(transfer(good), transfer(bad, { ledger: NO_LEDGER })),
      'unknown_ledger: transfers[1].ledger: there is no ledger 999; known are 156 (CNY)',
    ],
    ['no event', Buffer.alloc(0), 'transfers: none, at least 1'],
    ['a length beyond its end', request(transfer(good), event).subarray(0, -1), 'truncated'],
    ['an end inside a number', request(transfer(good), Buffer.from([0x50, 0xff])), 'truncated'],
  ])(
    'for %s',
    async (_what, bytes, reason) => {
      const posted = await postedOf();
      for (const { code, details, responses } of [
        await wire().unary('CreateTransfers', bytes),
        await wire().submit([bytes]),
      ]) {
        expect(code).toBe(status.INVALID_ARGUMENT);
        expect(details).toContain(reason);
        expect(responses).toEqual([]);
      }
      await expectNotBooked([good, bad], posted);
    },
    BUDGET_MS,
  );

  test(
    'for 8,191 events, while 8,190 are taken',
    async () => {
      const ids = Array.from({ length: 8_191 }, () => id());
      const events = ids.map((transferId) => transfer(transferId));
      const posted = await postedOf();
      const refused = await wire().unary('CreateTransfers', request(...events));
      expect(refused.code).toBe(status.INVALID_ARGUMENT);
      expect(refused.details).toBe('transfers: 8191, at most 8190');
      await expectNotBooked(ids, posted);

      const taken = await wire().unary('CreateTransfers', request(...events.slice(1)));
      expect(taken.code).toBe(status.OK);
      expect(new Set(statusesOf(taken.responses[0]!))).toEqual(
        new Set(['TRANSFER_STATUS_CREATED']),
      );
      expect(await postedOf()).toBe(posted + 8_190n);
    },
    BUDGET_MS,
  );

  test(
    'for more bytes than a message may have',
    async () => {
      const posted = await postedOf();
      const long = Buffer.alloc(1_310_720 - request(transfer(good)).length);
      const bytes = Buffer.concat([request(transfer(good)), bytesField(1, long)]);
      expect(bytes.length).toBeGreaterThan(1_310_720);
      const { code } = await wire().unary('CreateTransfers', bytes);
      expect(code).toBe(status.RESOURCE_EXHAUSTED);
      await expectNotBooked([good], posted);
    },
    BUDGET_MS,
  );

  test(
    'for ids of 17 bytes and too many ids in look-ups',
    async () => {
      for (const method of ['LookupAccounts', 'LookupTransfers']) {
        const long = await wire().unary(method, bytesField(1, Buffer.alloc(17)));
        expect(long).toMatchObject({ code: 3, details: 'ids: 17 bytes, at most 16' });
        const many = Buffer.concat(Array<Buffer>(8_191).fill(bytesField(1, u128(1n))));
        const refused = await wire().unary(method, many);
        expect(refused).toMatchObject({ code: 3, details: 'ids: 8191, at most 8190' });
        const none = await wire().unary(method, Buffer.alloc(0));
        expect(none).toMatchObject({ code: 3, details: 'ids: none, at least 1' });
      }
    },
    BUDGET_MS,
  );

  test(
    'for accounts of a ledger that there is not, or with a field that is not theirs',
    async () => {
      const [first, second] = [accountId(), accountId()];
      const account = (of: bigint, ledger: number) =>
        Buffer.concat([bytesField(1, u128(of)), varintField(9, ledger), varintField(10, 1)]);
      const other = await wire().unary(
        'CreateAccounts',
        request(account(first, LEDGER), account(second, NO_LEDGER)),
      );
      expect(other.code).toBe(status.INVALID_ARGUMENT);
      expect(other.details).toContain('accounts[1].ledger: there is no ledger 999');
      const strange = Buffer.concat([account(second, LEDGER), varintField(13, 1)]);
      const unknown = await wire().unary(
        'CreateAccounts',
        request(account(first, LEDGER), strange),
      );
      expect(unknown).toMatchObject({ code: 3, details: 'accounts[1]: unknown field 13' });
      expect(await client.lookupAccounts([first, second])).toEqual([]);
    },
    BUDGET_MS,
  );

  test(
    'when its frame ends before the message does',
    async () => {
      const posted = await postedOf();
      const bytes = request(transfer(good));
      const frame = Buffer.concat([Buffer.alloc(5), bytes]);
      frame.writeUInt32BE(bytes.length + 10, 1);
      const { address } = cluster.servers[0]!;
      const unary = await sendRaw(address, 'CreateTransfers', frame);
      expect(unary.code).not.toBe('0');
      // grpc-js takes the end of the stream for its orderly end: what matters is that nothing is answered.
      for (const { answer } of [unary, await sendRaw(address, 'SubmitTransfers', frame)]) {
        expect(answer).toEqual(Buffer.alloc(0));
      }
      await expectNotBooked([good], posted);
    },
    BUDGET_MS,
  );
});

/** Sends these bytes as the whole body of a call; comes back with what came, and the gRPC status. */
function sendRaw(
  address: string,
  method: string,
  body: Buffer,
): Promise<{ code: string; answer: Buffer }> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://${address}`);
    onTestFinished(() => session.destroy());
    const stream = session.request({
      ':method': 'POST',
      ':path': `/evenkeel.v1.Ledger/${method}`,
      te: 'trailers',
      'content-type': 'application/grpc+proto',
    });
    let code = 'none';
    const chunks: Buffer[] = [];
    const keep = (headers: IncomingHttpHeaders) => {
      if (headers['grpc-status'] !== undefined) code = String(headers['grpc-status']);
    };
    stream.on('response', keep);
    stream.on('trailers', keep);
    stream.on('error', () => {}); // told by the missing status
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('close', () => resolve({ code, answer: Buffer.concat(chunks) }));
    stream.end(body);
  });
}

describe('a stream of transfers', () => {
  test(
    'with a malformed message in the middle answers those before it, and books none after it',
    async () => {
      const posted = await postedOf();
      const ids = Array.from({ length: 10 }, () => id());
      const messages = ids.map((transferId) => request(transfer(transferId)));
      messages[5] = request(transfer(id()), transfer(ids[5]!, { amount: Buffer.alloc(17) }));
      const { code, details, responses } = await wire().submit(messages);
      expect(responses.map(statusesOf)).toEqual(Array(5).fill(['TRANSFER_STATUS_CREATED']));
      expect(code).toBe(status.INVALID_ARGUMENT);
      expect(details).toBe('message 5: transfers[1].amount: 17 bytes, at most 16');
      const found = await client.lookupTransfers(ids);
      expect(found.map((row) => row.id)).toEqual(ids.slice(0, 5));
      expect(await postedOf()).toBe(posted + 5n);
    },
    BUDGET_MS,
  );
});

describe('an event that is refused by itself', () => {
  test.each([512, 0x8000])(
    'for flag %i, which nobody has named',
    async (flags) => {
      const posted = await postedOf();
      const [flagged, plain] = [id(), id()];
      const bytes = request(
        Buffer.concat([transfer(flagged), varintField(12, flags)]),
        transfer(plain),
      );
      const { code, responses } = await wire().unary('CreateTransfers', bytes);
      expect(code).toBe(status.OK);
      expect(statusesOf(responses[0]!)).toEqual([
        'TRANSFER_STATUS_RESERVED_FLAG',
        'TRANSFER_STATUS_CREATED',
      ]);
      expect((await client.lookupTransfers([flagged, plain])).map((row) => row.id)).toEqual([
        plain,
      ]);
      expect(await postedOf()).toBe(posted + 1n);
    },
    BUDGET_MS,
  );

  test(
    'for a ledger that is not that of its accounts',
    async () => {
      const posted = await postedOf();
      const bad = id();
      const result = await client.transfer({
        id: bad,
        debitAccountId: alice,
        creditAccountId: bob,
        amount: 1n,
        ledger: OTHER_LEDGER,
        code: 1,
      });
      expect(result).toMatchObject({
        ok: false,
        status: 'transfer_must_have_the_same_ledger_as_accounts',
      });
      await expectNotBooked([bad], posted);
    },
    BUDGET_MS,
  );
});

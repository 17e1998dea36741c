import { createServer, type Server as NetServer } from 'node:net';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { type ClientOptions, EvenkeelClient } from './client.ts';
import { ClientError } from './error.ts';
import { FakeBooks, FakeServer } from './testing/fake-server.ts';
import type { NewTransfer } from './types.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

async function serve(books?: FakeBooks): Promise<FakeServer> {
  const server = await new FakeServer(books).start();
  cleanups.push(() => server.kill());
  return server;
}

function connect(servers: readonly { address: string }[], options: Partial<ClientOptions> = {}) {
  const client = new EvenkeelClient({
    addresses: servers.map(({ address }) => address),
    ...options,
  });
  cleanups.push(() => client.close());
  return client;
}

function transfer(id: number): NewTransfer {
  return {
    id: BigInt(id),
    debitAccountId: 1n,
    creditAccountId: 2n,
    amount: 5n,
    ledger: 978,
    code: 1,
  };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

async function code(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ClientError);
  return (error as ClientError).code;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe('requests with one response', () => {
  it('are answered', async () => {
    const server = await serve();
    const client = connect([server]);
    expect(await client.createTransfers([transfer(1), transfer(2), transfer(1)])).toEqual([
      { status: 'created', ok: true, timestamp: 1n },
      { status: 'created', ok: true, timestamp: 2n },
      { status: 'exists', ok: true, timestamp: 1n },
    ]);
    server.unary.LookupAccounts = (request) => ({
      accounts: (request.ids as bigint[]).map((id) => ({ id: [Number(id)], ledger: 978 })),
    });
    expect(await client.lookupAccounts([7n])).toMatchObject([{ id: 7n, ledger: 978 }]);
  });

  it('add a ledger, and list them', async () => {
    const server = await serve();
    const client = connect([server]);
    const points = { number: 7, currency: '积分', scale: 3 };
    const asked: unknown[] = [];
    server.unary.CreateLedger = (request) => {
      asked.push(request);
      return { ledger: request, existed: asked.length > 1 };
    };
    server.unary.ListLedgers = () => ({ ledgers: [points] });
    expect(await client.createLedger(points)).toEqual({ existed: false });
    expect(await client.createLedger(points)).toEqual({ existed: true });
    expect(asked).toEqual([points, points]);
    expect(await client.ledgers()).toEqual([points]);
  });

  it('go to the next server when one is away', async () => {
    const books = new FakeBooks();
    const [away, other] = [await serve(books), await serve(books)];
    away.kill();
    const client = connect([away, other]);
    expect((await client.createTransfers([transfer(1)]))[0]!.status).toBe('created');
  });

  it('go to the next server when one is silent, and answer exists if it had booked', async () => {
    const books = new FakeBooks();
    const [silent, other] = [await serve(books), await serve(books)];
    silent.silent = true;
    const client = connect([silent, other], { stallTimeoutMs: 100 });
    expect((await client.createTransfers([transfer(1)]))[0]).toMatchObject({
      status: 'exists',
      ok: true,
    });
    // From now on the one that answers is asked first.
    await client.createTransfers([transfer(2)]);
    expect(silent.received).toBe(1);
  });

  it.each([
    [status.INVALID_ARGUMENT, 'invalid_argument', 'accounts[0].code: too big'],
    [status.NOT_FOUND, 'not_found', 'no such account'],
    [status.FAILED_PRECONDITION, 'failed_precondition', 'not_across_units: transfers[1]: no'],
    [status.ALREADY_EXISTS, 'already_exists', 'ledger_differs: no'],
  ])('are not tried again after %i', async (grpcCode, expected, details) => {
    const server = await serve();
    server.unary.GetAccountTransfers = () => {
      throw { code: grpcCode, details };
    };
    const promise = connect([server]).accountTransfers(1n);
    await expect(promise).rejects.toThrow(`[${expected}] ${details}`);
    expect(server.received).toBe(1);
  });

  it('give up when their time is over: unknown if it may be booked, else unavailable', async () => {
    const server = await serve();
    server.silent = true;
    server.unary.LookupAccounts = () => ({});
    const options = { retryWindowMs: 150, stallTimeoutMs: 40 };
    const client = connect([server], options);
    const writing = client.createTransfers([transfer(1)]);
    await expect(writing).rejects.toThrow('ask again with the same id');
    expect(await code(writing)).toBe('outcome_unknown');
    expect(await code(client.lookupAccounts([1n]))).toBe('unavailable');
    server.kill();
    expect(await code(connect([server], options).createTransfers([transfer(1)]))).toBe(
      'unavailable',
    );
  });

  it('are tried again while the server says that it cannot', async () => {
    const server = await serve();
    let times = 0;
    server.unary.LookupTransfers = () => {
      times += 1;
      if (times < 4)
        throw { code: times === 2 ? status.RESOURCE_EXHAUSTED : status.UNAVAILABLE, details: 'x' };
      return { transfers: [{ id: [9] }] };
    };
    expect(await connect([server]).lookupTransfers([9n])).toMatchObject([{ id: 9n }]);
  });
});

describe('single transfers', () => {
  it('share one stream and get their own answers', async () => {
    const server = await serve();
    const client = connect([server]);
    const results = await Promise.all(numbers(3_000).map((id) => client.transfer(transfer(id))));
    expect(results.map((result) => result.timestamp)).toEqual(numbers(3_000).map(BigInt));
    expect(server.streams).toBe(1);
    const repeated = await client.transfer(transfer(17), { balances: true });
    expect(repeated).toMatchObject({
      status: 'exists',
      timestamp: 17n,
      debitAccount: { debitsPosted: 5n },
    });
  });

  it('wait in the client when too many are in flight', async () => {
    const server = await serve();
    server.silent = true;
    const client = connect([server], { maxInFlight: 10, stallTimeoutMs: 60_000 });
    const all = numbers(25).map((id) => code(client.transfer(transfer(id))));
    await until(() => server.received === 10);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.received).toBe(10);
    client.close();
    expect(new Set(await Promise.all(all))).toEqual(new Set(['closed']));
  });

  it('survive the end of servers one after the other, each booked once', async () => {
    const books = new FakeBooks();
    const servers = [await serve(books), await serve(books), await serve(books)];
    const client = connect(servers);
    const all = numbers(2_000).map(async (id) => {
      await new Promise((resolve) => setTimeout(resolve, id / 4));
      return client.transfer(transfer(id));
    });
    await until(() => books.booked.size > 300);
    servers[0]!.kill();
    await until(() => books.booked.size > 800);
    servers[1]!.kill();
    const results = await Promise.all(all);
    expect(results.every((result) => result.ok)).toBe(true);
    expect(books.booked.size).toBe(2_000);
    expect(new Set(results.map((result) => result.timestamp)).size).toBe(2_000);
    expect(servers.map((server) => server.streams > 0)).toEqual([true, true, true]);
  });

  it('go to the next server when one is silent', async () => {
    const books = new FakeBooks();
    const [silent, other] = [await serve(books), await serve(books)];
    silent.silent = true;
    const client = connect([silent, other], { stallTimeoutMs: 100 });
    const results = await Promise.all(numbers(50).map((id) => client.transfer(transfer(id))));
    expect(results.map((result) => result.status)).toEqual(numbers(50).map(() => 'exists'));
  });

  it('leave a server that falls silent for another one, not for itself', async () => {
    const books = new FakeBooks();
    const servers = [await serve(books), await serve(books), await serve(books)];
    servers[0]!.kill();
    const client = connect(servers, { stallTimeoutMs: 100 });
    await client.transfer(transfer(1));
    servers[1]!.silent = true;
    expect((await client.transfer(transfer(2))).ok).toBe(true);
    expect(servers.map((server) => server.streams)).toEqual([0, 1, 1]);
  });

  it('go to the next server when one accepts connections and says nothing at all', async () => {
    const dead = await deadServer();
    const other = await serve();
    const client = connect([dead, other], { stallTimeoutMs: 100 });
    expect((await client.transfer(transfer(1))).status).toBe('created');
  });

  it('come back when the only server returns', async () => {
    const books = new FakeBooks();
    const server = await serve(books);
    const client = connect([server]);
    await client.transfer(transfer(1));
    server.kill();
    const waiting = client.transfer(transfer(2));
    await new Promise((resolve) => setTimeout(resolve, 150));
    const again = await new FakeServer(books).start(server.address);
    cleanups.push(() => again.kill());
    expect(await waiting).toMatchObject({ status: 'created', timestamp: 2n });
  });

  it.each([
    [status.INVALID_ARGUMENT, 'invalid_argument'],
    [status.FAILED_PRECONDITION, 'failed_precondition'],
  ])(
    'reject one that the server refuses with %i, and send those behind it again',
    async (refusal, expected) => {
      const server = await serve();
      server.refuse = ({ id }) =>
        (id as bigint) % 40n === 0n ? { code: refusal, details: 'transfers[0]: no' } : null;
      const client = connect([server]);
      const results = await Promise.allSettled(
        numbers(100).map((id) => client.transfer(transfer(id))),
      );
      results.forEach((result, i) => {
        if ((i + 1) % 40 === 0) {
          expect(result).toMatchObject({
            reason: { message: `[${expected}] transfers[0]: no` },
          });
        } else {
          expect(result).toMatchObject({ value: { ok: true } });
        }
      });
      expect(server.books.booked.size).toBe(98);
      expect(server.streams).toBe(3);
    },
  );

  it('cost little when the server refuses many', async () => {
    const server = await serve();
    server.refuse = ({ id }) =>
      (id as bigint) <= 100n ? { code: status.INVALID_ARGUMENT, details: 'no' } : null;
    const client = connect([server]);
    const all = await Promise.allSettled(numbers(1_000).map((id) => client.transfer(transfer(id))));
    expect(all.filter((result) => result.status === 'fulfilled')).toHaveLength(900);
    // Each refusal ends a stream; what was sent behind it is sent again.
    expect(server.received).toBeLessThan(1_000 + 1_000 + 100 * 16);
  });

  it('reject one that no server can process, and send those behind it again', async () => {
    const server = await serve();
    server.refuse = ({ id }) => (id === 3n ? { code: status.INTERNAL, details: 'defect' } : null);
    const client = connect([server]);
    const results = await Promise.allSettled(numbers(5).map((id) => client.transfer(transfer(id))));
    expect(results.map((result) => result.status === 'fulfilled')).toEqual([
      true,
      true,
      false,
      true,
      true,
    ]);
    expect(results[2]).toMatchObject({ reason: { code: 'outcome_unknown' } });
  });

  it('are tried again while the server is overloaded', async () => {
    const server = await serve();
    let times = 0;
    server.refuse = () => {
      times += 1;
      return times < 5 ? { code: status.RESOURCE_EXHAUSTED, details: 'overloaded' } : null;
    };
    expect((await connect([server]).transfer(transfer(1))).status).toBe('created');
  });

  it('give up when their time is over: unknown once sent, else unavailable and never sent', async () => {
    const server = await serve();
    server.silent = true;
    const client = connect([server], {
      maxInFlight: 2,
      retryWindowMs: 300,
      stallTimeoutMs: 60_000,
    });
    const codes = numbers(4).map((id) => code(client.transfer(transfer(id))));
    expect(await Promise.all(codes)).toEqual([
      'outcome_unknown',
      'outcome_unknown',
      'unavailable',
      'unavailable',
    ]);
    // Late answers go to nobody, and what was given up is not sent after all.
    server.speak();
    expect(await client.transfer(transfer(5))).toMatchObject({ status: 'created', timestamp: 3n });
    expect([...server.books.tries.keys()]).toEqual([1n, 2n, 5n]);
  });

  it('reject what the ledger cannot hold without disturbing the others', async () => {
    const client = connect([await serve()]);
    const bad = code(client.transfer({ ...transfer(1), amount: -1n }));
    expect((await client.transfer(transfer(2))).ok).toBe(true);
    expect(await bad).toBe('invalid_argument');
  });

  it('move on without a second try when a server leaves as planned', async () => {
    const books = new FakeBooks();
    const [leaving, other] = [await serve(books), await serve(books)];
    const client = connect([leaving, other]);
    const all = numbers(1_000).map(async (id) => {
      await new Promise((resolve) => setTimeout(resolve, id / 4));
      return client.transfer(transfer(id));
    });
    await until(() => books.booked.size > 200);
    await leaving.leave();
    const results = await Promise.all(all);
    expect(new Set(results.map((result) => result.status))).toEqual(new Set(['created']));
    expect(other.streams).toBe(1);
  });
});

describe('a closed client', () => {
  it('rejects what is under way and what comes later', async () => {
    const server = await serve();
    server.silent = true;
    const client = connect([server]);
    const early = [client.transfer(transfer(1)), client.createTransfers([transfer(2)])].map(code);
    await until(() => server.received === 2);
    client.close();
    expect(await Promise.all(early)).toEqual(['closed', 'closed']);
    expect(await code(client.transfer(transfer(3)))).toBe('closed');
    expect(await code(client.lookupAccounts([1n]))).toBe('closed');
    expect(server.received).toBe(2);
  });
});

/** Listens and never says a word. */
async function deadServer(): Promise<{ address: string }> {
  const server: NetServer = createServer(() => {});
  cleanups.push(() => server.close());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  return { address: `127.0.0.1:${port}` };
}

import { type ServerWritableStream, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { type ClientOptions, EvenkeelClient } from './client.ts';
import { FakeServer } from './testing/fake-server.ts';
import { encode, type Plain } from './testing/schema.ts';

type Call = ServerWritableStream<Buffer, Buffer>;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

async function serve(watch?: FakeServer['watch']): Promise<FakeServer> {
  const server = await new FakeServer().start();
  if (watch !== undefined) server.watch = watch;
  cleanups.push(() => server.kill());
  return server;
}

function connect(servers: readonly { address: string }[], options: Partial<ClientOptions> = {}) {
  const addresses = servers.map(({ address }) => address);
  const client = new EvenkeelClient({ addresses, ...options });
  cleanups.push(() => client.close());
  return client;
}

function send(call: Call, from: number, to: number): void {
  const events: Plain[] = [];
  for (let time = from; time <= to; time += 1) {
    const cursor = [time >> 8, time & 255];
    events.push({ kind: 2, timestamp: `${time}`, cursor, transfer: { id: [1] } });
  }
  call.write(encode('WatchEventsResponse', { events }));
}

const afterOf = ({ cursor, afterTimestamp }: Plain) =>
  Number((cursor as bigint | undefined) ?? (afterTimestamp as bigint | undefined) ?? 0n);

async function take(client: EvenkeelClient, count: number, after = 0n): Promise<number[]> {
  const times: number[] = [];
  for await (const event of client.watch({ unit: 1, after })) {
    times.push(Number(event.timestamp));
    if (times.length === count) break;
  }
  return times;
}

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('watching', () => {
  it('gives what comes, from where it was told to begin', async () => {
    const server = await serve((request, call) => {
      expect(request).toMatchObject({ unit: 1, afterTimestamp: 4n });
      send(call, 5, 7);
      send(call, 8, 9);
    });
    expect(await take(connect([server]), 5, 4n)).toEqual([5, 6, 7, 8, 9]);
  });

  it('goes on at the next server after the last event, whichever way a server is lost', async () => {
    const lose: ((server: FakeServer, call: Call) => void)[] = [
      (server) => server.kill(),
      (_, call) => call.emit('error', { code: status.UNAVAILABLE, details: 'x' }),
      (_, call) => call.emit('error', { code: status.INTERNAL, details: 'x' }),
      (server, call) => {
        void server.leave();
        setTimeout(() => call.end(), 50);
      },
      (_, call) => call.end(),
    ];
    const servers: FakeServer[] = [];
    for (const how of lose) {
      const server: FakeServer = await serve((request, call) => {
        const after = afterOf(request);
        send(call, after + 1, after + 10);
        setTimeout(() => how(server, call), 5);
      });
      servers.push(server);
    }
    const last = await serve((request, call) => send(call, afterOf(request) + 1, 60));
    expect(await take(connect([...servers, last]), 60)).toEqual(numbers(1, 60));
  });

  it('waits for a server that comes back', async () => {
    const server = await serve((request, call) => send(call, afterOf(request) + 1, 3));
    const client = connect([server]);
    const { address } = server;
    const taking = take(client, 6);
    await new Promise((resolve) => setTimeout(resolve, 50));
    server.kill();
    const again = new FakeServer();
    again.watch = (request, call) => send(call, afterOf(request) + 1, 6);
    cleanups.push(() => again.kill());
    await again.start(address);
    expect(await taking).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('ends when its reader breaks off or its signal is aborted, and tells the server', async () => {
    let cancelled = 0;
    const server = await serve((_, call) => {
      call.on('cancelled', () => {
        cancelled += 1;
      });
      send(call, 1, 3);
    });
    const client = connect([server]);
    await take(client, 2);
    const aborting = new AbortController();
    for await (const event of client.watch({ unit: 1, signal: aborting.signal })) {
      if (event.timestamp === 3n) aborting.abort();
    }
    while (cancelled < 2) await new Promise((resolve) => setTimeout(resolve, 2));
    for await (const _ of client.watch({ unit: 1, signal: aborting.signal })) throw new Error('?');
  });

  it('lets the server wait while its reader does', async () => {
    let written = 0;
    const server = await serve((_, call) => {
      const write = () => {
        written += 1;
        const cursor = new Uint8Array(40_000);
        const events = [{ kind: 2, timestamp: `${written}`, cursor, transfer: { id: [1] } }];
        const next = () => written < 1_000 && !call.cancelled && setImmediate(write);
        call.write(encode('WatchEventsResponse', { events }), next);
      };
      write();
    });
    const events = connect([server]).watch({ unit: 1 });
    await events.next();
    let seen = -1;
    while (seen !== written) {
      seen = written;
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(written).toBeLessThan(500);
    for (let time = 2; time <= 1_000; time += 1) {
      expect((await events.next()).value).toMatchObject({ timestamp: BigInt(time) });
    }
    await events.return();
  });

  it('rejects what the server refuses, and gives up when none can be reached', async () => {
    const server = await serve((_, call) =>
      call.emit('error', { code: status.INVALID_ARGUMENT, details: 'unit: 9, there are 4' }),
    );
    await expect(take(connect([server]), 1)).rejects.toThrow(
      '[invalid_argument] unit: 9, there are 4',
    );
    server.kill();
    await expect(take(connect([server], { retryWindowMs: 100 }), 1)).rejects.toThrow(
      '[unavailable]',
    );
  });
});

describe('reads of all pages', () => {
  it('ask for the next page with the token of the last, until there is none', async () => {
    const server = await serve();
    const asked: Plain[] = [];
    server.unary.QueryTransfers = (request) => {
      asked.push(request);
      const page = asked.length;
      const transfers = page === 2 ? [] : [{ transfer: { id: [page] } }];
      return page === 4 ? { transfers } : { transfers, nextPageToken: [page] };
    };
    const ids: bigint[] = [];
    for await (const { id } of connect([server]).queryTransfers({ code: 7 })) ids.push(id);
    expect(ids).toEqual([1n, 3n, 4n]);
    expect(asked).toEqual([
      { code: 7, limit: 1_000 },
      { code: 7, limit: 1_000, pageToken: 1n },
      { code: 7, limit: 1_000, pageToken: 2n },
      { code: 7, limit: 1_000, pageToken: 3n },
    ]);
  });

  it('stop at the limit, and refuse one that is none', async () => {
    const server = await serve();
    const limits: unknown[] = [];
    server.unary.GetAccountTransfers = (request) => {
      limits.push(request.limit);
      const transfers = [{ transfer: { id: [1] } }, { transfer: { id: [2] } }];
      return { account: { id: [9] }, transfers, nextPageToken: [1] };
    };
    const client = connect([server]);
    const rows = [];
    for await (const row of client.statement(9n, { limit: 4 })) rows.push(row);
    expect(rows).toHaveLength(4);
    expect(limits).toEqual([4, 2]);
    await expect(client.queryAccounts({ limit: 0 }).next()).rejects.toThrow('limit: 0');
  });
});

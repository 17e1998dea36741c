import { once } from 'node:events';
import { createServer, type Socket, type Server as TcpServer } from 'node:net';
import {
  Client,
  credentials,
  type Server,
  type ServerDuplexStream,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import type { PeerMessage } from '../../core/messages.ts';
import { bind } from '../bind.ts';
import { freePorts } from '../free-ports.ts';
import { encodeFrame } from './codec.ts';
import { cityLinks, type LinkRule } from './emulation.ts';
import { encodeHello, encodeWelcome, type Hello } from './handshake.ts';
import { PeerLinks, type PeerLinksOptions } from './links.ts';
import { createPeerServer, LANE_METHOD } from './transport.ts';

const CLUSTER = '0123456789abcdef0123456789abcdef';
const ZONES = ['', 'hz1', 'hz2', 'sh1'];

const diskOf = (id: number): string => `${id}`.repeat(32);

interface Node {
  readonly id: number;
  readonly links: PeerLinks;
  readonly received: { from: number; message: PeerMessage; atMs: number }[];
  readonly events: string[];
  readonly logs: string[];
  /** As a process would end: nobody listens any more. */
  kill(): void;
}

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(port: number, links: PeerLinks): Promise<Server> {
  const server = createPeerServer();
  links.addService(server);
  await bind(server, `127.0.0.1:${port}`);
  return server;
}

/** Server `id` of a cluster whose server n listens on ports[n - 1]. */
async function startNode(
  id: number,
  ports: readonly number[],
  changes: Partial<PeerLinksOptions> = {},
): Promise<Node> {
  const received: Node['received'] = [];
  const events: string[] = [];
  const logs: string[] = [];
  const peers = ports
    .map((port, i) => ({ id: i + 1, zone: ZONES[i + 1]!, address: `127.0.0.1:${port}` }))
    .filter((peer) => peer.id !== id);
  const links = new PeerLinks({
    self: id,
    zone: ZONES[id]!,
    epoch: 1_000 + id,
    clusterId: CLUSTER,
    protocolVersion: 1,
    disk: diskOf(id),
    diskRefusal: ({ serverId, disk }) => (disk === diskOf(serverId) ? null : `other disk: ${disk}`),
    logEnd: () => 0,
    peers,
    receive: (from, message) => received.push({ from, message, atMs: performance.now() }),
    onPeerDown: (peer) => events.push(`down ${peer}`),
    onPeerUp: (peer) => events.push(`up ${peer}`),
    log: (level, text, fields) => logs.push(`${level} ${text} ${JSON.stringify(fields ?? {})}`),
    ...changes,
  });
  const server = await listen(ports[id - 1]!, links);
  links.start();
  const kill = () => {
    links.close();
    server.forceShutdown();
  };
  closers.push(kill);
  return { id, links, received, events, logs, kill };
}

async function pair(changes: Partial<PeerLinksOptions> = {}): Promise<[Node, Node, number[]]> {
  const ports = await freePorts(2);
  const nodes = await Promise.all([startNode(1, ports, changes), startNode(2, ports, changes)]);
  await until(() => nodes.every((node) => isConnected(node)));
  return [nodes[0]!, nodes[1]!, ports];
}

function isConnected(node: Node): boolean {
  return node.links.stats().every((peer) => peer.lanes.every((lane) => lane.state === 'open'));
}

async function until(condition: () => boolean, timeoutMs = 5_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > endMs)
      throw new Error(`not within ${timeoutMs} ms: ${String(condition)}`);
    await sleep(2);
  }
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

const read = (context: number): PeerMessage => ({
  type: 'raft',
  unit: 1,
  message: { type: 'read', from: 1, to: 2, term: 3, context },
});
const request = (ref: number, bytes = 4): PeerMessage => ({
  type: 'request',
  unit: 1,
  kind: 1,
  epoch: 7,
  ref,
  body: new Uint8Array(bytes).fill(ref),
});
const refsOf = (node: Node) =>
  node.received.map(({ message }) => (message.type === 'request' ? message.ref : -1));

describe('messages', () => {
  test('arrive whole and in order, on both lanes and both ways', async () => {
    const [one, two] = await pair();
    for (let i = 1; i <= 200; i += 1) one.links.send(2, request(i, i * 37));
    one.links.send(2, read(5));
    two.links.send(1, request(9));
    one.links.flush();
    two.links.flush();
    await until(() => two.received.length === 201 && one.received.length === 1);
    const bulk = two.received
      .map(({ message }) => message)
      .filter(({ type }) => type === 'request');
    expect(bulk).toEqual(Array.from({ length: 200 }, (_, i) => request(i + 1, (i + 1) * 37)));
    expect(two.received.map(({ message }) => message)).toContainEqual(read(5));
    expect(one.received[0]).toMatchObject({ from: 2, message: request(9) });
  });

  test('wait for flush', async () => {
    const [one, two] = await pair();
    one.links.send(2, request(1));
    await sleep(50);
    expect(two.received).toEqual([]);
    one.links.flush();
    await until(() => two.received.length === 1);
  });

  test('of a megabyte pass by the hundred without loss', async () => {
    const [one, two] = await pair({ bulkQueueBytesMax: 256 << 20 });
    for (let i = 1; i <= 100; i += 1) one.links.send(2, request(i, 1 << 20));
    one.links.flush();
    await until(() => two.received.length === 100, 10_000);
    expect(refsOf(two)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  test('too large ever to arrive are thrown back at the sender', async () => {
    const [one] = await pair();
    expect(() => one.links.send(2, request(1, 5 << 20))).toThrow("can't be sent");
  });

  test('to a server that is not known here yet are lost', async () => {
    const [one] = await pair();
    expect(() => one.links.send(3, request(1))).not.toThrow();
  });

  test('reach a server that is added while all run', async () => {
    const ports = await freePorts(2);
    const one = await startNode(1, [ports[0]!]);
    const two = await startNode(2, ports);
    one.links.add({ id: 2, zone: 'z', address: `127.0.0.1:${ports[1]}` });
    one.links.send(2, request(1));
    one.links.flush();
    await until(() => two.received.length === 1);
  });

  test('sent just before the peer is there wait for it', async () => {
    const ports = await freePorts(2);
    const one = await startNode(1, ports);
    one.links.send(2, request(1));
    one.links.flush();
    const two = await startNode(2, ports);
    await until(() => two.received.length === 1);
  });

  test('sent long before the peer is there are dropped, by the next one and when it comes', async () => {
    const ports = await freePorts(2);
    const one = await startNode(1, ports);
    one.links.send(2, request(1));
    await sleep(600);
    one.links.send(2, request(2));
    expect(one.links.stats()[0]!.lanes[1]).toMatchObject({ queued: 1, dropped: 1 });
    await sleep(600);
    const two = await startNode(2, ports);
    await until(() => isConnected(one));
    one.links.send(2, request(3));
    one.links.flush();
    await until(() => two.received.length > 0);
    expect(refsOf(two)).toEqual([3]);
  });

  test('on the control lane overtake a bulk lane that is stuck', async () => {
    const [one, two] = await pair();
    const thin: LinkRule = { from: 1, to: 2, bandwidthBytesPerSecond: 1_000_000 };
    one.links.setLinks([thin]);
    one.links.send(2, request(1, 1 << 20)); // a second long
    one.links.send(2, read(5));
    one.links.flush();
    await until(() => two.received.length > 0);
    expect(two.received[0]?.message).toEqual(read(5));
  });
});

describe('a hello is refused', () => {
  const hello: Hello = {
    clusterId: CLUSTER,
    serverId: 1,
    zone: 'hz1',
    protocolVersion: 1,
    epoch: 5,
    lane: 'control',
    disk: diskOf(1),
    logEnd: 7,
  };

  async function greet(first: Uint8Array, second?: Uint8Array): Promise<ServiceError | 'welcome'> {
    const ports = await freePorts(2);
    await startNode(2, ports);
    const client = new Client(`127.0.0.1:${ports[1]}`, credentials.createInsecure());
    closers.push(() => client.close());
    const { path, requestSerialize, responseDeserialize } = LANE_METHOD;
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    return new Promise((done) => {
      stream.on('error', done);
      stream.on('data', () => (second === undefined ? done('welcome') : stream.write(second)));
      stream.write(first);
    });
  }

  test.each([
    [{ clusterId: 'f'.repeat(32) }, 'other cluster'],
    [{ protocolVersion: 2 }, 'other protocol version: this is 1, the caller speaks 2'],
    [{ serverId: 2 }, 'own id'],
    [{ serverId: 9 }, 'unknown server: 9'],
    [{ zone: 'sh1' }, 'unknown server: 1 is in zone hz1, the caller says sh1'],
    [{ disk: 'f'.repeat(32) }, `other disk: ${'f'.repeat(32)}`],
  ])('for %o: %s', async (changes, reason) => {
    const answer = await greet(encodeHello({ ...hello, ...changes }));
    expect(answer).toMatchObject({ code: status.FAILED_PRECONDITION });
    expect((answer as ServiceError).details).toContain(reason);
  });

  test('and whoever comes with another disk than before is told, to end itself', async () => {
    const ports = await freePorts(2);
    const told: string[] = [];
    await startNode(2, ports);
    const onDisowned = (by: number, reason: string) => told.push(`${by}: ${reason}`);
    await startNode(1, ports, { disk: 'f'.repeat(32), onDisowned });
    await until(() => told.length > 0);
    expect(told[0]).toBe(`2: other disk: ${'f'.repeat(32)}`);
  });

  test('never if all is right', async () => {
    expect(await greet(encodeHello(hello))).toBe('welcome');
  });

  test('when it is none, and a frame of garbage ends the stream', async () => {
    const code = status.INVALID_ARGUMENT;
    expect(await greet(encodeFrame([read(1)]))).toMatchObject({ code });
    expect(await greet(Uint8Array.of(255, 255))).toMatchObject({ code });
    expect(await greet(encodeHello(hello), Uint8Array.of(0x12, 0))).toMatchObject({ code });
  });

  test('and the caller says so once, and keeps trying', async () => {
    const ports = await freePorts(2);
    const one = await startNode(1, ports);
    const two = await startNode(2, ports, { clusterId: 'f'.repeat(32) });
    await until(() => one.logs.some((line) => line.includes('peer refused')));
    await sleep(700);
    expect(one.logs.filter((line) => line.includes('peer refused')).length).toBe(2); // one a lane
    expect(one.links.stats()[0]!.state).not.toBe('up');
    two.kill();
    await startNode(2, ports);
    await until(() => one.events.includes('up 2'));
  });

  test('an address where another server answers is left again', async () => {
    const ports = await freePorts(3);
    await startNode(2, ports);
    // Server 1 thinks that server 3 listens where server 2 does.
    const one = await startNode(1, [ports[0]!, ports[2]!, ports[1]!]);
    await until(() => one.logs.some((line) => line.includes('answers as server 2')));
    expect(one.events).not.toContain('up 3');
  });
});

test('a message that contradicts itself ends its connection with the reason, not the process', async () => {
  const [one, two] = await pair();
  const entries = [{ term: 3, index: 9, kind: 1, payload: new Uint8Array(0) }];
  one.links.send(2, {
    type: 'raft',
    unit: 1,
    message: {
      type: 'append',
      from: 1,
      to: 2,
      term: 3,
      prevIndex: 5,
      prevTerm: 3,
      commit: 0,
      entries,
    },
  });
  one.links.send(2, request(1));
  one.links.flush();
  await until(() => one.logs.some((line) => line.includes('peer refused')));
  expect(two.logs.some((line) => line.includes('entry (3, 9) after (3, 5)'))).toBe(true);
  expect(two.received).toEqual([]);
  await until(() => isConnected(one));
  one.links.send(2, request(2));
  one.links.flush();
  await until(() => two.received.length === 1);
  expect(refsOf(two)).toEqual([2]);
});

test('a new stream of a server and lane ends the older one, whose frames no longer count', async () => {
  const ports = await freePorts(2);
  const two = await startNode(2, ports);
  const client = new Client(`127.0.0.1:${ports[1]}`, credentials.createInsecure());
  closers.push(() => client.close());
  const { path, requestSerialize, responseDeserialize } = LANE_METHOD;
  const greet = (epoch: number) => {
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    stream.on('error', () => {});
    const hello = { clusterId: CLUSTER, serverId: 1, zone: 'hz1', protocolVersion: 1 };
    stream.write(encodeHello({ ...hello, epoch, lane: 'bulk', disk: diskOf(1), logEnd: 7 }));
    return stream;
  };
  const older = greet(1);
  await once(older, 'data');
  const newer = greet(2);
  const [[error]] = await Promise.all([once(older, 'error'), once(newer, 'data')]);
  expect(error).toMatchObject({ code: status.ABORTED });
  newer.write(encodeFrame([request(2)]));
  await until(() => two.received.length === 1);
  expect(refsOf(two)).toEqual([2]);
});

describe('a peer', () => {
  test('whose process ends is down, once, and up again when it is back', async () => {
    const [one, two, ports] = await pair();
    expect(one.events.filter((event) => event.startsWith('up'))).toEqual(['up 2']);
    one.events.length = 0;
    two.kill();
    await until(() => one.events.includes('down 2'));
    await sleep(300);
    expect(one.events).toEqual(['down 2']);
    const again = await startNode(2, ports);
    await until(() => one.events.includes('up 2'));
    expect(one.events).toEqual(['down 2', 'up 2']);
    one.links.send(2, request(4));
    one.links.flush();
    await until(() => again.received.length === 1);
  });

  test('that takes no connection but refuses none is not down', async () => {
    const ports = await freePorts(2);
    const sockets: Socket[] = [];
    const mute: TcpServer = createServer((socket) => void sockets.push(socket));
    await new Promise<void>((done) => mute.listen(ports[1], '127.0.0.1', done));
    closers.push(() => {
      mute.close();
      for (const socket of sockets) socket.destroy();
    });
    const one = await startNode(1, ports);
    await until(() => sockets.length >= 2);
    await sleep(300);
    expect(one.events).toEqual([]);
  });

  test('that stops reading costs what gRPC may hold and its bounded queue, no more', async () => {
    const ports = await freePorts(2);
    const server = createPeerServer();
    server.addService(
      { lane: LANE_METHOD },
      {
        lane: (stream: ServerDuplexStream<Uint8Array, Uint8Array>) => {
          stream.once('data', () => {
            stream.pause();
            stream.write(encodeWelcome({ serverId: 2, epoch: 1 }));
          });
        },
      },
    );
    closers.push(() => server.forceShutdown());
    await bind(server, `127.0.0.1:${ports[1]}`);
    const one = await startNode(1, ports, { bulkQueueBytesMax: 8 << 20 });
    await until(() => isConnected(one));
    for (let i = 1; i <= 60; i += 1) {
      one.links.send(2, request(i, 1 << 20));
      one.links.flush();
      await sleep(5);
    }
    const bulk = one.links.stats()[0]!.lanes[1]!;
    expect(bulk.dropped).toBeGreaterThan(10);
    expect(bulk.queuedBytes).toBeLessThanOrEqual(8 << 20);
  });

  test('behind a black hole costs its bounded queue, and the oldest messages', async () => {
    const ports = await freePorts(2);
    const two = await startNode(2, ports);
    const one = await startNode(1, ports, { bulkQueueBytesMax: 8 << 20 });
    await until(() => isConnected(one));
    one.links.setLinks([{ from: 1, to: 2, blackHole: true }]);
    for (let i = 1; i <= 100; i += 1) {
      one.links.send(2, request(i, 1 << 20));
      one.links.flush();
    }
    const bulk = () => one.links.stats()[0]!.lanes[1]!;
    expect(bulk().queuedBytes).toBeLessThanOrEqual(8 << 20);
    expect(bulk().queued + bulk().dropped).toBe(100);
    one.links.setLinks([]);
    await until(() => bulk().queued === 0 && refsOf(two).at(-1) === 100);
    expect(refsOf(two)).toEqual([94, 95, 96, 97, 98, 99, 100]);
  });
});

describe('the emulated network', () => {
  test('delays each way as told, never less', async () => {
    const [one, two] = await pair();
    one.links.setLinks(
      cityLinks([
        { name: 'hz1', city: 'a' },
        { name: 'hz2', city: 'b' },
      ]),
    );
    const latenciesMs: number[] = [];
    for (let i = 1; i <= 20; i += 1) {
      const sentMs = performance.now();
      one.links.send(2, request(i));
      one.links.flush();
      await until(() => two.received.length === i);
      latenciesMs.push(two.received[i - 1]!.atMs - sentMs);
    }
    expect(Math.min(...latenciesMs)).toBeGreaterThanOrEqual(8);
  });

  test('cut one way loses messages that way only', async () => {
    const [one, two] = await pair();
    const cut: LinkRule[] = [{ from: 1, to: 2, cut: true }];
    for (const node of [one, two]) node.links.setLinks(cut);
    one.links.send(2, request(1));
    two.links.send(1, request(2));
    one.links.flush();
    two.links.flush();
    await until(() => one.received.length === 1);
    await sleep(50);
    expect(two.received).toEqual([]);
    for (const node of [one, two]) node.links.setLinks([]);
    one.links.send(2, request(3));
    one.links.flush();
    await until(() => two.received.length === 1);
    expect(refsOf(two)).toEqual([3]);
    expect(one.events.concat(two.events).filter((event) => event.startsWith('down'))).toEqual([]);
  });

  test.each([
    { from: 1, to: 2, cut: true },
    { from: 2, to: 1, cut: true },
    { from: 2, to: 1, blackHole: true },
  ])('under %o hides a death until it is healed', async (rule) => {
    const [one, two] = await pair();
    one.events.length = 0;
    one.links.setLinks([rule]);
    two.kill();
    await sleep(300);
    expect(one.events).toEqual([]);
    one.links.setLinks([]);
    await until(() => one.events.includes('down 2'));
  });

  test('under a cut lets no new connection open', async () => {
    const ports = await freePorts(2);
    const one = await startNode(1, ports, { links: [{ from: 2, to: 1, cut: true }] });
    await startNode(2, ports);
    await sleep(300);
    expect(one.events).toEqual([]);
    one.links.setLinks([]);
    await until(() => one.events.includes('up 2'));
  });
});

test('after close nothing is delivered, sent or tried again', async () => {
  const [one, two] = await pair();
  two.links.send(1, request(1));
  two.links.close();
  two.links.flush();
  await sleep(100);
  expect(one.received).toEqual([]);
  expect(two.links.stats()[0]!.lanes.map((lane) => lane.state)).toEqual(['closed', 'closed']);
});

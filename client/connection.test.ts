import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type CallEnd, Connection, FrameReader, writeHeader } from './connection.ts';
import { FakeServer } from './testing/fake-server.ts';

const SILENCE_MS = 60;
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function framed(text: string): Buffer {
  const bytes = Buffer.from(`\0\0\0\0\0${text}`);
  writeHeader(bytes);
  return bytes;
}

describe('frames', () => {
  const bytes = Buffer.concat([framed('one'), framed(''), framed('x'.repeat(300))]);
  const expected = ['one', '', 'x'.repeat(300)];

  it.each([1, 2, 4, 5, 6, 7, 100, bytes.length])('arrive whole in chunks of %i', (size) => {
    const reader = new FrameReader();
    const messages: string[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      reader.push(bytes.subarray(at, at + size), (message) => messages.push(message.toString()));
    }
    expect(messages).toEqual(expected);
  });

  it('that are compressed or monstrous are refused', () => {
    const push = (...header: number[]) => new FrameReader().push(Buffer.from(header), () => {});
    expect(() => push(1, 0, 0, 0, 1)).toThrow('compressed');
    expect(() => push(0, 0xff, 0, 0, 0)).toThrow('message of');
  });
});

describe('a connection', () => {
  async function open(address: string) {
    let unusable = 0;
    const connection = new Connection(address, 1_000, SILENCE_MS, () => {
      unusable += 1;
    });
    cleanups.push(() => connection.destroy('end of test'));
    await connection.open();
    return { connection, unusable: () => unusable };
  }

  async function silentServer(): Promise<string> {
    const server = createServer(() => {});
    cleanups.push(() => server.close());
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return `127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  async function liveServer(): Promise<FakeServer> {
    const server = await new FakeServer().start();
    cleanups.push(() => server.kill());
    return server;
  }

  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('is closed when the other side leaves pings unanswered, and kept when it lives', async () => {
    const silent = await open(await silentServer());
    const live = await open((await liveServer()).address);
    await wait(3 * SILENCE_MS);
    expect([silent.unusable(), silent.connection.opened]).toEqual([1, false]);
    expect([live.unusable(), live.connection.opened]).toEqual([0, true]);
  });

  it('says why when nobody listens', async () => {
    const server = await liveServer();
    server.kill();
    await expect(open(server.address)).rejects.toThrow('ECONNREFUSED');
  });

  it('ends a call once with what the server says', async () => {
    const { connection } = await open((await liveServer()).address);
    const ends: CallEnd[] = [];
    const events = { onMessage: () => {}, onEnd: (end: CallEnd) => ends.push(end) };
    connection.call('/evenkeel.v1.Ledger/Nothing', events).finish();
    const deadline = connection.call('/evenkeel.v1.Ledger/SubmitTransfers', events, 30);
    await wait(120);
    expect(ends.map((end) => end.code)).toEqual([12, 4]);
    deadline.cancel();
    await wait(20);
    expect(ends).toHaveLength(2);
  });

  it('ends its calls at once when the server is killed', async () => {
    const server = await liveServer();
    const { connection, unusable } = await open(server.address);
    const end = new Promise<CallEnd>((resolve) => {
      connection.call('/evenkeel.v1.Ledger/SubmitTransfers', {
        onMessage: () => {},
        onEnd: resolve,
      });
    });
    await wait(30);
    server.kill();
    expect((await end).code).toBe(14);
    await wait(20);
    expect(unusable()).toBe(1);
  });
});

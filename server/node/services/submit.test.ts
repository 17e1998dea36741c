import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EvenkeelError } from '../../core/error.ts';
import { STREAM_REQUESTS_MAX } from './limits.ts';
import { account, Harness, until } from './testing/harness.ts';

let server: Harness;
beforeEach(async () => {
  server = await new Harness().start();
  await server.call('Ledger/CreateAccounts', { accounts: [account(1), account(2)] });
  server.gateway.started = 0;
});
afterEach(() => server.stop());

/** Timestamps tell which message an answer belongs to: the fake gives them in order of arrival. */
function timestamps(responses: readonly Record<string, unknown>[]): number[] {
  return responses.map((response) => (response.results as { timestamp: number }[])[0]!.timestamp);
}

describe('SubmitTransfers', () => {
  it('answers every message in order and ends with the client', async () => {
    const stream = server.submit();
    for (let id = 1; id <= 3_000; id += 1) stream.send(server.transfers(id));
    expect(await stream.finish()).toMatchObject({ code: status.OK });
    expect(timestamps(stream.responses)).toEqual(
      Array.from({ length: 3_000 }, (_, i) => 1_003 + i),
    );
    expect(server.gateway.cancelled).toBe(0);
  });

  it('keeps the order of the messages when the gateway does not', async () => {
    server.gateway.holding = true;
    const stream = server.submit().send(...[1, 2, 3, 4].map((id) => server.transfers(id)));
    await until(() => server.gateway.held.length === 4);
    server.gateway.release(3, 1);
    server.gateway.release(0);
    await until(() => stream.responses.length === 2);
    server.gateway.release(2);
    await stream.finish();
    expect(timestamps(stream.responses)).toEqual([1_003, 1_004, 1_005, 1_006]);
  });

  it('refuses a malformed message after the answers of all before it, and processes none after it', async () => {
    server.gateway.holding = true;
    const bad = Buffer.concat([server.transfers(3), Buffer.of(0x0a, 0x03, 0x58, 0xff)]);
    const stream = server.submit();
    stream.send(server.transfers(1), server.transfers(2), bad, server.transfers(4));
    await until(() => server.gateway.held.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(stream.responses).toHaveLength(0);
    server.gateway.release(1, 0);
    expect(await stream.status).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'message 2: transfers: truncated: 3 bytes announced, 2 left',
    });
    expect(stream.responses).toHaveLength(2);
    expect(server.gateway.started).toBe(2);
  });

  it("ends with the gateway's error after the answers of all before it", async () => {
    server.gateway.holding = true;
    const stream = server.submit().send(...[1, 2, 3].map((id) => server.transfers(id)));
    await until(() => server.gateway.held.length === 3);
    server.gateway.fail(1, new EvenkeelError('unavailable', 'no quorum'));
    server.gateway.release(0);
    expect(await stream.status).toMatchObject({
      code: status.UNAVAILABLE,
      details: 'message 1: no quorum',
    });
    expect(stream.responses).toHaveLength(1);
    expect(server.gateway.cancelled).toBe(1);
  });

  it('cancels at the gateway what a client that hangs up has under way', async () => {
    server.gateway.holding = true;
    const stream = server.submit().send(...[1, 2, 3].map((id) => server.transfers(id)));
    await until(() => server.gateway.held.length === 3);
    server.gateway.release(1);
    stream.call.cancel();
    await until(() => server.gateway.cancelled === 2);
  });

  it('answers what is under way when the client has sent its last message', async () => {
    server.gateway.holding = true;
    const stream = server.submit().send(server.transfers(1));
    await until(() => server.gateway.held.length === 1);
    const ended = stream.finish();
    await new Promise((resolve) => setTimeout(resolve, 20));
    server.gateway.release(0);
    expect(await ended).toMatchObject({ code: status.OK });
    expect(stream.responses).toHaveLength(1);
  });

  it('ends an empty stream well', async () => {
    expect(await server.submit().finish()).toMatchObject({ code: status.OK });
  });
});

describe('back-pressure', () => {
  it('reads no more while its limit of unanswered messages is reached, and then the rest', async () => {
    server.gateway.holding = true;
    const stream = server.submit();
    const total = STREAM_REQUESTS_MAX + 200;
    for (let id = 1; id <= total; id += 1) stream.send(server.transfers(id));
    await until(() => server.gateway.held.length >= STREAM_REQUESTS_MAX);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.gateway.held.length).toBe(STREAM_REQUESTS_MAX);
    server.gateway.holding = false;
    server.gateway.release(...server.gateway.held.keys());
    await stream.finish();
    expect(stream.responses).toHaveLength(total);
  });

  it('reads no more while its limit of record bytes is reached', async () => {
    server.gateway.holding = true;
    const eighth = server.transfers(...Array.from({ length: 8_190 }, (_, i) => i + 1));
    const stream = server.submit();
    for (let n = 0; n < 12; n += 1) stream.send(eighth);
    await until(() => server.gateway.held.length >= 9);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.gateway.held.length).toBe(9);
    server.gateway.holding = false;
    server.gateway.release(...server.gateway.held.keys());
    await stream.finish();
    expect(stream.responses).toHaveLength(12);
  });

  it('reads no more while the gateway has no room', async () => {
    server.gateway.hasRoom = false;
    const streams = [server.submit(), server.submit()];
    for (const stream of streams) {
      for (let id = 1; id <= 100; id += 1) stream.send(server.transfers(id));
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    // One a stream: room is looked at after each message.
    expect(server.gateway.started).toBe(2);
    server.gateway.makeRoom();
    for (const stream of streams) {
      await stream.finish();
      expect(stream.responses).toHaveLength(100);
    }
  });
});

import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeCursor } from '../../core/feed/cursor.ts';
import { WATCH_STREAMS_MAX } from './limits.ts';
import { Harness, until } from './testing/harness.ts';

let server: Harness;
beforeEach(async () => {
  server = await new Harness().start();
});
afterEach(() => server.stop());

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('WatchEvents', () => {
  it('sends what has happened, and then what happens, in order', async () => {
    server.feeds.last = 10;
    const watch = server.watch({ unit: 2 });
    await until(() => watch.events.length === 10);
    expect(watch.events[0]).toMatchObject({
      kind: 'EVENT_KIND_TRANSFER',
      transfer: { id: [1] },
      debitAccount: {},
    });
    expect(watch.events[0]).not.toHaveProperty('creditAccount');
    server.feeds.last = 11;
    await until(() => watch.events.length === 11);
    server.feeds.gaps = true;
    server.feeds.last = 30;
    await until(() => watch.events.length === 30);
    expect(watch.times).toEqual(numbers(1, 30));
    expect(server.feeds.opened).toEqual([{ unit: 2, after: { account: 0n, row: 0n } }]);
    watch.call.cancel();
  });

  it('goes on after a time, or after the cursor of an event', async () => {
    server.feeds.last = 9;
    const watch = server.watch({ unit: 1, afterTimestamp: 4 });
    await until(() => watch.events.length === 5);
    const cursor = watch.events[2]!.cursor;
    const again = server.watch({ unit: 1, cursor });
    await until(() => again.events.length === 2);
    expect(again.times).toEqual([8, 9]);
    watch.call.cancel();
    again.call.cancel();
  });

  it.each([
    [{ unit: 3 }, 'unit: 3, there are 2'],
    [{}, 'unit: 0, units are numbered from 1'],
    [{ unit: 1, cursor: [1] }, 'cursor: not one of this release'],
    [{ unit: 1, cursor: [...encodeCursor(2, { account: 1n, row: 1n })] }, 'cursor: of unit 2'],
  ])('refuses %o: %s', async (request, details) => {
    expect(await server.watch(request).status).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details,
    });
  });

  it('reads no further while its reader does not, and skips nothing afterwards', async () => {
    server.feeds.last = 20_000;
    const watch = server.watch({ unit: 1 });
    watch.call.pause();
    // The transport takes some messages ahead, and then no more.
    let asked = -1;
    await until(() => {
      const stands = asked === server.feeds.asked && asked > 0;
      asked = server.feeds.asked;
      return stands;
    }, 100);
    expect(server.feeds.asked).toBeLessThan(4_000);
    watch.call.resume();
    await until(() => watch.events.length === 20_000);
    expect(watch.times).toEqual(numbers(1, 20_000));
    watch.call.cancel();
  });

  it('has so many streams and no more, until one ends', async () => {
    server.feeds.last = 1;
    const streams = numbers(1, WATCH_STREAMS_MAX).map(() => server.watch({ unit: 1 }));
    await until(() => streams.every(({ events }) => events.length === 1));
    const one = server.watch({ unit: 1 });
    expect(await one.status).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    streams[0]!.call.cancel();
    let other = server.watch({ unit: 1 });
    while ((await firstOf(other)) === 'refused') other = server.watch({ unit: 1 });
    expect(other.times).toEqual([1]);
    for (const { call } of [...streams, other]) call.cancel();
  });

  it('ends a stream whose feed fails, and says so to the server alone', async () => {
    server.feeds.last = 1;
    server.feeds.failure = new Error('rot');
    expect(await server.watch({ unit: 1 }).status).toMatchObject({
      code: status.INTERNAL,
      details: 'internal error',
    });
    expect(server.defects).toHaveLength(1);
  });
});

function firstOf(watch: ReturnType<Harness['watch']>): Promise<'refused' | 'event'> {
  return Promise.race([
    watch.status.then(() => 'refused' as const),
    until(() => watch.events.length > 0).then(() => 'event' as const),
  ]);
}

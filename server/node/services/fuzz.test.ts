import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClusterService, LedgerService } from './definitions.ts';
import { account, Harness } from './testing/harness.ts';

/** FUZZ_TIMES=N asks N times as often. */
const TIMES = Math.max(1, Number(process.env.FUZZ_TIMES ?? 1));
const CALLS = 25;
/** A watch that was taken is left after this. */
const WATCH_MS = 30;
const TIMEOUT_MS = 20_000 * TIMES;

let server: Harness;
beforeEach(async () => {
  server = await new Harness().start();
});
afterEach(() => {
  server.stop();
});

const UNARY = [
  ...Object.entries(LedgerService).map(([name, method]) => [`Ledger/${name}`, method] as const),
  ...Object.entries(ClusterService).map(([name, method]) => [`Cluster/${name}`, method] as const),
].filter(([, method]) => !method.responseStream);

/** Bytes at random, and such as look like messages. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  fc
    .array(fc.constantFrom(0x0a, 0x10, 0x12, 0x18, 0x20, 0x39, 0x02, 0x00, 0x01, 0x7f, 0xff), {
      maxLength: 60,
    })
    .map((list) => Uint8Array.from(list)),
);

/** What a caller may be told of bytes that mean nothing. */
const EXPECTED: readonly number[] = [status.OK, status.INVALID_ARGUMENT, status.NOT_FOUND];

async function expectServing(): Promise<void> {
  expect(server.defects).toEqual([]);
  const { results } = await server.call('Ledger/CreateAccounts', { accounts: [account(1)] });
  expect(results).toHaveLength(1);
}

describe('a server that is sent bytes without meaning', () => {
  it.each(UNARY.map(([path]) => path))(
    'as %s answers each, and goes on serving',
    async (path) => {
      for (const message of fc.sample(bytes, CALLS * TIMES)) {
        const code = await server.callRaw(path, Buffer.from(message)).then(
          () => status.OK,
          (error: { code: status }) => error.code,
        );
        expect(EXPECTED).toContain(code);
      }
      await expectServing();
    },
    TIMEOUT_MS,
  );

  it(
    'as SubmitTransfers ends each stream, and goes on serving',
    async () => {
      for (const message of fc.sample(bytes, CALLS * TIMES)) {
        const { code } = await server.submit().send(Buffer.from(message)).finish();
        expect(EXPECTED).toContain(code);
      }
      await expectServing();
    },
    TIMEOUT_MS,
  );

  it(
    'as WatchEvents refuses it, or watches until the caller leaves, and goes on serving',
    async () => {
      for (const message of fc.sample(bytes, CALLS * TIMES)) {
        const code = await new Promise<status>((resolve) => {
          const call = server.client.makeServerStreamRequest<Buffer, Buffer>(
            LedgerService.WatchEvents.path,
            (request) => request,
            (response) => response,
            Buffer.from(message),
          );
          call.on('data', () => {});
          call.on('error', () => {}); // the status says the same
          call.on('status', (end) => resolve(end.code));
          setTimeout(() => call.cancel(), WATCH_MS);
        });
        expect([...EXPECTED, status.CANCELLED]).toContain(code);
      }
      await expectServing();
    },
    TIMEOUT_MS,
  );

  it.each(['/grpc.health.v1.Health/Check', '/evenkeel.v1.Ledger/NoSuchMethod', '/x'])(
    'as %s goes on serving',
    async (path) => {
      for (const message of fc.sample(bytes, CALLS * TIMES)) {
        await new Promise<void>((resolve) => {
          server.client.makeUnaryRequest(
            path,
            (request: Buffer) => request,
            (response: Buffer) => response,
            Buffer.from(message),
            () => resolve(),
          );
        });
      }
      await expectServing();
    },
    TIMEOUT_MS,
  );

  it(
    'as reflection goes on serving',
    async () => {
      for (const message of fc.sample(bytes, CALLS * TIMES)) {
        await new Promise<void>((resolve) => {
          const call = server.client.makeBidiStreamRequest<Buffer, Buffer>(
            '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
            (request) => request,
            (response) => response,
          );
          call.on('data', () => {});
          call.on('error', () => {});
          call.on('status', () => resolve());
          call.write(Buffer.from(message));
          call.end();
        });
      }
      await expectServing();
    },
    TIMEOUT_MS,
  );
});

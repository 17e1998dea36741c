import { service as healthService } from 'grpc-health-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Harness } from './testing/harness.ts';

let server: Harness;
beforeEach(async () => {
  server = await new Harness().start();
});
afterEach(() => server.stop());

function health(service: string): Promise<string> {
  const { path, requestSerialize, responseDeserialize } = healthService.Check as {
    path: string;
    requestSerialize: (value: { service: string }) => Buffer;
    responseDeserialize: (bytes: Buffer) => { status: string };
  };
  return new Promise((resolve, reject) => {
    server.client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { service },
      (error, response) => (error ? reject(error) : resolve(response!.status)),
    );
  });
}

it('health follows what the server says of itself', async () => {
  expect(await health('')).toBe('NOT_SERVING');
  expect(await health('evenkeel.v1.Ledger')).toBe('NOT_SERVING');
  expect(await health('evenkeel.v1.Cluster')).toBe('SERVING');
  server.services.setServing(true);
  expect(await health('')).toBe('SERVING');
  expect(await health('evenkeel.v1.Ledger')).toBe('SERVING');
  server.services.setServing(false);
  expect(await health('evenkeel.v1.Ledger')).toBe('NOT_SERVING');
  await expect(health('evenkeel.v1.Nothing')).rejects.toMatchObject({ details: /unknown/ });
});

/** ServerReflectionRequest of one string field; the responses are searched as bytes. */
function reflect(field: number, value: string): Promise<string> {
  const request = Buffer.concat([Buffer.of((field << 3) | 2, value.length), Buffer.from(value)]);
  const call = server.client.makeBidiStreamRequest<Buffer, Buffer>(
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    (bytes) => bytes,
    (bytes) => bytes,
  );
  return new Promise((resolve, reject) => {
    call.on('data', (bytes: Buffer) => resolve(bytes.toString('latin1')));
    call.on('error', reject);
    call.write(request);
    call.end();
  });
}

it('reflection lists the services and describes their messages', async () => {
  const services = await reflect(7, '*');
  expect(services).toContain('evenkeel.v1.Ledger');
  expect(services).toContain('evenkeel.v1.Cluster');
  const file = await reflect(4, 'evenkeel.v1.Ledger');
  expect(file).toContain('SubmitTransfers');
  expect(file).toContain('user_data_128');
  expect(file).toContain('TRANSFER_STATUS_EXISTS');
});

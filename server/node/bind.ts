import { createServer } from 'node:net';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { EvenkeelError } from '../core/error.ts';

/** Listens; comes back with host:port, the real port if 0 was asked for. Throws `port_in_use`. */
export async function bind(server: Server, address: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
    if (error === null) resolve(port);
    else reject(error);
  });
  try {
    const port = await promise;
    return `${address.slice(0, address.lastIndexOf(':'))}:${port}`;
  } catch (cause) {
    throw cannotListen(address, cause);
  }
}

/** Throws `port_in_use` if nobody could listen there now: for a look before anything is changed. */
export async function checkFree(address: string): Promise<void> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const probe = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  probe.once('error', reject);
  probe.listen({ host, port: Number(address.slice(colon + 1)) }, resolve);
  try {
    await promise;
  } catch (cause) {
    throw cannotListen(address, cause);
  }
  await new Promise((closed) => probe.close(closed));
}

function cannotListen(address: string, cause: unknown): EvenkeelError {
  const { message } = cause as Error;
  return new EvenkeelError(
    'port_in_use',
    `can't listen on ${address}: ${message}. Is another server running there?`,
    { cause },
  );
}

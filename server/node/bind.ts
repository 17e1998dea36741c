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
    throw new EvenkeelError(
      'port_in_use',
      `can't listen on ${address}: ${(cause as Error).message}. Is another server running there?`,
      { cause },
    );
  }
}

import { connect } from 'node:net';
import { CONNECT_MS_MAX } from './limits.ts';

/**
 * accepts: somebody listens there. refused: the machine answers that nobody does, so the process is dead. silent:
 * no answer in time, or any other failure, which proves nothing.
 */
export type ProbeResult = 'accepts' | 'refused' | 'silent';

/** Opens and closes one TCP connection. gRPC reports a refused connection only in prose. */
export function probe(
  address: string,
  done: (result: ProbeResult) => void,
): { readonly cancel: () => void } {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const socket = connect({ host, port: Number(address.slice(colon + 1)) });
  let ended = false;
  const end = (result: ProbeResult | null) => {
    if (ended) return;
    ended = true;
    socket.destroy();
    if (result !== null) done(result);
  };
  socket.setTimeout(CONNECT_MS_MAX, () => end('silent'));
  socket.on('connect', () => end('accepts'));
  // The listener stays after the end: a late error of a destroyed socket must not end the process.
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end(error.code === 'ECONNREFUSED' ? 'refused' : 'silent');
  });
  return { cancel: () => end(null) };
}

import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CallEnd,
  type Connection,
  GrpcStatus,
  HEADER_BYTES,
  unavailable,
  writeHeader,
} from './connection.ts';
import { ClientError, finalError } from './error.ts';
import type { Servers } from './servers.ts';

export interface UnaryOptions {
  readonly servers: Servers;
  readonly retryWindowMs: number;
  readonly stallTimeoutMs: number;
  /** Aborted when the client is closed. */
  readonly signal: AbortSignal;
}

/**
 * One request, one response, from whichever server gives it. `writes`: it may change the books, so that
 * after a try without an answer nobody knows whether it did.
 */
export async function unary(
  options: UnaryOptions,
  path: string,
  message: Buffer,
  writes: boolean,
): Promise<Buffer> {
  const { servers, stallTimeoutMs, signal } = options;
  const deadlineMs = performance.now() + options.retryWindowMs;
  const start = servers.preferred;
  let sent = false;
  for (let failures = 0; ; failures += 1) {
    if (signal.aborted) throw new ClientError('closed', 'the client was closed');
    const address = servers.address(start, failures);
    const patienceMs = servers.timeoutMs(stallTimeoutMs, failures);
    const connection = servers.connection(address, patienceMs);
    let end = await opened(connection);
    if (end === null) {
      sent = true;
      const timeoutMs = Math.min(patienceMs, Math.max(deadlineMs - performance.now(), 1));
      const answer = await once(connection, path, message, timeoutMs);
      if (answer.response !== null) {
        servers.succeeded(address);
        return answer.response;
      }
      end = answer.end;
    }
    const final = finalError(end);
    if (final !== null) throw final;
    const { details } = end;
    const delayMs = servers.delayMs(failures + 1);
    if (!signal.aborted && performance.now() + delayMs >= deadlineMs) {
      throw gaveUp(writes && sent, details);
    }
    await sleep(delayMs, null, { signal }).catch(() => {});
  }
}

export function gaveUp(outcomeUnknown: boolean, lastReason: string): ClientError {
  return outcomeUnknown
    ? new ClientError(
        'outcome_unknown',
        `no answer came in time (last: ${lastReason}); it may be booked: ask again with the same id`,
      )
    : new ClientError('unavailable', `no server could be asked in time (last: ${lastReason})`);
}

/** null = open. */
export async function opened(connection: Connection): Promise<CallEnd | null> {
  try {
    await connection.open();
    return connection.opened ? null : unavailable('connection closed');
  } catch (error) {
    return unavailable((error as Error).message);
  }
}

interface Answer {
  /** null = none came, for the reason in `end`. */
  readonly response: Buffer | null;
  readonly end: CallEnd;
}

function once(
  connection: Connection,
  path: string,
  message: Buffer,
  timeoutMs: number,
): Promise<Answer> {
  return new Promise((resolve) => {
    let response: Buffer | null = null;
    const finish = (end: CallEnd) => {
      clearTimeout(timer);
      resolve({ response: end.code === GrpcStatus.ok ? response : null, end });
    };
    const call = connection.call(
      path,
      {
        onMessage: (bytes) => {
          response = bytes;
        },
        onEnd: finish,
      },
      timeoutMs,
    );
    const timer = setTimeout(() => {
      call.cancel();
      finish(unavailable(`no answer from ${connection.address} within ${timeoutMs} ms`));
    }, timeoutMs);
    const framed = Buffer.allocUnsafe(HEADER_BYTES + message.length);
    message.copy(framed, HEADER_BYTES);
    writeHeader(framed);
    call.write(framed);
    call.finish();
  });
}

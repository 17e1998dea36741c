import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Call,
  type CallEnd,
  type Connection,
  GrpcStatus,
  HEADER_BYTES,
  unavailable,
  writeHeader,
} from './connection.ts';
import { decodeEvents } from './decode-events.ts';
import { encodeWatch } from './encode-reads.ts';
import { ClientError } from './error.ts';
import type { LedgerEvent, WatchOptions } from './read-types.ts';
import { gaveUp, opened, type UnaryOptions } from './unary.ts';

const PATH = '/evenkeel.v1.Ledger/WatchEvents';
/** Messages that wait for their reader; beyond it the server is let wait. */
const WAITING_MAX = 4;
/** A stream that stood for this long was served, though it may have had nothing to say. */
const SERVED_MS = 1_000;

/**
 * The events of one unit, over whichever server gives them. When a server is lost the next one is asked to go
 * on after the last event that came: none is left out, none comes twice.
 */
export class EventStream {
  readonly #options: UnaryOptions;
  readonly #waiting: LedgerEvent[][] = [];
  #watch: WatchOptions;
  #call: Call | null = null;
  #wake: (() => void) | null = null;
  #error: Error | null = null;
  #closed = false;
  /** The last time that a server was serving. */
  #servedMs = performance.now();

  constructor(options: UnaryOptions, watch: WatchOptions) {
    this.#options = options;
    this.#watch = watch;
    watch.signal?.addEventListener('abort', this.#onAbort);
    options.signal.addEventListener('abort', this.#onAbort);
    if (watch.signal?.aborted === true || options.signal.aborted) this.close();
    else void this.#run();
  }

  /** The next events, once there are some; null when it was closed. */
  async next(): Promise<readonly LedgerEvent[] | null> {
    while (this.#waiting.length === 0) {
      if (this.#error !== null) throw this.#error;
      if (this.#closed) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#call?.resume();
    return this.#waiting.shift()!;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#call?.cancel();
    this.#watch.signal?.removeEventListener('abort', this.#onAbort);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    this.#wake?.();
  }

  readonly #onAbort = () => this.close();

  async #run(): Promise<void> {
    const { servers, stallTimeoutMs, retryWindowMs } = this.#options;
    let start = servers.preferred;
    for (let failures = 0; !this.#closed; failures += 1) {
      const address = servers.address(start, failures);
      const connection = servers.connection(address, servers.timeoutMs(stallTimeoutMs, failures));
      const startedMs = performance.now();
      const end = (await opened(connection)) ?? (await this.#follow(connection));
      if (this.#closed) return;
      if (end.code === GrpcStatus.invalidArgument) {
        this.#fail(new ClientError('invalid_argument', end.details));
        return;
      }
      if (this.#servedMs >= startedMs) {
        start = servers.succeeded(address);
        failures = 0;
      }
      if (performance.now() - this.#servedMs > retryWindowMs) {
        this.#fail(gaveUp(false, end.details));
        return;
      }
      await sleep(servers.delayMs(failures + 1));
    }
  }

  /** One stream from its beginning to its end. */
  #follow(connection: Connection): Promise<CallEnd> {
    if (this.#closed) return Promise.resolve(unavailable('closed'));
    const openedMs = performance.now();
    return new Promise((resolve) => {
      const leave = () => {
        call.cancel();
        finish(unavailable('the server leaves'));
      };
      const finish = (end: CallEnd) => {
        connection.forgetLeaving(leave);
        this.#call = null;
        if (performance.now() - openedMs >= SERVED_MS) this.#servedMs = performance.now();
        resolve(end);
      };
      const call = connection.call(PATH, {
        onMessage: (message) => this.#take(message, call),
        onEnd: finish,
      });
      connection.onLeaving(leave);
      this.#call = call;
      const message = encodeWatch(this.#watch);
      const framed = Buffer.allocUnsafe(HEADER_BYTES + message.length);
      message.copy(framed, HEADER_BYTES);
      writeHeader(framed);
      call.write(framed);
      call.finish();
    });
  }

  #take(message: Buffer, call: Call): void {
    const events = decodeEvents(message);
    this.#servedMs = performance.now();
    const last = events.at(-1);
    if (last === undefined) return;
    this.#watch = { ...this.#watch, cursor: last.cursor };
    this.#waiting.push(events);
    if (this.#waiting.length >= WAITING_MAX) call.pause();
    this.#wake?.();
  }

  #fail(error: Error): void {
    this.#error = error;
    this.#wake?.();
  }
}

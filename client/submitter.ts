import {
  type Call,
  type CallEnd,
  type Connection,
  GrpcStatus,
  HEADER_BYTES,
  writeHeader,
} from './connection.ts';
import { decodeTransferResults } from './decode.ts';
import { encodeTransfer } from './encode.ts';
import { ClientError, finalError } from './error.ts';
import type { Servers } from './servers.ts';
import type { NewTransfer, TransferResult } from './types.ts';
import { gaveUp } from './unary.ts';

const PATH = '/evenkeel.v1.Ledger/SubmitTransfers';
/** Messages of one turn go out in writes of about this size. */
const WRITE_BYTES = 64 << 10;
/** Answered entries are dropped from the queue this many at a time. */
const COMPACT_AT = 4_096;
/** A message that a server answers with a defect is not asked more often than this. */
const DEFECTS_MAX = 3;
/** In flight after a refused message: if more are refused, little was sent for nothing. Grows with answers. */
const CAUTIOUS_WINDOW = 16;

export interface SubmitterOptions {
  readonly servers: Servers;
  readonly retryWindowMs: number;
  readonly stallTimeoutMs: number;
  readonly maxInFlight: number;
}

interface Entry {
  /** The message after its header: the same bytes in every try. */
  readonly framed: Buffer;
  readonly resolve: (result: TransferResult) => void;
  readonly reject: (error: ClientError) => void;
  readonly deadlineMs: number;
  /** Some server may have it. */
  sent: boolean;
  /** Given up: its answer, should it come, goes to nobody. */
  settled: boolean;
  defects: number;
}

interface Stream {
  readonly call: Call;
  readonly connection: Connection;
  readonly onLeaving: () => void;
  /** The server leaves: what it has is answered, nothing more goes to it. */
  leaving: boolean;
  answered: boolean;
}

/**
 * Single transfers over one SubmitTransfers stream, many in flight, answers in order. When the stream ends
 * or stalls, all that is unanswered goes to the next server, byte for byte as before.
 */
export class Submitter {
  readonly #options: SubmitterOptions;
  /** From `#head`: unanswered; from `#next`: not sent on the present stream. */
  #queue: Entry[] = [];
  #head = 0;
  #next = 0;
  #stream: Stream | null = null;
  /** A connection is being opened, or waited for after failures. */
  #connecting = false;
  #retryTimer: NodeJS.Timeout | null = null;
  /** Tries in a row that gave no answer, counted from the address at `#start`. */
  #failures = 0;
  #start: number;
  #lastReason = 'not connected yet';
  /** The last time an answer came, or that there was none to wait for. */
  #progressMs = 0;
  /** Messages that may be in flight. */
  #window: number;
  #flushScheduled = false;
  #checkTimer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: SubmitterOptions) {
    this.#options = options;
    this.#start = options.servers.preferred;
    this.#window = options.maxInFlight;
  }

  submit(transfer: NewTransfer, balances: boolean): Promise<TransferResult> {
    if (this.#closed) return Promise.reject(new ClientError('closed', 'the client was closed'));
    return new Promise((resolve, reject) => {
      const framed = encodeTransfer(transfer, balances, HEADER_BYTES);
      writeHeader(framed);
      const deadlineMs = performance.now() + this.#options.retryWindowMs;
      this.#queue.push({
        framed,
        resolve,
        reject,
        deadlineMs,
        sent: false,
        settled: false,
        defects: 0,
      });
      this.#scheduleFlush();
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#dropStream();
    clearTimeout(this.#retryTimer ?? undefined);
    clearInterval(this.#checkTimer ?? undefined);
    const error = new ClientError(
      'closed',
      'the client was closed before the answer; it may be booked: ask again with the same id',
    );
    for (const entry of this.#queue.slice(this.#head)) entry.reject(error);
    this.#queue = [];
    this.#head = 0;
    this.#next = 0;
  }

  /** Once a turn of the event loop, for all that was submitted in it. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#closed || this.#head === this.#queue.length) return;
    this.#checkTimer ??= setInterval(() => this.#check(), this.#checkEveryMs());
    const stream = this.#stream;
    if (stream === null) {
      if (!this.#connecting) void this.#connect();
      return;
    }
    if (stream.leaving) return;
    const end = Math.min(this.#queue.length, this.#head + this.#window);
    if (this.#next === this.#head) this.#progressMs = performance.now();
    while (this.#next < end) {
      const frames: Buffer[] = [];
      let bytes = 0;
      while (this.#next < end && bytes < WRITE_BYTES) {
        const entry = this.#queue[this.#next]!;
        this.#next += 1;
        entry.sent = true;
        frames.push(entry.framed);
        bytes += entry.framed.length;
      }
      stream.call.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames, bytes));
    }
  }

  async #connect(): Promise<void> {
    this.#connecting = true;
    const { servers, stallTimeoutMs } = this.#options;
    const address = servers.address(this.#start, this.#failures);
    const connection = servers.connection(address, this.#timeoutMs(stallTimeoutMs));
    try {
      await connection.open();
      if (!connection.opened) throw new Error('connection closed');
    } catch (error) {
      this.#failed(`${address}: ${(error as Error).message}`);
      return;
    }
    if (this.#closed) return;
    this.#connecting = false;
    this.#openStream(connection);
    this.#flush();
  }

  #openStream(connection: Connection): void {
    const call = connection.call(PATH, {
      onMessage: (message) => this.#answered(message, stream),
      onEnd: (end) => this.#ended(end, stream),
    });
    const onLeaving = () => {
      stream.leaving = true;
      call.finish();
    };
    const stream: Stream = { call, connection, onLeaving, leaving: false, answered: false };
    connection.onLeaving(onLeaving);
    this.#stream = stream;
    this.#next = this.#head;
  }

  #dropStream(): void {
    this.#stream?.call.cancel();
    this.#stream?.connection.forgetLeaving(this.#stream.onLeaving);
    this.#stream = null;
  }

  #answered(message: Buffer, stream: Stream): void {
    if (this.#stream !== stream) return;
    const entry = this.#queue[this.#head];
    if (entry === undefined || this.#head === this.#next) throw new Error('answer to no message');
    const result = decodeTransferResults(message)[0];
    if (result === undefined) throw new Error('answer without a result');
    this.#dropHead();
    this.#progressMs = performance.now();
    if (this.#window < this.#options.maxInFlight) this.#window += 1;
    if (!stream.answered) {
      stream.answered = true;
      this.#failures = 0;
      this.#start = this.#options.servers.succeeded(stream.connection.address);
    }
    if (!entry.settled) entry.resolve(result);
    if (this.#queue.length > this.#next) this.#scheduleFlush();
  }

  #dropHead(): void {
    this.#head += 1;
    if (this.#head < COMPACT_AT && this.#head < this.#queue.length) return;
    this.#queue.splice(0, this.#head);
    this.#next = Math.max(this.#next - this.#head, 0);
    this.#head = 0;
  }

  /** The stream has ended; answers to all before the first unanswered message have come. */
  #ended(end: CallEnd, stream: Stream): void {
    if (this.#stream !== stream) return;
    const head = this.#next > this.#head ? this.#queue[this.#head] : undefined;
    const details = end.details.replace(/^message \d+: /, '');
    const reason = `${stream.connection.address}: ${details}`;
    const final = finalError({ code: end.code, details });
    if (end.code === GrpcStatus.ok && stream.leaving) {
      this.#failures += 1;
      this.#reconnect(reason, 0);
    } else if (final !== null && head !== undefined) {
      this.#dropHead();
      if (!head.settled) head.reject(final);
      this.#window = Math.min(CAUTIOUS_WINDOW, this.#options.maxInFlight);
      this.#reconnect(reason, 0);
    } else {
      if (head !== undefined && isDefect(end.code)) this.#countDefect(head, details);
      this.#failed(reason);
    }
  }

  /** One message that no server can process must not hold up all behind it until its time is over. */
  #countDefect(head: Entry, details: string): void {
    head.defects += 1;
    if (head.defects < DEFECTS_MAX) return;
    this.#dropHead();
    if (!head.settled) head.reject(gaveUp(true, details));
  }

  #failed(reason: string): void {
    this.#failures += 1;
    this.#reconnect(reason, this.#options.servers.delayMs(this.#failures));
  }

  #reconnect(reason: string, delayMs: number): void {
    this.#lastReason = reason;
    this.#dropStream();
    this.#queue = this.#queue.slice(this.#head).filter((entry) => !entry.settled);
    this.#head = 0;
    this.#next = 0;
    this.#connecting = !this.#closed;
    if (this.#closed) return;
    this.#retryTimer = setTimeout(() => {
      this.#connecting = false;
      this.#flush();
    }, delayMs);
  }

  #check(): void {
    const nowMs = performance.now();
    this.#expire(nowMs);
    if (this.#head === this.#queue.length) {
      clearInterval(this.#checkTimer ?? undefined);
      this.#checkTimer = null;
      return;
    }
    const limitMs = this.#timeoutMs(this.#options.stallTimeoutMs);
    const stream = this.#stream;
    if (stream !== null && this.#next > this.#head && nowMs - this.#progressMs > limitMs) {
      this.#failed(`${stream.connection.address}: no answer for ${Math.round(limitMs)} ms`);
    }
  }

  /** Entries are in order of their deadlines. */
  #expire(nowMs: number): void {
    let at = this.#head;
    for (; at < this.#queue.length; at += 1) {
      const entry = this.#queue[at]!;
      if (entry.deadlineMs > nowMs) break;
      if (!entry.settled) entry.reject(gaveUp(entry.sent, this.#lastReason));
      entry.settled = true;
    }
    // What is on the stream keeps its place for its answer; the rest must not be sent after all.
    if (at > this.#next) this.#queue.splice(this.#next, at - this.#next);
  }

  #timeoutMs(baseMs: number): number {
    return this.#options.servers.timeoutMs(baseMs, this.#failures);
  }

  #checkEveryMs(): number {
    return Math.min(100, this.#options.stallTimeoutMs / 4);
  }
}

/** Neither a server that is away or busy, nor a call that was cut off. */
function isDefect(code: number): boolean {
  return code !== GrpcStatus.unavailable && code !== GrpcStatus.resourceExhausted;
}

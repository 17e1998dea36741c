import type { ServerDuplexStream } from '@grpc/grpc-js';
import { RECORD_BYTES } from '../../../ledger/layout.ts';
import { decodeCreateTransfers } from '../../core/codec/requests.ts';
import { encodeTransferResults } from '../../core/codec/responses.ts';
import type { Slab } from '../../core/codec/slab.ts';
import type { Gateway, RequestHandle } from '../../core/gateway/api.ts';
import { joinMessages } from './frames.ts';
import { STREAM_RECORD_BYTES_MAX, STREAM_REQUESTS_MAX } from './limits.ts';
import type { Room } from './room.ts';
import { type Report, toReportedStatus } from './unary.ts';

type Call = ServerDuplexStream<Buffer, Buffer>;

interface Pending {
  readonly number: number;
  readonly recordBytes: number;
  handle: RequestHandle | null;
  response: Buffer | null;
  error: unknown;
}

export interface SubmitDeps {
  readonly gateway: Gateway;
  readonly slab: Slab;
  readonly room: Room;
  readonly report: Report;
}

/**
 * One SubmitTransfers stream. Messages go to the gateway as they come; answers go back in the order of the
 * messages. All answers that are ready when the last write has left go out with the next one.
 *
 * The first message in order that has an error ends the stream, after the answers of all before it.
 */
export class SubmitStream {
  readonly #call: Call;
  readonly #deps: SubmitDeps;
  /** In order of arrival; the first `#sending` of them are answered by the write under way. */
  readonly #queue: Pending[] = [];
  #sending = 0;
  #recordBytes = 0;
  #received = 0;
  #flushScheduled = false;
  /** No further message is taken: the client has finished, or a message was malformed. */
  #inputEnded = false;
  #closed = false;

  constructor(call: Call, deps: SubmitDeps) {
    this.#call = call;
    this.#deps = deps;
    call.on('data', (bytes: Buffer) => this.#receive(bytes));
    call.on('end', () => this.#finishInput());
    call.on('cancelled', () => this.#abandon());
  }

  #receive(bytes: Buffer): void {
    if (this.#inputEnded || this.#closed) return;
    const number = this.#received;
    this.#received += 1;
    try {
      this.#submit(number, bytes);
    } catch (error) {
      this.#queue.push({ number, recordBytes: 0, handle: null, response: null, error });
      this.#finishInput();
      this.#scheduleFlush();
    }
    this.#regulate();
  }

  #submit(number: number, bytes: Buffer): void {
    const { gateway, slab } = this.#deps;
    const { records, count, balances } = decodeCreateTransfers(bytes, slab);
    const recordBytes = count * RECORD_BYTES;
    const pending: Pending = { number, recordBytes, handle: null, response: null, error: null };
    this.#queue.push(pending);
    this.#recordBytes += recordBytes;
    pending.handle = gateway.createTransfers(records, count, balances, (error, words) => {
      if (this.#closed) return;
      pending.handle = null;
      if (error === null) pending.response = encodeTransferResults(words, balances);
      else pending.error = error;
      this.#scheduleFlush();
    });
  }

  #finishInput(): void {
    this.#inputEnded = true;
    this.#scheduleFlush();
  }

  /** After the current turn, in which the gateway may answer many messages. */
  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#sending > 0 || this.#closed) return;
    this.#flushScheduled = true;
    process.nextTick(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#closed || this.#sending > 0) return;
    const ready: Buffer[] = [];
    for (const pending of this.#queue) {
      if (pending.response === null) break;
      ready.push(pending.response);
    }
    if (ready.length > 0) {
      this.#sending = ready.length;
      this.#call.write(joinMessages(ready), () => this.#sent());
      return;
    }
    const head = this.#queue[0];
    if (head === undefined) {
      if (this.#inputEnded) this.#end(null);
    } else if (head.error !== null) {
      this.#end(head);
    }
  }

  #sent(): void {
    if (this.#closed) return;
    for (const pending of this.#queue.splice(0, this.#sending)) {
      this.#recordBytes -= pending.recordBytes;
    }
    this.#sending = 0;
    this.#flush();
    this.#regulate();
  }

  /** `failed`: the message that ends the stream; null = all are answered. */
  #end(failed: Pending | null): void {
    this.#abandon();
    if (failed === null) {
      this.#call.end();
      return;
    }
    const { code, details } = toReportedStatus(failed.error, this.#deps.report);
    this.#call.emit('error', { code, details: `message ${failed.number}: ${details}` });
  }

  /** The outcome of what is under way doesn't matter any more. */
  #abandon(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#deps.room.forget(this.#regulate);
    for (const pending of this.#queue) pending.handle?.cancel();
    this.#queue.length = 0;
  }

  /** Reads on only while the stream is within its limits and the gateway has room. */
  readonly #regulate = (): void => {
    if (this.#closed) return;
    const full =
      this.#queue.length >= STREAM_REQUESTS_MAX || this.#recordBytes >= STREAM_RECORD_BYTES_MAX;
    if (full) {
      this.#call.pause();
    } else if (!this.#deps.room.available) {
      this.#call.pause();
      this.#deps.room.wait(this.#regulate);
    } else if (this.#call.isPaused()) {
      this.#call.resume();
    }
  };
}

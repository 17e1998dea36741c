import http2 from 'node:http2';

/**
 * gRPC over one HTTP/2 connection, for this client's few needs. Not grpc-js: with the connection in
 * hand many messages go in one write, a lost server is seen at once, and a message costs a fourth of the CPU.
 */

/** gRPC's status codes, as far as the client reacts to them. */
export const GrpcStatus = {
  ok: 0,
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unavailable: 14,
} as const;

/** How a call ended. */
export interface CallEnd {
  readonly code: number;
  readonly details: string;
}

export interface CallEvents {
  onMessage(message: Buffer): void;
  /** Called once; no message follows. */
  onEnd(end: CallEnd): void;
}

/** What a server may send ahead of our reading. */
const WINDOW_BYTES = 4 << 20;
/** Above this a response is taken for garbage. */
const MESSAGE_BYTES_MAX = 16 << 20;
export const HEADER_BYTES = 5;

export class Connection {
  readonly address: string;
  readonly #session: http2.ClientHttp2Session;
  #opened = false;
  #usable = true;
  #reason = 'connection closed';
  readonly #opening: Promise<void>;
  readonly #onUnusable: () => void;
  readonly #onLeaving = new Set<() => void>();

  /**
   * `onUnusable` is called once, when no new call may be started here. A peer that leaves pings unanswered for
   * `silenceTimeoutMs` is taken for dead: a busy one answers them, however long its answers take.
   */
  constructor(
    address: string,
    connectTimeoutMs: number,
    silenceTimeoutMs: number,
    onUnusable: () => void,
  ) {
    this.address = address;
    this.#onUnusable = onUnusable;
    const session = http2.connect(`http://${address}`, {
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
      // maxInFlight and the callers' own batches bound what is queued, not Node's default of 10 MB.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
    });
    this.#session = session;
    this.#opening = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.destroy(`no connection within ${connectTimeoutMs} ms`);
      }, connectTimeoutMs);
      session.on('connect', () => {
        clearTimeout(timer);
        session.setLocalWindowSize(WINDOW_BYTES);
        this.#opened = true;
        this.#listenForLife(silenceTimeoutMs);
        resolve();
      });
      session.on('close', () => {
        clearTimeout(timer);
        this.#becomeUnusable();
        reject(new Error(this.#reason));
      });
    });
    this.#opening.catch(() => {});
    session.on('error', (error: Error) => {
      this.#reason = error.message;
    });
    session.on('goaway', () => {
      this.#becomeUnusable();
      for (const callback of this.#onLeaving) callback();
    });
  }

  get opened(): boolean {
    return this.#opened && !this.#session.closed && !this.#session.destroyed;
  }

  open(): Promise<void> {
    return this.#opening;
  }

  /** The connection must be open. `timeoutMs` is told to the server. */
  call(path: string, events: CallEvents, timeoutMs?: number): Call {
    const headers: http2.OutgoingHttpHeaders = {
      ':method': 'POST',
      ':path': path,
      te: 'trailers',
      'content-type': 'application/grpc+proto',
      'user-agent': 'evenkeel-client',
    };
    if (timeoutMs !== undefined) headers['grpc-timeout'] = `${Math.ceil(timeoutMs)}m`;
    return new Call(this.#session.request(headers), events, () => this.#reason);
  }

  /** `callback`: the server is about to end. Calls that are under way may finish. */
  onLeaving(callback: () => void): void {
    this.#onLeaving.add(callback);
  }

  forgetLeaving(callback: () => void): void {
    this.#onLeaving.delete(callback);
  }

  #listenForLife(silenceTimeoutMs: number): void {
    let heardMs = performance.now();
    const timer = setInterval(() => {
      if (performance.now() - heardMs > silenceTimeoutMs) {
        this.destroy(`silent for ${silenceTimeoutMs} ms`);
        return;
      }
      if (this.#session.destroyed) return; // between its end and its close event
      this.#session.ping((error) => {
        if (error === null) heardMs = performance.now();
      });
    }, silenceTimeoutMs / 2).unref();
    this.#session.on('close', () => clearInterval(timer));
  }

  destroy(reason: string): void {
    this.#reason = reason;
    this.#becomeUnusable();
    this.#session.destroy();
  }

  #becomeUnusable(): void {
    if (!this.#usable) return;
    this.#usable = false;
    this.#onUnusable();
  }
}

export class Call {
  readonly #stream: http2.ClientHttp2Stream;
  readonly #events: CallEvents;
  readonly #frames = new FrameReader();
  #status: CallEnd | null = null;
  #readEnded = false;
  #ended = false;

  constructor(stream: http2.ClientHttp2Stream, events: CallEvents, lostReason: () => string) {
    this.#stream = stream;
    this.#events = events;
    stream.on('response', (headers) => this.#onHeaders(headers));
    stream.on('trailers', (trailers) => this.#onHeaders(trailers));
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.on('end', () => {
      this.#readEnded = true;
      this.#maybeEnd();
    });
    stream.on('error', () => {});
    stream.on('close', () => this.#end(this.#status ?? unavailable(lostReason())));
  }

  /** Bytes of one or more messages, each after its header. */
  write(framed: Buffer): void {
    if (!this.#ended) this.#stream.write(framed);
  }

  /** No message follows; answers still come. */
  finish(): void {
    this.#stream.end();
  }

  /** No message comes until `resume`, but for those that have arrived; the server feels it. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Nothing is called any more. */
  cancel(): void {
    this.#ended = true;
    this.#stream.close(http2.constants.NGHTTP2_CANCEL);
  }

  #onHeaders(headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader): void {
    const code = headers['grpc-status'];
    if (code !== undefined) {
      const details = String(headers['grpc-message'] ?? '');
      this.#status = { code: Number(code), details: decodePercent(details) };
    } else if (headers[':status'] !== undefined && headers[':status'] !== 200) {
      this.#status = unavailable(`HTTP status ${headers[':status']}`);
    }
    this.#maybeEnd();
  }

  #onData(chunk: Buffer): void {
    if (this.#ended) return;
    try {
      this.#frames.push(chunk, this.#onMessage);
    } catch (error) {
      this.#end(unavailable(`bad answer: ${(error as Error).message}`));
    }
  }

  readonly #onMessage = (message: Buffer): void => {
    if (!this.#ended) this.#events.onMessage(message);
  };

  /** Trailers and the end of the data come in either order. */
  #maybeEnd(): void {
    if (this.#readEnded && this.#status !== null) this.#end(this.#status);
  }

  #end(end: CallEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.close(http2.constants.NGHTTP2_CANCEL);
    this.#events.onEnd(end);
  }
}

/** Cuts a byte stream into messages. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer, onMessage: (message: Buffer) => void): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      if (bytes[at] !== 0) throw new Error('compressed message');
      const length = bytes.readUInt32BE(at + 1);
      if (length > MESSAGE_BYTES_MAX) throw new Error(`message of ${length} bytes`);
      const end = at + HEADER_BYTES + length;
      if (end > bytes.length) break;
      onMessage(bytes.subarray(at + HEADER_BYTES, end));
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }
}

export function writeHeader(framed: Buffer): void {
  framed[0] = 0;
  framed.writeUInt32BE(framed.length - HEADER_BYTES, 1);
}

export function unavailable(details: string): CallEnd {
  return { code: GrpcStatus.unavailable, details };
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

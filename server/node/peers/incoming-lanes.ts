import {
  Metadata,
  type Server,
  type ServerDuplexStream,
  type StatusObject,
  status,
} from '@grpc/grpc-js';
import type { ServerId } from '../../../consensus/types.ts';
import type { Environment } from '../../core/environment.ts';
import { messageProblem } from '../../core/message-form.ts';
import type { PeerMessage } from '../../core/messages.ts';
import { FrameDecoder, FrameError } from './codec.ts';
import { decodeHello, encodeWelcome, type Hello, type HelloRules, refusalOf } from './handshake.ts';
import { LANE_METHOD } from './transport.ts';

export interface IncomingLanesOptions extends HelloRules {
  readonly epoch: number;
  readonly log: Environment['log'];
  /** Must not throw: what it throws ends the process. */
  receive(from: ServerId, message: PeerMessage): void;
  /** A peer's process has shown itself. */
  onHello(from: ServerId): void;
}

type Stream = ServerDuplexStream<Uint8Array, Uint8Array>;

/** What peers send to this server. The newest stream of a peer and lane is the one that counts. */
export class IncomingLanes {
  readonly #options: IncomingLanesOptions;
  readonly #streams = new Map<string, Stream>();

  constructor(options: IncomingLanesOptions) {
    this.#options = options;
  }

  addTo(server: Server): void {
    server.addService({ lane: LANE_METHOD }, { lane: (stream: Stream) => this.#accept(stream) });
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.end();
    this.#streams.clear();
  }

  #accept(stream: Stream): void {
    let decoder: FrameDecoder | null = null;
    let hello: Hello | null = null;
    let isOver = false;
    const leave = (code: status, details: string) => {
      isOver = true;
      refuse(stream, code, details);
    };
    stream.on('data', (frame: Uint8Array) => {
      if (isOver) return;
      if (hello === null || decoder === null) {
        hello = this.#greet(stream, frame, leave);
        decoder = hello === null ? null : new FrameDecoder(hello.serverId, this.#options.self);
      } else this.#deliver(hello, decoder, frame, leave);
    });
    const over = () => {
      isOver = true;
      if (hello !== null && this.#streams.get(keyOf(hello)) === stream) {
        this.#streams.delete(keyOf(hello));
      }
    };
    stream.on('end', () => {
      over();
      stream.end();
    });
    stream.on('cancelled', over);
    stream.on('error', over);
  }

  #greet(stream: Stream, frame: Uint8Array, leave: Leave): Hello | null {
    const { self, epoch, log } = this.#options;
    let hello: Hello;
    try {
      hello = decodeHello(frame);
    } catch (error) {
      leave(status.INVALID_ARGUMENT, `the first frame must be a hello: ${String(error)}`);
      return null;
    }
    const refusal = refusalOf(hello, this.#options);
    if (refusal !== null) {
      log('warn', 'hello refused', { server: hello.serverId, lane: hello.lane, refusal });
      leave(status.FAILED_PRECONDITION, refusal);
      return null;
    }
    const older = this.#streams.get(keyOf(hello));
    this.#streams.set(keyOf(hello), stream);
    if (older !== undefined) refuse(older, status.ABORTED, 'replaced by a newer stream');
    stream.write(encodeWelcome({ serverId: self, epoch }));
    this.#options.onHello(hello.serverId);
    return hello;
  }

  #deliver(hello: Hello, decoder: FrameDecoder, frame: Uint8Array, leave: Leave): void {
    let messages: PeerMessage[];
    try {
      messages = decoder.decode(frame);
      for (const message of messages) {
        const problem = messageProblem(message);
        if (problem !== null) throw new FrameError(problem);
      }
    } catch (error) {
      const { serverId, lane } = hello;
      this.#options.log('error', 'bad frame', { server: serverId, lane, error: String(error) });
      leave(status.INVALID_ARGUMENT, String(error));
      return;
    }
    for (const message of messages) this.#options.receive(hello.serverId, message);
  }
}

type Leave = (code: status, details: string) => void;

function keyOf(hello: Hello): string {
  return `${hello.serverId}/${hello.lane}`;
}

function refuse(stream: Stream, code: status, details: string): void {
  const reason: StatusObject = { code, details, metadata: new Metadata() };
  stream.emit('error', reason);
}

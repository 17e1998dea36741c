import {
  Client,
  type ClientDuplexStream,
  credentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { ServerId } from '../../../consensus/types.ts';
import type { Environment } from '../../core/environment.ts';
import type { Lane, PeerMessage } from '../../core/messages.ts';
import { encodeFrame, sizeBound } from './codec.ts';
import { type Link, PLAIN_LINK } from './emulation.ts';
import { decodeWelcome, OTHER_DISK } from './handshake.ts';
import {
  BACKOFF_MS_MAX,
  BACKOFF_MS_MIN,
  FRAME_BYTES_MAX,
  HELD_UNCONNECTED_MS,
  MESSAGE_BYTES_MAX,
  SILENT_POLL_MS,
  UNWRITTEN_BYTES_MAX,
  WELCOME_MS_MAX,
} from './limits.ts';
import { LinkQueue } from './link-queue.ts';
import { probe } from './probe.ts';
import { CHANNEL_OPTIONS, LANE_METHOD } from './transport.ts';

export interface OutgoingLaneOptions {
  readonly lane: Lane;
  readonly peer: { readonly id: ServerId; readonly address: string };
  /** The first frame. */
  hello(): Uint8Array;
  readonly queueBytesMax: number;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly log: Environment['log'];
  /** The peer has welcomed this lane. */
  onOpen(): void;
  /** A stream that was open has ended. */
  onLost(): void;
  /** The peer's machine says that nobody listens there. */
  onRefused(): void;
  /** The peer knows this server with another disk, and will never hear it. */
  onDisowned(reason: string): void;
  /** The stream has taken what it was given: `nextDueMs` may have become earlier. */
  onProgress(): void;
}

type Stream = ClientDuplexStream<Uint8Array, Uint8Array>;

/** closed: for good. waiting: until the next try. probing: is anybody there? opening: hello sent. open: welcomed. */
type State =
  | { readonly name: 'closed' }
  | { readonly name: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly name: 'probing'; readonly cancel: () => void }
  | { readonly name: 'opening' | 'open'; readonly client: Client; readonly stream: Stream };

/** What this server sends to one peer on one lane: a queue, and a stream that is opened again whenever it ends. */
export class OutgoingLane {
  readonly #options: OutgoingLaneOptions;
  readonly #queue: LinkQueue<PeerMessage>;
  #state: State = { name: 'closed' };
  #backoffMs = BACKOFF_MS_MIN;
  #link: Link = PLAIN_LINK;
  /** The emulated network is silent in either direction: a connection neither opens nor is seen to close. */
  #silent = false;
  /** Given to gRPC and not yet to the kernel. */
  #unwrittenBytes = 0;
  #lastRefusal = '';

  constructor(options: OutgoingLaneOptions) {
    this.#options = options;
    this.#queue = new LinkQueue({ bytesMax: options.queueBytesMax, random: options.random });
  }

  get isOpen(): boolean {
    return this.#state.name === 'open';
  }

  stats(): LaneStats {
    const { size: queued, bytes: queuedBytes, dropped, vanished } = this.#queue;
    return {
      lane: this.#options.lane,
      state: this.#state.name,
      queued,
      queuedBytes,
      dropped,
      vanished,
    };
  }

  start(): void {
    this.#wait(0);
  }

  setLink(link: Link, silent: boolean): void {
    const nowMs = this.#options.nowMs();
    this.#link = link;
    this.#silent = silent;
    this.#queue.relink(nowMs, link);
    this.release(nowMs);
  }

  push(message: PeerMessage, nowMs: number): void {
    const bytes = sizeBound(message);
    if (bytes > MESSAGE_BYTES_MAX) {
      throw new Error(
        `a ${message.type} message of ${bytes} bytes can't be sent: at most ${MESSAGE_BYTES_MAX}`,
      );
    }
    if (!this.isOpen) this.#queue.dropBefore(nowMs - HELD_UNCONNECTED_MS);
    this.#queue.push(message, bytes, nowMs, this.#link);
  }

  /** Hands gRPC what is due, as few frames, as long as the peer keeps up. */
  release(nowMs: number): void {
    while (this.isOpen && this.#unwrittenBytes < UNWRITTEN_BYTES_MAX) {
      const messages = this.#queue.take(nowMs, this.#link, FRAME_BYTES_MAX);
      if (messages.length === 0) return;
      this.#write(encodeFrame(messages));
    }
  }

  /** When `release` should be called again; null if only the peer's progress can change anything. */
  nextDueMs(): number | null {
    if (!this.isOpen || this.#unwrittenBytes >= UNWRITTEN_BYTES_MAX) return null;
    return this.#queue.nextDueMs(this.#link);
  }

  close(): void {
    this.#leave();
    this.#state = { name: 'closed' };
    this.#queue.clear();
  }

  #write(frame: Uint8Array): void {
    const state = this.#state;
    if (state.name !== 'open') throw new Error('a frame for a lane that is not open');
    this.#unwrittenBytes += frame.length;
    state.stream.write(frame, () => {
      if (this.#state !== state) return; // of a stream that has ended: its count went with it
      this.#unwrittenBytes -= frame.length;
      this.release(this.#options.nowMs());
      this.#options.onProgress();
    });
  }

  #wait(delayMs: number): void {
    this.#leave();
    const timer = setTimeout(() => this.#probe(), delayMs);
    this.#state = { name: 'waiting', timer };
  }

  /** With jitter, so that the servers of a cluster don't all knock in the same millisecond. */
  #backOff(): void {
    const waitMs = this.#backoffMs * (0.5 + 0.5 * this.#options.random());
    this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MS_MAX);
    this.#wait(waitMs);
  }

  #probe(): void {
    if (this.#silent) {
      // Neither an answer nor a refusal would get through.
      this.#wait(SILENT_POLL_MS);
      return;
    }
    const { cancel } = probe(this.#options.peer.address, (result) => {
      if (result === 'accepts') {
        this.#open();
        return;
      }
      this.#backOff();
      if (result === 'refused' && !this.#silent) this.#options.onRefused();
    });
    this.#state = { name: 'probing', cancel };
  }

  #open(): void {
    const client = new Client(
      this.#options.peer.address,
      credentials.createInsecure(),
      CHANNEL_OPTIONS,
    );
    const { path, requestSerialize, responseDeserialize } = LANE_METHOD;
    const stream: Stream = client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
    );
    const opening = { name: 'opening', client, stream } as const;
    this.#leave();
    this.#state = opening;
    this.#unwrittenBytes = 0;
    const timer = setTimeout(() => stream.cancel(), WELCOME_MS_MAX);
    stream.on('data', (reply: Uint8Array) => {
      if (this.#state !== opening) return;
      clearTimeout(timer);
      this.#welcomed(opening, reply);
    });
    stream.on('error', (error: ServiceError) => {
      clearTimeout(timer);
      if (this.#owns(stream)) this.#ended(error);
    });
    stream.on('end', () => {
      clearTimeout(timer);
      if (this.#owns(stream)) this.#ended(null);
    });
    stream.write(this.#options.hello());
  }

  #owns(stream: Stream): boolean {
    return 'stream' in this.#state && this.#state.stream === stream;
  }

  #welcomed(opening: { client: Client; stream: Stream }, reply: Uint8Array): void {
    const { peer, lane, log } = this.#options;
    const serverId = serverIdOf(reply);
    if (serverId !== peer.id) {
      this.#refuse(
        `${peer.address} answers as ${serverId === null ? 'something else' : `server ${serverId}`}`,
      );
      this.#backoffMs = BACKOFF_MS_MAX;
      this.#backOff();
      return;
    }
    this.#state = { name: 'open', client: opening.client, stream: opening.stream };
    this.#backoffMs = BACKOFF_MS_MIN;
    this.#lastRefusal = '';
    const nowMs = this.#options.nowMs();
    this.#queue.dropBefore(nowMs - HELD_UNCONNECTED_MS);
    log('debug', 'lane open', { peer: peer.id, lane });
    this.#options.onOpen();
    this.release(nowMs);
    this.#options.onProgress();
  }

  #ended(error: ServiceError | null): void {
    const { peer, lane, log } = this.#options;
    const wasOpen = this.isOpen;
    log('debug', 'lane ended', { peer: peer.id, lane, wasOpen, reason: error?.details ?? 'end' });
    if (error?.code === status.FAILED_PRECONDITION) {
      this.#refuse(error.details);
      if (error.details.startsWith(OTHER_DISK)) this.#options.onDisowned(error.details);
      this.#backoffMs = BACKOFF_MS_MAX;
    }
    // What we sent was no message: what comes next may be the same.
    const wasWrong = error?.code === status.INVALID_ARGUMENT;
    if (wasWrong) {
      this.#refuse(error.details);
      this.#backoffMs = BACKOFF_MS_MAX;
    }
    // A lane that stood is looked after at once: whether its process is dead is what followers wait for.
    if (wasOpen && !wasWrong) this.#wait(0);
    else this.#backOff();
    if (wasOpen) this.#options.onLost();
  }

  /** A wrong configuration stays wrong: it is said once, not at every try. */
  #refuse(reason: string): void {
    if (reason === this.#lastRefusal) return;
    this.#lastRefusal = reason;
    const { peer, lane, log } = this.#options;
    log('warn', 'peer refused', { peer: peer.id, lane, reason });
  }

  #leave(): void {
    const state = this.#state;
    this.#state = { name: 'closed' };
    if (state.name === 'waiting') clearTimeout(state.timer);
    else if (state.name === 'probing') state.cancel();
    else if ('stream' in state) {
      state.stream.cancel();
      state.client.close();
    }
  }
}

function serverIdOf(reply: Uint8Array): ServerId | null {
  try {
    return decodeWelcome(reply).serverId;
  } catch {
    return null; // whatever listens there is no peer
  }
}

export interface LaneStats {
  readonly lane: Lane;
  readonly state: State['name'];
  readonly queued: number;
  readonly queuedBytes: number;
  readonly dropped: number;
  readonly vanished: number;
}

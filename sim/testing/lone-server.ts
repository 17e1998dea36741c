import type { PeerMessage, RaftMessage } from '../../server/core/messages.ts';
import { Server } from '../../server/core/server.ts';
import { SimulatedBooks } from '../books.ts';
import { SimDisk } from '../disk.ts';
import { serverOptions } from '../world.ts';

type Message = RaftMessage['message'];

const ZONE = { name: 'hz1', city: 'hz', leaderWeight: 1 };

/** Server 1 of three, alone: the test speaks for the others, and its disk does what it is told only when the test lets it. */
export class LoneServer {
  readonly sent: PeerMessage[] = [];
  readonly disk: SimDisk;
  /** Why the server wants its process to end. */
  failure: Error | null = null;
  /** Syncs that began, over all processes; the one of this number fails. */
  syncs = 0;
  failingSync = 0;
  readonly #pending: (() => void)[] = [];
  #server: Server;

  constructor() {
    this.disk = new SimDisk((kind, _bytes, done) => {
      if (kind === 'sync' && ++this.syncs === this.failingSync) this.disk.failSyncs(1);
      this.#pending.push(done);
    });
    this.#server = this.#open();
  }

  #open(): Server {
    const topology = {
      zones: [ZONE],
      servers: [1, 2, 3].map((id) => ({ id, zone: ZONE.name })),
      ledgers: [],
      units: 1,
    };
    return new Server(serverOptions(1, ZONE.name, topology), {
      disk: this.disk,
      clock: { monotonicMs: () => 0, wallNs: () => 0n },
      random: () => 0,
      epoch: 1,
      openBooks: (unit) => new SimulatedBooks(unit, () => {}),
      send: (_to, message) => this.sent.push(message),
      wake: () => {},
      log: () => {},
      fatal: (error) => {
        this.failure = error;
        this.#server.stop();
      },
    });
  }

  receive(message: Message): void {
    this.#server.receive(message.from, { type: 'raft', unit: 1, message });
    if (this.failure === null) this.#server.turn();
  }

  /** What consensus of its unit has said. */
  said<T extends Message['type']>(type: T): Extract<Message, { type: T }>[] {
    return this.sent
      .flatMap((peer) => (peer.type === 'raft' ? [peer.message] : []))
      .filter((message): message is Extract<Message, { type: T }> => message.type === type);
  }

  /** The disk does all that it was asked. */
  sync(): void {
    for (let done = this.#pending.shift(); done !== undefined; done = this.#pending.shift()) {
      done();
      if (this.failure === null) this.#server.turn();
    }
  }

  /** A power cut that takes every sector that was not synced, and a new process. */
  crash(): void {
    this.#server.stop();
    this.#pending.length = 0;
    this.failure = null;
    this.disk.failSyncs(0);
    this.disk.crash(() => 0);
    this.#server = this.#open();
    this.sync();
  }
}

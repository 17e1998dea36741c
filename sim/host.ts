import type { ServerId } from '../consensus/types.ts';
import type { Books } from '../server/core/books.ts';
import type { PeerMessage } from '../server/core/messages.ts';
import { Server, type ServerOptions } from '../server/core/server.ts';
import { SimulatedBooks } from './books.ts';
import { SimDisk } from './disk.ts';
import { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** How long things take on a simulated server. Rough until calibrated. */
const WRITE_US = 30;
const SYNC_US = 200;
const BOOKS_US = 2_000;
/** 2026-01-01T00:00:00Z: where simulated wall clocks start, ns. */
const WALL_START_NS = 1_767_225_600_000_000_000n;

export interface HostOptions {
  readonly scheduler: Scheduler;
  readonly seed: number;
  readonly server: ServerOptions;
  send(from: ServerId, to: ServerId, message: PeerMessage): void;
  log(server: ServerId, level: string, text: string): void;
}

/**
 * The machine that a simulated server runs on: its disk and its books outlive the process. Nothing of the
 * server is replaced: this only calls it as server/node does, from simulated events.
 */
export class Host {
  readonly id: ServerId;
  readonly #options: HostOptions;
  readonly #disk: SimDisk;
  readonly #books = new Map<number, SimulatedBooks>();
  /** Counts processes: events of an ended one do nothing. */
  #process = 0;
  #server: Server | null = null;
  /** A turn is on its way. */
  #awake = false;

  constructor(options: HostOptions) {
    this.#options = options;
    this.id = options.server.self;
    this.#disk = new SimDisk((kind, _bytes, done) => {
      this.#later(kind === 'sync' ? SYNC_US : WRITE_US, `disk ${kind}`, done);
    });
  }

  /** The running process, or null. */
  get server(): Server | null {
    return this.#server;
  }

  get books(): ReadonlyMap<number, SimulatedBooks> {
    return this.#books;
  }

  start(): void {
    if (this.#server !== null) throw new Error(`server ${this.id} is running`);
    this.#process += 1;
    this.#awake = false;
    const random = new Random(this.#options.seed, `server ${this.id} process ${this.#process}`);
    const { scheduler } = this.#options;
    this.#server = new Server(this.#options.server, {
      disk: this.#disk,
      clock: {
        monotonicMs: () => scheduler.nowUs / 1_000,
        wallNs: () => WALL_START_NS + BigInt(scheduler.nowUs) * 1_000n,
      },
      random: () => random.next(),
      epoch: this.#process,
      openBooks: (unit) => this.#openBooks(unit),
      send: (to, message) => this.#options.send(this.id, to, message),
      wake: () => this.#wake(),
      log: (level, text) => this.#options.log(this.id, level, text),
      fatal: (error) => {
        throw error;
      },
    });
    this.#tick();
  }

  /** Ends the process as kill -9 with a power cut would: what was not synced may be lost or torn. */
  kill(): void {
    if (this.#server === null) throw new Error(`server ${this.id} is not running`);
    this.#server.stop();
    this.#server = null;
    this.#process += 1;
    const random = new Random(this.#options.seed, `server ${this.id} crash ${this.#process}`);
    this.#disk.crash(() => random.next());
    for (const books of this.#books.values()) books.crash();
  }

  receive(from: ServerId, message: PeerMessage): void {
    if (this.#server === null) return;
    this.#server.receive(from, message);
    this.#server.turn();
  }

  serverDown(server: ServerId): void {
    if (this.#server === null) return;
    this.#server.serverDown(server);
    this.#server.turn();
  }

  #wake(): void {
    if (this.#awake) return;
    this.#awake = true;
    this.#later(0, 'turn', () => {
      this.#awake = false;
      this.#server?.turn();
    });
  }

  #tick(): void {
    this.#later(this.#options.server.tickMs * 1_000, 'tick', () => {
      this.#server?.tick();
      this.#server?.turn();
      this.#tick();
    });
  }

  /** Runs unless the process has ended by then. */
  #later(delayUs: number, label: string, run: () => void): void {
    const process = this.#process;
    this.#options.scheduler.after(delayUs, `server ${this.id} ${label}`, () => {
      if (process === this.#process) run();
    });
  }

  #openBooks(unit: number): Books {
    let books = this.#books.get(unit);
    if (books === undefined) {
      books = new SimulatedBooks(unit, (_bytes, done) =>
        this.#later(BOOKS_US, `books ${unit}`, done),
      );
      this.#books.set(unit, books);
    }
    return books;
  }
}

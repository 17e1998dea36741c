import type { ServerId } from '../consensus/types.ts';
import type { Books } from '../server/core/books.ts';
import { LogError } from '../server/core/log/log.ts';
import { type Lane, laneOf, type PeerMessage } from '../server/core/messages.ts';
import { Server, type ServerOptions } from '../server/core/server.ts';
import { SimulatedBooks } from './books.ts';
import { SimDisk } from './disk.ts';
import type { Choose } from './disk-file.ts';
import { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** How long things take on a simulated server. Rough until calibrated. */
const WRITE_US = 30;
const SYNC_US = 200;
const BOOKS_US = 2_000;
const BOOKS_BYTES_PER_US = 160;
/** 2026-01-01T00:00:00Z: where simulated wall clocks start, ns. */
const WALL_START_NS = 1_767_225_600_000_000_000n;

export interface HostOptions {
  readonly scheduler: Scheduler;
  readonly seed: number;
  readonly server: ServerOptions;
  /** What the server has said to a peer on a lane in one turn. */
  send(from: ServerId, to: ServerId, lane: Lane, frame: readonly PeerMessage[]): void;
  log(server: ServerId, level: string, text: string): void;
  /** The server asks for the end of its process. Called as an event of its own. */
  fatal(server: ServerId, error: Error): void;
}

/**
 * The machine that a simulated server runs on: its disk and its books outlive the process. Nothing of the
 * server is replaced: this only calls it as server/node does, from simulated events.
 */
export class Host {
  readonly id: ServerId;
  readonly #options: HostOptions;
  readonly disk: SimDisk;
  readonly #books = new Map<number, SimulatedBooks>();
  /** Counts processes: events of an ended one do nothing. */
  #process = 0;
  #server: Server | null = null;
  /** Said since the last turn, by peer and lane in the order of the first message of each. */
  #outbox: { to: ServerId; lane: Lane; frame: PeerMessage[] }[] = [];
  /** A turn is on its way. */
  #awake = false;
  /** Each disk operation takes this many times longer than usual. */
  diskSlowness = 1;
  /** So is each commit of the books. */
  booksSlowness = 1;
  /** The process stands still until then, as after SIGSTOP: all that happens to it waits. */
  pausedUntilUs = 0;
  /** How far the wall clock is off. */
  clockOffsetMs = 0;

  constructor(options: HostOptions) {
    this.#options = options;
    this.id = options.server.self;
    this.disk = new SimDisk((kind, _bytes, done) => {
      const usualUs = kind === 'sync' ? SYNC_US : WRITE_US;
      this.#later(usualUs * this.diskSlowness, `disk ${kind}`, () => this.#guard(done));
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
    this.#outbox = [];
    this.disk.failSyncs(0);
    const random = new Random(this.#options.seed, `server ${this.id} process ${this.#process}`);
    const { scheduler } = this.#options;
    this.#server = new Server(this.#options.server, {
      disk: this.disk,
      clock: {
        monotonicMs: () => scheduler.nowUs / 1_000,
        wallNs: () => WALL_START_NS + BigInt(scheduler.nowUs + this.clockOffsetMs * 1_000) * 1_000n,
      },
      random: () => random.next(),
      epoch: this.#process,
      openBooks: (unit) => this.#openBooks(unit),
      send: (to, message) => this.#say(to, message),
      wake: () => this.#wake(),
      log: (level, text) => this.#options.log(this.id, level, text),
      fatal: (error) => this.#fatal(error),
    });
    this.#tick();
  }

  /**
   * Ends the process as kill -9 with a power cut would: what was not synced may be lost or torn. A commit
   * of the books that was under way is lost, or kept though nobody was told. What the disk keeps is drawn, unless said.
   */
  kill(booksInFlight: 'lost' | 'kept' = 'lost', choose?: Choose): void {
    if (this.#server === null) throw new Error(`server ${this.id} is not running`);
    this.#server.stop();
    this.#server = null;
    this.#process += 1;
    const random = new Random(this.#options.seed, `server ${this.id} crash ${this.#process}`);
    this.disk.cutPower(choose ?? ((options) => random.below(options)));
    for (const books of this.#books.values()) books.crash(booksInFlight);
  }

  /** Somebody removes the files of the books while the server is down. */
  loseBooks(): void {
    this.#books.clear();
  }

  /** Somebody removes the files of the log. */
  loseLog(): void {
    this.disk.removeAll();
  }

  neverFails(): void {
    this.disk.failSyncs(0);
  }

  /** The next sync of the log fails: the server must end. */
  failNextSync(): void {
    this.disk.failSyncs(1);
  }

  receive(from: ServerId, frame: readonly PeerMessage[]): void {
    if (this.#server === null) return;
    const running = this.#server;
    if (this.#isPaused()) {
      this.#later(0, `frame of ${from}`, () => this.receive(from, frame));
      return;
    }
    this.#guard(() => {
      for (const message of frame) running.receive(from, message);
      this.#turn();
    });
  }

  serverDown(server: ServerId): void {
    this.#server?.serverDown(server);
    this.#wake();
  }

  serverReconnected(server: ServerId): void {
    this.#server?.serverReconnected(server);
    this.#wake();
  }

  #wake(): void {
    if (this.#awake) return;
    this.#awake = true;
    this.#later(0, 'turn', () => {
      this.#awake = false;
      this.#guard(() => this.#turn());
    });
  }

  #turn(): void {
    this.#server?.turn();
    const frames = this.#outbox;
    this.#outbox = [];
    for (const { to, lane, frame } of frames) this.#options.send(this.id, to, lane, frame);
  }

  #say(to: ServerId, message: PeerMessage): void {
    const lane = laneOf(message);
    const open = this.#outbox.find((frame) => frame.to === to && frame.lane === lane);
    if (open === undefined) this.#outbox.push({ to, lane, frame: [message] });
    else open.frame.push(message);
  }

  #tick(): void {
    this.#later(this.#options.server.tickMs * 1_000, 'tick', () => {
      this.#guard(() => {
        this.#server?.tick();
        this.#turn();
      });
      this.#tick();
    });
  }

  #fatal(error: Error): void {
    this.#server?.stop();
    this.#later(0, 'fatal', () => this.#options.fatal(this.id, error));
  }

  /** A log that has failed throws from then on: in production that ends the process too. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof LogError) || error.code !== 'log_failed') throw error;
      this.#fatal(error);
    }
  }

  /** Runs unless the process has ended by then. */
  #later(delayUs: number, label: string, run: () => void): void {
    const process = this.#process;
    const whenAwake = () => {
      if (process !== this.#process) return;
      const { nowUs } = this.#options.scheduler;
      if (this.#isPaused()) {
        this.#options.scheduler.after(
          this.pausedUntilUs - nowUs,
          `server ${this.id} on`,
          whenAwake,
        );
      } else run();
    };
    this.#options.scheduler.after(delayUs, `server ${this.id} ${label}`, whenAwake);
  }

  #isPaused(): boolean {
    return this.#options.scheduler.nowUs < this.pausedUntilUs;
  }

  #openBooks(unit: number): Books {
    let books = this.#books.get(unit);
    if (books === undefined) {
      books = new SimulatedBooks(unit, (bytes, done) => {
        const usualUs = BOOKS_US + Math.ceil(bytes / BOOKS_BYTES_PER_US);
        this.#later(usualUs * this.booksSlowness, `books ${unit}`, done);
      });
      this.#books.set(unit, books);
    }
    return books;
  }
}

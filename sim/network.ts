import type { ServerId } from '../consensus/types.ts';
import type { Lane, PeerMessage } from '../server/core/messages.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

export interface LinkModel {
  readonly delayUs: number;
  readonly jitterUs: number;
}

export interface NetworkOptions {
  readonly scheduler: Scheduler;
  readonly random: Random;
  link(from: ServerId, to: ServerId): LinkModel;
  /** Nothing happens if that server is down when the message arrives. */
  deliver(from: ServerId, to: ServerId, frame: readonly PeerMessage[]): void;
  isUp(server: ServerId): boolean;
}

const DUPLICATE_LATER_US_MAX = 50_000;

/**
 * Messages between servers, in frames: what a server says to a peer in one turn over one lane. In order within a
 * lane of a pair, as over one connection; a frame on its way when either process ends is lost with it.
 */
export class Network {
  readonly #options: NetworkOptions;
  /** When the last message of each (from, to, lane) arrives. Looked up by key only. */
  #lastArrivalUs = new Map<string, number>();
  /** Goes up when a server's process ends: its connections are gone. */
  #connections = new Map<ServerId, number>();
  #cuts = new Set<string>();
  /** Extra delay of a direction. Looked up by key only. */
  #extraDelaysUs = new Map<string, number>();
  /** Share of frames that arrive a second time, later and out of order. */
  duplicates = 0;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  send(from: ServerId, to: ServerId, lane: Lane, frame: readonly PeerMessage[]): void {
    const { scheduler, random } = this.#options;
    if (this.#cuts.has(`${from}>${to}`)) return;
    const { delayUs, jitterUs } = this.#options.link(from, to);
    const key = `${from}>${to} ${lane}`;
    const extraUs = this.#extraDelaysUs.get(`${from}>${to}`) ?? 0;
    const earliestUs = scheduler.nowUs + delayUs + extraUs + random.below(jitterUs + 1);
    const arrivalUs = Math.max(earliestUs, this.#lastArrivalUs.get(key) ?? 0);
    this.#lastArrivalUs.set(key, arrivalUs);
    const connection = this.#connection(from, to);
    const arrive = () => {
      const broken = connection !== this.#connection(from, to) || this.#cuts.has(`${from}>${to}`);
      if (!broken && this.#options.isUp(to)) this.#options.deliver(from, to, frame);
    };
    const label = `${key} ${frame.map(describe).join(', ')}`;
    scheduler.after(arrivalUs - scheduler.nowUs, label, arrive);
    if (this.duplicates > 0 && random.chance(this.duplicates)) {
      const again = arrivalUs + random.below(DUPLICATE_LATER_US_MAX) - scheduler.nowUs;
      scheduler.after(again, `${label} again`, arrive);
    }
  }

  /** One way: what `from` sends to `to` vanishes, also what is on its way. */
  cut(from: ServerId, to: ServerId): void {
    this.#cuts.add(`${from}>${to}`);
  }

  mend(from: ServerId, to: ServerId): void {
    this.#cuts.delete(`${from}>${to}`);
  }

  /** 0 = as usual. */
  delay(from: ServerId, to: ServerId, extraUs: number): void {
    this.#extraDelaysUs.set(`${from}>${to}`, extraUs);
  }

  heal(): void {
    this.#cuts = new Set();
    this.#extraDelaysUs = new Map();
    this.duplicates = 0;
  }

  processEnded(server: ServerId): void {
    this.#connections.set(server, (this.#connections.get(server) ?? 0) + 1);
  }

  #connection(from: ServerId, to: ServerId): string {
    return `${this.#connections.get(from) ?? 0}/${this.#connections.get(to) ?? 0}`;
  }
}

function describe(message: PeerMessage): string {
  if (message.type === 'raft') {
    const { type, term } = message.message;
    return `unit ${message.unit} ${type} term ${term}`;
  }
  if (message.type === 'envelope') {
    return `envelope of beats ${message.beats.join(' ')} acks ${message.acks.join(' ')}`;
  }
  if (message.type === 'copy') {
    return `unit ${message.unit} copy ${message.kind} of ${message.sequence} ${message.body.byteLength} bytes`;
  }
  return `unit ${message.unit} ${message.type} ref ${message.ref} ${message.body.byteLength} bytes`;
}

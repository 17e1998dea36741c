import type { Heartbeat, HeartbeatReply, ServerId } from '../../consensus/types.ts';
import { ACK_NUMBERS, BEAT_NUMBERS, type EnvelopeMessage } from './messages.ts';

/** What every envelope of a turn says of its sender. */
export type EnvelopeHead = Pick<
  EnvelopeMessage,
  'epoch' | 'sentUs' | 'wallMs' | 'flushes' | 'isSick'
>;

interface Waiting {
  readonly to: ServerId;
  beats: number[];
  acks: number[];
  /** sentUs of the peer's envelope that is to be answered, 0 for none. */
  echoUs: number;
}

/**
 * Gathers the heartbeats of all groups, and their answers, into one envelope a peer and turn. The groups
 * know nothing of it: each says and hears heartbeats of its own.
 */
export class Envelopes {
  /** Ascending by peer. */
  readonly #peers: Waiting[];
  readonly #head: () => EnvelopeHead;
  #isDue = false;
  #hasSome = false;

  constructor(peers: readonly ServerId[], head: () => EnvelopeHead) {
    this.#peers = peers.map(newWaiting);
    this.#head = head;
  }

  beat(unit: number, { to, term, commit, readContext }: Heartbeat): void {
    this.#waiting(to).beats.push(unit, term, commit, readContext);
    this.#hasSome = true;
  }

  ack(unit: number, { to, term, readContext }: HeartbeatReply): void {
    this.#waiting(to).acks.push(unit, term, readContext);
    this.#hasSome = true;
  }

  /** The peer's envelope is to be answered, though it may hold no group. */
  echo(to: ServerId, sentUs: number): void {
    this.#waiting(to).echoUs = sentUs;
    this.#hasSome = true;
  }

  /** The next `flush` sends to every peer, also where this server leads nothing: peers want to know that it lives. */
  due(): void {
    this.#isDue = true;
    this.#hasSome = true;
  }

  flush(send: (to: ServerId, message: EnvelopeMessage) => void): void {
    if (!this.#hasSome) return;
    const head = this.#head();
    for (const waiting of this.#peers) {
      const { to, beats, acks, echoUs } = waiting;
      // Who only answers is not answered: two servers must not keep each other busy.
      const wantsAnswer = this.#isDue || beats.length > 0;
      if (!wantsAnswer && acks.length === 0 && echoUs === 0) continue;
      send(to, {
        type: 'envelope',
        ...head,
        sentUs: wantsAnswer ? head.sentUs : 0,
        echoUs,
        beats,
        acks,
      });
      waiting.beats = [];
      waiting.acks = [];
      waiting.echoUs = 0;
    }
    this.#isDue = false;
    this.#hasSome = false;
  }

  /** Servers come later, too. */
  #waiting(to: ServerId): Waiting {
    const known = this.#peers.find((waiting) => waiting.to === to);
    if (known !== undefined) return known;
    const waiting = newWaiting(to);
    this.#peers.push(waiting);
    this.#peers.sort((a, b) => a.to - b.to);
    return waiting;
  }
}

function newWaiting(to: ServerId): Waiting {
  return { to, beats: [], acks: [], echoUs: 0 };
}

/** The heartbeats of an envelope, as the groups' consensus wants them. */
export function eachBeat(
  message: EnvelopeMessage,
  from: ServerId,
  to: ServerId,
  step: (unit: number, heartbeat: Heartbeat) => void,
): void {
  const { beats } = message;
  for (let at = 0; at + BEAT_NUMBERS <= beats.length; at += BEAT_NUMBERS) {
    const term = beats[at + 1]!;
    const commit = beats[at + 2]!;
    const readContext = beats[at + 3]!;
    step(beats[at]!, { type: 'heartbeat', from, to, term, commit, readContext });
  }
}

export function eachAck(
  message: EnvelopeMessage,
  from: ServerId,
  to: ServerId,
  step: (unit: number, reply: HeartbeatReply) => void,
): void {
  const { acks } = message;
  for (let at = 0; at + ACK_NUMBERS <= acks.length; at += ACK_NUMBERS) {
    const term = acks[at + 1]!;
    step(acks[at]!, { type: 'heartbeatReply', from, to, term, readContext: acks[at + 2]! });
  }
}

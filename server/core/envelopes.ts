import type { Heartbeat, HeartbeatReply, ServerId } from '../../consensus/types.ts';
import { ACK_NUMBERS, BEAT_NUMBERS, type EnvelopeMessage } from './messages.ts';

/** What every envelope of a turn says of its sender. */
export type EnvelopeHead = Pick<
  EnvelopeMessage,
  'epoch' | 'sentUs' | 'wallMs' | 'logEnd' | 'isSick'
>;

interface Waiting {
  readonly to: ServerId;
  readonly beats: number[];
  readonly acks: number[];
  /** sentUs of the peer's envelope that is to be answered, 0 for none. */
  echoUs: number;
}

/**
 * Gathers the heartbeats of all groups, and their answers, into one envelope a peer and turn. The groups
 * know nothing of it: each says and hears heartbeats of its own.
 */
export class Envelopes {
  readonly #peers: () => readonly ServerId[];
  readonly #head: () => EnvelopeHead;
  /** For the next flush; ascending by peer. */
  #waiting: Waiting[] = [];
  #isDue = false;
  #hasSome = false;

  /** `peers`: who hears from this server though no group has anything to say. They may change. */
  constructor(peers: () => readonly ServerId[], head: () => EnvelopeHead) {
    this.#peers = peers;
    this.#head = head;
  }

  beat(unit: number, { to, term, commit, readContext }: Heartbeat): void {
    this.#of(to).beats.push(unit, term, commit, readContext);
    this.#hasSome = true;
  }

  ack(unit: number, { to, term, readContext }: HeartbeatReply): void {
    this.#of(to).acks.push(unit, term, readContext);
    this.#hasSome = true;
  }

  /** The peer's envelope is to be answered, though it may hold no group. */
  echo(to: ServerId, sentUs: number): void {
    this.#of(to).echoUs = sentUs;
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
    const due = this.#isDue ? this.#peers() : [];
    for (const peer of due) this.#of(peer);
    for (const { to, beats, acks, echoUs } of this.#waiting) {
      // Who only answers is not answered: two servers must not keep each other busy.
      const wantsAnswer = beats.length > 0 || due.includes(to);
      const sentUs = wantsAnswer ? head.sentUs : 0;
      send(to, { type: 'envelope', ...head, sentUs, echoUs, beats, acks });
    }
    this.#waiting = [];
    this.#isDue = false;
    this.#hasSome = false;
  }

  #of(to: ServerId): Waiting {
    let waiting = this.#waiting.find((candidate) => candidate.to === to);
    if (waiting === undefined) {
      waiting = { to, beats: [], acks: [], echoUs: 0 };
      this.#waiting.push(waiting);
      this.#waiting.sort((a, b) => a.to - b.to);
    }
    return waiting;
  }
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

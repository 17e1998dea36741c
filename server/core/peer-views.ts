import type { ServerId } from '../../consensus/types.ts';
import { CLOCK_OFF_MS_MAX, CLOCK_RTT_MS_MAX, PEER_FRESH_MS } from './limits.ts';
import type { EnvelopeMessage } from './messages.ts';

/** A peer as its envelopes show it. */
export interface PeerView {
  readonly server: ServerId;
  /** Its process; 0 until it was heard. */
  epoch: number;
  /** When we sent what it last answered: then, or later, it lived and could reach us. */
  heardMs: number;
  /** Its disk, event loop or clock can't be relied on, as it says itself. */
  isSick: boolean;
  /** How far its log is durable. */
  logEnd: number;
  /** Null until it has answered. */
  rttMs: number | null;
  /** Its wall clock less ours. */
  clockOffsetMs: number | null;
}

/** What this server knows of its peers; a peer that was not heard for a while counts for nothing. */
export class PeerViews {
  /** That were ever heard; ascending by server. */
  readonly all: PeerView[] = [];
  #sinceMs = Number.NEGATIVE_INFINITY;

  /** True if the peer's process is another than the one that was heard before: that one has ended. */
  heard(from: ServerId, message: EnvelopeMessage, nowMs: number, wallMs: number): boolean {
    const view = this.#view(from) ?? this.#add(from);
    const isAnother = view.epoch !== 0 && view.epoch !== message.epoch;
    view.epoch = message.epoch;
    view.isSick = message.isSick;
    view.logEnd = isAnother ? message.logEnd : Math.max(view.logEnd, message.logEnd);
    const sentMs = message.echoUs / 1_000;
    if (message.echoUs === 0 || sentMs < this.#sinceMs) return isAnother;
    view.heardMs = Math.max(view.heardMs, sentMs);
    const rttMs = nowMs - sentMs;
    // The error is at most half of it: what took long says nothing of clocks.
    if (rttMs >= 0 && rttMs <= CLOCK_RTT_MS_MAX) {
      view.rttMs = rttMs;
      view.clockOffsetMs = message.wallMs + rttMs / 2 - wallMs;
    }
    return isAnother;
  }

  /**
   * Whether a process of the peer that is new to us has less in its log than the one before has told: its disk was put
   * back from an older copy, and with that the votes and entries since are gone. 0: it knows itself that something is lost.
   */
  hasOlderLog(peer: ServerId, epoch: number, logEnd: number): boolean {
    const view = this.#view(peer);
    return view !== undefined && view.epoch !== epoch && logEnd !== 0 && logEnd < view.logEnd;
  }

  /** We stood still: what peers have said before may be long out of date. */
  askAnew(nowMs: number): void {
    this.#sinceMs = nowMs;
    for (const view of this.all) view.heardMs = Number.NEGATIVE_INFINITY;
  }

  /** Its process has ended. */
  gone(peer: ServerId): void {
    const view = this.#view(peer);
    if (view !== undefined) view.heardMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * Our clock less the median of all servers' clocks, ours among them: with two peers of which one is wrong we are
   * not. Of an even number the middle one nearer to us; so one peer alone proves nothing.
   */
  clockErrorMs(nowMs: number): number {
    return -this.#medianOffsetMs(nowMs);
  }

  /** In touch, well, and with a clock near the median: a leader may go there. */
  isFit(peer: ServerId, nowMs: number): boolean {
    const view = this.#view(peer);
    if (view === undefined || view.isSick || !isFresh(view, nowMs)) return false;
    if (view.clockOffsetMs === null) return true;
    return Math.abs(view.clockOffsetMs - this.#medianOffsetMs(nowMs)) <= CLOCK_OFF_MS_MAX;
  }

  #view(peer: ServerId): PeerView | undefined {
    return this.all.find(({ server }) => server === peer);
  }

  #add(server: ServerId): PeerView {
    const view: PeerView = {
      server,
      epoch: 0,
      heardMs: Number.NEGATIVE_INFINITY,
      isSick: false,
      logEnd: 0,
      rttMs: null,
      clockOffsetMs: null,
    };
    this.all.push(view);
    this.all.sort((a, b) => a.server - b.server);
    return view;
  }

  #medianOffsetMs(nowMs: number): number {
    const offsets = [0];
    for (const view of this.all) {
      if (isFresh(view, nowMs) && view.clockOffsetMs !== null) offsets.push(view.clockOffsetMs);
    }
    offsets.sort((a, b) => a - b);
    const low = offsets[(offsets.length - 1) >> 1]!;
    const high = offsets[offsets.length >> 1]!;
    return Math.abs(low) <= Math.abs(high) ? low : high;
  }
}

function isFresh(view: PeerView, nowMs: number): boolean {
  return nowMs - view.heardMs <= PEER_FRESH_MS;
}

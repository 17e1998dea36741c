import type { ServerId } from '../../consensus/types.ts';
import { ENTRY_BYTES_MAX } from '../../ledger/layout.ts';
import {
  ANSWER_MS_AT_FIRST,
  DISK_FULL_MS_MAX,
  LEADER_SILENT_MS_MAX,
  LEADERLESS_MS_MAX,
  REFUSED_MS_MAX,
  REFUSED_MS_MIN,
  RESEND_ANSWER_TIMES,
  RESEND_MS_MAX,
  RESEND_MS_MIN,
} from './limits.ts';
import { type ReplyMessage, ReplyOutcome, RequestKind, type RequestMessage } from './messages.ts';

/** Called once with ReplyOutcome.done and the answer, or diskFull if that was asked for; never called after cancel(). */
export type RouterDone = (outcome: number, words: Uint32Array) => void;

export interface SentRequest {
  cancel(): void;
}

export interface RouterOptions {
  readonly self: ServerId;
  readonly epoch: number;
  nowMs(): number;
  /** The leader of a unit as this server's own replica knows it; 0 = none. */
  leaderOf(unit: number): ServerId;
  send(to: ServerId, message: RequestMessage): void;
  /** A request to this very server. Its reply comes back through `reply`. */
  receive(from: ServerId, message: RequestMessage): void;
}

interface Pending {
  readonly unit: number;
  readonly kind: number;
  readonly words: Uint32Array;
  readonly done: RouterDone;
  /** May be refused, since the leader's disk is full. */
  readonly mayFail: boolean;
  state: 'waiting' | 'sent' | 'ended';
  /** waiting: not to be sent before. */
  dueMs: number;
  firstSentMs: number;
  sentMs: number;
  sentTo: ServerId;
  tries: number;
}

interface UnitQueue {
  readonly unit: number;
  /** In the order in which they came; what is to be sent this turn. */
  waiting: Pending[];
  /** A refusal's hint, for servers whose own replica knows less. */
  hint: ServerId;
  /** The leader last used: a change sends everything unanswered again at once. */
  target: ServerId;
  /** Mean time that answers take of late. */
  answerMs: number;
  /** Since when nobody is known to lead; null: somebody is. */
  leaderlessSinceMs: number | null;
}

/** How often a new leader is looked for, and how often the time of unanswered requests is. */
const SCAN_MS = 5;
const RESEND_SCAN_MS = 100;

/**
 * Takes requests to the leaders of units and repeats them until they are answered. Every request may
 * arrive twice: transfers are told apart by their ids, decisions by their sequence, reads change nothing.
 */
export class Router {
  readonly #options: RouterOptions;
  /** Ascending by unit, and the same by unit. */
  #queues: UnitQueue[] = [];
  #queueOf: (UnitQueue | undefined)[] = [];
  /** What was sent, by ref. Looked up by key; walked in the order of sending only. */
  #sent = new Map<number, Pending>();
  #nextRef = 1;
  #hasNew = false;
  #scanDueMs = 0;
  #resendScanDueMs = 0;
  /** When each server was last heard: its reply, whatever it said. */
  readonly #heardMs = new Map<ServerId, number>();

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  propose(unit: number, subBatch: Uint32Array, done: RouterDone): SentRequest {
    return this.request(unit, RequestKind.propose, subBatch, done);
  }

  /** As `propose`; `done` is also told of a leader whose disk is full for long. */
  proposeOrFail(unit: number, subBatch: Uint32Array, done: RouterDone): SentRequest {
    return this.request(unit, RequestKind.propose, subBatch, done, true);
  }

  /** A read, or any other request that is a message of its own. */
  request(
    unit: number,
    kind: number,
    words: Uint32Array,
    done: RouterDone,
    mayFail = false,
  ): SentRequest {
    const pending: Pending = {
      unit,
      kind,
      words,
      done,
      mayFail,
      state: 'waiting',
      dueMs: 0,
      firstSentMs: 0,
      sentMs: 0,
      sentTo: 0,
      tries: 0,
    };
    this.#queue(unit).waiting.push(pending);
    this.#hasNew = true;
    return {
      cancel: () => {
        pending.state = 'ended';
      },
    };
  }

  /** Requests that wait for an answer or for a leader. */
  get unanswered(): number {
    let count = this.#sent.size;
    for (const queue of this.#queues) count += queue.waiting.length;
    return count;
  }

  /**
   * Requests wait for a unit that has had no leader for long, or for a leader that has said nothing for long. A busy
   * leader still answers something: this server may be cut off, and another may not be.
   */
  get isCutOff(): boolean {
    const now = this.#options.nowMs();
    for (const { waiting, leaderlessSinceMs } of this.#queues) {
      if (waiting.length > 0 && now - (leaderlessSinceMs ?? now) >= LEADERLESS_MS_MAX) return true;
    }
    for (const { state, firstSentMs, sentTo } of this.#sent.values()) {
      const sinceMs = Math.max(firstSentMs, this.#heardMs.get(sentTo) ?? 0);
      if (state === 'sent' && now - sinceMs >= LEADER_SILENT_MS_MAX) return true;
    }
    return false;
  }

  /** Requests have come since the last flush. */
  get hasNew(): boolean {
    return this.#hasNew;
  }

  /** Sends what waits: proposals of a unit together in one message. */
  flush(): void {
    this.#hasNew = false;
    this.#scan();
    for (const queue of this.#queues) {
      if (queue.waiting.length > 0) this.#flushQueue(queue);
    }
  }

  /** `from` is this server for its own replies. */
  reply(from: ServerId, message: ReplyMessage, words: Uint32Array): void {
    if (message.epoch !== this.#options.epoch) return;
    this.#heardMs.set(from, this.#options.nowMs());
    if (message.leader !== 0) this.#queue(message.unit).hint = message.leader;
    for (let i = 0; i < message.count; i += 1) {
      const ref = (message.ref + i) >>> 0;
      const pending = this.#sent.get(ref);
      if (pending === undefined) continue; // sent again since, or cancelled
      this.#sent.delete(ref);
      if (pending.state === 'ended') continue;
      if (message.outcome === ReplyOutcome.done) {
        pending.state = 'ended';
        this.#learn(pending);
        pending.done(ReplyOutcome.done, words);
      } else if (message.outcome === ReplyOutcome.diskFull && this.#isPatient(pending)) {
        pending.state = 'ended';
        pending.done(ReplyOutcome.diskFull, words);
      } else {
        this.#refused(pending, message);
      }
    }
  }

  /** It has been repeated for as long as another server could have needed to take over. */
  #isPatient({ mayFail, firstSentMs }: Pending): boolean {
    return mayFail && this.#options.nowMs() - firstSentMs >= DISK_FULL_MS_MAX;
  }

  /** That server's process has ended: whatever it was asked is to be asked again. */
  serverDown(server: ServerId): void {
    for (const queue of this.#queues) if (queue.hint === server) queue.hint = 0;
    this.connectionLost(server);
  }

  /** What was on its way to that server, or back, may be lost. */
  connectionLost(server: ServerId): void {
    this.#resend((pending) => pending.sentTo === server);
    this.#hasNew = true;
  }

  #queue(unit: number): UnitQueue {
    let queue = this.#queueOf[unit];
    if (queue === undefined) {
      queue = {
        unit,
        waiting: [],
        hint: 0,
        target: 0,
        answerMs: ANSWER_MS_AT_FIRST,
        leaderlessSinceMs: null,
      };
      this.#queueOf[unit] = queue;
      this.#queues.push(queue);
      this.#queues.sort((a, b) => a.unit - b.unit);
    }
    return queue;
  }

  /** How long answers of this unit take of late: a mean that forgets. */
  #learn(pending: Pending): void {
    const queue = this.#queue(pending.unit);
    const tookMs = this.#options.nowMs() - pending.sentMs;
    queue.answerMs += (tookMs - queue.answerMs) / 16;
  }

  #isOverdue(pending: Pending, now: number): boolean {
    const answerMs = Math.max(
      RESEND_MS_MIN,
      RESEND_ANSWER_TIMES * this.#queue(pending.unit).answerMs,
    );
    const patienceMs = Math.min(RESEND_MS_MAX, answerMs * 2 ** Math.min(8, pending.tries - 1));
    return now - pending.sentMs >= patienceMs;
  }

  #refused(pending: Pending, message: ReplyMessage): void {
    const now = this.#options.nowMs();
    // A refusal that names another leader is followed at once, the first time.
    const follow = message.leader !== 0 && message.leader !== pending.sentTo && pending.tries <= 1;
    const backoffMs = Math.min(
      REFUSED_MS_MAX,
      REFUSED_MS_MIN * 2 ** Math.min(8, pending.tries - 1),
    );
    pending.state = 'waiting';
    pending.dueMs = follow ? now : now + backoffMs;
    this.#queue(pending.unit).waiting.push(pending);
  }

  /** Unanswered requests whose time is up, or whose unit has a new leader, wait to be sent again. */
  #scan(): void {
    const now = this.#options.nowMs();
    if (now < this.#scanDueMs) return;
    this.#scanDueMs = now + SCAN_MS;
    const changed = new Set<number>();
    for (const queue of this.#queues) {
      const leader = this.#options.leaderOf(queue.unit);
      if ((leader || queue.hint) !== 0) queue.leaderlessSinceMs = null;
      else queue.leaderlessSinceMs ??= now;
      if (leader !== 0 && leader !== queue.target) {
        if (queue.target !== 0) changed.add(queue.unit);
        queue.target = leader;
        queue.hint = 0;
        for (const pending of queue.waiting) pending.dueMs = 0;
      }
    }
    if (changed.size === 0 && now < this.#resendScanDueMs) return;
    this.#resendScanDueMs = now + RESEND_SCAN_MS;
    this.#resend(
      (pending) =>
        this.#isOverdue(pending, now) ||
        (changed.has(pending.unit) && pending.sentTo !== this.#target(this.#queue(pending.unit))),
    );
  }

  #resend(which: (pending: Pending) => boolean): void {
    for (const [ref, pending] of this.#sent) {
      if (pending.state === 'ended') {
        this.#sent.delete(ref);
      } else if (which(pending)) {
        this.#sent.delete(ref);
        pending.state = 'waiting';
        pending.dueMs = 0;
        this.#queue(pending.unit).waiting.push(pending);
      }
    }
  }

  /** Our own replica's leader, else the hint; 0 if nobody is known to lead. */
  #target(queue: UnitQueue): ServerId {
    return this.#options.leaderOf(queue.unit) || queue.hint;
  }

  #flushQueue(queue: UnitQueue): void {
    const to = this.#target(queue);
    if (to === 0) {
      queue.waiting = queue.waiting.filter((pending) => pending.state === 'waiting');
      return;
    }
    const now = this.#options.nowMs();
    const proposals: Pending[] = [];
    const later: Pending[] = [];
    for (const pending of queue.waiting) {
      if (pending.state === 'ended') continue;
      if (pending.dueMs > now) later.push(pending);
      else if (pending.kind === RequestKind.propose) proposals.push(pending);
      else this.#sendNow(queue.unit, to, [pending], now);
    }
    queue.waiting = later;
    // Messages no larger than an entry: a backlog must not become one message of many megabytes.
    let from = 0;
    let bytes = 0;
    for (let i = 0; i < proposals.length; i += 1) {
      bytes += proposals[i]!.words.byteLength;
      const next = proposals[i + 1];
      if (next !== undefined && bytes + next.words.byteLength <= ENTRY_BYTES_MAX) continue;
      this.#sendNow(queue.unit, to, proposals.slice(from, i + 1), now);
      from = i + 1;
      bytes = 0;
    }
  }

  #sendNow(unit: number, to: ServerId, requests: readonly Pending[], now: number): void {
    const ref = this.#nextRef;
    for (const pending of requests) {
      pending.state = 'sent';
      pending.sentTo = to;
      if (pending.tries === 0) pending.firstSentMs = now;
      pending.tries += 1;
      pending.sentMs = now;
      this.#sent.set(this.#nextRef, pending);
      this.#nextRef = (this.#nextRef + 1) >>> 0;
    }
    const message: RequestMessage = {
      type: 'request',
      unit,
      kind: requests[0]!.kind,
      epoch: this.#options.epoch,
      ref,
      body: joinWords(requests.map((pending) => pending.words)),
    };
    if (to === this.#options.self) this.#options.receive(to, message);
    else this.#options.send(to, message);
  }
}

/** One byte array of several word arrays; without a copy if there is one only. */
export function joinWords(parts: readonly Uint32Array[]): Uint8Array {
  if (parts.length === 1) {
    const only = parts[0]!;
    return new Uint8Array(only.buffer, only.byteOffset, only.byteLength);
  }
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint32Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return new Uint8Array(joined.buffer);
}

/** The words of a byte array; a copy only if it isn't aligned. */
export function asWords(bytes: Uint8Array): Uint32Array {
  if (bytes.byteLength % 4 !== 0)
    throw new RangeError(`${bytes.byteLength} bytes are no whole words`);
  if (bytes.byteOffset % 4 === 0) {
    return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  }
  return new Uint32Array(bytes.slice().buffer);
}

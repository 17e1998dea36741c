/**
 * What a leader knows of one peer, and how fast it may send to it (etcd `tracker/progress.go`,
 * `inflights.go`).
 *
 *     probe      next is a guess; one append a heartbeat interval until the logs are known to meet
 *     replicate  next runs ahead of match; appends are pipelined within a window
 *     snapshot   what comes next is compacted; nothing is sent until the peer holds a snapshot, or it failed
 */
import { InvariantError } from './invariant.ts';
import type { ServerId } from './types.ts';

export type ProgressState = 'probe' | 'replicate' | 'snapshot';

/** Appends sent and not acknowledged, oldest first, bounded by count and bytes (C130). */
export class Inflights {
  readonly #countMax: number;
  readonly #bytesMax: number;
  readonly #indexes: number[] = [];
  readonly #sizes: number[] = [];
  #bytes = 0;

  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#indexes.length;
  }

  full(): boolean {
    return this.#indexes.length >= this.#countMax || this.#bytes >= this.#bytesMax;
  }

  add(lastIndex: number, bytes: number): void {
    this.#indexes.push(lastIndex);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  /** Frees all appends whose last index is <= `index`; a stale ack frees nothing. */
  freeTo(index: number): void {
    let freed = 0;
    while (freed < this.#indexes.length && (this.#indexes[freed] as number) <= index) {
      this.#bytes -= this.#sizes[freed] as number;
      freed++;
    }
    if (freed === 0) return;
    this.#indexes.splice(0, freed);
    this.#sizes.splice(0, freed);
  }

  clear(): void {
    this.#indexes.length = 0;
    this.#sizes.length = 0;
    this.#bytes = 0;
  }
}

export class Progress {
  readonly id: ServerId;
  readonly inflights: Inflights;
  state: ProgressState = 'probe';
  /** Highest index known to be durable at the peer; never falls (C78). */
  match = 0;
  /** Next index to send; always above match. */
  next: number;
  /** No append until an ack or a heartbeat reply lifts it. */
  paused = false;
  /** Heard from since the last check of the quorum. */
  recentlyActive = false;
  /** Highest commit the peer was told and could take. Saves empty appends, decides nothing. */
  sentCommit = 0;
  /** Highest read round the peer has confirmed. */
  readAck = 0;
  /** In state snapshot: what was offered last, and at which tick. */
  snapshotIndex = 0;
  snapshotTick = 0;
  /** Index of the membership entry that removed it, 0 for a member; and whether a check has seen it committed. */
  leaving = 0;
  leavingChecked = false;

  constructor(id: ServerId, next: number, inflights: Inflights) {
    this.id = id;
    this.next = next;
    this.inflights = inflights;
  }

  becomeProbe(next: number): void {
    this.state = 'probe';
    this.paused = false;
    this.next = next;
    this.sentCommit = Math.min(this.sentCommit, next - 1);
    this.inflights.clear();
    this.#check();
  }

  becomeReplicate(): void {
    this.state = 'replicate';
    this.paused = false;
    this.next = this.match + 1;
    this.inflights.clear();
  }

  /** The entry at `next` is gone; a snapshot of `index` was sent at `tick`. */
  becomeSnapshot(index: number, tick: number): void {
    this.state = 'snapshot';
    this.paused = true;
    this.next = Math.max(index, this.match) + 1;
    this.snapshotIndex = index;
    this.snapshotTick = tick;
    this.sentCommit = 0;
    this.inflights.clear();
  }

  /** The peer has lost entries: what it holds for sure ends at `index` (recover.ts). */
  setBack(index: number): void {
    this.match = Math.min(this.match, index);
    this.becomeProbe(this.match + 1);
  }

  /** An append of `count` entries ending at `lastIndex` went out. */
  sent(count: number, lastIndex: number, bytes: number, commit: number): void {
    this.sentCommit = Math.max(this.sentCommit, Math.min(commit, lastIndex));
    if (this.state !== 'replicate') {
      this.paused = true; // C132
      return;
    }
    if (count > 0) {
      this.next = lastIndex + 1;
      this.inflights.add(lastIndex, bytes);
    }
    this.paused = this.inflights.full();
  }

  /**
   * An ack of `index`; true if it taught something. `firstIndex` is that of the leader's log: a peer that was sent a
   * snapshot gets entries again once its log meets that (C121).
   */
  acked(index: number, firstIndex: number): boolean {
    const moved = index > this.match;
    if (moved) this.match = index;
    // A message may have been acked after `next` was set back.
    this.next = Math.max(this.next, index + 1);
    if (this.state === 'replicate') {
      this.inflights.freeTo(index);
      this.paused = this.inflights.full() && this.paused;
      return moved;
    }
    if (!moved && index !== this.match) return false;
    if (this.state === 'snapshot' && this.match + 1 < firstIndex) return moved;
    this.becomeReplicate();
    return true;
  }

  /**
   * The append after `rejectedIndex` was rejected; `hint` is the highest index that may match. Sets
   * `next` back and returns true, or returns false for a stale rejection (C76).
   */
  rejected(rejectedIndex: number, hint: number): boolean {
    if (this.state === 'replicate') {
      if (rejectedIndex <= this.match) return false;
      this.becomeProbe(this.match + 1);
      return true;
    }
    if (this.state === 'snapshot' || rejectedIndex !== this.next - 1) return false;
    this.becomeProbe(Math.max(Math.min(rejectedIndex, hint + 1), this.match + 1));
    return true;
  }

  #check(): void {
    if (this.next <= this.match)
      throw new InvariantError(`peer ${this.id}: next ${this.next} <= match ${this.match}`);
  }
}

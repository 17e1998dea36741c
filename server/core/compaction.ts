import type { Books } from './books.ts';
import type { Group } from './group.ts';
import { COMPACT_MS } from './limits.ts';
import type { Log } from './log/log.ts';

export interface CompactionOptions {
  readonly unit: number;
  readonly books: Books;
  /** Bytes of entries that the log keeps of the unit for peers that come back. */
  readonly keepBytes: number;
  /** What it grows to while a peer in touch, or a copy of the books, needs them. */
  readonly neededBytesMax: number;
  /** A copy of the books goes on from this index; null: none is made. */
  pinnedAt(): number | null;
  fatal(error: Error): void;
}

/**
 * Lets old entries go: only such as the books hold durably (C127, openraft#437), none that a peer in touch still
 * lacks, and none that a copy of the books under way goes on from (braft, typesense#2859). The last two are bounded:
 * a peer that lags further gets the books.
 */
export class Compaction {
  readonly #options: CompactionOptions;
  readonly #log: Log;
  readonly #group: Group;
  #dueMs = 0;
  #syncing = false;
  /** Last index of the log then. */
  #lookedAt = 0;

  constructor(options: CompactionOptions, log: Log, group: Group) {
    this.#options = options;
    this.#log = log;
    this.#group = group;
  }

  /** Every tick. */
  tick(nowMs: number): void {
    if (nowMs < this.#dueMs || this.#syncing) return;
    this.#dueMs = nowMs + COMPACT_MS;
    const stored = this.#log.unit(this.#options.unit);
    const last = stored.lastIndex();
    // To look is to go through the entries' sizes: not before there are some more of them.
    if ((last - this.#lookedAt) * 16 < last - stored.firstIndex()) return;
    this.#lookedAt = last;
    if (!this.#isWorthIt(this.#wanted(this.#options.books.index()))) return;
    this.#syncing = true;
    this.#options.books.sync((error, durableIndex) => {
      this.#syncing = false;
      if (error !== null) this.#options.fatal(error);
      else this.#compact(this.#wanted(durableIndex));
    });
  }

  #compact(index: number): void {
    const { unit } = this.#options;
    if (!this.#isWorthIt(index)) return;
    const membership = this.#group.membershipAt(index);
    this.#log.compact(unit, { index, term: this.#log.unit(unit).term(index), membership });
  }

  /** Not for a handful: each time costs a record. */
  #isWorthIt(index: number): boolean {
    const stored = this.#log.unit(this.#options.unit);
    const first = stored.firstIndex();
    return index >= first && (index - first + 1) * 8 > stored.lastIndex() - first;
  }

  /** The last index that may go. */
  #wanted(durableIndex: number): number {
    const { unit, keepBytes, neededBytesMax } = this.#options;
    const stored = this.#log.unit(unit);
    const kept = stored.firstOfLast(keepBytes) - 1;
    if (kept < stored.firstIndex()) return kept;
    const needed = Math.min(this.#matchedByAll(), this.#options.pinnedAt() ?? kept);
    if (needed >= kept) return Math.min(kept, durableIndex);
    const neededAtMost = stored.firstOfLast(neededBytesMax) - 1;
    return Math.min(kept, Math.max(needed, neededAtMost), durableIndex);
  }

  /** What all peers in touch hold; where this replica doesn't lead nobody asks it for entries. */
  #matchedByAll(): number {
    const { raft } = this.#group;
    if (raft.role !== 'leader') return Number.POSITIVE_INFINITY;
    const active = raft.status().peers.filter((peer) => peer.recentlyActive);
    return Math.min(...active.map((peer) => peer.match));
  }
}

/**
 * The log as the core sees it: what is durable, read through `LogStore`, and the tail that is not
 * ("unstable"), held here. Also the marks that move over it: handed to disk, durable, commit,
 * handed to apply, applied.
 *
 *     firstIndex ... applied <= applying <= commit
 *     firstIndex ... durable | unstable: handed out to be written | not yet | lastIndex
 *
 * etcd `log.go` and `log_unstable.go`; checked against a plain array in log.test.ts.
 */
import { InvariantError } from './invariant.ts';
import { decodeMembership } from './membership.ts';
import {
  type Entry,
  EntryKind,
  type LogStore,
  type Membership,
  type SnapshotMark,
} from './types.ts';

/** A write that the shell has taken and not yet reported durable. */
interface Write {
  readonly term: number;
  readonly index: number;
  readonly generation: number;
  /** The snapshot that it carries, or that an earlier one carries still. */
  readonly restoring: SnapshotMark | null;
}

/** A membership and the index from which on it is in force. */
interface MembershipAt {
  readonly index: number;
  readonly membership: Membership;
}

/**
 * (term, index) in the order that decides who is up to date: term first (thesis 3.6.1, openraft
 * a48a3282).
 */
export function isUpToDate(
  term: number,
  index: number,
  ownTerm: number,
  ownIndex: number,
): boolean {
  return term > ownTerm || (term === ownTerm && index >= ownIndex);
}

export class RaftLog {
  readonly #store: LogStore;
  /** Entries from index `#offset` on; below it the store answers. */
  #unstable: Entry[] = [];
  #offset: number;
  /** Next index to hand out for writing. */
  #writeNext: number;
  /**
   * Raised by each truncation: completions of writes taken before it prove nothing about what
   * stands there now (C137).
   */
  #generation = 0;
  #writes: Write[] = [];
  #commit: number;
  #applied: number;
  /** Last index handed out to be applied. */
  #applying: number;
  /** Handed out and not yet applied, oldest first. */
  #applyChunks: { readonly index: number; readonly bytes: number }[] = [];
  #applyingBytes = 0;
  readonly #applyingBytesMax: number;
  /** A snapshot accepted and not durable yet: until then the store may still show what was before. */
  #restoring: SnapshotMark | null = null;
  /**
   * All memberships of the log, ascending; the last is in force, from its append on. Truncation takes
   * back as many as it hits (C117, ScyllaDB#30936).
   */
  readonly #memberships: MembershipAt[];

  constructor(
    store: LogStore,
    configured: Membership,
    commit: number,
    applied: number,
    applyingBytesMax: number,
  ) {
    const first = store.firstIndex();
    const last = store.lastIndex();
    if (commit < first - 1 || commit > last) {
      throw new InvariantError(`commit ${commit} is outside the log [${first - 1}, ${last}]`); // C64
    }
    if (applied < first - 1 || applied > last) {
      throw new InvariantError(`applied ${applied} is outside the log [${first - 1}, ${last}]`);
    }
    this.#store = store;
    this.#offset = last + 1;
    this.#writeNext = last + 1;
    // A commit mark is written without a sync, so books that were synced later may be ahead of it.
    // What was applied was committed.
    this.#commit = Math.max(commit, applied);
    this.#applied = applied;
    this.#applying = applied;
    this.#applyingBytesMax = applyingBytesMax;
    this.#memberships = [{ index: first - 1, membership: store.startMembership() ?? configured }];
    for (const entry of store.memberships()) this.#noteMembership(entry);
  }

  /** In force: of the last membership entry that this log holds, committed or not. */
  get membership(): Membership {
    return (this.#memberships.at(-1) as MembershipAt).membership;
  }

  /** Index of the entry, or the snapshot, that brought it. */
  get membershipIndex(): number {
    return (this.#memberships.at(-1) as MembershipAt).index;
  }

  /** In force at the commit: what holds if all behind it is taken back. */
  get committedMembership(): Membership {
    const at = this.#memberships.findLast(({ index }) => index <= this.#commit);
    return (at ?? (this.#memberships[0] as MembershipAt)).membership;
  }

  #noteMembership(entry: Entry): void {
    const membership = decodeMembership(entry.payload);
    this.#memberships.push({ index: entry.index, membership });
  }

  /** A snapshot was accepted and is not durable yet. */
  get restoring(): boolean {
    return this.#restoring !== null;
  }

  get commit(): number {
    return this.#commit;
  }

  get applied(): number {
    return this.#applied;
  }

  /** Last index that `durable()` has confirmed, or that was there at start. */
  get durableIndex(): number {
    return this.#offset - 1;
  }

  firstIndex(): number {
    if (this.#restoring !== null) return this.#restoring.index + 1;
    return this.#store.firstIndex();
  }

  lastIndex(): number {
    return this.#offset + this.#unstable.length - 1;
  }

  lastTerm(): number {
    return this.term(this.lastIndex());
  }

  /** Valid for firstIndex() - 1 .. lastIndex(). */
  term(index: number): number {
    if (index >= this.#offset) {
      const entry = this.#unstable[index - this.#offset];
      if (entry === undefined)
        throw new InvariantError(`term(${index}) is beyond the log's end ${this.lastIndex()}`);
      return entry.term;
    }
    if (index < this.firstIndex() - 1) throw new InvariantError(`term(${index}) is compacted`);
    if (index === this.#restoring?.index) return this.#restoring.term;
    return index === 0 ? 0 : this.#store.term(index);
  }

  /** Whether the log holds that entry; false for what is compacted or beyond the end. */
  matches(index: number, term: number): boolean {
    return index <= this.lastIndex() && index >= this.firstIndex() - 1 && this.term(index) === term;
  }

  /** A prefix of [lo, hi) of at most `maxBytes` payload bytes, at least one entry if lo < hi. */
  slice(lo: number, hi: number, maxBytes: number): readonly Entry[] {
    if (lo >= hi) return [];
    if (lo >= this.#offset) return this.#sliceUnstable(lo, hi, maxBytes, false);
    const border = Math.min(hi, this.#offset);
    const stored = this.#store.entries(lo, border, maxBytes);
    if (stored.length === 0 || stored[0]?.index !== lo)
      throw new InvariantError(`the log store has lost entry ${lo}`);
    if (stored.length < border - lo || hi <= border) return stored;
    let left = maxBytes;
    for (const entry of stored) left -= entry.payload.byteLength;
    const rest = this.#sliceUnstable(border, hi, left, true);
    return rest.length === 0 ? stored : stored.concat(rest);
  }

  #sliceUnstable(lo: number, hi: number, maxBytes: number, mayBeEmpty: boolean): Entry[] {
    const from = lo - this.#offset;
    const to = hi - this.#offset;
    let left = maxBytes;
    let end = from;
    while (end < to) {
      const entry = this.#unstable[end];
      if (entry === undefined)
        throw new InvariantError(`slice to ${hi} is beyond the log's end ${this.lastIndex()}`);
      left -= entry.payload.byteLength;
      if (left < 0 && (mayBeEmpty || end > from)) break;
      end++;
    }
    return this.#unstable.slice(from, end);
  }

  /** A leader's own new entry, at lastIndex() + 1. */
  append(entry: Entry): void {
    if (entry.index !== this.lastIndex() + 1)
      throw new InvariantError(`append of ${entry.index} after ${this.lastIndex()}`);
    this.#unstable.push(entry);
    if (entry.kind === EntryKind.membership) this.#noteMembership(entry);
  }

  /**
   * Takes a leader's entries, which follow (prevIndex, prevTerm), and returns the first index that
   * changed; 0 if all were here already. The caller has checked that prev matches. Truncates at the
   * first real conflict only: entries that are merely present already, and what follows them, stay
   * (C68, openraft 9540c904).
   */
  merge(entries: readonly Entry[]): number {
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as Entry;
      if (this.matches(entry.index, entry.term)) continue;
      if (entry.index <= this.#commit) {
        throw new InvariantError(
          `entry ${entry.index} of term ${entry.term} conflicts with committed ${this.#commit}`,
        ); // C69
      }
      this.#truncateFrom(entry.index);
      for (let j = i; j < entries.length; j++) this.append(entries[j] as Entry);
      return entry.index;
    }
    return 0;
  }

  #truncateFrom(index: number): void {
    if (index > this.lastIndex()) return;
    this.#generation++;
    if (index >= this.#offset) {
      this.#unstable.length = index - this.#offset;
    } else {
      this.#unstable = [];
      this.#offset = index;
    }
    this.#writeNext = Math.min(this.#writeNext, index);
    while (this.membershipIndex >= index) this.#memberships.pop();
  }

  /** Starts anew after `mark`: committed and applied up to there, nothing behind it held (C125). */
  restore(mark: SnapshotMark): void {
    if (mark.index <= this.#commit)
      throw new InvariantError(`snapshot ${mark.index} is not beyond commit ${this.#commit}`);
    this.#generation++;
    this.#unstable = [];
    this.#offset = mark.index + 1;
    this.#writeNext = mark.index + 1;
    this.#commit = mark.index;
    this.#applied = mark.index;
    this.#applying = mark.index;
    this.#applyChunks = [];
    this.#applyingBytes = 0;
    this.#restoring = mark;
    this.#memberships.length = 0;
    this.#memberships.push({ index: mark.index, membership: mark.membership });
  }

  /** What a peer can be given whose next entry is compacted. */
  snapshot(): SnapshotMark | null {
    const mark = this.#store.snapshot();
    if (mark === null) return null;
    if (mark.index < this.firstIndex() - 1 || mark.index > this.#applied) {
      throw new InvariantError(
        `snapshot ${mark.index} is outside [${this.firstIndex() - 1}, ${this.#applied}]`,
      );
    }
    return mark;
  }

  /**
   * The largest index <= `index` whose term is <= `term`: one probe skips a whole term (C73, C74;
   * etcd `findConflictByTerm`). Term 0 if that is below what this log still knows.
   */
  findConflict(index: number, term: number): { index: number; term: number } {
    let at = Math.min(index, this.lastIndex());
    const lowest = this.firstIndex() - 1;
    for (; at >= lowest; at--) {
      const own = this.term(at);
      if (own <= term) return { index: at, term: own };
    }
    return { index: at, term: 0 };
  }

  /** Never moves back; beyond the end means that this replica lost entries it had acknowledged. */
  commitTo(index: number): boolean {
    if (index <= this.#commit) return false;
    if (index > this.lastIndex())
      throw new InvariantError(`commit ${index} is beyond the log's end ${this.lastIndex()}`);
    this.#commit = index;
    return true;
  }

  hasUnwritten(): boolean {
    return this.#writeNext <= this.lastIndex();
  }

  hasUnstable(): boolean {
    return this.#unstable.length > 0 || this.#restoring !== null;
  }

  /** Entries to write now; each is given once. */
  takeUnwritten(): readonly Entry[] {
    const entries = this.#unstable.slice(this.#writeNext - this.#offset);
    this.#writeNext = this.lastIndex() + 1;
    return entries;
  }

  /**
   * Notes that the shell now writes everything up to the end of the log, and returns what it shall
   * report.
   */
  beginWrite(term: number): { term: number; index: number } {
    const write = {
      term,
      index: this.lastIndex(),
      generation: this.#generation,
      restoring: this.#restoring,
    };
    this.#writes.push(write);
    return { term, index: write.index };
  }

  /**
   * The write with these values, and all before it, are on disk. The pair alone could not tell a
   * write from a later one of the same index after a truncation (C137), so it is matched with the
   * write it came from.
   */
  endWrite(term: number, index: number): void {
    const at = this.#writes.findIndex((write) => write.term === term && write.index === index);
    const write = this.#writes[at];
    if (write === undefined)
      throw new InvariantError(`durable(${term}, ${index}) matches no write under way`);
    this.#writes.splice(0, at + 1);
    // Truncation behind it takes no snapshot back.
    if (write.restoring !== null && write.restoring === this.#restoring) this.#restoring = null;
    if (write.generation !== this.#generation || index < this.#offset) return;
    this.#unstable.splice(0, index + 1 - this.#offset);
    this.#offset = index + 1;
  }

  hasCommitted(): boolean {
    if (this.#applyingBytes > 0 && this.#applyingBytes >= this.#applyingBytesMax) return false;
    return this.#applying < Math.min(this.#commit, this.durableIndex);
  }

  /**
   * Entries to apply next: committed, durable here (C66), and within the quota of bytes not yet
   * applied, which one entry may exceed (C136).
   */
  takeCommitted(): readonly Entry[] {
    if (!this.hasCommitted()) return [];
    const hi = Math.min(this.#commit, this.durableIndex) + 1;
    const entries = this.slice(
      this.#applying + 1,
      hi,
      this.#applyingBytesMax - this.#applyingBytes,
    );
    let bytes = 0;
    for (const entry of entries) bytes += entry.payload.byteLength;
    this.#applying += entries.length;
    this.#applyChunks.push({ index: this.#applying, bytes });
    this.#applyingBytes += bytes;
    return entries;
  }

  appliedTo(index: number): void {
    if (index < this.#applied || index > this.#applying) {
      throw new InvariantError(
        `appliedTo(${index}) is outside [${this.#applied}, ${this.#applying}]`,
      );
    }
    this.#applied = index;
    while (this.#applyChunks.length > 0) {
      const chunk = this.#applyChunks[0] as { index: number; bytes: number };
      if (chunk.index > index) break;
      this.#applyingBytes -= chunk.bytes;
      this.#applyChunks.shift();
    }
  }
}

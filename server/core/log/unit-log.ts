import { decodeMembership } from '../../../consensus/membership.ts';
import {
  type Entry,
  EntryKind,
  type HardState,
  type LogStore,
  type Membership,
  type SnapshotMark,
} from '../../../consensus/types.ts';
import type { Disk } from '../disk.ts';
import type { CachedUnit } from './entry-cache.ts';
import { check, rotten } from './error.ts';
import { READ_GAP_BYTES, READ_SPAN_BYTES, segmentName, viewOf } from './format.ts';
import { Positions } from './positions.ts';
import { decodeRecord, RECORD_HEADER_BYTES, RecordType, recordBytes } from './record.ts';
import type { Segments } from './segments.ts';
import type { Position } from './stage.ts';
import { TermRuns } from './term-runs.ts';
import type { UnitState } from './unit-state.ts';

/** For entries that lie in segments that are gone: a later record says where they are now. */
const NOWHERE: Position = { segment: 0, offset: 0, seed: 0 };

/** One unit's part of the log. What was appended shows at once, whether it is durable or not. */
export class UnitLog implements LogStore, CachedUnit {
  readonly id: number;
  /** Entries that this replica may have acknowledged are lost: it must not vote before it has them again. */
  recovering = false;
  readonly #disk: Disk;
  readonly #segments: Segments;
  readonly #positions = new Positions();
  readonly #terms = new TermRuns();
  /** The newest entries, without a gap up to the last; #recent[#head] is the oldest still held. */
  #recent: (Entry | undefined)[] = [];
  #head = 0;
  #hardState: HardState = { term: 0, vote: 0, commit: 0 };
  /** What the log starts after; null if it began empty and nothing was compacted yet. */
  #start: SnapshotMark | null = null;
  #booksMark: SnapshotMark | null = null;
  #membershipIndexes: number[] = [];
  /** Entries whose new place is not written yet. */
  readonly #moved = new Map<number, Entry>();
  /** Entries behind it lie in the order of their indexes. */
  #unorderedTo = 0;
  #hasRecords = false;

  constructor(id: number, disk: Disk, segments: Segments) {
    this.id = id;
    this.#disk = disk;
    this.#segments = segments;
  }

  get hasRecords(): boolean {
    return this.#hasRecords;
  }

  firstIndex(): number {
    return this.#positions.first;
  }

  lastIndex(): number {
    return this.#positions.last;
  }

  /** Of what the log starts after, too (C128). */
  term(index: number): number {
    check(
      index >= this.firstIndex() - 1 && index <= this.lastIndex(),
      `unit ${this.id} has no index ${index}`,
    );
    return index < this.firstIndex() ? (this.#start?.term ?? 0) : this.#terms.at(index);
  }

  hardState(): HardState {
    return this.#hardState;
  }

  /** A prefix of [lo, hi) with at most `maxBytes` of payload, but at least one entry if lo < hi. */
  entries(lo: number, hi: number, maxBytes: number): Entry[] {
    check(
      lo >= this.firstIndex() && hi <= this.lastIndex() + 1,
      `unit ${this.id} has not all of [${lo}, ${hi})`,
    );
    const found: Entry[] = [];
    let end = lo;
    let bytes = 0;
    while (end < hi) {
      bytes += this.#positions.payloadBytes(end);
      if (bytes > maxBytes && end > lo) break;
      end += 1;
    }
    const recentFrom = this.#recentFrom();
    let next = lo;
    while (next < Math.min(end, recentFrom)) {
      const moved = this.#moved.get(next);
      if (moved === undefined) next = this.#readSpan(next, Math.min(end, recentFrom), found);
      else next = found.push(moved) + lo;
    }
    for (; next < end; next++) found.push(this.#recent[this.#head + next - recentFrom]!);
    return found;
  }

  startMembership(): Membership | null {
    return this.#start?.membership ?? null;
  }

  memberships(): readonly Entry[] {
    return this.#membershipIndexes.map((index) => this.entries(index, index + 1, 0)[0]!);
  }

  /** In force at `index`; null if the log says nothing of it. */
  membershipAt(index: number): Membership | null {
    const at = this.#membershipIndexes.findLast((held) => held <= index);
    if (at === undefined) return this.startMembership();
    return decodeMembership(this.entries(at, at + 1, 0)[0]!.payload);
  }

  /** What a peer gets that needs compacted entries: the books. Never behind what the log starts after. */
  snapshot(): SnapshotMark | null {
    const held = this.#booksMark;
    return held !== null && held.index >= this.firstIndex() - 1 ? held : this.#start;
  }

  /** The state that the books hold by now. */
  setBooksMark(mark: SnapshotMark): void {
    this.#booksMark = mark;
  }

  /** First of the newest entries that together have at most so many bytes of payload. */
  firstOfLast(bytes: number): number {
    let left = bytes;
    let index = this.lastIndex();
    for (; index >= this.firstIndex(); index--) {
      left -= this.#positions.payloadBytes(index);
      if (left < 0) break;
    }
    return index + 1;
  }

  /** For Log: a new entry, which drops what the unit had from its index on. Null `cached`: it is on disk only. */
  push(
    index: number,
    term: number,
    kind: number,
    position: Position,
    payloadBytes: number,
    cached: Entry | null,
  ): void {
    if (index <= this.lastIndex()) this.#truncate(index);
    this.#positions.push(position, payloadBytes);
    this.#use(position, payloadBytes);
    this.#terms.push(index, term);
    if (kind === EntryKind.membership) this.#membershipIndexes.push(index);
    if (cached !== null) this.#recent.push(cached);
    this.#hasRecords = true;
  }

  /** For Log: drops all up to `mark.index`, at which there is an entry of `mark.term` if anything is to stay. */
  startAfter(mark: SnapshotMark): void {
    const { index } = mark;
    const recentFrom = this.#recentFrom();
    const dropped = Math.min(index, this.lastIndex()) + 1 - recentFrom;
    for (let i = 0; i < dropped; i++) this.#recent[this.#head + i] = undefined;
    if (dropped > 0) this.#head += dropped;
    this.#trimRecent();
    this.#free(this.firstIndex(), Math.min(index, this.lastIndex()));
    this.#positions.startAt(index + 1);
    this.#terms.startAt(index + 1);
    this.#membershipIndexes = this.#membershipIndexes.filter((held) => held > index);
    this.#start = mark;
    const { term, vote, commit } = this.#hardState;
    this.setHardState({ term, vote, commit: Math.max(commit, index) });
  }

  /** For Log: as `startAfter`, and nothing stays. */
  reset(mark: SnapshotMark): void {
    if (this.lastIndex() >= this.firstIndex()) this.#truncate(this.firstIndex());
    this.startAfter(mark);
  }

  /** For Log. */
  setHardState(hardState: HardState): void {
    this.#hardState = hardState;
    this.#hasRecords = true;
  }

  /** For Log: the entry lies elsewhere from now on. Not null `moved`: it is not written there yet, see `settle`. */
  move(
    index: number,
    kind: number,
    position: Position,
    payloadBytes: number,
    moved: Entry | null,
  ): void {
    this.#free(index, index);
    if (moved !== null) this.#moved.set(index, moved);
    this.#positions.move(index, position, payloadBytes);
    this.#use(position, payloadBytes);
    this.#unorderedTo = Math.max(this.#unorderedTo, index);
    if (kind !== EntryKind.membership || this.#membershipIndexes.includes(index)) return;
    this.#membershipIndexes.push(index);
    this.#membershipIndexes.sort((a, b) => a - b);
  }

  /** For Log: it is. */
  settle(moved: Entry): void {
    if (this.#moved.get(moved.index) === moved) this.#moved.delete(moved.index);
  }

  /** For Log: indexes of entries in the oldest segment, at least one if there are any, of so many bytes at most. */
  inOldest(maxBytes: number): number[] {
    const { oldest } = this.#segments;
    const found: number[] = [];
    let bytes = 0;
    for (let index = this.firstIndex(); index <= this.lastIndex(); index++) {
      const segment = this.#positions.segment(index);
      if (segment !== oldest && index > this.#unorderedTo) break;
      if (segment !== oldest) continue;
      bytes += this.#positions.payloadBytes(index);
      if (bytes > maxBytes && found.length > 0) break;
      found.push(index);
    }
    return found;
  }

  state(): UnitState {
    return {
      lastIndex: this.lastIndex(),
      hardState: this.#hardState,
      start: this.#start,
      runs: this.#terms.all,
    };
  }

  /** For Log: a unit of which nothing was read yet stands so; where its entries lie is still to be read. */
  restore(state: UnitState): void {
    const { lastIndex, hardState, start, runs } = state;
    this.#start = start;
    this.#positions.startAt(1 + (start?.index ?? 0));
    while (this.lastIndex() < lastIndex) this.#positions.push(NOWHERE, 0);
    this.#terms.set(runs);
    this.#unorderedTo = lastIndex;
    this.setHardState(hardState);
  }

  /** For Log: a loss has left no more than this of what was there. */
  cutTo(state: UnitState): void {
    if (state.lastIndex < this.lastIndex()) this.#truncate(state.lastIndex + 1);
    if (state.start !== null && state.start.index >= this.firstIndex())
      this.startAfter(state.start);
    this.setHardState(state.hardState);
  }

  /** For Log: the first entry of which nobody knows where it is; 0 if there is none. */
  firstMissing(): number {
    const last = Math.min(this.#unorderedTo, this.lastIndex());
    for (let index = this.firstIndex(); index <= last; index++) {
      if (this.#positions.segment(index) === 0) return index;
    }
    return 0;
  }

  forget(entry: Entry): void {
    if (this.#recent[this.#head] !== entry) return; // truncated before
    this.#recent[this.#head] = undefined;
    this.#head += 1;
    this.#trimRecent();
  }

  /** Index of the oldest entry that is held in memory, or of the next one that will be. */
  #recentFrom(): number {
    return this.lastIndex() + 1 - (this.#recent.length - this.#head);
  }

  #use(position: Position, payloadBytes: number): void {
    this.#segments.use(position.segment, recordBytes(payloadBytes));
  }

  /** What lies nowhere is not counted. */
  #free(from: number, to: number): void {
    for (let index = from; index <= to; index++) {
      this.#moved.delete(index);
      const segment = this.#positions.segment(index);
      if (segment === 0) continue;
      this.#segments.free(segment, recordBytes(this.#positions.payloadBytes(index)));
    }
  }

  #trimRecent(): void {
    if (this.#head <= 64 || this.#head * 2 <= this.#recent.length) return;
    this.#recent = this.#recent.slice(this.#head);
    this.#head = 0;
  }

  #truncate(index: number): void {
    const keptRecent = this.#recent.length - (this.lastIndex() + 1 - index);
    this.#recent.length = Math.max(keptRecent, this.#head);
    this.#free(index, this.lastIndex());
    this.#positions.truncate(index - 1);
    this.#terms.truncate(index);
    while ((this.#membershipIndexes.at(-1) ?? 0) >= index) this.#membershipIndexes.pop();
  }

  /** Reads entries from `lo` on that lie close together, at least one; returns the index after them. */
  #readSpan(lo: number, hi: number, found: Entry[]): number {
    const positions = this.#positions;
    const endOf = (i: number) => positions.offset(i) + recordBytes(positions.payloadBytes(i));
    const segment = positions.segment(lo);
    const start = positions.offset(lo);
    let end = endOf(lo);
    let next = lo + 1;
    for (; next < hi && positions.segment(next) === segment; next++) {
      if (this.#moved.has(next)) break;
      const nextEnd = endOf(next);
      const gap = positions.offset(next) - end;
      if (gap < 0 || gap > READ_GAP_BYTES || nextEnd - start > READ_SPAN_BYTES) break;
      end = nextEnd;
    }
    const bytes = this.#disk.read(segmentName(segment), start, end - start);
    const view = viewOf(bytes);
    for (let index = lo; index < next; index++) found.push(this.#decode(index, bytes, view, start));
    return next;
  }

  /** Damage since the record was written or last read is found here, before anyone believes it. */
  #decode(index: number, bytes: Uint8Array, view: DataView, start: number): Entry {
    const offset = this.#positions.offset(index);
    const at = offset - start;
    const head = decodeRecord(bytes, view, at, this.#positions.seed(index));
    const fits =
      head !== null &&
      (head.type === RecordType.entry || head.type === RecordType.copied) &&
      head.unit === this.id &&
      head.index === index &&
      head.payloadBytes === this.#positions.payloadBytes(index);
    if (!fits) {
      const name = segmentName(this.#positions.segment(index));
      throw rotten(
        name,
        offset,
        `entry ${index} of unit ${this.id} reads back wrong; start this server again: it keeps what lies before, and fetches the rest from its peers`,
      );
    }
    const from = at + RECORD_HEADER_BYTES;
    const payload = bytes.subarray(from, from + head.payloadBytes);
    return { term: head.term, index, kind: head.kind, payload };
  }
}

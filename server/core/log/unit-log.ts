import type {
  Entry,
  HardState,
  LogStore,
  Membership,
  SnapshotMark,
} from '../../../consensus/types.ts';
import type { Disk } from '../disk.ts';
import type { CachedUnit } from './entry-cache.ts';
import { check, rotten } from './error.ts';
import { READ_GAP_BYTES, READ_SPAN_BYTES, segmentName, viewOf } from './format.ts';
import { Positions } from './positions.ts';
import { decodeRecord, RECORD_HEADER_BYTES, RecordType, recordBytes } from './record.ts';
import type { Position } from './stage.ts';
import { TermRuns } from './term-runs.ts';

/** One unit's part of the log. What was appended shows at once, whether it is durable or not. */
export class UnitLog implements LogStore, CachedUnit {
  readonly id: number;
  readonly #disk: Disk;
  readonly #positions = new Positions();
  readonly #terms = new TermRuns();
  /** The newest entries, without a gap up to the last; #recent[#head] is the oldest still held. */
  #recent: (Entry | undefined)[] = [];
  #head = 0;
  #hardState: HardState = { term: 0, vote: 0, commit: 0 };
  #hasRecords = false;

  constructor(id: number, disk: Disk) {
    this.id = id;
    this.#disk = disk;
  }

  get hasRecords(): boolean {
    return this.#hasRecords;
  }

  /** Entries are never removed yet. */
  firstIndex(): number {
    return 1;
  }

  lastIndex(): number {
    return this.#positions.count;
  }

  term(index: number): number {
    check(index >= 0 && index <= this.lastIndex(), `unit ${this.id} has no index ${index}`);
    return this.#terms.at(index);
  }

  hardState(): HardState {
    return this.#hardState;
  }

  /** A prefix of [lo, hi) with at most `maxBytes` of payload, but at least one entry if lo < hi. */
  entries(lo: number, hi: number, maxBytes: number): Entry[] {
    check(lo >= 1 && hi <= this.lastIndex() + 1, `unit ${this.id} has not all of [${lo}, ${hi})`);
    const found: Entry[] = [];
    let end = lo;
    let bytes = 0;
    while (end < hi) {
      bytes += this.#positions.payloadBytes(end - 1);
      if (bytes > maxBytes && end > lo) break;
      end += 1;
    }
    const recentFrom = this.lastIndex() + 1 - (this.#recent.length - this.#head);
    let next = lo;
    while (next < Math.min(end, recentFrom)) {
      next = this.#readSpan(next, Math.min(end, recentFrom), found);
    }
    for (; next < end; next++) found.push(this.#recent[this.#head + next - recentFrom]!);
    return found;
  }

  startMembership(): Membership | null {
    return null;
  }

  /** None is written yet. */
  memberships(): readonly Entry[] {
    return [];
  }

  /** Entries are never removed yet, so no peer needs one. */
  snapshot(): SnapshotMark | null {
    return null;
  }

  /** For Log: a new entry, which drops what the unit had from its index on. Null `cached`: it is on disk only. */
  push(
    index: number,
    term: number,
    position: Position,
    payloadBytes: number,
    cached: Entry | null,
  ): void {
    if (index <= this.lastIndex()) this.#truncate(index);
    this.#positions.push(position, payloadBytes);
    this.#terms.push(index, term);
    if (cached !== null) this.#recent.push(cached);
    this.#hasRecords = true;
  }

  /** For Log. */
  setHardState(hardState: HardState): void {
    this.#hardState = hardState;
    this.#hasRecords = true;
  }

  forget(entry: Entry): void {
    if (this.#recent[this.#head] !== entry) return; // truncated before
    this.#recent[this.#head] = undefined;
    this.#head += 1;
    if (this.#head > 64 && this.#head * 2 > this.#recent.length) {
      this.#recent = this.#recent.slice(this.#head);
      this.#head = 0;
    }
  }

  #truncate(index: number): void {
    const keptRecent = this.#recent.length - (this.lastIndex() + 1 - index);
    this.#recent.length = Math.max(keptRecent, this.#head);
    this.#positions.truncate(index - 1);
    this.#terms.truncate(index);
  }

  /** Reads entries from `lo` on that lie close together, at least one; returns the index after them. */
  #readSpan(lo: number, hi: number, found: Entry[]): number {
    const positions = this.#positions;
    const endOf = (i: number) => positions.offset(i) + recordBytes(positions.payloadBytes(i));
    const segment = positions.segment(lo - 1);
    const start = positions.offset(lo - 1);
    let end = endOf(lo - 1);
    let next = lo + 1;
    for (; next < hi && positions.segment(next - 1) === segment; next++) {
      const nextEnd = endOf(next - 1);
      if (positions.offset(next - 1) - end > READ_GAP_BYTES || nextEnd - start > READ_SPAN_BYTES)
        break;
      end = nextEnd;
    }
    const bytes = this.#disk.read(segmentName(segment), start, end - start);
    const view = viewOf(bytes);
    for (let index = lo; index < next; index++) found.push(this.#decode(index, bytes, view, start));
    return next;
  }

  /** Damage since the record was written or last read is found here, before anyone believes it. */
  #decode(index: number, bytes: Uint8Array, view: DataView, start: number): Entry {
    const i = index - 1;
    const offset = this.#positions.offset(i);
    const at = offset - start;
    const head = decodeRecord(bytes, view, at, this.#positions.seed(i));
    const fits =
      head !== null &&
      head.type === RecordType.entry &&
      head.unit === this.id &&
      head.index === index &&
      head.payloadBytes === this.#positions.payloadBytes(i);
    if (!fits) {
      const name = segmentName(this.#positions.segment(i));
      throw rotten(name, offset, `entry ${index} of unit ${this.id} reads back wrong`);
    }
    const from = at + RECORD_HEADER_BYTES;
    const payload = bytes.subarray(from, from + head.payloadBytes);
    return { term: head.term, index, kind: head.kind, payload };
  }
}

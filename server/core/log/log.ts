import { encodeMembership } from '../../../consensus/membership.ts';
import type { Entry, HardState, SnapshotMark } from '../../../consensus/types.ts';
import type { Disk, DiskDone } from '../disk.ts';
import { checkCompacted, checkEntry, checkHardState, checkReset } from './checks.ts';
import { Cleaner } from './cleaner.ts';
import type { Contents } from './contents.ts';
import { EntryCache } from './entry-cache.ts';
import { check, type LogError } from './error.ts';
import { type LogIdentity, viewOf } from './format.ts';
import { bringTogether, votesOf } from './promises.ts';
import { type RecordFields, RecordType, recordBytes } from './record.ts';
import { recover } from './recovery.ts';
import { type Position, Stage } from './stage.ts';
import type { UnitLog } from './unit-log.ts';
import { encodeUnitState } from './unit-state.ts';
import { Votes } from './votes.ts';
import { type FlushSteps, Writer } from './writer.ts';

export { LogError } from './error.ts';
export { LOG_FORMAT_VERSION, type LogIdentity } from './format.ts';
export { UnitLog } from './unit-log.ts';

export interface LogOptions {
  /** A flush that would make a segment larger starts the next one. 64 MiB. */
  readonly segmentBytes: number;
  /** Recent entries kept in memory, all units together. 32 MiB. */
  readonly cacheBytes: number;
}

/** A log of no more segments than this, over twice what is needed of it, is left alone. */
const SLACK_SEGMENTS = 2;

/**
 * The write-ahead log of one server, shared by its units. The caller's duties:
 * 1. After `open`, flush and wait before answering anybody: what was read back may not be durable until then.
 * 2. Say nothing that rests on a record before the flush that covers it is done.
 * 3. After any error stop the process. A second try could sync what the first one lost (C139).
 */
export class Log {
  /** Not null: durable records were found damaged. What lay before them is here, and all units are recovering. */
  readonly rot: LogError | null;
  readonly #contents: Contents;
  readonly #stage: Stage;
  readonly #writer: Writer;
  readonly #votes: Votes;
  readonly #cache: EntryCache;
  readonly #cleaner: Cleaner;
  readonly #segmentBytes: number;
  readonly #isNew: boolean;
  /** Entries that the next flush writes to another place. */
  #moved: { readonly unit: UnitLog; readonly entry: Entry }[] = [];
  #votesOpened = false;
  #votesChanged = false;
  #flushes = 0;

  private constructor(disk: Disk, identity: LogIdentity, options: LogOptions) {
    const recovered = recover(disk, identity);
    const { contents, tail, end, highest, leftOver } = recovered;
    this.#contents = contents;
    this.#segmentBytes = options.segmentBytes;
    this.#isNew = highest === 0;
    this.#votes = new Votes(disk, (error) => this.#writer.fail(error));
    const { found } = this.#votes;
    const { lost: rotten, raised } = bringTogether(contents, found, recovered);
    this.rot = rotten;
    const lost = this.rot !== null;
    const fresh = contents.fresh && !lost;
    this.#stage = new Stage(identity, options.segmentBytes, end, fresh);
    this.#writer = new Writer(disk, options.segmentBytes, lost ? null : tail, end);
    this.#cache = new EntryCache(options.cacheBytes);
    this.#cleaner = new Cleaner(disk, contents.segments, leftOver, (error) =>
      this.#writer.fail(error),
    );
    if (lost) this.#roll({ segment: highest });
    else if (fresh) this.#noteUnits();
    if (!lost) for (const { unit, hardState } of raised) this.#addHardState(unit, hardState);
  }

  /**
   * Reads everything back. A torn tail is left out, and overwritten by the first flush. If bytes that were durable are
   * damaged, `rot` says so. Throws `log_rotten` if nothing tells what this server has promised, `log_foreign` if the log
   * is another server's; nothing was changed then.
   */
  static open(disk: Disk, identity: LogIdentity, options: LogOptions): Log {
    return new Log(disk, identity, options);
  }

  /** Nothing was there to read back: a new server's log, or one that was deleted with all that it had promised. */
  get wasEmpty(): boolean {
    return this.#isNew && this.#votes.found === null;
  }

  /** Created on first use. */
  unit(id: number): UnitLog {
    return this.#contents.unit(id);
  }

  /** Units that have records, ascending. */
  units(): number[] {
    return this.#contents.units().map(({ id }) => id);
  }

  /** Buffers entries for the next flush. An index that the unit has already drops all it had from there on. */
  append(unitId: number, entries: readonly Entry[]): void {
    this.#checkUsable();
    const unit = this.unit(unitId);
    for (const entry of entries) {
      const { term, index, kind, payload } = entry;
      checkEntry(unit, term, index, (what) => new Error(`log: ${what}`));
      const fields = { type: RecordType.entry, unit: unitId, kind, term, index };
      const position = this.#add(fields, payload);
      unit.push(index, term, kind, position, payload.length, entry);
      this.#cache.add(unit, entry);
    }
  }

  /** Buffers a hard state; on disk it follows the entries appended before it. */
  setHardState(unitId: number, hardState: HardState): void {
    this.#checkUsable();
    const unit = this.unit(unitId);
    checkHardState(unit, hardState, (what) => new Error(`log: ${what}`));
    const before = unit.hardState();
    if (hardState.term !== before.term || hardState.vote !== before.vote) this.#votesChanged = true;
    this.#addHardState(unit, hardState);
  }

  /**
   * The unit's entries up to `mark.index` may go: its books hold them, checkpointed and synced. They are gone at
   * once for readers, on disk once a flush is done; a crash before it may bring them back.
   */
  compact(unitId: number, mark: SnapshotMark): void {
    this.#checkUsable();
    const unit = this.unit(unitId);
    checkCompacted(unit, mark, (what) => new Error(`log: ${what}`));
    this.#addMark(RecordType.compacted, unitId, mark);
    unit.startAfter(mark);
  }

  /**
   * The unit's books were replaced by a state at `mark`, which is durable: all entries go, and the log starts after it.
   * For readers at once, on disk with the next flush.
   */
  reset(unitId: number, mark: SnapshotMark): void {
    this.#checkUsable();
    const unit = this.unit(unitId);
    checkReset(unit, mark, (what) => new Error(`log: ${what}`));
    this.#addMark(RecordType.reset, unitId, mark);
    unit.reset(mark);
  }

  /** The unit has again all that it may ever have acknowledged. */
  recovered(unitId: number): void {
    this.#checkUsable();
    this.unit(unitId).recovering = false;
    this.#votesChanged = true;
  }

  /**
   * Copies what is still needed out of the oldest segment, about so many bytes, while the log is more than twice as
   * large as what is needed of it: an idle unit does not hold up the others. True if something is to be flushed.
   */
  tidy(maxBytes: number): boolean {
    this.#checkUsable();
    const { segments } = this.#contents;
    if (!segments.crowded(SLACK_SEGMENTS * this.#segmentBytes)) return false;
    let left = maxBytes;
    for (const unit of this.#contents.units()) {
      if (left <= 0 || segments.oldestIsDead) break;
      for (const index of unit.inOldest(left)) {
        const entry = unit.entries(index, index + 1, 0)[0]!;
        const { term, kind, payload } = entry;
        const fields = { type: RecordType.copied, unit: unit.id, kind, term, index };
        unit.move(index, kind, this.#add(fields, payload), payload.length, entry);
        this.#moved.push({ unit, entry });
        left -= recordBytes(payload.length);
      }
    }
    return true;
  }

  /** There is something to flush. True after opening an existing log. */
  get dirty(): boolean {
    return !this.#stage.empty || !this.#writer.opened || this.#votesChanged;
  }

  get flushing(): boolean {
    return this.#writer.busy;
  }

  /** Bytes of the log, buffered ones too. */
  get bytes(): number {
    return this.#contents.segments.bytes;
  }

  /**
   * How far the log is durable, as a number that never falls, not by a restart either: an older copy shows by it. 0 while
   * a unit recovers: what was lost is fetched, and nothing promised meanwhile.
   */
  get durableEnd(): number {
    if (this.#contents.units().some(({ recovering }) => recovering)) return 0;
    const { segment, offset } = this.#writer.end;
    return 1 + segment * 2 ** 32 + offset;
  }

  /** Flushes done since the start. */
  get flushes(): number {
    return this.#flushes;
  }

  /**
   * Makes everything appended so far durable; one at a time. `done(null)`: it is. `done(error)`: the log refuses all
   * further calls. With nothing to do `done` is called at once.
   */
  flush(done: DiskDone): void {
    this.#checkUsable();
    check(!this.flushing, 'a flush is under way');
    if (!this.dirty) {
      done(null);
      return;
    }
    const added = this.#cache.added;
    const batches = this.#stage.take();
    const dead = this.#contents.segments.dead();
    const moved = this.#moved;
    this.#moved = [];
    this.#writer.write(batches, this.#voteSteps(), (error) => {
      if (error === null) {
        this.#flushes += 1;
        this.#cache.durable(added);
        for (const { unit, entry } of moved) unit.settle(entry);
        for (const batch of batches) this.#stage.recycle(batch);
        this.#cleaner.remove(dead);
      }
      done(error);
    });
  }

  #addHardState(unit: UnitLog, { term, vote, commit }: HardState): void {
    const payload = new Uint8Array(8);
    viewOf(payload).setUint32(0, vote, true);
    const fields = { type: RecordType.hardState, unit: unit.id, kind: 0, term, index: commit };
    this.#add(fields, payload);
    unit.setHardState({ term, vote, commit });
  }

  #addMark(type: number, unit: number, mark: SnapshotMark): void {
    const { index, term, membership } = mark;
    this.#add({ type, unit, kind: 0, term, index }, encodeMembership(membership));
  }

  #add(fields: RecordFields, payload: Uint8Array): Position {
    if (!this.#stage.fits(payload.length)) this.#roll(null);
    const position = this.#stage.add(fields, payload);
    this.#contents.segments.grow(this.#stage.end.offset);
    return position;
  }

  /** The next segment, which begins with how all units stand. */
  #roll(lost: { readonly segment: number } | null): void {
    this.#stage.roll(lost);
    const { segments } = this.#contents;
    segments.begin(this.#stage.end.segment);
    this.#noteUnits();
  }

  #noteUnits(): void {
    for (const unit of this.#contents.units()) {
      const index = unit.lastIndex();
      const fields = {
        type: RecordType.state,
        unit: unit.id,
        kind: 0,
        term: unit.term(index),
        index,
      };
      this.#stage.note(fields, encodeUnitState(unit.state()));
    }
    this.#contents.segments.grow(this.#stage.end.offset);
  }

  /** Term and vote are durable with the records of the next flush; the file itself is, before the first segment. */
  #voteSteps(): FlushSteps {
    const changed = this.#votesChanged;
    // Most flushes bring none: then nothing is gathered either.
    if (this.#votesOpened && !changed) return { before: null, beside: null };
    const votes = votesOf(this.#contents);
    this.#votesChanged = false;
    const write = (next: () => void) => this.#votes.write(votes, next);
    if (this.#votesOpened) return { before: null, beside: write };
    this.#votesOpened = true;
    // Of a new log the segment may be lost, and with it what was promised: nothing of that was said yet.
    const first = this.#isNew ? [] : votes;
    const open = (next: () => void) => this.#votes.open(first, next);
    return { before: open, beside: this.#isNew && changed ? write : null };
  }

  #checkUsable(): void {
    if (this.#writer.failure !== null) throw this.#writer.failure;
  }
}

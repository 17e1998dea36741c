import { decodeMembership, encodeMembership } from '../../../consensus/membership.ts';
import type { Entry, HardState, SnapshotMark } from '../../../consensus/types.ts';
import type { Disk, DiskDone } from '../disk.ts';
import { checkCompacted, checkEntry, checkHardState, checkReset } from './checks.ts';
import { EntryCache } from './entry-cache.ts';
import { check, rotten } from './error.ts';
import { type LogIdentity, segmentName, viewOf } from './format.ts';
import { RECORD_HEADER_BYTES, type RecordHead, RecordType } from './record.ts';
import { recover } from './recovery.ts';
import { type Position, Stage } from './stage.ts';
import { UnitLog } from './unit-log.ts';
import { Writer } from './writer.ts';

export { LogError } from './error.ts';
export { LOG_FORMAT_VERSION, type LogIdentity } from './format.ts';
export { UnitLog } from './unit-log.ts';

export interface LogOptions {
  /** A flush that would make a segment larger starts the next one. 64 MiB. */
  readonly segmentBytes: number;
  /** Recent entries kept in memory, all units together. 32 MiB. */
  readonly cacheBytes: number;
}

/**
 * The write-ahead log of one server, shared by its units. The caller's duties:
 * 1. After `open`, flush and wait before answering anybody: what was read back may not be durable until then.
 * 2. Say nothing that rests on a record before the flush that covers it is done.
 * 3. After any error stop the process. A second try could sync what the first one lost (C139).
 */
export class Log {
  readonly #disk: Disk;
  readonly #units = new Map<number, UnitLog>();
  readonly #stage: Stage;
  readonly #writer: Writer;
  readonly #cache: EntryCache;
  #bytes = 0;
  #flushes = 0;

  private constructor(disk: Disk, identity: LogIdentity, options: LogOptions) {
    this.#disk = disk;
    const tail = recover(disk, identity, (head, position, file) =>
      this.#replay(head, position, file),
    );
    this.#stage = new Stage(identity, options.segmentBytes, tail.end);
    this.#writer = new Writer(disk, options.segmentBytes, tail);
    this.#cache = new EntryCache(options.cacheBytes);
  }

  /**
   * Reads everything back. A torn tail is left out, and overwritten by the first flush. Throws `log_rotten` if bytes
   * that were durable are damaged, `log_foreign` if the log is another server's; nothing was changed then.
   */
  static open(disk: Disk, identity: LogIdentity, options: LogOptions): Log {
    return new Log(disk, identity, options);
  }

  /** Created on first use. */
  unit(id: number): UnitLog {
    let unit = this.#units.get(id);
    if (unit === undefined) {
      unit = new UnitLog(id, this.#disk);
      this.#units.set(id, unit);
    }
    return unit;
  }

  /** Units that have records, ascending. */
  units(): number[] {
    const ids: number[] = [];
    for (const unit of this.#units.values()) if (unit.hasRecords) ids.push(unit.id);
    return ids.sort((a, b) => a - b);
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
    const { term, vote, commit } = hardState;
    const payload = new Uint8Array(8);
    viewOf(payload).setUint32(0, vote, true);
    this.#add({ type: RecordType.hardState, unit: unitId, kind: 0, term, index: commit }, payload);
    unit.setHardState({ term, vote, commit });
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

  /** There is something to flush. True after opening an existing log. */
  get dirty(): boolean {
    return !this.#stage.empty || !this.#writer.opened;
  }

  get flushing(): boolean {
    return this.#writer.busy;
  }

  /** Bytes of records in the log, buffered ones too. */
  get bytes(): number {
    return this.#bytes;
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
    this.#writer.write(batches, (error) => {
      if (error === null) {
        this.#flushes += 1;
        this.#cache.durable(added);
        for (const batch of batches) this.#stage.recycle(batch);
      }
      done(error);
    });
  }

  #addMark(type: number, unit: number, mark: SnapshotMark): void {
    const { index, term, membership } = mark;
    this.#add({ type, unit, kind: 0, term, index }, encodeMembership(membership));
  }

  #add(fields: Parameters<Stage['add']>[0], payload: Uint8Array): Position {
    this.#bytes += RECORD_HEADER_BYTES + payload.length;
    return this.#stage.add(fields, payload);
  }

  #checkUsable(): void {
    if (this.#writer.failure !== null) throw this.#writer.failure;
  }

  /** A record that was read back. The writer refuses what would not fit here, so a misfit is damage. */
  #replay(head: RecordHead, position: Position, file: Uint8Array): void {
    const { type, term, index, kind, payloadBytes } = head;
    const unit = this.unit(head.unit);
    const error = (what: string) => rotten(segmentName(position.segment), position.offset, what);
    this.#bytes += RECORD_HEADER_BYTES + payloadBytes;
    if (type === RecordType.entry) {
      checkEntry(unit, term, index, error);
      unit.push(index, term, kind, position, payloadBytes, null);
      return;
    }
    const from = position.offset + RECORD_HEADER_BYTES;
    if (type === RecordType.hardState) {
      const hardState = { term, vote: viewOf(file).getUint32(from, true), commit: index };
      checkHardState(unit, hardState, error);
      unit.setHardState(hardState);
      return;
    }
    const membership = decodeMembership(file.subarray(from, from + payloadBytes));
    const mark = { index, term, membership };
    if (type === RecordType.compacted) {
      checkCompacted(unit, mark, error);
      unit.startAfter(mark);
    } else {
      checkReset(unit, mark, error);
      unit.reset(mark);
    }
  }
}

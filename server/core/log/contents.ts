import { decodeMembership } from '../../../consensus/membership.ts';
import type { Disk } from '../disk.ts';
import { checkCompacted, checkEntry, checkHardState, checkReset } from './checks.ts';
import { type LogError, rotten } from './error.ts';
import { segmentName, viewOf } from './format.ts';
import type { SegmentHeader } from './header.ts';
import { RECORD_HEADER_BYTES, type RecordHead, RecordType } from './record.ts';
import { Segments } from './segments.ts';
import type { Position } from './stage.ts';
import { UnitLog } from './unit-log.ts';
import { decodeUnitState, encodeUnitState } from './unit-state.ts';

/** What the records of a log make: filled by recovery record by record, then kept up by the log. */
export class Contents {
  readonly segments = new Segments();
  readonly #disk: Disk;
  readonly #units = new Map<number, UnitLog>();
  /** In the newest segment there is nothing but notes, and perhaps not all of them: a crash cut its first flush short. */
  fresh = false;
  /** The segment being read follows a loss, so its notes say more than what was read before it. */
  #afterRot = false;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Created on first use. */
  unit(id: number): UnitLog {
    let unit = this.#units.get(id);
    if (unit === undefined) {
      unit = new UnitLog(id, this.#disk, this.segments);
      this.#units.set(id, unit);
    }
    return unit;
  }

  /** Those that have records, ascending. */
  units(): UnitLog[] {
    return [...this.#units.values()].filter((unit) => unit.hasRecords).sort((a, b) => a.id - b.id);
  }

  begin(header: SegmentHeader): void {
    this.segments.begin(header.segment);
    this.#afterRot = header.afterRot;
    this.fresh = true;
  }

  /** A record that was read back. The writer refuses what would not fit here, so a misfit is damage. */
  replay(head: RecordHead, position: Position, file: Uint8Array): void {
    const { type, term, index, kind, payloadBytes } = head;
    this.fresh = type === RecordType.state;
    const unit = this.unit(head.unit);
    const error = (what: string) => rotten(segmentName(position.segment), position.offset, what);
    const from = position.offset + RECORD_HEADER_BYTES;
    const payload = file.subarray(from, from + payloadBytes);
    if (type === RecordType.entry) {
      checkEntry(unit, term, index, error);
      unit.push(index, term, kind, position, payloadBytes, null);
    } else if (type === RecordType.hardState) {
      const hardState = { term, vote: viewOf(file).getUint32(from, true), commit: index };
      checkHardState(unit, hardState, error);
      unit.setHardState(hardState);
    } else if (type === RecordType.copied) {
      if (index < unit.firstIndex() || index > unit.lastIndex() || unit.term(index) !== term)
        throw error(`unit ${unit.id}: a copy of entry ${index} of term ${term} that it has not`);
      unit.move(index, kind, position, payloadBytes, null);
    } else if (type === RecordType.state) this.#replayState(unit, index, payload, error);
    else {
      const mark = { index, term, membership: decodeMembership(payload) };
      if (type === RecordType.compacted) {
        checkCompacted(unit, mark, error);
        unit.startAfter(mark);
      } else {
        checkReset(unit, mark, error);
        unit.reset(mark);
      }
    }
  }

  /** What a note says must have come out of what was read, unless that was not all. */
  #replayState(
    unit: UnitLog,
    lastIndex: number,
    payload: Uint8Array,
    error: (what: string) => Error,
  ): void {
    const state = decodeUnitState(lastIndex, payload);
    if (!unit.hasRecords) unit.restore(state);
    else if (this.#afterRot) unit.cutTo(state);
    else if (lastIndex !== unit.lastIndex() || !sameBytes(payload, encodeUnitState(unit.state())))
      throw error(`unit ${unit.id}: stands otherwise than the records before say`);
  }

  /** Null if all entries that the units should have are there. */
  missing(): LogError | null {
    for (const unit of this.units()) {
      const index = unit.firstMissing();
      if (index !== 0)
        return rotten(
          segmentName(this.segments.oldest),
          0,
          `entry ${index} of unit ${unit.id} lay in a segment before it, which is gone`,
        );
    }
    return null;
  }

  /** After a loss: only what lies before the first missing entry of a unit stays. */
  cutMissing(): void {
    for (const unit of this.units()) {
      const missing = unit.firstMissing();
      if (missing === 0) continue;
      const { hardState, start, runs } = unit.state();
      const commit = Math.min(hardState.commit, missing - 1);
      unit.cutTo({ lastIndex: missing - 1, hardState: { ...hardState, commit }, start, runs });
    }
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

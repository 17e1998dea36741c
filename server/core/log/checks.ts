import type { HardState, SnapshotMark } from '../../../consensus/types.ts';
import type { UnitLog } from './unit-log.ts';

/**
 * What no consensus may write. The same checks stand before the writer and behind the reader, so that a record that
 * reads back and does not fit is damage.
 */
type MakeError = (what: string) => Error;

export function checkEntry(unit: UnitLog, term: number, index: number, error: MakeError): void {
  const fail = (what: string) => error(`unit ${unit.id}: entry ${index} of term ${term} ${what}`);
  const { commit } = unit.hardState();
  if (!Number.isSafeInteger(term) || !Number.isSafeInteger(index)) throw fail('is no entry');
  if (index > unit.lastIndex() + 1) throw fail(`leaves a gap after ${unit.lastIndex()}`);
  if (index <= commit) throw fail(`would drop entries that are committed up to ${commit}`);
  const before = unit.term(index - 1);
  if (term < before) throw fail(`follows one of term ${before}`);
}

/** Entries reach the disk before a hard state that commits them, or with it; promises are never taken back. */
export function checkHardState(unit: UnitLog, hard: HardState, error: MakeError): void {
  const { term, vote, commit } = hard;
  const before = unit.hardState();
  const fail = (what: string) => error(`unit ${unit.id}: hard state of term ${term} ${what}`);
  if (commit > unit.lastIndex()) throw fail(`commits ${commit} of ${unit.lastIndex()} entries`);
  if (commit < before.commit) throw fail(`commits ${commit} after ${before.commit}`);
  if (term < before.term) throw fail(`follows term ${before.term}`);
  if (term === before.term && before.vote !== 0 && vote !== before.vote) {
    throw fail(`votes for ${vote} after ${before.vote}`);
  }
}

/** Only what is here, and only forward: what was compacted once never comes back. */
export function checkCompacted(unit: UnitLog, mark: SnapshotMark, error: MakeError): void {
  const { index, term } = mark;
  const fail = (what: string) => error(`unit ${unit.id}: compaction to ${index} ${what}`);
  if (index < unit.firstIndex()) throw fail(`after ${unit.firstIndex() - 1}`);
  if (index > unit.lastIndex()) throw fail(`of ${unit.lastIndex()} entries`);
  const held = unit.term(index);
  if (term !== held) throw fail(`of term ${term} meets an entry of term ${held}`);
}

/** Never behind what is committed: an older state must not replace a newer one (openraft#531). */
export function checkReset(unit: UnitLog, mark: SnapshotMark, error: MakeError): void {
  const { index, term } = mark;
  const fail = (what: string) =>
    error(`unit ${unit.id}: reset to ${index} of term ${term} ${what}`);
  if (!Number.isSafeInteger(term) || !Number.isSafeInteger(index)) throw fail('is no mark');
  const { commit } = unit.hardState();
  if (index < commit) throw fail(`would drop entries that are committed up to ${commit}`);
}

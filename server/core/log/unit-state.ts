import { decodeMembership, encodeMembership } from '../../../consensus/membership.ts';
import type { HardState, SnapshotMark } from '../../../consensus/types.ts';
import { getU53, setU53, viewOf } from './format.ts';

/**
 * How a unit stands, noted for each unit at the start of each segment: with it the log can be read from there on, so
 * that the segments before may go.
 *
 * Payload: term u53, commit u53, vote u32, count of runs u32, start index u53, start term u53, runs (first
 * index u53, term u53), the start's membership; no membership means no start. The last index is the record's.
 */
export interface UnitState {
  readonly lastIndex: number;
  readonly hardState: HardState;
  readonly start: SnapshotMark | null;
  readonly runs: readonly TermRun[];
}

export interface TermRun {
  readonly first: number;
  readonly term: number;
}

const HEAD_BYTES = 40;
const RUN_BYTES = 16;

/** Without `lastIndex`, which the record's head has. */
export function encodeUnitState({ hardState, start, runs }: UnitState): Uint8Array {
  const membership = start === null ? new Uint8Array(0) : encodeMembership(start.membership);
  const bytes = new Uint8Array(HEAD_BYTES + RUN_BYTES * runs.length + membership.length);
  const view = viewOf(bytes);
  setU53(view, 0, hardState.term);
  setU53(view, 8, hardState.commit);
  view.setUint32(16, hardState.vote, true);
  view.setUint32(20, runs.length, true);
  setU53(view, 24, start?.index ?? 0);
  setU53(view, 32, start?.term ?? 0);
  for (const [i, { first, term }] of runs.entries()) {
    setU53(view, HEAD_BYTES + RUN_BYTES * i, first);
    setU53(view, HEAD_BYTES + RUN_BYTES * i + 8, term);
  }
  bytes.set(membership, bytes.length - membership.length);
  return bytes;
}

export function decodeUnitState(lastIndex: number, bytes: Uint8Array): UnitState {
  const view = viewOf(bytes);
  const count = view.getUint32(20, true);
  const runs = Array.from({ length: count }, (_, i) => ({
    first: getU53(view, HEAD_BYTES + RUN_BYTES * i),
    term: getU53(view, HEAD_BYTES + RUN_BYTES * i + 8),
  }));
  const membership = bytes.subarray(HEAD_BYTES + RUN_BYTES * count);
  return {
    lastIndex,
    hardState: {
      term: getU53(view, 0),
      commit: getU53(view, 8),
      vote: view.getUint32(16, true),
    },
    start:
      membership.length === 0
        ? null
        : {
            index: getU53(view, 24),
            term: getU53(view, 32),
            membership: decodeMembership(membership),
          },
    runs,
  };
}

import type { HardState } from '../../../consensus/types.ts';
import type { Contents } from './contents.ts';
import { LogError, rotten } from './error.ts';
import { segmentName } from './format.ts';
import type { Recovered } from './recovery.ts';
import type { UnitLog } from './unit-log.ts';
import { type UnitVote, VOTES_FILE } from './votes.ts';

export interface Together {
  /** All units are recovering. */
  readonly lost: LogError | null;
  /** Of which units the file says more than the log. */
  readonly raised: readonly { readonly unit: UnitLog; readonly hardState: HardState }[];
}

/**
 * Brings together what the log and the votes file say of the units' promises. A crash may have kept the newest one in
 * either alone. `rot`: damage found in the log.
 */
export function bringTogether(
  contents: Contents,
  found: readonly UnitVote[] | null,
  { rot, highest, compacted }: Pick<Recovered, 'rot' | 'highest' | 'compacted'>,
): Together {
  if (found === null && rot !== null) {
    throw new LogError(
      'log_rotten',
      `${rot.message}; and both copies in the file '${VOTES_FILE}' are damaged, so nothing tells what this server has promised: take it out of the cluster, and add it again with an empty folder`,
    );
  }
  const lost = rot ?? lossOf(contents, found, highest > 0, compacted);
  const raised: { unit: UnitLog; hardState: HardState }[] = [];
  for (const { unit: id, term, vote, recovering } of found ?? []) {
    const unit = contents.unit(id);
    unit.recovering = recovering;
    const log = unit.hardState();
    const hardState = newer(log, { term, vote });
    if (hardState !== log) raised.push({ unit, hardState });
  }
  if (lost !== null) {
    for (const { unit, hardState } of raised) unit.setHardState(hardState);
    for (const unit of contents.units()) unit.recovering = true;
  }
  return { lost, raised };
}

function lossOf(
  contents: Contents,
  found: readonly UnitVote[] | null,
  hasSegments: boolean,
  compacted: boolean,
): LogError | null {
  if (found === null) {
    // Written before the first segment is, so it was there.
    return hasSegments ? rotten(VOTES_FILE, 0, 'both copies are damaged') : null;
  }
  if (!hasSegments)
    return found.length > 0 ? rotten(segmentName(1), 0, 'all segments are missing') : null;
  const unknown = compacted ? found.find(({ unit }) => !contents.unit(unit).hasRecords) : undefined;
  if (unknown === undefined) return null;
  const name = segmentName(contents.segments.oldest);
  return rotten(name, 0, `nothing is noted of unit ${unknown.unit}`);
}

function newer(log: HardState, votes: { term: number; vote: number }): HardState {
  const { commit } = log;
  if (log.term > votes.term) return log;
  if (votes.term > log.term) return { ...votes, commit };
  if (votes.vote === 0 || votes.vote === log.vote) return log;
  if (log.vote === 0) return { ...votes, commit };
  throw new LogError(
    'log_rotten',
    `term ${log.term} has a vote for ${log.vote} in the log and for ${votes.vote} in the file '${VOTES_FILE}': take this server out of the cluster, and add it again with an empty folder`,
  );
}

/** What a unit's promises are, for the votes file. */
export function votesOf(contents: Contents): UnitVote[] {
  return contents.units().map((unit) => {
    const { term, vote } = unit.hardState();
    return { unit: unit.id, term, vote, recovering: unit.recovering };
  });
}

/**
 * Quorum arithmetic, pure. The one place that knows what a majority is: votes, commits, reads and
 * leader liveness all ask here (openraft d60f1e85: a second formula was off by one).
 *
 * A configuration is a list of voter sets; each must agree by majority. A plain group has one set,
 * a joint one two (thesis 4.3). An empty set agrees with everything, so that joint code needs no
 * branch (etcd `quorum/majority.go`). Checked against brute force in quorum.test.ts.
 */
import type { ServerId } from './types.ts';

export type VoterSets = readonly (readonly ServerId[])[];

/** Members that make a majority of `size`. */
export function majority(size: number): number {
  return Math.floor(size / 2) + 1;
}

/**
 * The highest number that a quorum has reached: the commit index for `reached` = match (C53, C110).
 */
export function quorumReached(sets: VoterSets, reached: (id: ServerId) => number): number {
  let lowest = Number.MAX_SAFE_INTEGER;
  for (const voters of sets) {
    if (voters.length === 0) continue;
    const values = voters.map(reached).sort(ascending);
    lowest = Math.min(lowest, values[voters.length - majority(voters.length)] as number);
  }
  return lowest;
}

/**
 * As `quorumReached`, and in each set the voters that reached it also stand in two zones, if the set has two: what is
 * committed then outlives the loss of any one zone, also where a majority lives in a single one. Elections need no such
 * rule: their majority meets that of any commit.
 */
export function quorumReachedInZones(
  sets: VoterSets,
  reached: (id: ServerId) => number,
  zoneOf: (id: ServerId) => number,
): number {
  let lowest = quorumReached(sets, reached);
  for (const voters of sets) lowest = Math.min(lowest, secondZoneReached(voters, reached, zoneOf));
  return lowest;
}

/** The second highest of what the zones have reached at best; no bound for a set in one zone. */
function secondZoneReached(
  voters: readonly ServerId[],
  reached: (id: ServerId) => number,
  zoneOf: (id: ServerId) => number,
): number {
  let best = -1;
  let bestZone = 0;
  for (const id of voters) {
    if (reached(id) <= best) continue;
    best = reached(id);
    bestZone = zoneOf(id);
  }
  let second = -1;
  for (const id of voters) if (zoneOf(id) !== bestZone) second = Math.max(second, reached(id));
  return second < 0 ? Number.MAX_SAFE_INTEGER : second;
}

export type VoteOutcome = 'won' | 'lost' | 'pending';

/**
 * Where an election stands; `vote` gives undefined for one not heard of. Lost as soon as one set
 * cannot win any more.
 */
export function voteOutcome(
  sets: VoterSets,
  vote: (id: ServerId) => boolean | undefined,
): VoteOutcome {
  let outcome: VoteOutcome = 'won';
  for (const voters of sets) {
    if (voters.length === 0) continue;
    let granted = 0;
    let open = 0;
    for (const id of voters) {
      const answer = vote(id);
      if (answer === undefined) open++;
      else if (answer) granted++;
    }
    const needed = majority(voters.length);
    if (granted + open < needed) return 'lost';
    if (granted < needed) outcome = 'pending';
  }
  return outcome;
}

/** Whether those for whom `has` holds are a quorum. */
export function isQuorum(sets: VoterSets, has: (id: ServerId) => boolean): boolean {
  return voteOutcome(sets, has) === 'won';
}

function ascending(a: number, b: number): number {
  return a - b;
}

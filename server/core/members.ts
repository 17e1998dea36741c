import { isJoint } from '../../consensus/membership.ts';
import { majority } from '../../consensus/quorum.ts';
import type { RaftStatus } from '../../consensus/raft.ts';
import type { Membership, ServerId } from '../../consensus/types.ts';
import type { Group } from './group.ts';
import { CLOSE_ENTRIES, MEMBERS_STEP_MS } from './limits.ts';
import type { Topology } from './topology.ts';

export interface MembersOptions {
  readonly self: ServerId;
  /** A whole zone that was not heard from for so long is left out of the voters, where enough others are left. */
  readonly shrinkAfterMs: number;
  /** How long a server has not been heard from; 0 for this one. */
  silentMs(server: ServerId): number;
}

/**
 * Brings each group that this server leads to the members that the registry names: a new server comes in as learner and
 * becomes a voter by itself when it is close; one that the registry has dropped goes. The registry says what
 * shall be, and each leader does the next step towards it, so that nothing is lost with a leader: its successor
 * sees the same difference.
 */
export class Members {
  readonly #options: MembersOptions;
  #dueMs = 0;

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  step(nowMs: number, topology: Topology, groups: readonly Group[]): void {
    if (nowMs < this.#dueMs) return;
    this.#dueMs = nowMs + MEMBERS_STEP_MS;
    for (const group of groups) if (group.serving) this.#stepGroup(topology, group);
  }

  #stepGroup(topology: Topology, group: Group): void {
    const { membership } = group.raft;
    if (isJoint(membership)) return;
    const wanted = topology.servers.map(({ id }) => id);
    const away = this.#awayZone(topology, membership);
    if (away.length === 0 && isAsWanted(membership, wanted)) return;
    const next = nextMembers(membership, wanted, away, (id) => isClose(group.raft.status(), id));
    // Refused while another change is under way: the next step tries again.
    if (next !== null) group.raft.changeMembership(next);
  }

  /**
   * Voters of a zone that is silent as a whole. Those of a 2-2-1 group that are left have no slack until it shrinks to
   * them; in a 1-1-1 group two are left, and one alone would hold nothing safe.
   */
  #awayZone({ zones, servers }: Topology, { voters }: Membership): ServerId[] {
    const { shrinkAfterMs } = this.#options;
    for (const { name } of zones) {
      const there = servers.filter(({ id, zone }) => zone === name && voters.includes(id));
      if (there.length === 0 || voters.length - there.length < SHRUNK_VOTERS_MIN) continue;
      if (there.every(({ id }) => this.#options.silentMs(id) >= shrinkAfterMs))
        return there.map(({ id }) => id);
    }
    return [];
  }
}

/** Fewer would not survive another failure. */
const SHRUNK_VOTERS_MIN = 3;

function isAsWanted({ voters, learners }: Membership, wanted: readonly ServerId[]): boolean {
  return (
    learners.length === 0 &&
    voters.length === wanted.length &&
    wanted.every((id) => voters.includes(id))
  );
}

/** The next step from what is to what is wanted, one kind at a time; null if there is none now. */
export function nextMembers(
  { voters, learners }: Membership,
  wanted: readonly ServerId[],
  away: readonly ServerId[],
  isClose: (server: ServerId) => boolean,
): { readonly voters: ServerId[]; readonly learners: ServerId[] } | null {
  const coming = wanted.filter((id) => !voters.includes(id) && !learners.includes(id));
  if (coming.length > 0) return { voters: [...voters], learners: [...learners, ...coming] };
  const close = learners.find((id) => wanted.includes(id) && isClose(id));
  if (close !== undefined)
    return { voters: [...voters, close], learners: learners.filter((id) => id !== close) };
  const stays = (id: ServerId) => wanted.includes(id);
  if (![...voters, ...learners].every(stays)) {
    // Where the places of those that go are not taken yet, too few would be left to hold what is acknowledged.
    const left = voters.filter(stays);
    const mayGo = left.length >= majority(wanted.length);
    const next = { voters: mayGo ? left : [...voters], learners: learners.filter(stays) };
    const changes = next.voters.length + next.learners.length < voters.length + learners.length;
    if (changes) return next;
  }
  if (away.length === 0) return null;
  // As learners they get the log when they come back, and become voters again.
  return { voters: voters.filter((id) => !away.includes(id)), learners: [...learners, ...away] };
}

function isClose(status: RaftStatus, server: ServerId): boolean {
  const peer = status.peers.find(({ id }) => id === server);
  return (
    peer?.state === 'replicate' &&
    peer.recentlyActive &&
    status.lastIndex - peer.match <= CLOSE_ENTRIES
  );
}

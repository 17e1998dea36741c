/**
 * Transitions between the four roles. Legal ones only: a replica never becomes leader but through
 * candidacy (C9).
 */
import { type Core, drawCandidacyTicks, trace } from './core.ts';
import { invariant } from './invariant.ts';
import { dropForwardedReads, dropLeaderReads } from './reads.ts';
import { firstProgress } from './reconfigure.ts';
import { appendOwn, broadcastAppend } from './replication.ts';
import { EntryKind, type ServerId } from './types.ts';

const NO_BYTES = new Uint8Array(0);

/**
 * Follows `leader` (0: none known) in `term`. Never touches the log: only a conflicting append may
 * (CCF#5674). The vote is forgotten with its term only.
 */
export function becomeFollower(core: Core, term: number, leader: ServerId): void {
  invariant(term >= core.term, 'a term never falls');
  leaveRole(core);
  if (term !== core.term) {
    core.term = term;
    core.vote = 0;
    core.matched = 0;
  }
  core.role = 'follower';
  core.leader = leader;
  traceRole(core);
}

/** Asks before it disturbs: neither term nor vote change (C32). */
export function becomePreCandidate(core: Core): void {
  invariant(core.role !== 'leader', 'a leader never becomes pre-candidate');
  leaveRole(core);
  core.role = 'preCandidate';
  core.leader = 0;
  traceRole(core);
}

/** Enters the next term and votes for itself there; the vote counts once it is durable (C22). */
export function becomeCandidate(core: Core): void {
  invariant(core.role !== 'leader', 'a leader never becomes candidate');
  leaveRole(core);
  core.term++;
  core.vote = core.self;
  core.matched = 0;
  core.role = 'candidate';
  core.leader = 0;
  core.preVoteAttempts = 0;
  traceRole(core);
}

/**
 * Starts its term with an empty entry, without which older entries could not be committed (C58,
 * C79).
 */
export function becomeLeader(core: Core): void {
  invariant(core.role === 'candidate', 'only a candidate becomes leader');
  leaveRole(core);
  core.role = 'leader';
  core.leader = core.self;
  core.preVoteAttempts = 0;
  const { log } = core;
  core.progress = firstProgress(core);
  core.quorumElapsed = 0;
  core.uncommittedBytes = 0;
  core.termStart = log.lastIndex() + 1;
  traceRole(core);
  appendOwn(core, EntryKind.empty, NO_BYTES);
  broadcastAppend(core);
}

/**
 * A valid message of the leader of this term came: follow it, whatever was before (C23), and wait
 * anew (C138).
 */
export function hearLeader(core: Core, leader: ServerId): void {
  invariant(core.role !== 'leader', `two leaders in term ${core.term}: ${core.self} and ${leader}`);
  if (core.role !== 'follower' || core.leader !== leader) {
    invariant(
      core.leader === 0 || core.leader === leader,
      `two leaders in term ${core.term}: ${core.leader} and ${leader}`,
    );
    becomeFollower(core, core.term, leader);
  }
  core.candidacyElapsed = 0;
  core.leaderElapsed = 0;
  core.preVoteAttempts = 0;
}

/**
 * The leader of this follower is known to be dead, or is not known to live (C49). Term, vote and
 * timer stay.
 */
export function forgetLeader(core: Core, leader: ServerId): void {
  if (core.role !== 'follower' || leader === 0 || core.leader !== leader) return;
  dropForwardedReads(core);
  core.leader = 0;
  traceRole(core);
}

/** What ends with any role: timers, votes, a transfer and reads under way. */
function leaveRole(core: Core): void {
  dropLeaderReads(core);
  dropForwardedReads(core);
  core.votes.clear();
  core.progress = [];
  core.transferee = 0;
  core.candidacyElapsed = 0;
  core.leaderElapsed = 0;
  core.candidacyTicks = drawCandidacyTicks(core.config);
}

function traceRole(core: Core): void {
  trace(core, {
    kind: 'role',
    self: core.self,
    role: core.role,
    term: core.term,
    leader: core.leader,
  });
}

/** Campaigns, votes and their counting (thesis 3.4, 3.6.1, 9.6; etcd `raft.go`). */
import { type Core, isPromotable, progressOf, trace } from './core.ts';
import { isUpToDate } from './log.ts';
import { votersOf } from './membership.ts';
import { isQuorum, voteOutcome } from './quorum.ts';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './roles.ts';
import type { PreVote, PreVoteReply, Vote, VoteReply } from './types.ts';

/** Asks all whether they would vote, before disturbing anyone with a new term. */
export function preCampaign(core: Core): void {
  if (core.role === 'leader' || !isPromotable(core)) return; // C10, C11
  becomePreCandidate(core);
  core.candidacyTicks = retryTicks(core);
  core.preVoteAttempts++;
  const { self, log } = core;
  const term = core.term + 1;
  for (const to of votersOf(core.log.membership)) {
    if (to === self)
      core.sendAfterDurable.push({ type: 'preVoteReply', from: self, to, term, granted: true });
    else {
      const lastIndex = log.lastIndex();
      core.sendNow.push({
        type: 'preVote',
        from: self,
        to,
        term,
        lastIndex,
        lastTerm: log.term(lastIndex),
      });
    }
  }
}

/**
 * Asks for votes in the next term. The requests wait for the disk like the own vote: they may count
 * entries that are not durable yet, and if this replica crashed and lost them together with the new
 * term, it could collect the votes later, in the same term, with a shorter log. (etcd sends them at
 * once; see election.test.ts.)
 */
export function campaign(core: Core, forced: boolean): void {
  if (core.role === 'leader' || !isPromotable(core)) return;
  becomeCandidate(core);
  const { self, term, log } = core;
  trace(core, { kind: 'vote', self, term, candidate: self });
  for (const to of votersOf(core.log.membership)) {
    if (to === self)
      core.sendAfterDurable.push({ type: 'voteReply', from: self, to, term, granted: true });
    else {
      const lastIndex = log.lastIndex();
      const lastTerm = log.term(lastIndex);
      core.sendAfterDurable.push({
        type: 'vote',
        from: self,
        to,
        term,
        lastIndex,
        lastTerm,
        forced,
      });
    }
  }
}

/**
 * How long a pre-vote waits for answers: about a WAN round trip, then twice that, up to the
 * candidacy timeout.
 */
function retryTicks(core: Core): number {
  const { preVoteRetryTicks, candidacyTicksMax, random } = core.config;
  const base = preVoteRetryTicks * 2 ** Math.min(core.preVoteAttempts, 10);
  const jitter = random() % (Math.floor(preVoteRetryTicks / 2) + 1);
  return Math.min(base + jitter, candidacyTicksMax);
}

/**
 * Whether a request is ignored because a leader was heard lately (thesis 4.2.3; C43). A voter never
 * refuses the leader that it follows (hashicorp#605), and a tick count equal to the threshold is
 * expired (etcd#10483).
 */
export function refusesCampaigns(core: Core, message: PreVote | Vote): boolean {
  if (message.type === 'vote' && message.forced) return false;
  if (core.leader === 0 || core.leader === message.from) return false;
  return core.role === 'leader' || core.leaderElapsed < core.config.voteRefusalTicks;
}

/**
 * The term has been settled by the dispatcher: a pre-vote may be ahead of the own term, a vote is
 * of the own term.
 */
export function handleVoteRequest(core: Core, message: PreVote | Vote): void {
  const { log } = core;
  const free = core.vote === message.from || (core.vote === 0 && core.leader === 0); // C18
  const ahead = message.type === 'preVote' && message.term > core.term;
  const lastIndex = log.lastIndex();
  // Its log may lack what it has acknowledged: no witness of who is up to date (NuRaft#185).
  const granted =
    core.recovery === null &&
    (free || ahead) &&
    isUpToDate(message.lastTerm, message.lastIndex, log.term(lastIndex), lastIndex); // C19
  // A grant echoes the term asked about; a refusal tells the own (C33, canonical/raft#279).
  const term = granted ? message.term : core.term;
  const { self } = core;
  const to = message.from;
  if (message.type === 'preVote') {
    // Promises nothing, yet waits for the disk as in etcd: who cannot write could not vote either
    // (C140).
    core.sendAfterDurable.push({ type: 'preVoteReply', from: self, to, term, granted });
    return;
  }
  if (granted) {
    if (core.vote !== to) trace(core, { kind: 'vote', self, term, candidate: to });
    core.vote = to;
    core.candidacyElapsed = 0;
  }
  core.sendAfterDurable.push({ type: 'voteReply', from: self, to, term, granted }); // C21
}

/**
 * Counts answers to the campaign under way; late ones of another kind or term are nothing (C22,
 * C37).
 */
export function handleVoteReply(core: Core, message: PreVoteReply | VoteReply): void {
  const pre = message.type === 'preVoteReply';
  if (core.role !== (pre ? 'preCandidate' : 'candidate')) return;
  if (message.term !== (pre && message.granted ? core.term + 1 : core.term)) return;
  if (!core.votes.has(message.from)) core.votes.set(message.from, message.granted);
  const outcome = voteOutcome(core.voterSets, (id) => core.votes.get(id));
  if (outcome === 'won') {
    if (pre) campaign(core, false);
    else becomeLeader(core);
  } else if (outcome === 'lost') {
    const { candidacyTicks } = core;
    becomeFollower(core, core.term, 0); // C17, C36
    if (pre) core.candidacyTicks = candidacyTicks; // ask again soon, not after a whole timeout
  }
}

/**
 * At a leader, each `voteRefusalTicks`: steps down unless it heard a quorum since the last check
 * (thesis 6.2, C42). Followers may vote again only after the same time, so a leader cut off is gone
 * before long.
 */
export function checkQuorum(core: Core): void {
  const active = isQuorum(
    core.voterSets,
    (id) => id === core.self || progressOf(core, id)?.recentlyActive === true,
  );
  for (const progress of core.progress) progress.recentlyActive = false;
  if (!active) becomeFollower(core, core.term, 0);
}

/**
 * Membership changes (thesis 4). A change is in force from its append on, at the leader and at each follower, committed
 * or not, and is taken back if its entry is truncated: unlike a change at apply (etcd#7625) no replica ever counts
 * by another membership than its own log says.
 *
 * At most one change is under way, and none before the leader has committed in its own term (C105-C107; the raft-dev bug
 * of 2015). A joint change is left by an entry that the leader appends by itself once the joint one is
 * committed, also after a change of leader (C112).
 */
import { type Core, isVoter, ownTermCommitted, progressOf, trace } from './core.ts';
import { invariant } from './invariant.ts';
import {
  changeTo,
  encodeMembership,
  isJoint,
  leaveJoint,
  type MembershipTarget,
  membersOf,
  voterSetsOf,
} from './membership.ts';
import { Inflights, Progress } from './progress.ts';
import { appendOwn, broadcastAppend } from './replication.ts';
import { becomeFollower } from './roles.ts';
import { EntryKind, type Membership, type Refusal, type ServerId } from './types.ts';

/** At the leader. Refused rather than queued: the caller knows best whether it still wants the change. */
export function changeMembership(
  core: Core,
  target: MembershipTarget,
): { index: number; term: number } | Refusal {
  if (core.role !== 'leader') return { refused: 'not_leader', leader: core.leader };
  if (!isVoter(core, core.self)) return { refused: 'removed' };
  if (core.transferee !== 0) return { refused: 'transferring' };
  const { log } = core;
  if (!ownTermCommitted(core) || log.membershipIndex > log.commit || isJoint(log.membership))
    return { refused: 'change_in_flight' };
  const change = changeTo(log.membership, target);
  if ('invalid' in change) return { refused: 'membership_invalid', reason: change.invalid };
  const index = appendMembership(core, change.membership);
  return { index, term: core.term };
}

function appendMembership(core: Core, membership: Membership): number {
  const index = appendOwn(core, EntryKind.membership, encodeMembership(membership));
  switchMembership(core);
  broadcastAppend(core);
  return index;
}

/** After the log's last membership may have changed, by append, truncation or snapshot. */
export function switchMembership(core: Core): void {
  const { membership } = core.log;
  core.voterSets = voterSetsOf(membership);
  trace(core, {
    kind: 'membership',
    self: core.self,
    term: core.term,
    index: core.log.membershipIndex,
    membership,
  });
  if (core.role !== 'leader') return;
  core.progress = progressFor(core);
  // Removed or demoted: it could not take over (C102).
  if (core.transferee !== 0 && !isVoter(core, core.transferee)) core.transferee = 0;
}

/**
 * Who gets entries. One that is on its way out stays until it may have learnt so: it would
 * otherwise campaign for ever (CCF#5973). A new one counts as heard from, so that adding it costs no leadership (C47),
 * and is sent the entry that brings it in.
 */
function progressFor(core: Core): Progress[] {
  const { log } = core;
  const members = membersOf(log.membership);
  const ids = new Set<ServerId>([...members, ...core.progress.map(({ id }) => id)]);
  return [...ids]
    .sort((a, b) => a - b)
    .map((id) => {
      const progress = progressOf(core, id) ?? newProgress(core, id, log.lastIndex());
      if (progressOf(core, id) === undefined) progress.recentlyActive = true;
      progress.leaving = members.includes(id) ? 0 : progress.leaving || log.membershipIndex;
      return progress;
    });
}

/** Of a new leader that has not appended yet. */
export function firstProgress(core: Core): Progress[] {
  const { log } = core;
  return membersOf(log.membership).map((id) => newProgress(core, id, log.lastIndex() + 1));
}

function newProgress({ config }: Core, id: ServerId, next: number): Progress {
  const inflights = new Inflights(config.maxInflightAppends, config.maxInflightBytes);
  return new Progress(id, next, inflights);
}

/** At each check of the quorum: those that hold their own removal, or had an interval's time to, are left alone. */
export function dropLeavers(core: Core): void {
  core.progress = core.progress.filter((progress) => {
    const { id, leaving, match } = progress;
    if (leaving === 0 || id === core.self || core.log.commit < leaving) return true;
    if (match >= leaving || progress.leavingChecked) return false;
    progress.leavingChecked = true;
    return true;
  });
}

/** At the leader, whenever its commit has moved: what a committed membership makes it do. */
export function settleMembership(core: Core): void {
  const { log } = core;
  if (core.role !== 'leader' || !ownTermCommitted(core) || log.membershipIndex > log.commit) return;
  if (isJoint(log.membership)) {
    const change = leaveJoint(log.membership);
    invariant('membership' in change, 'a joint membership can be left');
    appendMembership(core, change.membership);
  } else if (!isVoter(core, core.self)) {
    stepDownRemoved(core);
  }
}

/** The removal of this leader is committed: it calls the fullest log to succeed at once, and goes (C113). */
function stepDownRemoved(core: Core): void {
  const { self, term, log } = core;
  broadcastAppend(core); // the commit is news to them
  let heir: Progress | undefined;
  for (const progress of core.progress) {
    if (isVoter(core, progress.id) && progress.match > (heir?.match ?? -1)) heir = progress;
  }
  if (heir !== undefined && heir.match >= log.commit)
    core.sendNow.push({ type: 'timeoutNow', from: self, to: heir.id, term });
  becomeFollower(core, term, 0);
}

/**
 * What a peer gets whose next entry is compacted: the state itself (thesis 5, etcd `restore`). The core sees only the
 * mark; the shell moves the data, and steps the message at the receiver once it has all of it.
 */
import { type Core, progressOf, trace } from './core.ts';
import { isMember } from './membership.ts';
import type { Progress } from './progress.ts';
import { switchMembership } from './reconfigure.ts';
import { ackAppend, commitTo } from './replication.ts';
import type { ServerId, Snapshot } from './types.ts';

/**
 * At the leader. Nothing for a peer that is not heard from: it could not take it (C120). One at a time, and replication
 * rests meanwhile (C119, C133).
 */
export function sendSnapshot(core: Core, progress: Progress): void {
  if (!progress.recentlyActive) return;
  const mark = core.log.snapshot();
  // The receiver would ignore one that doesn't know it yet (C124): a newer one will.
  if (mark === null || !isMember(mark.membership, progress.id)) return;
  const { self, term } = core;
  if (progress.state !== 'snapshot')
    trace(core, { kind: 'needsSnapshot', self, term, peer: progress.id });
  progress.becomeSnapshot(mark.index, core.ticks);
  core.sendNow.push({
    type: 'snapshot',
    from: self,
    to: progress.id,
    term,
    index: mark.index,
    logTerm: mark.term,
    membership: mark.membership,
  });
}

/** On a sign of life of a peer that was sent one: the message may be lost, or its state gone by now. */
export function resendSnapshot(core: Core, progress: Progress): void {
  if (core.ticks - progress.snapshotTick >= core.config.voteRefusalTicks)
    sendSnapshot(core, progress);
}

/** The shell says how a snapshot ended. Failed: wait for a heartbeat interval before trying again (C121). */
export function snapshotEnded(core: Core, peer: ServerId, ok: boolean): void {
  const progress = core.role === 'leader' ? progressOf(core, peer) : undefined;
  if (progress?.state !== 'snapshot') return;
  progress.becomeProbe(ok ? progress.snapshotIndex + 1 : progress.match + 1);
  progress.paused = true;
}

/**
 * Whether stepping this message would replace the state of this replica: for a shell that has to fetch it first, and
 * must not for one that is old, or of no use.
 */
export function wantsSnapshot(core: Core, { term, index, logTerm, membership }: Snapshot): boolean {
  const { log } = core;
  if (term < core.term || index <= log.commit) return false;
  return isMember(membership, core.self) && !log.matches(index, logTerm);
}

/** At a follower that already follows the sender. */
export function handleSnapshot(core: Core, message: Snapshot): void {
  const { log } = core;
  const { index, logTerm, membership } = message;
  if (index <= log.commit) {
    ackAppend(core, message.from, log.commit); // older than what is here: never back (C122, openraft#531)
    return;
  }
  if (!isMember(membership, core.self)) return; // C124
  if (log.matches(index, logTerm)) {
    commitTo(core, index); // the log has it all: nothing to replace (C123)
    ackAppend(core, message.from, index);
    return;
  }
  const mark = { index, term: logTerm, membership };
  log.restore(mark);
  core.snapshot = mark;
  trace(core, { kind: 'restore', self: core.self, term: core.term, index });
  switchMembership(core);
  ackAppend(core, message.from, index);
}

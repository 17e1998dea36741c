/**
 * Entries from the leader to the followers, acks back, and the commit index that follows (thesis
 * 3.5, 3.6, 5.3 of the paper; etcd `raft.go`).
 */
import { type Core, progressOf, trace } from './core.ts';
import { InvariantError, invariant } from './invariant.ts';
import type { Progress } from './progress.ts';
import { quorumReachedInZones } from './quorum.ts';
import { openReadRound } from './reads.ts';
import { settleMembership, switchMembership } from './reconfigure.ts';
import { askToRecover } from './recover.ts';
import { resendSnapshot, sendSnapshot } from './snapshot.ts';
import type { Append, AppendReply, Entry, Heartbeat, HeartbeatReply, ServerId } from './types.ts';

const NO_ENTRIES: readonly Entry[] = [];

/**
 * Appends an entry of the leader's own term. Its own ack follows once it is on its disk (see
 * `takeOutput`).
 */
export function appendOwn(core: Core, kind: number, payload: Uint8Array): number {
  const index = core.log.lastIndex() + 1;
  core.log.append({ term: core.term, index, kind, payload });
  return index;
}

/** Sends each peer what it may get; does not wait for the leader's own disk. */
export function broadcastAppend(core: Core): void {
  for (const progress of core.progress) if (progress.id !== core.self) sendAppends(core, progress);
}

/** Sends appends until the peer has all, or its window is full. */
export function sendAppends(core: Core, progress: Progress): void {
  while (sendAppend(core, progress, false)) {
    // until nothing is left or the window is full
  }
}

/**
 * Sends one append if the peer may get one and there is something to tell: entries, or a newer
 * commit while nothing else is on its way to it. `force` sends even an empty one, as a probe.
 */
export function sendAppend(core: Core, progress: Progress, force: boolean): boolean {
  if (progress.paused || progress.state === 'snapshot') return false;
  const { log, config } = core;
  const lastIndex = log.lastIndex();
  if (progress.next < log.firstIndex()) {
    sendSnapshot(core, progress);
    return false;
  }
  const prevIndex = progress.next - 1;
  const windowOpen =
    progress.state === 'probe' || (progress.state === 'replicate' && !progress.inflights.full());
  const entries = windowOpen
    ? log.slice(progress.next, lastIndex + 1, config.maxAppendBytes)
    : NO_ENTRIES;
  if (entries.length === 0 && !force && !commitIsNews(core, progress)) return false;
  let bytes = 0;
  for (const entry of entries) bytes += entry.payload.byteLength;
  core.sendNow.push({
    type: 'append',
    from: core.self,
    to: progress.id,
    term: core.term,
    prevIndex,
    prevTerm: log.term(prevIndex),
    commit: log.commit,
    entries,
  });
  progress.sent(entries.length, prevIndex + entries.length, bytes, log.commit);
  return true;
}

/**
 * While appends are on their way their acks come soon, and the commit with what follows them: no
 * message of its own.
 */
function commitIsNews(core: Core, progress: Progress): boolean {
  if (progress.state !== 'replicate' || progress.inflights.count > 0) return false;
  return progress.sentCommit < Math.min(core.log.commit, progress.next - 1);
}

/**
 * To all peers; carries at most what the peer is known to hold, so its commit never passes its log
 * (C8).
 */
export function broadcastHeartbeat(core: Core): void {
  const readContext = openReadRound(core);
  for (const progress of core.progress) {
    if (progress.id === core.self) continue;
    const commit = Math.min(progress.match, core.log.commit);
    core.sendNow.push({
      type: 'heartbeat',
      from: core.self,
      to: progress.id,
      term: core.term,
      commit,
      readContext,
    });
  }
}

/**
 * At a follower that already follows the sender. Every reply waits for what it acknowledges to be
 * durable.
 */
export function handleAppend(core: Core, message: Append): void {
  const { log } = core;
  checkAppend(message);
  if (message.prevIndex < log.commit) {
    ackAppend(core, message.from, log.commit); // nothing to compare, committed is committed (C71)
    return;
  }
  if (!log.matches(message.prevIndex, message.prevTerm)) {
    const hint = log.findConflict(message.prevIndex, message.prevTerm);
    core.sendAfterDurable.push({
      type: 'appendReply',
      from: core.self,
      to: message.from,
      term: core.term,
      index: message.prevIndex,
      rejected: true,
      hintIndex: hint.index,
      hintTerm: hint.term,
    });
    askToRecover(core);
    return;
  }
  const lastBefore = log.lastIndex();
  const membershipBefore = log.membership;
  const changed = log.merge(message.entries);
  if (log.membership !== membershipBefore) switchMembership(core);
  if (changed > 0 && changed <= lastBefore) {
    trace(core, { kind: 'truncate', self: core.self, term: core.term, index: changed });
  }
  // The end of this message, not of the log: what this replica holds beyond may be another leader's
  // (C70, C72, CCF#6001).
  const covered = message.prevIndex + message.entries.length;
  commitTo(core, Math.min(message.commit, covered));
  ackAppend(core, message.from, covered);
}

/** All up to `index` equals the log of the leader, once it is durable here. */
export function ackAppend(core: Core, leader: ServerId, index: number): void {
  core.matched = Math.max(core.matched, index);
  core.sendAfterDurable.push({
    type: 'appendReply',
    from: core.self,
    to: leader,
    term: core.term,
    index,
    rejected: false,
    hintIndex: 0,
    hintTerm: 0,
  });
}

function checkAppend(message: Append): void {
  let index = message.prevIndex;
  let term = message.prevTerm;
  for (const entry of message.entries) {
    if (entry.index !== index + 1 || entry.term < term || entry.term > message.term) {
      throw new InvariantError(
        `append of ${message.from}: entry (${entry.term}, ${entry.index}) after (${term}, ${index})`,
      );
    }
    index = entry.index;
    term = entry.term;
  }
}

/** At a follower. The reply promises nothing durable and goes at once. */
export function handleHeartbeat(core: Core, message: Heartbeat): void {
  // What a recovering replica has acknowledged before its loss it may not hold.
  commitTo(core, core.recovery === null ? message.commit : Math.min(message.commit, core.matched));
  const { readContext } = message;
  core.sendNow.push({
    type: 'heartbeatReply',
    from: core.self,
    to: message.from,
    term: core.term,
    readContext,
  });
}

/**
 * At the leader: an ack or a rejection of a peer, or its own disk's ack as a message to itself
 * (C52).
 */
export function handleAppendReply(core: Core, message: AppendReply): void {
  const progress = progressOf(core, message.from);
  if (progress === undefined) return;
  progress.recentlyActive = true;
  if (message.rejected) {
    // Says nothing of what matches (CCF#6016).
    const hint = core.log.findConflict(message.hintIndex, message.hintTerm);
    const next = message.hintTerm > 0 ? hint.index : message.hintIndex;
    if (progress.rejected(message.index, next)) sendAppend(core, progress, true);
    return;
  }
  invariant(
    message.index <= core.log.lastIndex(),
    'a peer acknowledges what this leader has never sent',
  );
  if (message.from === core.self) {
    if (message.index <= progress.match) return;
    progress.match = message.index;
    progress.next = message.index + 1;
    advanceCommit(core);
    return;
  }
  if (progress.acked(message.index, core.log.firstIndex())) advanceCommit(core);
  if (core.role === 'leader') sendAppends(core, progress);
}

/**
 * Commits what a quorum has made durable, if it is of this leader's own term: an older entry may be
 * stored on a majority and still be replaced (Figure 8; C79, LogCabin#44). Own-term entries commit
 * all before them (C54).
 */
export function advanceCommit(core: Core): void {
  const match = (id: ServerId) => progressOf(core, id)?.match ?? 0;
  const reached = quorumReachedInZones(core.voterSets, match, core.config.zoneOf);
  if (reached < core.termStart || !commitTo(core, reached)) return;
  broadcastAppend(core);
  settleMembership(core);
}

export function commitTo(core: Core, index: number): boolean {
  if (!core.log.commitTo(index)) return false;
  trace(core, { kind: 'commit', self: core.self, term: core.term, index });
  return true;
}

/**
 * At the leader. Allows one more append, empty if need be, so that a stream with lost messages
 * recovers (C131, C134).
 */
export function handleHeartbeatReply(core: Core, message: HeartbeatReply): void {
  const progress = progressOf(core, message.from);
  if (progress === undefined) return;
  progress.recentlyActive = true;
  if (progress.state === 'snapshot') {
    resendSnapshot(core, progress);
    return;
  }
  progress.paused = false;
  if (progress.match < core.log.lastIndex() || progress.state !== 'replicate')
    sendAppend(core, progress, true);
}

/**
 * Linearizable reads by batched ReadIndex (thesis 6.4, etcd `read_only.go`), no lease: the leader
 * notes its commit, has a quorum confirm by a heartbeat sent after the request that it still leads,
 * and only then names the index.
 *
 * Rounds are numbered; confirming a round confirms all before it, so what a quorum has reached is
 * the same arithmetic as for commits, and a duplicated context is never mixed up (C86).
 */
import { type Core, ownTermCommitted, progressOf, type ReadRequest } from './core.ts';
import { quorumReached } from './quorum.ts';
import type { HeartbeatReply, Read, ReadReply, Refusal } from './types.ts';

/** Rounds under way at once. What comes meanwhile waits and shares the next one (C88). */
const ROUNDS_MAX = 4;

export function requestRead(core: Core, context: number): Refusal | undefined {
  if (core.role === 'leader') {
    core.readsQueued.push({ from: core.self, context });
    return undefined;
  }
  if (core.leader === 0) return { refused: 'not_leader', leader: 0 };
  core.readsForwarded.push({ context, deadline: core.ticks + core.config.candidacyTicksMax });
  core.sendNow.push({ type: 'read', from: core.self, to: core.leader, term: core.term, context });
  return undefined;
}

/**
 * A follower's read. Not leader any more: silence, the follower will see the change or time out.
 */
export function handleRead(core: Core, message: Read): void {
  if (core.role === 'leader')
    core.readsQueued.push({ from: message.from, context: message.context });
}

export function handleReadReply(core: Core, message: ReadReply): void {
  const at = core.readsForwarded.findIndex((read) => read.context === message.context);
  if (at < 0) return; // given up meanwhile, or a duplicate
  core.readsForwarded.splice(at, 1);
  core.reads.push({ context: message.context, index: message.index });
}

/**
 * Whether reads wait that a new round may take along. A new leader postpones them until it has
 * committed (C84).
 */
export function readRoundDue(core: Core): boolean {
  return (
    core.readsQueued.length > 0 && core.readRounds.length < ROUNDS_MAX && ownTermCommitted(core)
  );
}

/**
 * Opens a round for all reads queued; the caller then broadcasts a heartbeat that carries its
 * number.
 */
export function startReadRound(core: Core): void {
  core.readRound++;
  core.readRounds.push({
    round: core.readRound,
    index: core.log.commit,
    requests: core.readsQueued,
  });
  core.readsQueued = [];
  confirmReadRounds(core); // a single voter needs nobody (C90)
}

/** Number for the next heartbeat: the latest round while any is open, else 0. */
export function openReadRound(core: Core): number {
  return core.readRounds.length > 0 ? core.readRound : 0;
}

export function handleReadAck(core: Core, message: HeartbeatReply): void {
  const progress = progressOf(core, message.from);
  if (progress === undefined || message.readContext <= progress.readAck) return;
  progress.readAck = message.readContext;
  confirmReadRounds(core);
}

function confirmReadRounds(core: Core): void {
  if (core.readRounds.length === 0) return;
  const confirmed = quorumReached(core.voterSets, (id) =>
    id === core.self ? core.readRound : (progressOf(core, id)?.readAck ?? 0),
  );
  for (
    let round = core.readRounds[0];
    round !== undefined && round.round <= confirmed;
    round = core.readRounds[0]
  ) {
    core.readRounds.shift();
    for (const request of round.requests) answer(core, request, round.index);
  }
}

function answer(core: Core, request: ReadRequest, index: number): void {
  const { from, context } = request;
  if (from === core.self) core.reads.push({ context, index });
  else
    core.sendNow.push({
      type: 'readReply',
      from: core.self,
      to: from,
      term: core.term,
      context,
      index,
    });
}

/** A leader that steps down must never answer what it has not confirmed (C85). */
export function dropLeaderReads(core: Core): void {
  for (const round of core.readRounds) dropOwn(core, round.requests);
  dropOwn(core, core.readsQueued);
  core.readRounds = [];
  core.readsQueued = [];
}

function dropOwn(core: Core, requests: readonly ReadRequest[]): void {
  for (const request of requests)
    if (request.from === core.self) core.readsDropped.push(request.context);
}

/** The leader that was asked is not the leader any more. */
export function dropForwardedReads(core: Core): void {
  for (const read of core.readsForwarded) core.readsDropped.push(read.context);
  core.readsForwarded = [];
}

/**
 * A forwarded read whose message or answer got lost ends here, so that memory is bounded and the
 * caller asks again.
 */
export function expireForwardedReads(core: Core): void {
  for (
    let read = core.readsForwarded[0];
    read !== undefined && read.deadline <= core.ticks;
    read = core.readsForwarded[0]
  ) {
    core.readsForwarded.shift();
    core.readsDropped.push(read.context);
  }
}

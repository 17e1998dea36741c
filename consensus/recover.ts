/**
 * A replica whose disk lost entries that it may have acknowledged (C141). It keeps what lies before the loss, and
 * neither campaigns nor votes until it again holds, durable, all that any leader could count on:
 *
 * It asks the leader for its last index. Any ack that it ever gave to this term's leader is at most that. An ack to a
 * leader of an earlier term counts only for entries that this term's leader holds: whoever elected it either has
 * acknowledged them, or is this replica, which voted with the loss still ahead of it. Rests on term and vote never being lost
 * with the entries (the log keeps them apart). NuRaft#185 shows the price of dropping what is damaged in silence.
 */
import { type Core, progressOf, trace } from './core.ts';
import { sendAppend } from './replication.ts';
import type { Recover, RecoverReply } from './types.ts';

/**
 * On each heartbeat until the leader of this term has answered, and whenever an append does not fit: an ack from before
 * the loss may have come to the leader after it was told.
 */
export function askToRecover(core: Core): void {
  const { recovery, self, term, leader } = core;
  if (recovery === null) return;
  const { context } = recovery;
  const index = core.log.durableIndex;
  core.sendNow.push({ type: 'recover', from: self, to: leader, term, context, index });
}

/** At the leader. The one case in which `match` falls: the peer holds less than it once acknowledged. */
export function handleRecover(core: Core, message: Recover): void {
  const progress = core.role === 'leader' ? progressOf(core, message.from) : undefined;
  if (progress === undefined) return;
  const { self, term, log } = core;
  progress.recentlyActive = true;
  progress.setBack(message.index);
  const { from: to, context } = message;
  core.sendNow.push({
    type: 'recoverReply',
    from: self,
    to,
    term,
    context,
    index: log.lastIndex(),
  });
  sendAppend(core, progress, true);
}

export function handleRecoverReply(core: Core, message: RecoverReply): void {
  const { recovery } = core;
  if (recovery === null || message.context !== recovery.context || message.from !== core.leader)
    return;
  // The first answer of a term stands: a later one would only move the goal.
  if (recovery.term === core.term) return;
  recovery.term = core.term;
  recovery.index = message.index;
  endRecovery(core);
}

/** After anything that may have made it whole: the leader's log up to the goal, on this disk. */
export function endRecovery(core: Core): void {
  const { recovery, log } = core;
  if (recovery === null || recovery.term !== core.term) return;
  if (core.matched < recovery.index || log.durableIndex < recovery.index) return;
  core.recovery = null;
  core.recovered = true;
  trace(core, { kind: 'recovered', self: core.self, term: core.term, index: recovery.index });
}

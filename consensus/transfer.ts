/**
 * Planned hand-over of leadership (thesis 3.10): bring the heir up to date, then tell it to
 * campaign at once.
 */
import { type Core, isVoter, progressOf } from './core.ts';
import { sendAppend } from './replication.ts';
import type { Refusal, ServerId } from './types.ts';

/**
 * Starts or replaces a transfer. To self ends one that is under way; to a stranger does nothing;
 * the same heir again does not extend the time (C98, C103).
 */
export function startTransfer(core: Core, to: ServerId): Refusal | undefined {
  if (core.role !== 'leader') return { refused: 'not_leader', leader: core.leader };
  if (to === core.self) {
    core.transferee = 0;
    return undefined;
  }
  if (!isVoter(core, to) || core.transferee === to) return undefined;
  core.transferee = to;
  core.transferElapsed = 0;
  const progress = progressOf(core, to);
  if (progress === undefined) return undefined;
  if (progress.match === core.log.lastIndex()) sendTimeoutNow(core);
  else {
    progress.paused = false;
    sendAppend(core, progress, true);
  }
  return undefined;
}

/** After an ack of `from`: the heir that now has everything is told to go (C96). */
export function handOverWhenCaughtUp(core: Core, from: ServerId): void {
  if (core.role !== 'leader' || core.transferee === 0 || core.transferee !== from) return;
  if (progressOf(core, from)?.match === core.log.lastIndex()) sendTimeoutNow(core);
}

/** A heir that does not take over in time is given up; proposals are taken again (C99). */
export function tickTransfer(core: Core): void {
  if (core.transferee === 0) return;
  core.transferElapsed++;
  if (core.transferElapsed >= core.config.candidacyTicksMin) core.transferee = 0;
}

function sendTimeoutNow(core: Core): void {
  core.sendNow.push({ type: 'timeoutNow', from: core.self, to: core.transferee, term: core.term });
}

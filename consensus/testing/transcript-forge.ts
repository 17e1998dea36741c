/** Messages by hand, as one might get them from a stranger, an older release or a broken peer. */
import type { Message, ServerId } from '../types.ts';

/** `last`: the end of the sender's log. */
export function forged(
  type: string,
  head: { readonly from: ServerId; readonly to: ServerId; readonly term: number },
  last: { readonly lastIndex: number; readonly lastTerm: number },
): Message {
  switch (type) {
    case 'preVote':
      return { type, ...head, ...last };
    case 'vote':
      return { type, ...head, ...last, forced: false };
    case 'preVoteReply':
    case 'voteReply':
      return { type, ...head, granted: true };
    case 'append':
      return { type, ...head, prevIndex: 0, prevTerm: 0, commit: 0, entries: [] };
    case 'appendReply':
      return { type, ...head, index: 1, rejected: false, hintIndex: 0, hintTerm: 0 };
    case 'heartbeat':
      return { type, ...head, commit: 0, readContext: 0 };
    case 'heartbeatReply':
      return { type, ...head, readContext: 0 };
    case 'timeoutNow':
      return { type, ...head };
    case 'read':
      return { type, ...head, context: 1 };
    case 'readReply':
      return { type, ...head, context: 1, index: 1 };
    default:
      throw new Error(`no message by hand of type ${type}`);
  }
}

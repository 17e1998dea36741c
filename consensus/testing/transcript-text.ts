/** Messages, entries and events as the transcripts write them. */
import { decodeMembership } from '../membership.ts';
import type { PeerStatus } from '../raft.ts';
import {
  type Entry,
  EntryKind,
  type Membership,
  type Message,
  type Refusal,
  type TraceEvent,
} from '../types.ts';
import { decode } from './node.ts';

/** `1 2 3`, joint `1 2 4 & 1 2 3`, learners `1 2 3 + 4`, learners to be `... next 3`. */
export function membershipText({ voters, outgoing, learners, learnersNext }: Membership): string {
  let text = voters.join(' ');
  if (outgoing.length > 0) text += ` & ${outgoing.join(' ')}`;
  if (learners.length > 0) text += ` + ${learners.join(' ')}`;
  if (learnersNext.length > 0) text += ` next ${learnersNext.join(' ')}`;
  return `(${text})`;
}

/** `INDEX@TERM`, and what it holds. */
export function entryText({ index, term, kind, payload }: Entry): string {
  if (kind === EntryKind.membership)
    return `${index}@${term}:members${membershipText(decodeMembership(payload))}`;
  return `${index}@${term}${kind === EntryKind.empty ? '' : `:${decode(payload)}`}`;
}

export function entriesText(entries: readonly Entry[]): string {
  return entries.map(entryText).join(' ');
}

export function messageText(message: Message): string {
  const head = `${message.from}->${message.to} ${message.type} term ${message.term}`;
  switch (message.type) {
    case 'preVote':
      return `${head} last ${message.lastIndex}@${message.lastTerm}`;
    case 'vote':
      return `${head} last ${message.lastIndex}@${message.lastTerm}${message.forced ? ' forced' : ''}`;
    case 'preVoteReply':
    case 'voteReply':
      return `${head} ${message.granted ? 'granted' : 'refused'}`;
    case 'append':
      return `${head} after ${message.prevIndex}@${message.prevTerm} commit ${message.commit} [${entriesText(message.entries)}]`;
    case 'appendReply':
      if (!message.rejected) return `${head} ok ${message.index}`;
      return `${head} rejected ${message.index} hint ${message.hintIndex}@${message.hintTerm}`;
    case 'heartbeat':
      return `${head} commit ${message.commit} read ${message.readContext}`;
    case 'heartbeatReply':
      return `${head} read ${message.readContext}`;
    case 'timeoutNow':
      return head;
    case 'read':
      return `${head} context ${message.context}`;
    case 'readReply':
      return `${head} context ${message.context} index ${message.index}`;
    case 'recover':
    case 'recoverReply':
      return `${head} index ${message.index}`;
    case 'snapshot':
      return `${head} ${message.index}@${message.logTerm} ${membershipText(message.membership)}`;
    default:
      return message satisfies never;
  }
}

export function eventText(event: TraceEvent): string {
  const { self, term } = event;
  switch (event.kind) {
    case 'role': {
      const follows = event.role === 'follower' ? ` of ${event.leader}` : '';
      return `${self}: ${event.role}${follows} in term ${term}`;
    }
    case 'vote':
      return `${self}: votes for ${event.candidate} in term ${term}`;
    case 'truncate':
      return `${self}: truncates from ${event.index}`;
    case 'commit':
      return `${self}: commits to ${event.index}`;
    case 'membership':
      return `${self}: members ${membershipText(event.membership)} from ${event.index}`;
    case 'restore':
      return `${self}: restores ${event.index}`;
    case 'recovered':
      return `${self}: whole up to ${event.index}`;
    case 'needsSnapshot':
      return `${self}: peer ${event.peer} needs a snapshot`;
    default:
      return event satisfies never;
  }
}

export function refusalText(refusal: Refusal): string {
  switch (refusal.refused) {
    case 'not_leader':
      return `refused: not_leader, leader ${refusal.leader}`;
    case 'membership_invalid':
      return `refused: membership_invalid, ${refusal.reason}`;
    default:
      return `refused: ${refusal.refused}`;
  }
}

/** A peer as its leader sees it. */
export function peerText({ id, state, match, next, recentlyActive, voter }: PeerStatus): string {
  const marks = `${voter ? '' : ' no voter'}${recentlyActive ? '' : ' silent'}`;
  return `${id} ${state} match ${match} next ${next}${marks}`;
}

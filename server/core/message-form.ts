import { decodeMembership } from '../../consensus/membership.ts';
import { type Append, EntryKind, type Message } from '../../consensus/types.ts';
import { ENTRY_BYTES_MAX, WORD_BYTES } from '../../ledger/layout.ts';
import { BEAT_NUMBERS, type PeerMessage, ReplyOutcome } from './messages.ts';

/** A reply answers no more requests than sub-batches fit into one message. */
const REPLY_COUNT_MAX = 1 << 17;

/**
 * Why no server that keeps to the rules can have sent this, or null. Such a message ends the connection it came over,
 * never the process: consensus takes what contradicts itself for a broken invariant of its own.
 */
export function messageProblem(message: PeerMessage): string | null {
  switch (message.type) {
    case 'raft':
      return raftProblem(message.message);
    case 'envelope':
      for (let at = 1; at < message.beats.length; at += BEAT_NUMBERS) {
        if (message.beats[at] === 0) return 'a heartbeat of term 0';
      }
      return null;
    case 'reply':
      if (message.count < 1 || message.count > REPLY_COUNT_MAX) {
        return `a reply to ${message.count} requests`;
      }
      if (message.outcome > ReplyOutcome.overloaded) return `a reply of outcome ${message.outcome}`;
      return message.body.byteLength % WORD_BYTES === 0 ? null : 'a reply of no whole words';
    default:
      return null; // requests are refused by who they are for, with a word to the log
  }
}

function raftProblem(message: Message): string | null {
  const { type, term } = message;
  switch (type) {
    case 'append':
      return appendProblem(message);
    case 'appendReply':
      return message.rejected && message.hintIndex > message.index
        ? `a hint of ${message.hintIndex} about entry ${message.index}`
        : null;
    case 'preVote':
    case 'vote':
      return message.lastTerm > term ? `a log of term ${message.lastTerm} in term ${term}` : null;
    case 'snapshot':
      return message.logTerm > term || message.index === 0
        ? `a snapshot at (${message.logTerm}, ${message.index}) in term ${term}`
        : null;
    default:
      return null;
  }
}

function appendProblem({ term, prevIndex, prevTerm, entries }: Append): string | null {
  if (term === 0) return 'an append of term 0';
  let index = prevIndex;
  let last = prevTerm;
  if (last > term) return `an append after term ${last} in term ${term}`;
  for (const entry of entries) {
    if (entry.index !== index + 1 || entry.term < last || entry.term > term) {
      return `entry (${entry.term}, ${entry.index}) after (${last}, ${index}) in term ${term}`;
    }
    const problem = payloadProblem(entry.kind, entry.payload);
    if (problem !== null) return `entry ${entry.index}: ${problem}`;
    index = entry.index;
    last = entry.term;
  }
  return Number.isSafeInteger(index) ? null : `entry ${index} is past all numbers`;
}

function payloadProblem(kind: number, payload: Uint8Array): string | null {
  switch (kind) {
    case EntryKind.empty:
      return payload.byteLength === 0 ? null : 'an empty entry with a payload';
    case EntryKind.command:
      return payload.byteLength <= ENTRY_BYTES_MAX ? null : `${payload.byteLength} bytes`;
    case EntryKind.membership:
      try {
        decodeMembership(payload);
        return null;
      } catch (error) {
        return (error as Error).message;
      }
    default:
      return `its kind ${kind} is unknown`;
  }
}

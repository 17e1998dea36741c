/** One replica, server 1, that the test talks to in the place of all others. */
import type { Entry, Message, RaftConfig, ServerId } from '../types.ts';
import { testConfig } from './config.ts';
import { entriesOf, SimNode } from './node.ts';

export interface SoloOptions {
  readonly voters?: readonly ServerId[];
  /** Terms of the entries 1.. it starts with. */
  readonly log?: readonly number[];
  /** Hard state; the term is by default that of the last entry. */
  readonly term?: number;
  readonly vote?: ServerId;
  readonly commit?: number;
  readonly applied?: number;
  readonly config?: Partial<RaftConfig>;
}

export function solo(options: SoloOptions = {}): SimNode {
  const log = options.log ?? [];
  const hard = {
    term: options.term ?? log.at(-1) ?? 0,
    vote: options.vote ?? 0,
    commit: options.commit ?? 0,
  };
  const config = testConfig(1, options.voters ?? [1, 2, 3], options.config);
  return new SimNode(config, { entries: entriesOf(log), hard, applied: options.applied ?? 0 });
}

/**
 * Brings the replica to leadership by the grants of the others; its first appends are still in
 * `sent`.
 */
export function lead(node: SimNode): SimNode {
  node.raft.campaign();
  node.settle();
  const { term } = node.status();
  for (const from of node.config.membership.voters)
    if (from !== 1) node.raft.step(preVoteReply(from, term + 1, true));
  node.settle();
  for (const from of node.config.membership.voters)
    if (from !== 1) node.raft.step(voteReply(from, term + 1, true));
  node.take();
  node.settle();
  return node;
}

/** Of the messages, those of one type. */
export function only<T extends Message['type']>(
  messages: readonly Message[],
  type: T,
): Extract<Message, { type: T }>[] {
  return messages.filter(
    (message): message is Extract<Message, { type: T }> => message.type === type,
  );
}

// Messages to server 1.

export function preVote(
  from: ServerId,
  term: number,
  lastTerm: number,
  lastIndex: number,
): Message {
  return { type: 'preVote', from, to: 1, term, lastIndex, lastTerm };
}

export function preVoteReply(from: ServerId, term: number, granted: boolean): Message {
  return { type: 'preVoteReply', from, to: 1, term, granted };
}

export function vote(
  from: ServerId,
  term: number,
  lastTerm: number,
  lastIndex: number,
  forced = false,
): Message {
  return { type: 'vote', from, to: 1, term, lastIndex, lastTerm, forced };
}

export function voteReply(from: ServerId, term: number, granted: boolean): Message {
  return { type: 'voteReply', from, to: 1, term, granted };
}

export function append(
  from: ServerId,
  term: number,
  prev: readonly [term: number, index: number],
  entries: readonly Entry[] = [],
  commit = 0,
): Message {
  return {
    type: 'append',
    from,
    to: 1,
    term,
    prevTerm: prev[0],
    prevIndex: prev[1],
    commit,
    entries,
  };
}

export function ack(from: ServerId, term: number, index: number): Message {
  return {
    type: 'appendReply',
    from,
    to: 1,
    term,
    index,
    rejected: false,
    hintIndex: 0,
    hintTerm: 0,
  };
}

export function reject(
  from: ServerId,
  term: number,
  index: number,
  hint: readonly [term: number, index: number],
): Message {
  return {
    type: 'appendReply',
    from,
    to: 1,
    term,
    index,
    rejected: true,
    hintTerm: hint[0],
    hintIndex: hint[1],
  };
}

export function heartbeat(from: ServerId, term: number, commit = 0, readContext = 0): Message {
  return { type: 'heartbeat', from, to: 1, term, commit, readContext };
}

export function heartbeatReply(from: ServerId, term: number, readContext = 0): Message {
  return { type: 'heartbeatReply', from, to: 1, term, readContext };
}

export function timeoutNow(from: ServerId, term: number): Message {
  return { type: 'timeoutNow', from, to: 1, term };
}

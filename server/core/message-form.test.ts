import { describe, expect, it } from 'vitest';
import { encodeMembership, votersOnly } from '../../consensus/membership.ts';
import { messageProblem } from './message-form.ts';
import type { PeerMessage, RaftMessage } from './messages.ts';

const NONE: Uint8Array = new Uint8Array(0);
const raft = (message: RaftMessage['message']): PeerMessage => ({ type: 'raft', unit: 1, message });
const entry = (term: number, index: number, kind = 1, payload: Uint8Array = NONE) => ({
  term,
  index,
  kind,
  payload,
});
const append = (entries: readonly ReturnType<typeof entry>[], term = 5): PeerMessage =>
  raft({ type: 'append', from: 1, to: 2, term, prevIndex: 7, prevTerm: 3, commit: 0, entries });

describe('a message of a peer', () => {
  it('is taken as it comes from a server that keeps to the rules', () => {
    const members = encodeMembership(votersOnly([1, 2, 3]));
    const good: PeerMessage[] = [
      append([]),
      append([entry(3, 8, 0), entry(5, 9), entry(5, 10, 2, members)]),
      raft({ type: 'vote', from: 1, to: 2, term: 5, lastIndex: 9, lastTerm: 5, forced: false }),
      raft({ type: 'preVoteReply', from: 1, to: 2, term: 0, granted: false }),
    ];
    for (const message of good) expect(messageProblem(message)).toBe(null);
  });

  it.each<[string, PeerMessage]>([
    ['entries with a gap', append([entry(5, 8), entry(5, 10)])],
    ['entries that do not follow', append([entry(5, 9)])],
    ['a term that falls', append([entry(5, 8), entry(4, 9)])],
    ['an entry of a later term', append([entry(6, 8)])],
    ['an append after a later term', append([], 2)],
    ['an unknown kind of entry', append([entry(5, 8, 77)])],
    ['an empty entry with a payload', append([entry(5, 8, 0, new Uint8Array(4))])],
    ['an entry that is too large', append([entry(5, 8, 1, new Uint8Array((1 << 20) + 4))])],
    ['a membership that is none', append([entry(5, 8, 2, new Uint8Array(3))])],
    [
      'a vote for a log of a later term',
      raft({ type: 'vote', from: 1, to: 2, term: 5, lastIndex: 9, lastTerm: 6, forced: false }),
    ],
    [
      'a hint beyond what was rejected',
      raft({
        type: 'appendReply',
        from: 1,
        to: 2,
        term: 5,
        index: 3,
        rejected: true,
        hintIndex: 4,
        hintTerm: 1,
      }),
    ],
    [
      'a reply to more requests than there can be',
      {
        type: 'reply',
        unit: 1,
        epoch: 1,
        ref: 0,
        count: 2 ** 40,
        outcome: 1,
        leader: 0,
        body: NONE,
      },
    ],
  ])('is refused for %s', (_, message) => {
    expect(messageProblem(message)).not.toBe(null);
  });
});

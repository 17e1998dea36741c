/** What consensus/mutants/ needs beyond the tests of the scenarios. */
import { describe, expect, it } from 'vitest';
import { encodeMembership, votersOnly } from './membership.ts';
import { Raft } from './raft.ts';
import { testConfig } from './testing/config.ts';
import { ArrayLog, encode, entriesOf, entryText, type SimNode } from './testing/node.ts';
import {
  ack,
  append,
  heartbeat,
  heartbeatReply,
  lead,
  only,
  preVoteReply,
  reject,
  solo,
  timeoutNow,
  voteReply,
} from './testing/solo.ts';
import { EntryKind } from './types.ts';

const texts = (node: SimNode): string[] => node.accepted.entriesHeld.map(entryText);

/** A leader of term 1 that has committed its first entry. */
function settledLeader(): SimNode {
  const node = lead(solo());
  for (const id of [2, 3]) node.raft.step(ack(id, 1, 1));
  node.flush();
  return node;
}

describe('faults met in the field', () => {
  it('a rejection acknowledges nothing, whatever index its hint names', () => {
    const node = lead(solo({ log: [1, 1, 1] }));
    for (const id of [2, 3]) node.raft.step(reject(id, 2, 3, [1, 3]));
    node.settle();
    expect(node.status().commit).toBe(0);
    for (const { id, match } of node.status().peers) if (id !== 1) expect(match).toBe(0);
  });

  it('stepping down leaves the log as it is, committed or not', () => {
    const node = settledLeader();
    node.raft.propose(encode('a'));
    node.settle();
    node.raft.propose(encode('b')); // not yet written
    node.raft.step(heartbeat(2, 2));
    expect(node.status()).toMatchObject({ role: 'follower', term: 2, lastIndex: 3 });
    node.settle();
    expect(texts(node)).toEqual(['1:', '1:a', '1:b']);
  });

  it('a follower whose disk stands still does not campaign against a leader that it hears', () => {
    const node = solo({ term: 1 });
    node.raft.step(append(2, 1, [0, 0], entriesOf([1])));
    node.pump(); // and never syncs
    for (let i = 0; i < 300; i++) {
      node.raft.tick();
      if (i % 10 === 0) node.raft.step(heartbeat(2, 1));
      node.pump();
    }
    expect(only(node.take(), 'preVote')).toEqual([]);
    expect(node.status()).toMatchObject({ role: 'follower', term: 1, leader: 2 });
  });

  it('an election costs the same whatever the length of the log', () => {
    const looks = [10, 1_000].map((length) => {
      const store = new ArrayLog(entriesOf(Array.from({ length }, () => 1)));
      let count = 0;
      const term = store.term.bind(store);
      const entries = store.entries.bind(store);
      store.term = (index) => {
        count++;
        return term(index);
      };
      store.entries = (lo, hi, maxBytes) => {
        count += hi - lo;
        return entries(lo, hi, maxBytes);
      };
      const hard = { term: 1, vote: 0, commit: length };
      const raft = new Raft(testConfig(1, [1, 2, 3]), store, hard, length);
      raft.campaign();
      raft.step(preVoteReply(1, 2, true));
      raft.step(preVoteReply(2, 2, true));
      raft.step(voteReply(1, 2, true));
      raft.step(voteReply(2, 2, true));
      expect(raft.status().role).toBe('leader');
      raft.takeOutput();
      return count;
    });
    expect(looks[1]).toBe(looks[0]);
  });

  it('C92 during a transfer, too, a read waits for a quorum', () => {
    const node = settledLeader();
    node.raft.transferLeadership(3);
    node.flush();
    node.raft.requestRead(1);
    expect(only(node.flush(), 'heartbeat')).toHaveLength(2);
    node.raft.step(ack(2, 1, 1));
    node.settle();
    expect(node.reads).toEqual([]);
    node.raft.step(heartbeatReply(2, 1, 1));
    node.settle();
    expect(node.reads).toEqual([{ context: 1, index: 1 }]);
  });

  it('a voter of the outgoing half alone counts its own vote there', () => {
    const joint = { voters: [2, 3, 4], outgoing: [1, 2, 3], learners: [], learnersNext: [] };
    const node = solo();
    const payload = encodeMembership(joint);
    const entry = { term: 1, index: 1, kind: EntryKind.membership, payload };
    node.raft.step(append(2, 1, [0, 0], [entry]));
    node.settle();
    node.raft.step(timeoutNow(2, 1));
    node.settle();
    // With its own vote 1 and 2 are a majority of the outgoing half; 2 and 4 are one of the other.
    node.raft.step(voteReply(2, 2, true));
    expect(node.status().role).toBe('candidate');
    node.raft.step(voteReply(4, 2, true));
    expect(node.status().role).toBe('leader');
  });

  it('a candidate that is sent a snapshot by the leader of its term follows it and takes it', () => {
    const node = solo({ log: [1], term: 1 });
    node.raft.step(timeoutNow(2, 1));
    node.settle();
    expect(node.status()).toMatchObject({ role: 'candidate', term: 2 });
    const membership = votersOnly([1, 2, 3]);
    const mark = { index: 5, logTerm: 2, membership };
    node.raft.step({ type: 'snapshot', from: 3, to: 1, term: 2, ...mark });
    node.settle();
    expect(node.status()).toMatchObject({ role: 'follower', leader: 3, commit: 5, lastIndex: 5 });
  });

  it('two learners and one voter of three make no majority', () => {
    const node = settledLeader();
    node.raft.changeMembership({ voters: [1, 2, 3], learners: [4, 5] });
    node.settle();
    for (const id of [4, 5]) node.raft.step(ack(id, 1, 2));
    node.settle();
    expect(node.status().commit).toBe(1);
    node.raft.step(ack(2, 1, 2));
    expect(node.status().commit).toBe(2);
  });
});

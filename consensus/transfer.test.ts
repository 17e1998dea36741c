import { describe, expect, it } from 'vitest';
import { Cluster } from './testing/cluster.ts';
import { encode } from './testing/node.ts';
import { ack, lead, only, solo, timeoutNow, vote } from './testing/solo.ts';

function elected(): Cluster {
  const c = new Cluster();
  c.elect(1);
  return c;
}

describe('leadership transfer', () => {
  it('C95 an up-to-date heir is told at once, and wins in one round', () => {
    const c = elected();
    c.node(1).raft.transferLeadership(2);
    c.settle();
    expect(c.status(2)).toMatchObject({ role: 'leader', term: 2 });
    expect(c.status(1)).toMatchObject({ role: 'follower', leader: 2, transferee: 0 });
  });

  it('C95 who does not lead refuses, and names who does', () => {
    const c = elected();
    expect(c.node(2).raft.transferLeadership(3)).toEqual({ refused: 'not_leader', leader: 1 });
  });

  it('C96 a lagging heir is brought up to date first', () => {
    const c = elected();
    c.isolate(3);
    c.propose(1, 'a');
    c.settle();
    c.heal();
    c.node(1).raft.transferLeadership(3);
    c.settle();
    expect(c.status(3)).toMatchObject({ role: 'leader' });
    expect(c.applied(3)).toEqual(['1:', '1:a', '2:']);
  });

  it('C97 C40 the forced campaign skips pre-vote and overrides the refusal threshold', () => {
    const node = solo({ term: 1 });
    node.raft.step(timeoutNow(2, 1));
    const sent = node.flush();
    expect(only(sent, 'preVote')).toEqual([]);
    expect(only(sent, 'vote')).toMatchObject([{ forced: true }, { forced: true }]);
  });

  it('C98 to itself or to a stranger: nothing happens', () => {
    const c = elected();
    for (const to of [1, 9]) expect(c.node(1).raft.transferLeadership(to)).toBeUndefined();
    c.settle();
    expect(c.status(1)).toMatchObject({ role: 'leader', transferee: 0 });
    expect(c.propose(1, 'a')).toHaveProperty('index');
  });

  it('C99 C100 proposals are refused meanwhile, and taken again when the heir fails in time', () => {
    const c = elected();
    c.isolate(3);
    c.node(1).raft.transferLeadership(3);
    c.settle();
    expect(c.propose(1, 'a')).toEqual({ refused: 'transferring' });
    c.tick(63, [1, 2]);
    expect(c.propose(1, 'a')).toEqual({ refused: 'transferring' });
    c.tick(1, [1, 2]);
    expect(c.status(1)).toMatchObject({ role: 'leader', term: 1, transferee: 0 });
    expect(c.propose(1, 'a')).toHaveProperty('index');
  });

  it('C101 a vote in a higher term ends it', () => {
    const node = lead(solo());
    node.raft.step(ack(2, 1, 1));
    node.raft.transferLeadership(3);
    node.raft.step(vote(2, 2, 1, 1, true));
    expect(node.status()).toMatchObject({ role: 'follower', term: 2, transferee: 0 });
  });

  it('C103 another heir replaces the first, the same one does not extend the time, self ends it', () => {
    const node = lead(solo({ voters: [1, 2, 3, 4] }));
    for (const id of [2, 3, 4]) node.raft.step(ack(id, 1, 1));
    node.flush();
    node.raft.transferLeadership(2);
    expect(only(node.flush(), 'timeoutNow')).toMatchObject([{ to: 2 }]);
    for (let i = 0; i < 40; i++) node.raft.tick();
    node.raft.transferLeadership(2);
    expect(only(node.flush(), 'timeoutNow')).toEqual([]);
    node.raft.transferLeadership(3);
    expect(only(node.flush(), 'timeoutNow')).toMatchObject([{ to: 3 }]);
    for (const id of [2, 3])
      node.raft.step({ type: 'heartbeatReply', from: id, to: 1, term: 1, readContext: 0 });
    for (let i = 0; i < 40; i++) node.raft.tick();
    expect(node.status().transferee).toBe(3);
    node.raft.transferLeadership(1);
    expect(node.status().transferee).toBe(0);
    expect(node.raft.propose(encode('a'))).toHaveProperty('index');
  });

  it('C104 only a follower obeys timeoutNow', () => {
    const leader = lead(solo());
    leader.raft.step(timeoutNow(2, 1));
    expect(leader.status()).toMatchObject({ role: 'leader', term: 1 });
    const candidate = solo();
    candidate.raft.step(timeoutNow(2, 0));
    candidate.raft.step(timeoutNow(2, 1));
    expect(candidate.status()).toMatchObject({ role: 'candidate', term: 1 });
    candidate.raft.step(timeoutNow(9, 5));
    expect(candidate.status().term).toBe(1);
  });

  it('a heir that is late still leaves one leader', () => {
    const c = elected();
    c.hold = ({ type }) => type === 'timeoutNow';
    c.node(1).raft.transferLeadership(2);
    c.tick(70);
    c.propose(1, 'a');
    c.release();
    c.settle();
    c.tick(200);
    expect(c.leader()).not.toBe(0);
    for (const node of c.nodes) expect(c.applied(node.id).slice(0, 2)).toEqual(['1:', '1:a']);
  });
});

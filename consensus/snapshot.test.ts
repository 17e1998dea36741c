import { describe, expect, it } from 'vitest';
import { votersOnly } from './membership.ts';
import { Cluster } from './testing/cluster.ts';
import { entryText } from './testing/node.ts';
import { append, heartbeat, heartbeatReply, only, solo, vote } from './testing/solo.ts';
import type { Message } from './types.ts';

const snapshot = (index: number, logTerm: number, voters = [1, 2, 3]): Message => ({
  type: 'snapshot',
  from: 2,
  to: 1,
  term: 5,
  index,
  logTerm,
  membership: votersOnly(voters),
});

describe('snapshots', () => {
  it('a server that was away while the log was compacted comes back by one', () => {
    const cluster = new Cluster();
    cluster.elect(1);
    cluster.crash(3);
    for (const text of ['a', 'b', 'c']) cluster.propose(1, text);
    cluster.settle();
    cluster.node(1).compact(3);
    cluster.restart(3);
    cluster.tick(30);
    cluster.propose(1, 'd');
    cluster.settle();
    expect(cluster.node(3).applied.map(entryText)).toEqual(cluster.node(1).applied.map(entryText));
    expect(cluster.node(3).accepted.base).toBe(3);
    cluster.crash(3);
    cluster.restart(3);
    expect(cluster.status(3)).toMatchObject({ applied: 3, lastIndex: 5 });
  });

  it('a new server is brought in by one and learns its membership from it', () => {
    const cluster = new Cluster({ size: 4, voters: [1, 2, 3] });
    cluster.elect(1);
    cluster.propose(1, 'a');
    cluster.settle();
    cluster.isolate(4);
    cluster.change([1, 2, 3], [4]);
    cluster.node(1).compact(3);
    cluster.heal();
    cluster.tick(40);
    expect(cluster.status(4)).toMatchObject({ commit: 3, membership: { learners: [4] } });
    cluster.change([1, 2, 3, 4]);
    cluster.node(1).raft.transferLeadership(4);
    cluster.settle();
    expect(cluster.leader()).toBe(4);
  });

  it('C122 one that is not beyond the commit is ignored and acknowledged with the commit', () => {
    const node = solo({ log: [1, 1, 1], commit: 3, applied: 3, term: 5 });
    node.raft.step(snapshot(2, 1));
    expect(node.flush()).toMatchObject([{ type: 'appendReply', index: 3, rejected: false }]);
    expect(node.status()).toMatchObject({ commit: 3, lastIndex: 3 });
  });

  it('C123 one that the log matches moves the commit and keeps the log', () => {
    const node = solo({ log: [1, 1, 1], commit: 1, applied: 1, term: 5 });
    node.raft.step(snapshot(2, 1));
    expect(node.flush()).toMatchObject([{ type: 'appendReply', index: 2, rejected: false }]);
    expect(node.status()).toMatchObject({ commit: 2, lastIndex: 3 });
    expect(node.accepted.base).toBe(0);
  });

  it('C124 one whose members lack the receiver is ignored', () => {
    const node = solo({ term: 5 });
    node.raft.step(snapshot(4, 3, [2, 3]));
    expect(node.flush()).toEqual([]);
    expect(node.status()).toMatchObject({ commit: 0, lastIndex: 0, leader: 2 });
  });

  it('C125 installed, the log starts after it; term and vote stay', () => {
    const node = solo({ log: [1, 1, 4], commit: 1, applied: 1, term: 5, vote: 2 });
    node.raft.step(snapshot(6, 4));
    node.settle();
    expect(node.take()).toMatchObject([{ type: 'appendReply', index: 6, rejected: false }]);
    expect(node.status()).toMatchObject({ commit: 6, applied: 6, lastIndex: 6, term: 5 });
    expect(node.disk).toMatchObject({ hard: { term: 5, vote: 2, commit: 6 }, log: { base: 6 } });
    node.raft.step(
      append(2, 5, [4, 6], [{ term: 5, index: 7, kind: 0, payload: new Uint8Array(0) }]),
    );
    node.settle();
    expect(node.status().lastIndex).toBe(7);
  });

  it('C126 neither acknowledged nor a candidate before it is durable', () => {
    const node = solo({ term: 5 });
    node.raft.step(snapshot(6, 4));
    node.pump();
    expect(only(node.take(), 'appendReply')).toEqual([]);
    node.raft.campaign();
    for (let i = 0; i < 200; i++) node.raft.tick();
    expect(node.status().role).toBe('follower');
    node.settle();
    node.raft.campaign();
    expect(node.status().role).toBe('preCandidate');
  });

  it('C20 while it is installed the log that votes are compared with is the one it leaves', () => {
    const node = solo({ log: [1, 1, 1], term: 5 });
    node.raft.step(snapshot(6, 4));
    node.raft.step(vote(3, 6, 4, 5, true));
    node.settle();
    expect(only(node.take(), 'voteReply')).toMatchObject([{ granted: false }]);
  });

  it('a lost offer is made again, though not at every heartbeat', () => {
    const cluster = new Cluster();
    cluster.elect(1);
    cluster.crash(3);
    for (const text of ['a', 'b', 'c']) cluster.propose(1, text);
    cluster.settle();
    cluster.node(1).compact(3);
    cluster.restart(3);
    let offers = 0;
    cluster.drop = ({ type }) => type === 'snapshot' && ++offers > 0;
    cluster.tick(130);
    expect(offers).toBeGreaterThan(1);
    expect(offers).toBeLessThan(5);
    cluster.drop = () => false;
    cluster.tick(70);
    expect(cluster.status(3).lastIndex).toBe(4);
  });

  it('a heartbeat never moves the commit past what was installed', () => {
    const node = solo({ term: 5 });
    node.raft.step(snapshot(6, 4));
    node.raft.step(heartbeat(2, 5, 6));
    node.raft.step(heartbeatReply(2, 5));
    node.settle();
    expect(node.status().commit).toBe(6);
  });
});

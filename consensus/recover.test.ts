import { describe, expect, it } from 'vitest';
import { Cluster } from './testing/cluster.ts';

/** Server 3 acknowledged a, b and c, and lost what followed its first entry. */
function withRot(): Cluster {
  const cluster = new Cluster();
  cluster.elect(1);
  for (const text of ['a', 'b', 'c']) cluster.propose(1, text);
  cluster.settle();
  cluster.crash(3);
  cluster.node(3).booksIndex = 0;
  cluster.node(3).applied = [];
  cluster.node(3).rot(1);
  cluster.restart(3);
  return cluster;
}

describe('a replica that lost entries it had acknowledged', () => {
  it('C141 gets them back from the leader and is whole', () => {
    const cluster = withRot();
    expect(cluster.status(3)).toMatchObject({ recovering: true, lastIndex: 1 });
    cluster.tick(30);
    expect(cluster.status(3)).toMatchObject({ recovering: false, lastIndex: 4 });
    expect(cluster.log(3)).toEqual(cluster.log(1));
    expect(cluster.node(3).recovering).toBe(false);
  });

  it('C141 neither campaigns nor votes before: an entry that it helped to commit is never lost', () => {
    const cluster = new Cluster();
    cluster.elect(1);
    cluster.isolate(2);
    cluster.propose(1, 'a');
    cluster.settle(); // committed by 1 and 3
    expect(cluster.status(1).commit).toBe(2);
    cluster.crash(1);
    cluster.crash(3);
    cluster.node(3).booksIndex = 0;
    cluster.node(3).applied = [];
    cluster.node(3).rot(1);
    cluster.restart(3);
    cluster.heal();
    cluster.tick(500);
    expect(cluster.leader()).toBe(0); // 2 would win with the vote of 3, and has no a
    cluster.restart(1);
    cluster.tick(500);
    expect(cluster.log(cluster.leader())).toContain('1:a');
    expect(cluster.status(3).recovering).toBe(false);
  });

  it('an ack from before the loss, late, does not hold it back', () => {
    const cluster = new Cluster();
    cluster.elect(1);
    cluster.hold = ({ type, from }) => type === 'appendReply' && from === 3;
    for (const text of ['a', 'b', 'c']) cluster.propose(1, text);
    cluster.settle();
    const late = cluster.held;
    cluster.held = [];
    cluster.hold = () => false;
    cluster.crash(3);
    cluster.node(3).rot(1);
    cluster.restart(3);
    cluster.drop = ({ type, to }) => type === 'append' && to === 3;
    cluster.tick(12); // asked and answered
    for (const message of late) cluster.node(1).raft.step(message);
    cluster.drop = () => false;
    cluster.propose(1, 'd');
    cluster.tick(30);
    expect(cluster.status(3)).toMatchObject({ recovering: false, lastIndex: 5 });
  });

  it('starts over when the leader changes before it is whole', () => {
    const cluster = withRot();
    cluster.drop = ({ type, to }) => type === 'append' && to === 3;
    cluster.tick(30);
    expect(cluster.status(3).recovering).toBe(true);
    cluster.drop = () => false;
    cluster.node(1).raft.transferLeadership(2);
    cluster.settle();
    cluster.tick(30);
    expect(cluster.leader()).toBe(2);
    expect(cluster.status(3)).toMatchObject({ recovering: false, lastIndex: 5 });
  });

  it('takes no answer that was meant for an earlier start', () => {
    const cluster = withRot();
    cluster.hold = ({ type }) => type === 'recoverReply' || type === 'append';
    cluster.tick(12);
    const stale = cluster.held.filter(({ type }) => type === 'recoverReply');
    expect(stale.length).toBeGreaterThan(0);
    cluster.held = [];
    cluster.crash(3);
    cluster.restart(3);
    for (const message of stale) cluster.node(3).raft.step(message);
    expect(cluster.status(3).recovering).toBe(true);
    cluster.hold = () => false;
    cluster.tick(30);
    expect(cluster.status(3).recovering).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { Cluster } from './testing/cluster.ts';
import { encode, type SimNode } from './testing/node.ts';
import { ack, heartbeat, heartbeatReply, lead, only, solo } from './testing/solo.ts';

function settledLeader(voters: readonly number[] = [1, 2, 3]): SimNode {
  const node = lead(solo({ voters }));
  for (const id of voters) if (id !== 1) node.raft.step(ack(id, 1, 1));
  node.flush();
  return node;
}

/** Read rounds of the heartbeats that leave now. */
const rounds = (node: SimNode): number[] =>
  only(node.flush(), 'heartbeat').map(({ readContext }) => readContext);

describe('linearizable reads', () => {
  it('C82 the index is released only after a quorum confirmed a heartbeat sent after the request', () => {
    const node = settledLeader([1, 2, 3, 4, 5]);
    node.raft.requestRead(7);
    expect(rounds(node)).toEqual([1, 1, 1, 1]);
    node.raft.step(heartbeatReply(2, 1, 0)); // sent before
    node.raft.step(heartbeatReply(3, 1, 1));
    node.raft.step(heartbeatReply(3, 1, 1));
    node.settle();
    expect(node.reads).toEqual([]);
    node.raft.propose(encode('a'));
    node.settle();
    for (const id of [2, 3]) node.raft.step(ack(id, 1, 2));
    node.raft.step(heartbeatReply(4, 1, 1));
    node.settle();
    expect(node.status().commit).toBe(2);
    expect(node.reads).toEqual([{ context: 7, index: 1 }]); // the commit when the round began
  });

  it('C83 a follower asks its leader, and tells when the index is applied here', () => {
    const c = new Cluster();
    c.elect(1);
    c.propose(1, 'a');
    c.settle();
    expect(c.node(2).raft.requestRead(5)).toBeUndefined();
    c.node(3).raft.requestRead(5);
    c.settle();
    for (const id of [2, 3]) expect(c.node(id).reads).toEqual([{ context: 5, index: 2 }]);
    expect(c.node(1).reads).toEqual([]);
  });

  it('C83 without a known leader a read is refused', () => {
    expect(solo().raft.requestRead(1)).toEqual({ refused: 'not_leader', leader: 0 });
  });

  it('C84 a new leader postpones reads until it has committed in its term', () => {
    const node = lead(solo({ log: [1, 1], commit: 1 }));
    node.raft.requestRead(1);
    expect(rounds(node)).toEqual([]);
    for (let i = 0; i < 10; i++) node.raft.tick();
    expect(rounds(node)).toEqual([0, 0]);
    node.raft.step(ack(2, 2, 3));
    expect(rounds(node)).toEqual([1, 1]);
    node.raft.step(heartbeatReply(2, 2, 1));
    node.settle();
    expect(node.reads).toEqual([{ context: 1, index: 3 }]);
  });

  it('C85 reads pending at the loss of leadership are dropped, and the caller is told', () => {
    const node = settledLeader();
    node.raft.requestRead(1);
    node.flush();
    node.raft.step({ type: 'read', from: 2, to: 1, term: 1, context: 9 });
    node.raft.requestRead(2);
    node.raft.step(heartbeat(2, 2));
    node.raft.step(heartbeatReply(2, 1, 1));
    node.settle();
    expect(node.reads).toEqual([]);
    expect(node.readsDropped).toEqual([1, 2]);
    expect(only(node.take(), 'readReply')).toEqual([]);
  });

  it('C85 a follower is told when its leader changes, and when no answer comes', () => {
    const node = solo({ term: 1 });
    node.raft.step(heartbeat(2, 1));
    node.raft.requestRead(1);
    expect(only(node.flush(), 'read')).toMatchObject([{ to: 2, context: 1 }]);
    node.raft.step(heartbeat(3, 2));
    node.settle();
    expect(node.readsDropped).toEqual([1]);
    node.raft.requestRead(2);
    for (let i = 0; i < 80; i++) {
      node.raft.step(heartbeat(3, 2));
      node.raft.tick();
    }
    node.settle();
    expect(node.readsDropped).toEqual([1, 2]);
    node.raft.step({ type: 'readReply', from: 3, to: 1, term: 2, context: 2, index: 1 });
    node.settle();
    expect(node.reads).toEqual([]);
  });

  it('C86 equal contexts of different servers are kept apart', () => {
    const node = settledLeader();
    node.raft.requestRead(1);
    for (const from of [2, 3]) node.raft.step({ type: 'read', from, to: 1, term: 1, context: 1 });
    node.flush();
    node.raft.step(heartbeatReply(3, 1, 1));
    expect(only(node.flush(), 'readReply')).toMatchObject([
      { to: 2, context: 1, index: 1 },
      { to: 3, context: 1, index: 1 },
    ]);
    expect(node.reads).toEqual([{ context: 1, index: 1 }]);
  });

  it('C88 one round serves all reads queued before it, and a later one confirms earlier ones', () => {
    const node = settledLeader();
    for (const context of [1, 2, 3]) node.raft.requestRead(context);
    expect(rounds(node)).toEqual([1, 1]);
    for (const context of [4, 5]) node.raft.requestRead(context);
    expect(rounds(node)).toEqual([2, 2]);
    node.raft.step(heartbeatReply(2, 1, 2));
    node.settle();
    expect(node.reads.map(({ context }) => context)).toEqual([1, 2, 3, 4, 5]);
    for (let i = 0; i < 10; i++) node.raft.tick();
    expect(rounds(node)).toEqual([0, 0]); // nothing left to confirm
  });

  it('C88 rounds under way are bounded; what comes meanwhile shares the next', () => {
    const node = settledLeader();
    for (let context = 1; context <= 20; context++) {
      node.raft.requestRead(context);
      node.flush();
    }
    node.raft.step(heartbeatReply(2, 1, 4));
    expect(rounds(node)).toEqual([5, 5]);
    node.raft.step(heartbeatReply(2, 1, 5));
    node.settle();
    expect(node.reads.map(({ context }) => context)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  });

  it('a lost round is repeated by the next heartbeat', () => {
    const c = new Cluster();
    c.elect(1);
    c.drop = ({ type }) => type === 'heartbeat';
    c.node(1).raft.requestRead(1);
    c.settle();
    c.drop = () => false;
    c.tick(10);
    expect(c.node(1).reads).toEqual([{ context: 1, index: 1 }]);
  });

  it('C89 an isolated old leader never answers', () => {
    const c = new Cluster();
    c.elect(1);
    c.isolate(1);
    c.node(1).raft.requestRead(1);
    c.tick(50);
    c.node(2).raft.requestRead(2);
    c.tick(300);
    expect(c.node(1).reads).toEqual([]);
    expect(c.node(1).readsDropped).toEqual([1]);
    expect(c.leader()).not.toBe(1);
  });

  it('C90 a single voter answers immediately', () => {
    const node = solo({ voters: [1] });
    node.raft.campaign();
    node.settle();
    node.raft.requestRead(3);
    node.settle();
    expect(node.reads).toEqual([{ context: 3, index: 1 }]);
  });
});

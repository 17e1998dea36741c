import { describe, expect, it } from 'vitest';
import { encodeMembership, votersOnly } from './membership.ts';
import { Cluster } from './testing/cluster.ts';
import { encode, type SimNode } from './testing/node.ts';
import { ack, append, heartbeatReply, lead, only, solo } from './testing/solo.ts';
import { type Entry, EntryKind, type Membership } from './types.ts';

const members = (node: SimNode): Membership => node.status().membership;
const membershipEntry = (term: number, index: number, membership: Membership): Entry => ({
  term,
  index,
  kind: EntryKind.membership,
  payload: encodeMembership(membership),
});

describe('membership changes', () => {
  it('a learner gets the log, counts for nothing, and becomes a voter', () => {
    const cluster = new Cluster({ size: 4, voters: [1, 2, 3] });
    cluster.elect(1);
    cluster.propose(1, 'a');
    cluster.settle();
    cluster.change([1, 2, 3], [4]);
    expect(cluster.log(4)).toEqual(cluster.log(1));
    cluster.isolate(2);
    cluster.isolate(3);
    cluster.propose(1, 'b');
    cluster.settle();
    expect(cluster.status(1).commit).toBe(3);
    cluster.heal();
    cluster.tick(20);
    expect(cluster.change([1, 2, 3, 4])).toMatchObject({ index: 5 });
    expect(members(cluster.node(4))).toEqual(votersOnly([1, 2, 3, 4]));
    cluster.node(1).raft.transferLeadership(4);
    cluster.settle();
    expect(cluster.leader()).toBe(4);
  });

  it('C117 one and two entries are taken back when they are truncated', () => {
    const one = votersOnly([1, 2, 3, 4]);
    const two = votersOnly([1, 2, 3, 4, 5]);
    for (const kept of [1, 2, 3]) {
      const node = solo({ log: [1], term: 2 });
      const entries = [membershipEntry(2, 2, one), membershipEntry(2, 3, two)];
      node.raft.step(append(2, 2, [1, 1], entries));
      node.settle();
      expect(members(node)).toEqual(two);
      node.raft.step(
        append(
          3,
          3,
          [kept === 1 ? 1 : 2, kept],
          [{ term: 3, index: kept + 1, kind: 0, payload: encode('') }],
        ),
      );
      node.settle();
      expect(members(node)).toEqual([votersOnly([1, 2, 3]), one, two][kept - 1]);
    }
  });

  it('C117 a restart reads the memberships back from the log', () => {
    const node = solo({ log: [1], term: 2 });
    node.raft.step(append(2, 2, [1, 1], [membershipEntry(2, 2, votersOnly([1, 2]))]));
    node.settle();
    node.crash();
    node.restart();
    expect(members(node)).toEqual(votersOnly([1, 2]));
    node.raft.step(append(3, 3, [1, 1], [{ term: 3, index: 2, kind: 0, payload: encode('') }]));
    expect(members(node)).toEqual(votersOnly([1, 2, 3]));
  });

  it('C105 C106 C107 no change before the own term is committed, nor beside another', () => {
    const node = lead(solo());
    const target = { voters: [1, 2, 3, 4], learners: [] };
    expect(node.raft.changeMembership(target)).toEqual({ refused: 'change_in_flight' });
    node.raft.step(ack(2, 1, 1));
    expect(node.raft.changeMembership(target)).toEqual({ index: 2, term: 1 });
    node.settle();
    expect(node.raft.changeMembership(target)).toEqual({ refused: 'change_in_flight' });
    for (const from of [2, 3]) node.raft.step(ack(from, 1, 2));
    expect(node.raft.changeMembership({ voters: [], learners: [] })).toMatchObject({
      refused: 'membership_invalid',
      reason: 'a group needs at least one voter',
    });
  });

  it('C112 a joint change is left by itself, also by the next leader', () => {
    const cluster = new Cluster({ size: 5, voters: [1, 2, 3] });
    cluster.elect(1);
    cluster.hold = ({ type, from }) => type === 'appendReply' && from !== 1;
    cluster.change([3, 4, 5]);
    expect(members(cluster.node(2))).toEqual({ ...votersOnly([3, 4, 5]), outgoing: [1, 2, 3] });
    cluster.crash(1);
    cluster.hold = () => false;
    cluster.held = [];
    cluster.tick(100);
    cluster.elect(3);
    cluster.tick(200);
    expect(members(cluster.node(cluster.leader()))).toEqual(votersOnly([3, 4, 5]));
    expect([3, 4, 5]).toContain(cluster.leader());
  });

  it('C113 a removed leader brings its removal to an end, then goes and calls an heir', () => {
    const cluster = new Cluster();
    cluster.elect(1);
    cluster.change([2, 3]);
    expect(cluster.status(1).role).toBe('follower');
    expect([2, 3]).toContain(cluster.leader());
    expect(cluster.propose(1, 'x')).toMatchObject({ refused: 'not_leader' });
    cluster.tick(400);
    expect(cluster.status(1).role).toBe('follower');
    expect(cluster.status(2).term).toBe(2);
  });

  it('who is removed by an entry that may be lost still stands for election, and does not count itself', () => {
    const cluster = new Cluster({ size: 4 });
    cluster.elect(4);
    cluster.drop = ({ type, from }) => type === 'append' && from === 4;
    cluster.change([1, 2, 3]); // held by 4 alone, whose log is now the longest
    cluster.crash(1);
    cluster.crash(4);
    cluster.restart(4);
    cluster.drop = () => false;
    cluster.tick(400); // 2 and 3 need its vote and cannot have it
    expect(cluster.status(2).membership).toEqual(votersOnly([1, 2, 3]));
    expect([2, 3]).toContain(cluster.leader());
    expect(cluster.status(4).role).toBe('follower');
  });

  it('C57 C113 a leader on its way out refuses proposals and does not count itself', () => {
    const node = lead(solo());
    node.raft.step(ack(2, 1, 1));
    node.raft.changeMembership({ voters: [2, 3], learners: [] });
    node.settle();
    expect(node.raft.propose(encode('x'))).toEqual({ refused: 'removed' });
    node.raft.step(ack(2, 1, 2));
    expect(node.status().commit).toBe(1);
    node.raft.step(ack(3, 1, 2));
    expect(node.status()).toMatchObject({ commit: 2, role: 'follower' });
  });

  it('C114 a removal that lowers the quorum commits what it now can', () => {
    const node = lead(solo({ voters: [1, 2] }));
    node.raft.step(ack(2, 1, 1));
    node.raft.propose(encode('x'));
    node.raft.changeMembership({ voters: [1], learners: [] });
    node.settle();
    expect(node.status().commit).toBe(3);
  });

  it('C102 a transfer to a server that is demoted ends', () => {
    const node = lead(solo());
    for (const from of [2, 3]) node.raft.step(ack(from, 1, 1));
    node.raft.changeMembership({ voters: [1, 2], learners: [3] });
    node.raft.transferLeadership(3);
    expect(node.status().transferee).toBe(0);
    expect(only(node.flush(), 'timeoutNow')).toEqual([]);
  });

  it('C47 a new member counts as heard from, so that adding it costs no leadership', () => {
    const node = lead(solo({ voters: [1] }));
    node.settle();
    node.raft.changeMembership({ voters: [1, 2], learners: [] });
    expect(node.status().peers[1]).toMatchObject({ id: 2, recentlyActive: true });
  });

  it('one that is removed gets its removal, and is then left alone', () => {
    const cluster = new Cluster();
    cluster.elect(1);
    cluster.change([1, 2]);
    cluster.tick(150);
    expect(members(cluster.node(3))).toEqual(votersOnly([1, 2]));
    expect(cluster.status(1).peers.map(({ id }) => id)).toEqual([1, 2]);
  });

  it('C43 C115 one that was removed while cut off does not disturb the others', () => {
    const cluster = new Cluster();
    cluster.elect(1);
    cluster.isolate(3);
    cluster.change([1, 2]);
    cluster.tick(200);
    cluster.heal();
    cluster.tick(400);
    expect(cluster.leader()).toBe(1);
    expect(cluster.status(1).term).toBe(1);
  });

  it('commits rest on two zones where the voters have two', () => {
    const node = lead(solo({ config: { zoneOf: (id) => (id === 3 ? 2 : 1) } }));
    node.raft.step(ack(2, 1, 1));
    node.settle();
    expect(node.status().commit).toBe(0);
    node.raft.step(ack(3, 1, 1));
    expect(node.status().commit).toBe(1);
    node.raft.step(heartbeatReply(2, 1));
  });
});

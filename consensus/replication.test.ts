import { describe, expect, it } from 'vitest';
import { votersOnly } from './membership.ts';
import { InvariantError, Raft } from './raft.ts';
import { Cluster } from './testing/cluster.ts';
import { testConfig } from './testing/config.ts';
import { ArrayLog, encode, entriesOf, entryText, SimNode } from './testing/node.ts';
import {
  ack,
  append,
  heartbeat,
  heartbeatReply,
  lead,
  only,
  reject,
  solo,
  timeoutNow,
  voteReply,
} from './testing/solo.ts';
import type { Entry } from './types.ts';

const terms = (node: SimNode): number[] => node.accepted.entriesHeld.map((e) => e.term);

function entry(term: number, index: number, payload = `${index}`): Entry {
  return { term, index, kind: 1, payload: encode(payload) };
}

/** A leader of term 1 whose peers have acknowledged its first entry, with nothing left to send. */
function settledLeader(options: Parameters<typeof solo>[0] = {}): SimNode {
  const node = lead(solo(options));
  const { lastIndex, term } = node.status();
  for (const id of node.config.membership.voters)
    if (id !== 1) node.raft.step(ack(id, term, lastIndex));
  node.flush();
  expect(node.status()).toMatchObject({
    role: 'leader',
    commit: lastIndex,
    ownTermCommitted: true,
  });
  return node;
}

describe('replication and commit', () => {
  it('C50 a proposal is sent at once, committed when a majority has it, applied, and then told', () => {
    const node = settledLeader();
    expect(node.raft.propose(encode('a'))).toEqual({ index: 2, term: 1 });
    const output = node.raft.takeOutput();
    expect(only(output.sendNow, 'append')).toMatchObject(
      [2, 3].map((to) => ({ to, prevIndex: 1, prevTerm: 1, commit: 1, entries: [{ index: 2 }] })),
    );
    expect(output.entries.map(entryText)).toEqual(['1:a']);
    expect(output.mustSync).toBe(true);
    expect(output.committed).toEqual([]);
    node.accepted.write(output.entries);
    node.pending.push(output);
    node.sync();
    expect(node.status().commit).toBe(1);
    node.raft.step(ack(2, 1, 2));
    const told = node.flush();
    expect(node.applied.map(entryText)).toEqual(['1:', '1:a']);
    expect(only(told, 'append')).toMatchObject([{ to: 2, commit: 2, prevIndex: 2, entries: [] }]);
  });

  it.each([
    [1, 0, true],
    [3, 0, false],
    [3, 1, true],
    [4, 1, false],
    [4, 2, true],
    [5, 1, false],
    [5, 2, true],
  ])('C51 of %d servers, %d others have it: committed is %s', (size, others, committed) => {
    const node = settledLeader({ voters: Array.from({ length: size }, (_, i) => i + 1) });
    node.raft.propose(encode('a'));
    node.settle();
    for (let id = 2; id < 2 + others; id++) node.raft.step(ack(id, 1, 2));
    node.settle();
    expect(node.status().commit).toBe(committed ? 2 : 1);
  });

  it('C52 the own copy counts once durable', () => {
    const node = settledLeader();
    node.raft.propose(encode('a'));
    node.pump();
    node.raft.step(ack(2, 1, 2));
    expect(node.status().commit).toBe(1);
    node.sync();
    expect(node.status().commit).toBe(2);
    // Two others suffice, while the leader's disk is slow; but it applies nothing it has not on
    // disk (C66).
    node.raft.propose(encode('b'));
    node.pump();
    node.raft.step(ack(2, 1, 3));
    node.raft.step(ack(3, 1, 3));
    node.pump();
    expect(node.status().commit).toBe(3);
    expect(node.applied).toHaveLength(2);
    node.settle();
    expect(node.applied).toHaveLength(3);
  });

  it('C52 a stale own ack is nothing in a later term', () => {
    const node = settledLeader();
    node.raft.propose(encode('a'));
    node.pump(); // ack of (1, 2) hangs at the disk
    node.raft.step(append(2, 2, [1, 1], [entry(2, 2, '')])); // replaced by a leader of term 2
    node.raft.step(timeoutNow(2, 2));
    node.raft.step(voteReply(2, 3, true));
    node.sync(1); // the write of term 1, whose ack is of term 1
    expect(node.status().role).toBe('candidate');
    node.pump();
    node.sync();
    expect(node.status()).toMatchObject({ role: 'leader', term: 3, commit: 1 });
    expect(node.status().peers[0]).toMatchObject({ id: 1, match: 0 });
    node.raft.step(ack(1, 1, 2));
    expect(node.status().peers[0]).toMatchObject({ id: 1, match: 0 });
    node.settle();
    expect(node.status().peers[0]).toMatchObject({ id: 1, match: 3 });
  });

  it.each([
    // acks of the peers for entries 2.. of a five-server leader that has all ten
    [[10, 10, 1, 1], 10],
    [[10, 5, 1, 1], 5],
    [[3, 5, 7, 9], 7],
    [[1, 1, 1, 10], 1],
    [[4, 4, 4, 4], 4],
  ])('C53 C54 acks %j commit %d and all before it', (acks, commit) => {
    const node = settledLeader({ voters: [1, 2, 3, 4, 5] });
    for (let i = 2; i <= 10; i++) node.raft.propose(encode(`${i}`));
    node.settle();
    for (const [i, index] of acks.entries()) node.raft.step(ack(i + 2, 1, index));
    node.settle();
    expect(node.status().commit).toBe(commit);
    expect(node.applied).toHaveLength(commit);
  });

  it('C58 a new leader appends an empty entry of its term at once', () => {
    const node = lead(solo({ log: [1, 1] }));
    expect(node.accepted.entriesHeld.at(-1)).toMatchObject({ term: 2, index: 3, kind: 0 });
    expect(node.accepted.entriesHeld.at(-1)?.payload.byteLength).toBe(0);
    expect(only(node.take(), 'append')).toMatchObject(
      [2, 3].map((to) => ({ to, prevIndex: 2, prevTerm: 1, entries: [{ term: 2, index: 3 }] })),
    );
  });

  it('C60 delayed appends of an old leader do not touch what a newer one wrote', () => {
    const node = solo({ log: [1], term: 1 });
    node.raft.step(append(3, 2, [1, 1], [entry(2, 2)]));
    node.raft.step(append(2, 1, [1, 1], [entry(1, 2), entry(1, 3)]));
    expect(node.flush()).toMatchObject([
      { type: 'heartbeatReply', to: 2, term: 2 },
      { type: 'appendReply', to: 3, rejected: false, index: 2 },
    ]);
    expect(terms(node)).toEqual([1, 2]);
  });

  it('C61 reordered and repeated appends give the same log', () => {
    const first = append(2, 1, [0, 0], [entry(1, 1), entry(1, 2)]);
    const second = append(2, 1, [1, 2], [entry(1, 3)], 3);
    const node = solo();
    for (const message of [second, first, second, first, second, first]) node.raft.step(message);
    const replies = only(node.flush(), 'appendReply');
    expect(replies.map(({ index, rejected }) => [index, rejected])).toEqual([
      [2, true],
      [2, false],
      [3, false],
      [3, false], // below the commit: acked with the commit (C71)
      [3, false],
      [3, false],
    ]);
    expect(terms(node)).toEqual([1, 1, 1]);
    expect(node.status().commit).toBe(3);
  });

  it('C62 C136 what is committed comes in pages, in order, each entry once', () => {
    const log = entriesOf(Array.from({ length: 10 }, () => 1)); // payloads "1".."10"
    const hard = { term: 1, vote: 0, commit: 10 };
    const config = testConfig(1, [1, 2, 3], { maxCommittedBytesPerOutput: 3 });
    const raft = new Raft(config, new ArrayLog(log), hard, 0);
    const seen: number[] = [];
    for (const applied of [3, 6, 9, 10]) {
      const { committed } = raft.takeOutput();
      seen.push(...committed.map(({ index }) => index));
      expect(seen.at(-1)).toBe(applied);
      expect(raft.hasOutput()).toBe(false); // the quota is used up until something is applied
      raft.appliedTo(applied);
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(raft.hasOutput()).toBe(false);
  });

  it('C63 a restart delivers what is committed above applied, and nothing else', () => {
    const hard = { term: 1, vote: 0, commit: 2 };
    const raft = new Raft(testConfig(1, [1, 2, 3]), new ArrayLog(entriesOf([1, 1, 1])), hard, 1);
    expect(raft.takeOutput()).toEqual({
      sendNow: [],
      entries: [],
      hardState: null,
      mustSync: false,
      durable: null,
      sendAfterDurable: [],
      committed: [entriesOf([1, 1, 1])[1]],
      reads: [],
      readsDropped: [],
      snapshot: null,
      recovered: false,
    });
    expect(raft.hasOutput()).toBe(false);
  });

  it.each([
    [4, 0],
    [0, 4],
  ])('C64 refuses to start with commit %d and applied %d on a log of 3', (commit, applied) => {
    const store = new ArrayLog(entriesOf([1, 1, 1]));
    const start = () =>
      new Raft(testConfig(1, [1, 2, 3]), store, { term: 1, vote: 0, commit }, applied);
    expect(start).toThrow(InvariantError);
  });

  it('C64 refuses to start with a commit below a compacted log', () => {
    const store = new ArrayLog(entriesOf([1, 1, 1]));
    store.compact(2, votersOnly([1, 2, 3]));
    const start = () =>
      new Raft(testConfig(1, [1, 2, 3]), store, { term: 1, vote: 0, commit: 1 }, 1);
    expect(start).toThrow('outside the log [2, 3]');
  });

  it('books that are ahead of a commit mark that was not synced move the commit', () => {
    const store = new ArrayLog(entriesOf([1, 1, 1]));
    const raft = new Raft(testConfig(1, [1, 2, 3]), store, { term: 1, vote: 0, commit: 1 }, 2);
    expect(raft.status()).toMatchObject({ commit: 2, applied: 2 });
    expect(raft.takeOutput().hardState).toMatchObject({ commit: 2 });
  });

  it('C65 only a changed term or vote, or entries, need a sync', () => {
    const node = solo({ log: [1, 1], term: 1 });
    node.raft.step(heartbeat(2, 1, 2));
    const moved = node.raft.takeOutput();
    expect(moved.hardState).toEqual({ term: 1, vote: 0, commit: 2 });
    expect(moved.mustSync).toBe(false);
    node.raft.step(append(2, 1, [1, 2], [entry(1, 3)]));
    expect(node.raft.takeOutput()).toMatchObject({
      mustSync: true,
      hardState: null,
      durable: { index: 3 },
    });
    node.raft.step(heartbeat(2, 2));
    expect(node.raft.takeOutput().mustSync).toBe(true);
  });

  it('C66 an entry is not applied before it is durable here, committed or not', () => {
    const node = solo();
    node.raft.step(append(2, 1, [0, 0], [entry(1, 1), entry(1, 2)], 2));
    node.pump();
    expect(node.status().commit).toBe(2);
    expect(node.applied).toEqual([]);
    node.settle();
    expect(node.applied).toHaveLength(2);
  });
});

describe('the rules of a follower', () => {
  it.each([
    // own log of terms [1, 2]; prev (term, index), hint (term, index)
    [
      [1, 2],
      [1, 1],
    ],
    [
      [2, 3],
      [2, 2],
    ],
    [
      [3, 3],
      [2, 2],
    ],
    [
      [1, 9],
      [1, 1],
    ],
  ] as const)('C67 C73 prev %j is rejected with hint %j and nothing changes', (prev, hint) => {
    const node = solo({ log: [1, 2], commit: 1 });
    node.raft.step(append(2, 3, prev, [entry(3, prev[1] + 1)], 9));
    const [hintTerm, hintIndex] = hint;
    expect(node.flush()).toMatchObject([
      { type: 'appendReply', rejected: true, index: prev[1], hintTerm, hintIndex },
    ]);
    expect(terms(node)).toEqual([1, 2]);
    expect(node.status().commit).toBe(1);
  });

  it.each([
    [[1, 2], [entry(3, 3)], [1, 2, 3]],
    [
      [1, 1],
      [entry(3, 2), entry(4, 3)],
      [1, 3, 4],
    ],
    [[0, 0], [entry(1, 1)], [1, 2]],
    [[1, 1], [entry(3, 2)], [1, 3]],
    [[1, 1], [entry(2, 2)], [1, 2]],
    [[1, 1], [], [1, 2]],
  ] as const)('C68 after %j the entries %j leave the terms %j', (prev, entries, expected) => {
    const node = solo({ log: [1, 2], term: 2 });
    const [, index] = prev;
    const prevTerm = index === 2 ? 2 : prev[0];
    node.raft.step(append(2, 4, [prevTerm, index], entries));
    node.settle();
    expect(terms(node)).toEqual(expected);
    expect(node.disk.log.entriesHeld).toEqual(node.accepted.entriesHeld);
  });

  it('C69 a leader that takes more for committed than this log holds is fatal', () => {
    const node = solo({ log: [1, 1, 1], commit: 2 });
    expect(() => node.raft.step(heartbeat(2, 1, 4))).toThrow(InvariantError);
  });

  it('C70 the commit goes as far as the message reaches, not further', () => {
    const node = solo({ log: [1, 1, 1], term: 1 });
    node.raft.step(append(2, 2, [1, 1], [], 3));
    expect(node.status().commit).toBe(1);
    node.raft.step(append(2, 2, [1, 1], [entry(1, 2)], 3));
    expect(node.status().commit).toBe(2);
    node.raft.step(append(2, 2, [1, 2], [entry(2, 3)], 1));
    expect(node.status().commit).toBe(2);
  });

  it('C71 an append below the own commit is acked with the commit', () => {
    const node = solo({ log: [1, 1, 1], commit: 3 });
    node.raft.step(append(2, 2, [1, 1], [entry(2, 2)], 2));
    expect(node.flush()).toMatchObject([{ type: 'appendReply', rejected: false, index: 3 }]);
    expect(terms(node)).toEqual([1, 1, 1]);
  });

  it('C72 the ack names the end of the message, not of the own log', () => {
    const node = solo({ log: [1, 1, 1, 1], term: 1 });
    node.raft.step(append(2, 2, [1, 1], [entry(1, 2)]));
    node.raft.step(append(2, 2, [1, 1]));
    expect(only(node.flush(), 'appendReply').map(({ index }) => index)).toEqual([2, 1]);
    expect(terms(node)).toEqual([1, 1, 1, 1]);
  });

  it('replies to appends wait for the disk', () => {
    const node = solo();
    node.raft.step(append(2, 1, [0, 0], [entry(1, 1)]));
    node.raft.step(append(2, 1, [0, 0], [entry(1, 1)]));
    node.pump();
    node.raft.step(append(2, 1, [0, 0], [entry(1, 1)]));
    node.pump();
    expect(node.take()).toEqual([]);
    node.sync(1);
    expect(node.take()).toHaveLength(2);
    node.sync(1);
    expect(node.take()).toHaveLength(1);
  });

  it('C138 a rejected append, too, puts off the campaign', () => {
    const node = solo({ log: [1] });
    for (let i = 0; i < 300; i++) {
      node.raft.tick();
      if (i % 50 === 0) node.raft.step(append(2, 1, [1, 7]));
    }
    expect(node.status()).toMatchObject({ role: 'follower', leader: 2 });
  });

  it('an append whose entries have a gap or fall in term is fatal', () => {
    const step =
      (...entries: Entry[]) =>
      () =>
        solo().raft.step(append(2, 3, [0, 0], entries));
    expect(step(entry(1, 2))).toThrow(InvariantError);
    expect(step(entry(2, 1), entry(1, 2))).toThrow(InvariantError);
    expect(step(entry(4, 1))).toThrow(InvariantError);
  });
});

describe('the way back to a diverged follower', () => {
  it.each([
    // the two worked cases of etcd's raft.go
    [
      [1, 3, 3, 3, 5, 5, 5, 5, 5],
      [1, 1, 1, 1, 2, 2],
      [6, 1],
    ],
    [
      [1, 3, 3, 3, 3, 3, 3, 3, 7],
      [1, 3, 3, 4, 4, 5, 5, 5, 6],
      [9, 3],
    ],
  ])('C74 leader %j, follower %j: the probes end at %j', (leading, following, probes) => {
    const leader = lead(solo({ log: leading, voters: [1, 2] }));
    const [first] = only(leader.take(), 'append');
    expect(first?.prevIndex).toBe(leading.length);
    const follower = new SimNode(testConfig(2, [1, 2]), {
      entries: entriesOf(following),
      hard: { term: following.at(-1) as number, vote: 0, commit: 0 },
    });
    const seen: number[] = [];
    let message = first;
    while (message !== undefined && seen.length < 10) {
      follower.raft.step(message);
      const [reply] = only(follower.flush(), 'appendReply');
      if (reply === undefined || !reply.rejected) break;
      leader.raft.step(reply);
      message = only(leader.flush(), 'append').at(-1);
      seen.push(message?.prevIndex ?? -1);
    }
    const last = probes.at(-1);
    expect(seen.at(-1)).toBe(last);
    expect(seen.length).toBeLessThanOrEqual(probes.length);
    follower.settle();
    expect(terms(follower)).toEqual(terms(leader));
  });

  it('C75 a leader brings all logs of the figure 7 of the paper to its own, in few probes', () => {
    const shapes = [
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
      [1, 1, 1, 4, 4, 5, 5, 6, 6],
      [1, 1, 1, 4],
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
      [1, 1, 1, 4, 4, 4, 4],
      [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    const c = new Cluster({
      size: 7,
      nodes: (id) => ({
        entries: entriesOf(shapes[id - 1] as number[]),
        hard: { term: 7, vote: 0, commit: 0 },
      }),
    });
    let rejections = 0;
    c.drop = (message) => {
      if (message.type === 'appendReply' && message.rejected) rejections++;
      return false;
    };
    c.elect(1);
    expect(c.leader()).toBe(1);
    c.tick(20);
    for (const node of c.nodes) expect(c.log(node.id)).toEqual(c.log(1));
    expect(rejections).toBeLessThanOrEqual(9);
  });

  it('C76 stale rejections are ignored', () => {
    const node = settledLeader();
    node.raft.step(reject(2, 1, 1, [0, 0])); // replicating, and 1 is matched
    expect(node.status().peers[1]).toMatchObject({ state: 'replicate', match: 1, next: 2 });
    const fresh = lead(solo({ log: [1, 1, 1] }));
    fresh.take();
    fresh.raft.step(reject(2, 2, 1, [1, 1])); // probing at 3, not at 1
    expect(fresh.status().peers[1]).toMatchObject({ state: 'probe', match: 0, next: 4 });
    fresh.raft.step(reject(2, 2, 3, [1, 1]));
    expect(fresh.status().peers[1]).toMatchObject({ next: 2 });
  });

  it('C78 match never falls, and next stays above it', () => {
    const node = settledLeader();
    for (let i = 0; i < 3; i++) node.raft.propose(encode('x'));
    node.flush();
    node.raft.step(ack(2, 1, 4));
    node.raft.step(ack(2, 1, 2));
    node.raft.step(reject(2, 1, 4, [0, 0]));
    expect(node.status().peers[1]).toMatchObject({ match: 4, next: 5 });
  });

  it('C77 C119 C133 a follower that needs compacted entries is sent one snapshot, and nothing else', () => {
    const node = lead(solo({ log: [1, 1, 1, 1], commit: 4, applied: 4 }));
    node.raft.step(ack(3, 2, 5));
    node.flush();
    node.compact(4);
    const { term, lastIndex } = node.status();
    node.raft.step(reject(2, term, lastIndex - 1, [1, 2]));
    expect(node.status().peers[1]).toMatchObject({ state: 'snapshot' });
    expect(node.events.at(-1)).toMatchObject({ kind: 'needsSnapshot', peer: 2 });
    const sent = node.flush().filter(({ to }) => to === 2);
    expect(sent).toMatchObject([
      { type: 'snapshot', index: 4, logTerm: 1, membership: { voters: [1, 2, 3] } },
    ]);
    node.raft.propose(encode('x'));
    node.raft.step(heartbeatReply(2, term));
    expect(node.flush().filter(({ to }) => to === 2)).toEqual([]);
    node.raft.step(ack(2, term, 4)); // it holds the snapshot
    expect(node.status().peers[1]).toMatchObject({ state: 'replicate', match: 4 });
    expect(only(node.flush(), 'append')).toMatchObject([{ to: 2, prevIndex: 4 }]);
  });
});

describe('commit only by entries of the own term', () => {
  it('C79 C80 an old entry on a majority is committed only with one of the own term', () => {
    const node = lead(solo({ log: [1, 2] }));
    expect(node.status()).toMatchObject({ term: 3, commit: 0, ownTermCommitted: false });
    node.raft.step(ack(2, 3, 2));
    node.raft.step(ack(3, 3, 2));
    node.settle();
    expect(node.status().commit).toBe(0);
    node.raft.step(ack(2, 3, 3));
    node.settle();
    expect(node.status()).toMatchObject({ commit: 3, ownTermCommitted: true });
  });

  it('C81 the history of figure 8 un-commits nothing', () => {
    const c = new Cluster({ size: 5 });
    // (a) 1 leads term 1; then its entry 2 reaches only server 2.
    c.elect(1);
    c.partition([1, 2], [3, 4, 5]);
    c.propose(1, 'two');
    c.settle();
    expect(c.log(2)).toEqual(['1:', '1:two']);
    // (b) 1 dies; 5 wins with 3 and 4, writes its own entry, alone.
    c.crash(1);
    c.crash(2);
    c.tick(61, [3, 4, 5]);
    c.node(5).raft.campaign();
    c.hold = ({ type }) => type === 'append';
    c.settle();
    expect(c.status(5).role).toBe('leader');
    // (c) 5 dies; 1 returns, wins with 2 to 4, spreads its old entry to a majority; then dies.
    c.crash(5);
    c.held = [];
    c.hold = () => false;
    c.heal();
    c.restart(1);
    c.restart(2);
    c.hold = (message) => message.type === 'append' && message.entries.some(({ term }) => term > 2);
    c.tick(61, [1, 2, 3, 4]);
    for (let i = 0; i < 5 && c.leader() !== 1; i++) {
      c.elect(1);
      c.tick(1);
    }
    expect(c.leader()).toBe(1);
    c.tick(40, [1, 2, 3, 4]);
    expect(c.status(1).commit).toBeLessThan(2);
    // (d) 5 returns and overwrites what was on a majority: allowed, nobody has committed it.
    c.crash(1);
    c.held = [];
    c.hold = () => false;
    c.restart(5);
    c.tick(400, [2, 3, 4, 5]);
    c.restart(1);
    c.tick(100);
    // Safety has been checked all along by the cluster's checker.
    expect(c.leader()).not.toBe(0);
    for (const node of c.nodes) expect(c.applied(node.id)).toEqual(c.applied(1));
  });
});

describe('flow control', () => {
  const windows = { maxInflightAppends: 3, maxAppendBytes: 4, maxInflightBytes: 1000 };

  function fill(node: SimNode, count: number): void {
    for (let i = 0; i < count; i++) node.raft.propose(encode('xxxx'));
  }

  it('C130 a full window stops entries; acks free what they cover, stale acks nothing', () => {
    const node = settledLeader({ config: windows });
    fill(node, 5);
    const to2 = () => only(node.flush(), 'append').filter(({ to }) => to === 2);
    expect(to2().map(({ entries }) => entries[0]?.index)).toEqual([2, 3, 4]);
    node.raft.step(ack(2, 1, 1));
    expect(to2()).toEqual([]);
    node.raft.step(ack(2, 1, 3));
    expect(to2().map(({ entries }) => entries[0]?.index)).toEqual([5, 6]);
  });

  it('C130 the window counts bytes too', () => {
    const node = settledLeader({
      config: { ...windows, maxInflightAppends: 99, maxInflightBytes: 8 },
    });
    fill(node, 5);
    expect(only(node.flush(), 'append').filter(({ to }) => to === 2)).toHaveLength(2);
  });

  it('C131 a full window whose messages are lost recovers by a heartbeat reply', () => {
    const c = new Cluster({ config: windows });
    c.elect(1);
    c.drop = ({ type, to }) => type === 'append' && to === 3;
    for (let i = 0; i < 8; i++) c.propose(1, 'xxxx');
    c.settle();
    expect(c.status(3).lastIndex).toBe(1);
    c.drop = () => false;
    c.tick(11);
    expect(c.status(3)).toMatchObject({ lastIndex: 9, commit: 9 });
  });

  it('C132 a probed peer gets one append a heartbeat interval', () => {
    const node = lead(solo());
    node.take();
    fill(node, 3);
    for (let i = 0; i < 9; i++) node.raft.tick();
    expect(only(node.flush(), 'append')).toEqual([]);
    node.raft.step(heartbeatReply(2, 1));
    node.raft.step(heartbeatReply(2, 1));
    node.raft.tick();
    expect(only(node.flush(), 'append').length).toBeGreaterThan(0);
  });

  it('C133 a replicating peer is sent ahead of its acks', () => {
    const node = settledLeader();
    node.raft.propose(encode('a'));
    node.raft.propose(encode('b'));
    const prevs = only(node.flush(), 'append').filter(({ to }) => to === 2);
    expect(prevs.map(({ prevIndex }) => prevIndex)).toEqual([1, 2]);
    expect(node.status().peers[1]).toMatchObject({ match: 1, next: 4 });
  });

  it('C134 an unreachable peer is probed, and recovers by the next heartbeat reply', () => {
    const node = settledLeader();
    node.raft.reportUnreachable(2);
    expect(node.status().peers[1]).toMatchObject({ state: 'probe', match: 1, next: 2 });
    node.raft.step(heartbeatReply(2, 1));
    expect(only(node.flush(), 'append')).toMatchObject([{ to: 2, prevIndex: 1, entries: [] }]);
    node.raft.step(ack(2, 1, 1));
    expect(node.status().peers[1]).toMatchObject({ state: 'replicate' });
  });

  it('C135 proposals above the quota are refused, but one always fits, and empty ones do', () => {
    const node = settledLeader({ config: { maxUncommittedBytes: 10 } });
    const refused = { refused: 'quota_exceeded' };
    expect(node.raft.propose(new Uint8Array(99))).toMatchObject({ index: 2 });
    expect(node.raft.propose(new Uint8Array(1))).toEqual(refused);
    expect(node.raft.propose(new Uint8Array(0))).toMatchObject({ index: 3 });
    node.settle();
    node.raft.step(ack(2, 1, 3));
    node.settle();
    expect(node.raft.propose(new Uint8Array(6))).toMatchObject({ index: 4 });
    expect(node.raft.propose(new Uint8Array(5))).toEqual(refused);
    expect(node.raft.propose(new Uint8Array(4))).toMatchObject({ index: 5 });
  });

  it('C135 the quota is of proposals: a change of members that commits frees none of it', () => {
    const node = settledLeader({ config: { maxUncommittedBytes: 10 } });
    node.raft.changeMembership({ voters: [1, 2, 3], learners: [4] });
    node.settle();
    node.raft.step(ack(2, 1, 2));
    node.settle();
    expect(node.raft.propose(new Uint8Array(10))).toMatchObject({ index: 3 });
    expect(node.raft.propose(new Uint8Array(1))).toEqual({ refused: 'quota_exceeded' });
  });

  it('C135 the quota starts anew with a term', () => {
    const node = settledLeader({ config: { maxUncommittedBytes: 10 } });
    node.raft.propose(new Uint8Array(10));
    node.flush();
    node.raft.step(heartbeat(2, 2));
    node.raft.step(timeoutNow(2, 2));
    node.settle();
    node.raft.step(voteReply(2, 3, true));
    expect(node.raft.propose(new Uint8Array(10))).toHaveProperty('index');
    node.settle();
    node.raft.step(ack(2, 3, node.status().lastIndex)); // commits the bytes of both terms
    node.settle();
    expect(node.raft.propose(new Uint8Array(10))).toHaveProperty('index');
    expect(node.raft.propose(new Uint8Array(1))).toHaveProperty('refused');
  });

  it('C55 C56 a proposal elsewhere than at the leader is refused with what is known of it', () => {
    const node = solo({ term: 1 });
    expect(node.raft.propose(encode('a'))).toEqual({ refused: 'not_leader', leader: 0 });
    node.raft.step(heartbeat(3, 1));
    expect(node.raft.propose(encode('a'))).toEqual({ refused: 'not_leader', leader: 3 });
    node.raft.step(timeoutNow(3, 1));
    expect(node.raft.propose(encode('a'))).toEqual({ refused: 'not_leader', leader: 0 });
  });

  it('C8 a heartbeat carries no more commit than the peer is known to hold', () => {
    const node = settledLeader();
    node.raft.propose(encode('a'));
    node.flush();
    node.raft.step(ack(2, 1, 2));
    node.flush();
    for (let i = 0; i < 10; i++) node.raft.tick();
    expect(only(node.flush(), 'heartbeat')).toMatchObject([
      { to: 2, commit: 2 },
      { to: 3, commit: 1 },
    ]);
  });
});

describe('C137 completions of writes that were overtaken', () => {
  it('an overwritten write does not make newer entries of the same index durable', () => {
    const node = solo();
    node.raft.step(append(2, 1, [0, 0], [entry(1, 1)]));
    const first = node.raft.takeOutput();
    node.raft.step(append(3, 2, [0, 0], [entry(2, 1)], 1));
    const second = node.raft.takeOutput();
    expect([first.durable, second.durable]).toEqual([
      { term: 1, index: 1 },
      { term: 2, index: 1 },
    ]);
    node.raft.durable(1, 1);
    expect(node.raft.takeOutput().committed).toEqual([]);
    node.accepted.write(second.entries);
  });

  it('also not when the same entry comes back a third time', () => {
    const log = new ArrayLog();
    const raft = new Raft(testConfig(1, [1, 2, 3]), log, { term: 0, vote: 0, commit: 0 }, 0);
    raft.step(append(2, 1, [0, 0], [entry(1, 1)]));
    const a = raft.takeOutput();
    raft.step(append(3, 2, [0, 0], [entry(2, 1)]));
    const b = raft.takeOutput();
    raft.step(append(2, 3, [0, 0], [entry(1, 1)], 1));
    const c = raft.takeOutput();
    // The first write's completion; the disk now holds (1, 1), but (2, 1) will be over it next.
    log.write(a.entries);
    raft.durable(1, 1);
    expect(raft.hasOutput()).toBe(false);
    log.write(b.entries);
    raft.durable(2, 1);
    expect(raft.hasOutput()).toBe(false);
    log.write(c.entries);
    raft.durable(3, 1);
    expect(raft.takeOutput().committed.map(entryText)).toEqual(['1:1']);
  });

  it('nor within one term, when its leader replaces a tail that was being written', () => {
    const log = new ArrayLog();
    const raft = new Raft(testConfig(1, [1, 2, 3]), log, { term: 0, vote: 0, commit: 0 }, 0);
    raft.step(append(2, 1, [0, 0], [entry(1, 1), entry(1, 2)]));
    const a = raft.takeOutput();
    raft.step(heartbeat(3, 2));
    raft.step(append(3, 2, [9, 9])); // a rejection, whose output carries durable (2, 2) of the old tail
    const b = raft.takeOutput();
    raft.step(append(3, 2, [1, 1], [entry(2, 2)], 2));
    const c = raft.takeOutput();
    expect([b.durable, c.durable]).toEqual([
      { term: 2, index: 2 },
      { term: 2, index: 2 },
    ]);
    log.write(a.entries);
    raft.durable(1, 2);
    raft.durable(2, 2);
    expect(raft.hasOutput()).toBe(false);
    log.write(c.entries);
    raft.durable(2, 2);
    expect(raft.takeOutput().committed.map(entryText)).toEqual(['1:1', '2:2']);
  });

  it('a completion that belongs to no write is fatal', () => {
    expect(() => solo().raft.durable(1, 1)).toThrow(InvariantError);
  });
});

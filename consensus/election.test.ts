import { describe, expect, it } from 'vitest';
import { NO_MEMBERS, votersOnly } from './membership.ts';
import { Raft } from './raft.ts';
import { Cluster } from './testing/cluster.ts';
import { testConfig } from './testing/config.ts';
import { ArrayLog, entriesOf, type SimNode } from './testing/node.ts';
import {
  ack,
  append,
  heartbeat,
  heartbeatReply,
  lead,
  only,
  preVote,
  preVoteReply,
  solo,
  timeoutNow,
  vote,
  voteReply,
} from './testing/solo.ts';
import type { Message } from './types.ts';

/** A replica of each role in term 2 over an empty log. */
function inRole(role: 'follower' | 'preCandidate' | 'candidate' | 'leader'): SimNode {
  if (role === 'leader') return lead(solo({ term: 1 }));
  const node = solo({ term: role === 'candidate' ? 1 : 2 });
  if (role !== 'follower') node.raft.campaign();
  node.settle();
  if (role === 'candidate') node.raft.step(preVoteReply(2, 2, true));
  node.flush();
  expect(node.status()).toMatchObject({ role, term: 2 });
  return node;
}

const ROLES = ['follower', 'preCandidate', 'candidate', 'leader'] as const;

describe('roles and terms', () => {
  it('C1 a fresh or restarted replica follows nobody, with term and vote from its disk', () => {
    const node = solo({ log: [1, 2], term: 5, vote: 3, commit: 1 });
    expect(node.status()).toMatchObject({ role: 'follower', leader: 0, term: 5, commit: 1 });
    node.raft.step(vote(2, 5, 9, 9));
    expect(only(node.flush(), 'voteReply')).toMatchObject([{ to: 2, granted: false }]);
    node.raft.step(vote(3, 5, 9, 9));
    expect(only(node.flush(), 'voteReply')).toMatchObject([{ to: 3, granted: true }]);
  });

  it.each(ROLES)('C2 a %s adopts a higher term; only a leader message tells the leader', (role) => {
    const snapshot = { index: 9, logTerm: 6, membership: votersOnly([1, 2, 3]) };
    for (const message of [
      heartbeat(3, 7),
      append(3, 7, [0, 0]),
      { type: 'snapshot', from: 3, to: 1, term: 7, ...snapshot } as const,
    ]) {
      const led = inRole(role);
      led.raft.step(message);
      expect(led.status()).toMatchObject({ role: 'follower', term: 7, leader: 3 });
    }
    const unled = inRole(role);
    unled.raft.step(ack(3, 7, 0));
    expect(unled.status()).toMatchObject({ role: 'follower', term: 7, leader: 0 });
    const asked = inRole(role);
    asked.raft.step(vote(3, 7, 9, 9, true));
    expect(asked.status()).toMatchObject({ role: 'follower', term: 7, leader: 0 });
  });

  it.each(ROLES)('C3 a %s is not changed by messages of a lower term', (role) => {
    const node = inRole(role);
    const before = node.status();
    const stale: Message[] = [
      append(3, 1, [0, 0], entriesOf([1])),
      heartbeat(3, 1, 0),
      vote(3, 1, 9, 9),
      voteReply(3, 1, true),
      preVoteReply(3, 1, true),
      ack(3, 1, 1),
      heartbeatReply(3, 1),
      timeoutNow(3, 1),
    ];
    for (const message of stale) node.raft.step(message);
    node.settle();
    expect(node.status()).toEqual(before);
  });

  it('C4 after the timeout a follower asks for pre-votes, a majority of which makes it candidate', () => {
    const node = solo({ log: [1, 1], voters: [1, 2, 3, 4, 5] });
    for (let i = 0; i < 63; i++) node.raft.tick();
    expect(node.status().role).toBe('follower');
    for (let i = 0; i < 17; i++) node.raft.tick();
    const asked = only(node.flush(), 'preVote');
    const ask = { term: 2, lastIndex: 2, lastTerm: 1 };
    expect(asked.slice(0, 4)).toMatchObject([2, 3, 4, 5].map((to) => ({ to, ...ask })));
    node.raft.step(preVoteReply(2, 2, true));
    expect(node.status().role).toBe('preCandidate');
    node.raft.step(preVoteReply(3, 2, true));
    expect(node.status()).toMatchObject({ role: 'candidate', term: 2 });
    expect(only(node.flush(), 'vote')).toMatchObject(
      [2, 3, 4, 5].map((to) => ({ to, ...ask, forced: false })),
    );
  });

  it('C5 the timeout is drawn anew at each turn, and every value of [min, max] comes up', () => {
    const node = solo();
    const seen = new Set<number>();
    for (let term = 1; term < 600; term++) {
      node.raft.step(heartbeat(2, term));
      node.flush();
      let ticks = 0;
      while (node.status().role === 'follower' && ticks < 200) {
        node.raft.tick();
        ticks++;
      }
      seen.add(ticks);
    }
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, i) => 64 + i));
  });

  it('C7 a leader sends heartbeats without entries at each interval', () => {
    const node = lead(solo());
    node.take();
    for (let i = 0; i < 9; i++) node.raft.tick();
    expect(node.flush()).toEqual([]);
    node.raft.tick();
    expect(node.flush()).toMatchObject([
      { type: 'heartbeat', to: 2, readContext: 0 },
      { type: 'heartbeat', to: 3, readContext: 0 },
    ]);
  });

  it('C10 a leader that is told to campaign does not', () => {
    const node = lead(solo());
    const before = node.status();
    node.take();
    node.raft.campaign();
    expect(node.status()).toEqual(before);
    expect(node.flush()).toEqual([]);
  });

  it('C13 messages from strangers, to others, or pretending to be own are ignored', () => {
    const node = inRole('candidate');
    node.raft.step(voteReply(9, 2, true));
    node.raft.step({ ...voteReply(2, 2, true), to: 3 });
    node.raft.step(heartbeat(1, 9));
    expect(node.status()).toMatchObject({ role: 'candidate', term: 2 });
  });

  it('a candidate that this log does not know yet is heard: its membership may be on the way', () => {
    const node = solo();
    node.raft.step(vote(9, 9, 9, 9));
    expect(node.flush()).toMatchObject([{ type: 'voteReply', to: 9, term: 9, granted: true }]);
  });

  it('refuses settings that are unsafe together', () => {
    const start = (overrides: object) =>
      new Raft(
        testConfig(1, [1, 2, 3], overrides),
        new ArrayLog(),
        { term: 0, vote: 0, commit: 0 },
        0,
      );
    expect(() => start({})).not.toThrow();
    const membership = { ...NO_MEMBERS, voters: [1, 3, 2] };
    expect(() => start({ membership })).toThrow('not ascending');
    expect(() => start({ self: 0 })).toThrow('self 0');
    expect(() => start({ voteRefusalTicks: 64 })).toThrow('candidacyTicksMin');
    expect(() => start({ heartbeatTicks: 31 })).toThrow('heartbeatTicks');
    expect(() => start({ maxInflightBytes: 1 })).toThrow('maxAppendBytes');
    expect(() => start({ preVoteRetryTicks: 0 })).toThrow('preVoteRetryTicks');
  });
});

describe('elections', () => {
  it('C14 in a healthy group one campaign makes a leader', () => {
    const c = new Cluster();
    c.elect(1);
    expect(c.status(1)).toMatchObject({ role: 'leader', term: 1 });
    for (const id of [2, 3])
      expect(c.status(id)).toMatchObject({ role: 'follower', leader: 1, term: 1 });
  });

  it.each([
    [3, 1, 'leader'],
    [3, 2, 'preCandidate'],
    [4, 2, 'preCandidate'],
    [5, 2, 'leader'],
  ])('C15 of %d servers %d down: %s', (size, down, role) => {
    const c = new Cluster({ size });
    for (let id = size; id > size - down; id--) c.crash(id);
    c.elect(1);
    expect(c.status(1).role).toBe(role);
    if (role === 'leader') return;
    c.tick(500, [1]);
    expect(c.status(1)).toMatchObject({ role, term: 0 });
  });

  it('C16 a single voter leads at once and commits after its own durable write', () => {
    const node = solo({ voters: [1] });
    node.raft.campaign();
    node.pump();
    expect(node.status().role).toBe('preCandidate');
    node.settle();
    expect(node.status()).toMatchObject({ role: 'leader', term: 1, commit: 1, applied: 1 });
  });

  it.each([
    [
      [1, 2, 3],
      [2, 3],
    ],
    [
      [1, 2, 3, 4, 5],
      [2, 3, 4],
    ],
  ])(
    'C17 C36 with voters %j, refusals of %j end the campaign in the same term',
    (voters, refusing) => {
      for (const pre of [true, false]) {
        const node = solo({ voters });
        node.raft.campaign();
        node.settle();
        if (!pre) for (const from of refusing) node.raft.step(preVoteReply(from, 1, true));
        node.settle();
        const { role, term } = node.status();
        expect(role).toBe(pre ? 'preCandidate' : 'candidate');
        for (const from of refusing) {
          expect(node.status().role).toBe(role); // pending so far
          node.raft.step(pre ? preVoteReply(from, term, false) : voteReply(from, term, false));
        }
        expect(node.status()).toMatchObject({ role: 'follower', term, leader: 0 });
      }
    },
  );

  it('C18 one vote a term, and again for the same candidate', () => {
    const node = solo();
    node.raft.step(vote(2, 1, 0, 0));
    node.raft.step(vote(3, 1, 5, 5));
    node.raft.step(vote(2, 1, 0, 0));
    expect(only(node.flush(), 'voteReply')).toMatchObject([
      { to: 2, term: 1, granted: true },
      { to: 3, term: 1, granted: false },
      { to: 2, term: 1, granted: true },
    ]);
    expect(node.disk.hard).toMatchObject({ term: 1, vote: 2 });
  });

  it.each([
    // own log [1, 2, 2]; candidate's (last term, last index)
    [2, 3, true],
    [2, 4, true],
    [2, 2, false],
    [1, 9, false],
    [3, 1, true],
  ])('C19 grants to (term %d, index %d): %s', (lastTerm, lastIndex, granted) => {
    const node = solo({ log: [1, 2, 2] });
    node.raft.step(vote(2, 3, lastTerm, lastIndex));
    expect(only(node.flush(), 'voteReply')).toMatchObject([{ granted, term: 3 }]);
    const asked = solo({ log: [1, 2, 2] });
    asked.raft.step(preVote(2, 3, lastTerm, lastIndex));
    expect(only(asked.flush(), 'preVoteReply')).toMatchObject([{ granted, term: granted ? 3 : 2 }]);
  });

  it.each(['candidate', 'leader'] as const)(
    'C20 a %s, having voted for itself, refuses others',
    (role) => {
      const node = inRole(role);
      node.take();
      node.raft.step(vote(2, 2, 9, 9));
      expect(only(node.flush(), 'voteReply')).toMatchObject([{ to: 2, granted: false, term: 2 }]);
      expect(node.status().role).toBe(role);
    },
  );

  it('C21 vote and term are durable before the vote reply leaves', () => {
    const node = solo();
    node.raft.step(vote(2, 4, 0, 0));
    const output = node.raft.takeOutput();
    expect(output.sendNow).toEqual([]);
    expect(output.mustSync).toBe(true);
    expect(output.hardState).toEqual({ term: 4, vote: 2, commit: 0 });
    expect(output.sendAfterDurable).toMatchObject([{ type: 'voteReply', granted: true }]);
  });

  // 1 and 3 campaign in one term; 2 votes for 1, crashes, returns, and is asked by 3.
  function voteCrashVote(skipDurability: boolean): Cluster {
    const c = new Cluster();
    c.node(2).skipDurability = skipDurability;
    c.hold = (message) => message.to === 3 || message.from === 3;
    c.elect(1);
    expect(c.status(1)).toMatchObject({ role: 'leader', term: 1 });
    c.crash(2);
    c.cut(1, 2);
    c.cut(1, 3);
    c.held = [];
    c.hold = () => false;
    c.restart(2);
    c.elect(3);
    return c;
  }

  it('C21 a voter that crashed after its reply does not vote again in that term', () => {
    const c = voteCrashVote(false);
    expect(c.status(1)).toMatchObject({ role: 'leader', term: 1 });
    expect(c.status(3).term === 1 && c.status(3).role === 'leader').toBe(false);
    c.heal();
    c.tick(300);
    expect(c.leader()).not.toBe(0);
  });

  it('C21 if the sync of vote and term before the reply is skipped, two leaders in one term appear', () => {
    expect(() => voteCrashVote(true)).toThrow('two leaders in term 1');
  });

  it('C21 vote requests wait for the disk too, or a lost tail could win with votes given to it', () => {
    // 1 holds an entry it has not synced, and asks for votes on the strength of it.
    const node = solo({ log: [1], term: 1 });
    node.raft.step(
      append(2, 1, [1, 1], [{ term: 1, index: 2, kind: 1, payload: new Uint8Array() }]),
    );
    node.raft.step(timeoutNow(2, 1));
    node.pump();
    expect(only(node.take(), 'vote')).toEqual([]);
    node.sync();
    expect(only(node.take(), 'vote')).toMatchObject([
      { to: 2, lastIndex: 2, term: 2 },
      { to: 3, lastIndex: 2, term: 2 },
    ]);
    expect(node.disk.hard.term).toBe(2);
    expect(node.disk.log.lastIndex()).toBe(2);
  });

  it('C22 the own vote counts once durable', () => {
    const node = solo();
    node.raft.step(timeoutNow(2, 0));
    node.pump();
    node.raft.step(voteReply(2, 1, true));
    expect(node.status().role).toBe('candidate');
    node.sync();
    expect(node.status().role).toBe('leader');
  });

  it('C22 a late own vote is nothing after the election is lost or the term has moved', () => {
    const lost = solo();
    lost.raft.step(timeoutNow(2, 0));
    lost.pump();
    lost.raft.step(heartbeat(3, 1));
    lost.settle();
    expect(lost.status()).toMatchObject({ role: 'follower', leader: 3, term: 1 });
    const moved = solo();
    moved.raft.step(timeoutNow(2, 0));
    moved.pump();
    moved.raft.step(heartbeat(3, 2));
    moved.raft.step(timeoutNow(3, 2));
    moved.pump();
    moved.sync(1); // the vote of term 1
    moved.raft.step(voteReply(2, 3, true));
    expect(moved.status()).toMatchObject({ role: 'candidate', term: 3 });
  });

  it('C22 the pre-vote for itself of a campaign that has moved on is not a vote', () => {
    const node = solo({ voters: [1, 2, 3] });
    node.raft.campaign();
    node.pump(); // the own pre-vote hangs at the disk
    node.raft.step(preVoteReply(2, 1, true));
    node.raft.step(preVoteReply(3, 1, true));
    expect(node.status()).toMatchObject({ role: 'candidate', term: 1 });
    node.sync(1);
    node.raft.step(voteReply(2, 1, true));
    expect(node.status().role).toBe('candidate');
    node.settle();
    expect(node.status().role).toBe('leader');
  });

  it.each([
    ['append', append(2, 2, [0, 0])],
    ['heartbeat', heartbeat(2, 2)],
  ])('C23 a candidate that gets an %s of its term follows the sender', (_, message) => {
    for (const role of ['candidate', 'preCandidate'] as const) {
      const node = inRole(role);
      node.raft.step(message);
      expect(node.status()).toMatchObject({ role: 'follower', term: 2, leader: 2 });
    }
  });

  it('C24 of two duelling candidates one wins, the other follows, and the logs meet', () => {
    const c = new Cluster();
    c.cut(1, 3);
    c.elect(1);
    c.elect(3);
    expect(c.status(1)).toMatchObject({ role: 'leader', term: 1 });
    expect(c.status(3)).toMatchObject({ role: 'follower', term: 1, leader: 0 });
    c.heal();
    c.tick(100);
    expect(c.leader()).toBe(1);
    expect(c.status(3)).toMatchObject({ role: 'follower', leader: 1, term: 1 });
    expect(c.log(3)).toEqual(c.log(1));
  });

  it('C25 a forced candidate with a stale log brings the leader down but does not win', () => {
    const c = new Cluster();
    c.isolate(3);
    c.elect(1);
    c.propose(1, 'a');
    c.settle();
    c.heal();
    c.node(3).raft.step({ type: 'timeoutNow', from: 1, to: 3, term: 1 });
    c.settle();
    expect(c.status(3)).toMatchObject({ role: 'follower', term: 2 });
    expect(c.leader()).toBe(0);
    c.tick(200);
    expect([1, 2]).toContain(c.leader());
    expect(c.applied(3).slice(0, 2)).toEqual(['1:', '1:a']);
  });

  it('C26 leadership goes round by transfers, and everybody follows', () => {
    const c = new Cluster();
    c.elect(1);
    for (const [from, to] of [
      [1, 2],
      [2, 3],
      [3, 1],
    ] as const) {
      c.node(from).raft.transferLeadership(to);
      c.settle();
      expect(c.leader()).toBe(to);
      for (const node of c.nodes) expect(node.status().leader).toBe(to);
    }
  });

  it('C27 a leader with older uncommitted entries overwrites newer ones of a minority', () => {
    // 1 won term 1, 2 won term 1's successor with nothing, 3 holds term 2: figure of the etcd test.
    const logs: Record<number, number[]> = { 1: [1], 2: [1], 3: [2], 4: [], 5: [] };
    const c = new Cluster({
      size: 5,
      nodes: (id) => ({
        entries: entriesOf(logs[id] as number[]),
        hard: { term: 2, vote: 3, commit: 0 },
      }),
    });
    c.elect(1); // 3 refuses: its log is newer
    expect(c.status(1)).toMatchObject({ role: 'leader', term: 3 });
    c.tick(20);
    for (const node of c.nodes) expect(c.log(node.id)).toEqual(['1:1', '3:']);
  });

  it('C30 a replica of a smaller term but with an equal log can win', () => {
    const c = new Cluster();
    c.elect(1);
    c.isolate(3);
    c.node(1).raft.transferLeadership(2);
    c.settle();
    c.tick(200, [3]);
    expect(c.status(3).term).toBe(1);
    c.crash(1);
    c.heal();
    c.tick(300);
    expect(c.leader()).not.toBe(0);
  });
});

describe('pre-votes', () => {
  it.each(ROLES)('C32 a %s that grants or sees a pre-vote keeps term, vote and timer', (role) => {
    const node = inRole(role);
    const before = node.status();
    const { vote: voted } = node.disk.hard;
    node.raft.step(preVote(3, 9, 9, 9));
    node.settle();
    expect(node.status()).toEqual(before);
    expect(node.disk.hard).toMatchObject({ term: 2, vote: voted });
  });

  it('C32 a pre-candidate keeps its term and vote', () => {
    const node = solo({ term: 3, vote: 2 });
    node.raft.campaign();
    node.settle();
    expect(node.disk.hard).toEqual({ term: 3, vote: 2, commit: 0 });
  });

  it('C32 granting does not put off the own campaign', () => {
    const node = solo();
    for (let i = 0; i < 80 && node.status().role === 'follower'; i++) {
      node.raft.step(preVote(2, 1, 0, 0));
      node.raft.tick();
    }
    expect(node.status().role).toBe('preCandidate');
  });

  it('C33 a grant echoes the term asked about, a refusal tells the own', () => {
    const node = solo({ log: [4], term: 4 });
    node.raft.step(preVote(2, 9, 4, 1));
    node.raft.step(preVote(3, 9, 3, 8));
    expect(only(node.flush(), 'preVoteReply')).toMatchObject([
      { to: 2, term: 9, granted: true },
      { to: 3, term: 4, granted: false },
    ]);
  });

  it('C34 C35 who was cut off, and is behind, disturbs nobody on return', () => {
    const c = new Cluster();
    c.elect(1);
    c.isolate(3);
    c.propose(1, 'a');
    c.tick(500);
    expect(c.status(3).role).toBe('preCandidate');
    c.heal();
    c.tick(100);
    expect(c.status(1)).toMatchObject({ role: 'leader', term: 1 });
    expect(c.status(3)).toMatchObject({ role: 'follower', leader: 1, term: 1 });
    expect(c.applied(3)).toEqual(['1:', '1:a']);
  });

  it('C37 late pre-vote replies are no votes', () => {
    const node = inRole('candidate');
    node.raft.step(preVoteReply(2, 2, true));
    node.raft.step(preVoteReply(3, 2, true));
    expect(node.status().role).toBe('candidate');
  });

  it('C38 a refusal with a higher term is adopted', () => {
    const node = inRole('preCandidate');
    node.raft.step(preVoteReply(3, 8, false));
    expect(node.status()).toMatchObject({ role: 'follower', term: 8, leader: 0 });
  });

  it('C39 a pre-vote of a lower term is answered with a refusal that tells the term', () => {
    const node = solo({ term: 5 });
    node.raft.step(preVote(2, 4, 9, 9));
    expect(node.flush()).toMatchObject([{ type: 'preVoteReply', to: 2, term: 5, granted: false }]);
  });

  it('a refused or unanswered pre-vote is asked again after about a round trip, then less often', () => {
    const node = solo({ config: { preVoteRetryTicks: 8 } });
    node.raft.campaign();
    node.flush();
    const gaps: number[] = [];
    for (let i = 0, gap = 0; i < 300; i++) {
      node.raft.tick();
      gap++;
      if (only(node.flush(), 'preVote').length === 0) continue;
      gaps.push(gap);
      gap = 0;
    }
    for (const [i, base] of [8, 16, 32, 64].entries()) {
      expect(gaps[i]).toBeGreaterThanOrEqual(base);
      expect(gaps[i]).toBeLessThanOrEqual(base + 4);
    }
    expect(Math.max(...gaps)).toBeLessThanOrEqual(80);
    const refused = solo({ config: { preVoteRetryTicks: 8 } });
    refused.raft.campaign();
    refused.settle();
    for (const from of [2, 3]) refused.raft.step(preVoteReply(from, 0, false));
    refused.flush();
    for (let i = 0; i < 12; i++) refused.raft.tick();
    expect(only(refused.flush(), 'preVote')).toHaveLength(2);
  });
});

describe('the leader checks its quorum', () => {
  it('C41 a leader that hears a quorum stays', () => {
    const c = new Cluster();
    c.elect(1);
    c.crash(3);
    c.tick(1000);
    expect(c.status(1)).toMatchObject({ role: 'leader', term: 1 });
  });

  it('C42 without a quorum it steps down in the same term, within two intervals', () => {
    const c = new Cluster();
    c.elect(1);
    c.isolate(1);
    let ticks = 0;
    while (c.status(1).role === 'leader' && ticks < 200) {
      c.tick(1, [1]);
      ticks++;
    }
    expect(ticks).toBeGreaterThanOrEqual(60);
    expect(ticks).toBeLessThanOrEqual(120);
    expect(c.status(1)).toMatchObject({ role: 'follower', term: 1, leader: 0 });
  });

  it('C42 a leader, or a candidate, that steps down in its term keeps its vote', () => {
    const leader = lead(solo());
    for (let i = 0; i < 60; i++) leader.raft.tick();
    const candidate = inRole('candidate');
    for (const from of [2, 3]) candidate.raft.step(voteReply(from, 2, false));
    for (const node of [leader, candidate]) {
      const { role, term } = node.status();
      expect(role).toBe('follower');
      node.flush();
      node.raft.step(vote(3, term, 9, 9));
      expect(only(node.flush(), 'voteReply')).toMatchObject([{ to: 3, granted: false }]);
    }
  });

  it('C43 who heard a leader lately ignores campaigns, unless forced by that leader', () => {
    const node = solo({ term: 1 });
    node.raft.step(heartbeat(2, 1));
    node.flush();
    for (let i = 0; i < 59; i++) node.raft.tick();
    node.raft.step(preVote(3, 2, 9, 9));
    node.raft.step(vote(3, 2, 9, 9));
    expect(node.flush()).toEqual([]);
    expect(node.status()).toMatchObject({ term: 1, leader: 2 });
    node.raft.step(vote(3, 2, 9, 9, true));
    expect(only(node.flush(), 'voteReply')).toMatchObject([{ to: 3, granted: true, term: 2 }]);
  });

  it('C43 the leader that a voter follows is not refused', () => {
    const node = solo({ term: 1 });
    node.raft.step(heartbeat(2, 1));
    node.flush();
    node.raft.step(preVote(2, 2, 1, 1));
    node.raft.step(vote(2, 2, 1, 1));
    expect(node.flush()).toMatchObject([
      { type: 'preVoteReply', granted: true },
      { type: 'voteReply', granted: true },
    ]);
  });

  it('C43 a live leader ignores campaigns', () => {
    const node = lead(solo());
    node.take();
    node.raft.step(vote(3, 9, 9, 9));
    node.raft.step(preVote(3, 9, 9, 9));
    expect(node.flush()).toEqual([]);
    expect(node.status()).toMatchObject({ role: 'leader', term: 1 });
  });

  it('C44 silence of exactly the threshold counts as expired', () => {
    const node = solo({ term: 1 });
    node.raft.step(heartbeat(2, 1));
    node.flush();
    for (let i = 0; i < 60; i++) node.raft.tick();
    node.raft.step(vote(3, 2, 9, 9));
    expect(only(node.flush(), 'voteReply')).toMatchObject([{ to: 3, granted: true }]);
  });

  it('C44 C143 after the loss of a leader the survivor of the near zone wins, in the first term', () => {
    for (let seed = 1; seed < 20; seed++) {
      const c = new Cluster({
        config: (id) => ({
          ...(id === 3 ? { candidacyTicksMin: 200, candidacyTicksMax: 260 } : {}),
          random: () => (seed * 0x9e3779b1 * id) >>> 0,
        }),
      });
      c.elect(1);
      c.tick(seed);
      c.crash(1);
      c.tick(80 + 12);
      expect(c.status(2)).toMatchObject({ role: 'leader', term: 2 });
    }
  });

  it('C45 voters that have begun to campaign themselves may replace a live leader', () => {
    const c = new Cluster();
    c.elect(1);
    c.cut(1, 2);
    c.cut(1, 3);
    c.drop = ({ from, to }) => from + to === 5; // 2 and 3 do not hear each other either
    c.tick(81, [2, 3]);
    expect([c.status(2).role, c.status(3).role]).toEqual(['preCandidate', 'preCandidate']);
    c.drop = () => false;
    c.elect(2);
    expect(c.status(2)).toMatchObject({ role: 'leader', term: 2 });
    expect(c.status(1)).toMatchObject({ role: 'leader', term: 1 });
    c.heal();
    c.tick(10);
    expect(c.status(1)).toMatchObject({ role: 'follower', leader: 2 });
  });

  it('C46 a replica stuck in a higher term frees itself by answering the leader', () => {
    const c = new Cluster({
      nodes: (id) => ({ hard: { term: id === 3 ? 5 : 1, vote: 0, commit: 0 } }),
    });
    c.isolate(3);
    c.elect(1);
    c.heal();
    c.tick(300);
    const leader = c.leader();
    expect(c.status(leader).term).toBeGreaterThan(5);
    for (const node of c.nodes) expect(node.status().leader).toBe(leader);
  });

  it('C49 who knows its leader dead grants pre-votes and campaigns at once', () => {
    const c = new Cluster();
    c.elect(1);
    c.crash(1);
    c.node(2).raft.forgetLeader(3); // not the one it follows
    expect(c.status(2).leader).toBe(1);
    for (const id of [2, 3]) c.node(id).raft.forgetLeader(1);
    expect(c.status(2)).toMatchObject({ role: 'follower', leader: 0, term: 1 });
    c.elect(2);
    expect(c.status(2)).toMatchObject({ role: 'leader', term: 2 });
    c.node(2).raft.forgetLeader(2);
    expect(c.status(2).role).toBe('leader');
  });

  it('C144 with any one link cut, either way or both, one leader stays and terms stop growing', () => {
    for (const [a, b] of [
      [1, 2],
      [1, 3],
      [2, 3],
      [2, 1],
      [3, 1],
      [3, 2],
    ] as const) {
      for (const both of [true, false]) {
        const c = new Cluster();
        c.elect(1);
        if (both) c.cut(a, b);
        else c.cutOneWay(a, b);
        c.tick(400);
        const { highestTerm } = c.checker;
        expect(highestTerm).toBeLessThanOrEqual(3);
        c.tick(600);
        expect(c.checker.highestTerm).toBe(highestTerm);
        const leader = c.leader();
        expect(c.propose(leader, 'x')).toHaveProperty('index');
        c.tick(30);
        expect(c.applied(leader).at(-1)).toMatch(/:x$/);
      }
    }
  });
});

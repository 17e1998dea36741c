/** Every membership of up to five servers, and every change from it: against trying all sets of servers. */
import { describe, expect, it } from 'vitest';
import {
  changeTo,
  decodeMembership,
  encodeMembership,
  enterJoint,
  isJoint,
  leaveJoint,
  membersOf,
  simpleChange,
  voterSetsOf,
  whyInvalid,
} from './membership.ts';
import { quorumsMeet } from './testing/quorums.ts';
import type { Membership, ServerId } from './types.ts';

const IDS = [1, 2, 3, 4, 5];

/** Each server is a voter, a learner or neither: all 3^5 ways, told by voters and learners. */
const TARGETS = ways(3).map((way) => ({ voters: those(way, 1), learners: those(way, 2) }));
const PLAIN: readonly Membership[] = TARGETS.filter(({ voters }) => voters.length > 0).map(
  ({ voters, learners }) => ({ voters, outgoing: [], learners, learnersNext: [] }),
);

function ways(kinds: number): number[][] {
  return Array.from({ length: kinds ** IDS.length }, (_, n) =>
    IDS.map((_, i) => Math.floor(n / kinds ** i) % kinds),
  );
}

function those(way: readonly number[], kind: number): ServerId[] {
  return IDS.filter((_, i) => way[i] === kind);
}

function meet(one: Membership, other: Membership): boolean {
  const key = [one.voters, one.outgoing, other.voters, other.outgoing].join('|');
  let found = MEET.get(key);
  if (found === undefined) {
    found = quorumsMeet(voterSetsOf(one), voterSetsOf(other));
    MEET.set(key, found);
  }
  return found;
}
const MEET = new Map<string, boolean>();

const differing = (one: readonly ServerId[], other: readonly ServerId[]): number =>
  one.filter((id) => !other.includes(id)).length + other.filter((id) => !one.includes(id)).length;

describe('membership changes among five servers, all of them', () => {
  it('C108 C109 go by one step or two, and every majority before a step meets every one after it', () => {
    for (const current of PLAIN) {
      for (const target of TARGETS) {
        const change = changeTo(current, target);
        if ('invalid' in change) {
          if (target.voters.length > 0) expect([current, target, change]).toBe('legal');
          continue;
        }
        const first = change.membership;
        // Simple if at most one voter changes, else joint.
        if (isJoint(first) !== differing(current.voters, target.voters) > 1)
          expect([current, target, first]).toBe('by another way');
        if (!meet(current, first)) expect([current, first]).toBe('sharing quorums');
        if (!isJoint(first)) {
          if (!reaches(first, target)) expect([current, target, first]).toBe('as asked');
          continue;
        }
        const left = leaveJoint(first);
        if ('invalid' in left || !reaches(left.membership, target) || !meet(first, left.membership))
          expect([current, first, left]).toBe('left as asked');
      }
    }
  });

  it('C108 a simple change is refused if majorities could miss each other, or nobody would vote', () => {
    for (const current of PLAIN) {
      for (const target of TARGETS) {
        const legal = target.voters.length > 0 && differing(current.voters, target.voters) <= 1;
        const change = simpleChange(current, target);
        if ('membership' in change !== legal) expect([current, target, change]).toBe('so');
        if ('membership' in change && !meet(current, change.membership))
          expect([current, change]).toBe('sharing quorums');
      }
    }
  });

  it('C109 C111 a joint membership is valid, keeps outgoing voters out of the learners, and lets no other in', () => {
    for (const current of PLAIN) {
      for (const target of TARGETS) {
        const change = enterJoint(current, target);
        if ('invalid' in change) continue;
        const { membership } = change;
        if (whyInvalid(membership) !== null) expect(membership).toBe('valid');
        const { outgoing, learners, learnersNext } = membership;
        if (outgoing !== current.voters) expect([current, membership]).toBe('joint with it');
        if (learners.some((id) => outgoing.includes(id))) expect(membership).toBe('apart');
        const all = [...learners, ...learnersNext].sort((a, b) => a - b);
        if (String(all) !== String(target.learners)) expect([target, membership]).toBe('as asked');
        if (!('invalid' in changeTo(membership, target)))
          expect(membership).toBe('closed to changes');
      }
    }
  });

  it('come back from their bytes as they were', () => {
    const joint = PLAIN.flatMap((current) => {
      const change = enterJoint(current, { voters: [1, 3, 5], learners: [2] });
      return 'membership' in change ? [change.membership] : [];
    });
    for (const membership of [...PLAIN, ...joint]) {
      const back = decodeMembership(encodeMembership(membership));
      if (JSON.stringify(back) !== JSON.stringify(membership)) expect(back).toEqual(membership);
    }
    expect(joint.length).toBeGreaterThan(100);
  });
});

/** Members as asked; asked to be both, nobody is. */
function reaches(membership: Membership, target: { voters: ServerId[]; learners: ServerId[] }) {
  return (
    !isJoint(membership) &&
    String(membership.voters) === String(target.voters) &&
    String(membership.learners) === String(target.learners) &&
    membersOf(membership).length === target.voters.length + target.learners.length
  );
}

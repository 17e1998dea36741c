import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isQuorum, majority, quorumReached, type VoterSets, voteOutcome } from './quorum.ts';

const voters = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 7 });
const sets = fc.oneof(
  voters.map((set) => [set]),
  fc.tuple(voters, voters),
);

/** Every subset of `ids` that is a quorum of `sets`, the slow way: more than half of each. */
function quorums(of: VoterSets): number[][] {
  const ids = [...new Set(of.flat())];
  const found: number[][] = [];
  for (let mask = 0; mask < 1 << ids.length; mask++) {
    const members = ids.filter((_, i) => (mask & (1 << i)) !== 0);
    const agrees = of.every(
      (set) => set.length === 0 || 2 * set.filter((id) => members.includes(id)).length > set.length,
    );
    if (agrees) found.push(members);
  }
  return found;
}

describe('quorum', () => {
  it('C51 a majority is more than half', () => {
    expect([1, 2, 3, 4, 5, 6, 7].map(majority)).toEqual([1, 2, 2, 3, 3, 4, 4]);
  });

  it('C53 C110 the index reached is the best that any quorum has in common', () => {
    fc.assert(
      fc.property(sets, fc.array(fc.nat(20), { minLength: 10, maxLength: 10 }), (of, match) => {
        const reached = (id: number) => match[id] ?? 0;
        const best = quorums(of).map((members) =>
          Math.min(Number.MAX_SAFE_INTEGER, ...members.map(reached)),
        );
        expect(quorumReached(of, reached)).toBe(Math.max(...best));
      }),
    );
  });

  it('C17 C110 an election is won by a quorum of grants, and lost once no quorum can be had', () => {
    const ballots = fc.array(fc.option(fc.boolean(), { nil: undefined }), {
      minLength: 10,
      maxLength: 10,
    });
    fc.assert(
      fc.property(sets, ballots, (of, ballot) => {
        const all = quorums(of);
        const won = all.some((members) => members.every((id) => ballot[id] === true));
        const possible = all.some((members) => members.every((id) => ballot[id] !== false));
        expect(voteOutcome(of, (id) => ballot[id])).toBe(
          won ? 'won' : possible ? 'pending' : 'lost',
        );
        expect(isQuorum(of, (id) => ballot[id] === true)).toBe(won);
      }),
    );
  });

  it('any two quorums of one configuration meet', () => {
    fc.assert(
      fc.property(sets, (of) => {
        if (of.every((set) => set.length === 0)) return;
        const all = quorums(of);
        for (const a of all) for (const b of all) expect(a.some((id) => b.includes(id))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

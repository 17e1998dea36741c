/** Every configuration of up to five voters, single and joint, against the slow way of counting. */
import { describe, expect, it } from 'vitest';
import { isQuorum, quorumReached, type VoterSets, voteOutcome } from './quorum.ts';

const IDS = [1, 2, 3, 4, 5];
const ALL = (1 << IDS.length) - 1;

const members = (mask: number): number[] => IDS.filter((_, i) => (mask & (1 << i)) !== 0);

function bits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
}

interface Configuration {
  readonly masks: readonly number[];
  readonly sets: VoterSets;
  /** Each set of servers, as a mask, that holds more than half of every set of voters. */
  readonly quorums: readonly number[];
}

/** All sets of voters by themselves, and all pairs; an empty one is what a plain group joins with. */
const CONFIGURATIONS: readonly Configuration[] = [
  ...range(ALL + 1).map((mask) => configuration([mask])),
  ...range(ALL + 1).flatMap((mask) => range(ALL + 1).map((other) => configuration([mask, other]))),
];

function range(end: number): number[] {
  return Array.from({ length: end }, (_, i) => i);
}

function configuration(masks: readonly number[]): Configuration {
  const agrees = (with_: number) =>
    masks.every((mask) => mask === 0 || 2 * bits(mask & with_) > bits(mask));
  return { masks, sets: masks.map(members), quorums: range(ALL + 1).filter(agrees) };
}

/** All rows of five values below `base`. */
function rows(base: number): number[][] {
  return range(base ** IDS.length).map((n) => IDS.map((_, i) => Math.floor(n / base ** i) % base));
}

describe('quorums of up to five voters, all of them', () => {
  it('C53 C110 the index reached is the best that any quorum has in common', () => {
    const acks = rows(3);
    for (const { sets, quorums } of CONFIGURATIONS) {
      for (const match of acks) {
        let best = 0;
        for (const quorum of quorums) {
          let common = Number.MAX_SAFE_INTEGER;
          for (let i = 0; i < IDS.length; i++)
            if ((quorum & (1 << i)) !== 0) common = Math.min(common, match[i] as number);
          best = Math.max(best, common);
        }
        const reached = quorumReached(sets, (id) => match[id - 1] as number);
        if (reached !== best)
          expect({ sets, match, reached }).toEqual({ sets, match, reached: best });
      }
    }
  });

  it('C17 C110 votes are won, lost or open as no future answer can change', () => {
    const ballots = rows(3).map((row) => ({
      granted: mask(row, 1),
      notRefused: ALL & ~mask(row, 2),
      row,
    }));
    for (const { sets, quorums } of CONFIGURATIONS) {
      for (const { granted, notRefused, row } of ballots) {
        const won = quorums.some((quorum) => (quorum & ~granted) === 0);
        const possible = quorums.some((quorum) => (quorum & ~notRefused) === 0);
        const expected = won ? 'won' : possible ? 'pending' : 'lost';
        const found = voteOutcome(sets, (id) => [undefined, true, false][row[id - 1] as number]);
        if (found !== expected)
          expect({ sets, row, found }).toEqual({ sets, row, found: expected });
        const has = isQuorum(sets, (id) => row[id - 1] === 1);
        if (has !== won) expect({ sets, row, has }).toEqual({ sets, row, has: won });
      }
    }
  });

  it('any two quorums of one configuration meet', () => {
    for (const { sets, masks, quorums } of CONFIGURATIONS) {
      if (masks.every((one) => one === 0)) continue;
      for (const a of quorums) for (const b of quorums) if ((a & b) === 0) expect(sets).toBe('met');
    }
  });
});

function mask(row: readonly number[], value: number): number {
  return row.reduce((found, one, i) => (one === value ? found | (1 << i) : found), 0);
}

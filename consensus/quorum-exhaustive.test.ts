/** Every configuration of up to five voters, single and joint, against the slow way of counting. */
import { describe, expect, it } from 'vitest';
import {
  isQuorum,
  quorumReached,
  quorumReachedInZones,
  type VoterSets,
  voteOutcome,
} from './quorum.ts';

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

/** The least of what the members of `mask` have reached. */
function lowest(mask: number, match: readonly number[]): number {
  let found = Number.MAX_SAFE_INTEGER;
  for (let i = 0; i < IDS.length; i++)
    if ((mask & (1 << i)) !== 0) found = Math.min(found, match[i] as number);
  return found;
}

function zonesOf(mask: number, zones: readonly number[]): number {
  return new Set(members(mask).map((id) => zones[id - 1])).size;
}

/** One of those rows of zones that differ in the numbers alone: the one that counts them up from 0. */
function isFirstOfItsKind(zones: readonly number[]): boolean {
  return zones.every((zone, i) => zone <= 1 + Math.max(-1, ...zones.slice(0, i)));
}

/** Plain ones, and the joint ones of which the smaller half begins at server 1: others differ in names alone. */
const SOME = CONFIGURATIONS.filter(
  ({ masks }) => masks.some((mask) => mask !== 0) && isOneOfMany(masks),
);

/** Servers in both halves first, then those of the first, then of the second: every shape once. */
function isOneOfMany(masks: readonly number[]): boolean {
  const [one = 0, other = 0] = masks;
  const rank = (i: number) => {
    const inOne = (one & (1 << i)) !== 0;
    const inOther = (other & (1 << i)) !== 0;
    return inOne && inOther ? 0 : inOne ? 1 : inOther ? 2 : 3;
  };
  return IDS.every((_, i) => i === 0 || rank(i) >= rank(i - 1));
}

describe('quorums of up to five voters, all of them', () => {
  it('C53 C110 the index reached is the best that any quorum has in common', () => {
    const acks = rows(3);
    for (const { sets, quorums } of CONFIGURATIONS) {
      for (const match of acks) {
        let best = 0;
        for (const quorum of quorums) best = Math.max(best, lowest(quorum, match));
        const reached = quorumReached(sets, (id) => match[id - 1] as number);
        if (reached !== best)
          expect({ sets, match, reached }).toEqual({ sets, match, reached: best });
      }
    }
  });

  it('a commit also rests on two zones, wherever the servers stand', () => {
    const acks = rows(3);
    const zoneRows = rows(5).filter(isFirstOfItsKind);
    expect(zoneRows).toHaveLength(52); // the ways to part five servers
    for (const { sets, masks, quorums } of SOME) {
      for (const zones of zoneRows) {
        const inTwoZones = quorums.filter((quorum) =>
          masks.every((mask) => zonesOf(mask & quorum, zones) >= Math.min(2, zonesOf(mask, zones))),
        );
        for (const match of acks) {
          let best = 0;
          for (const quorum of inTwoZones) best = Math.max(best, lowest(quorum, match));
          const reached = quorumReachedInZones(
            sets,
            (id) => match[id - 1] as number,
            (id) => zones[id - 1] as number,
          );
          if (reached !== best)
            expect({ sets, zones, match, reached }).toEqual({ sets, zones, match, reached: best });
        }
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

/** All ways in which three to five servers can be linked (a bank stood six hours over one of them in 2020). */
import { describe, expect, it } from 'vitest';
import { Cluster } from './testing/cluster.ts';
import { seeded } from './testing/config.ts';

type Link = readonly [number, number];

const SHAPES = [
  [3, 4],
  [4, 11],
  [5, 34],
] as const;

/** Graphs of `size` servers, one of each shape. */
function shapes(size: number): Link[][] {
  const pairs: Link[] = [];
  for (let a = 1; a <= size; a++) for (let b = a + 1; b <= size; b++) pairs.push([a, b]);
  const orders = permutations(size);
  const found = new Map<string, Link[]>();
  for (let mask = 0; mask < 2 ** pairs.length; mask++) {
    const links = pairs.filter((_, i) => (mask & (1 << i)) !== 0);
    const has = new Set(links.flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`]));
    const names = orders.map((order) =>
      pairs.map(([a, b]) => (has.has(`${order[a - 1]} ${order[b - 1]}`) ? 1 : 0)).join(''),
    );
    const name = names.reduce((one, other) => (one > other ? one : other));
    if (!found.has(name)) found.set(name, links);
  }
  return [...found.values()];
}

function permutations(size: number): number[][] {
  if (size === 0) return [[]];
  return permutations(size - 1).flatMap((order) =>
    Array.from({ length: size }, (_, i) => [...order.slice(0, i), size, ...order.slice(i)]),
  );
}

/** Some server reaches a majority, itself included. */
function hasHub(size: number, links: readonly Link[]): boolean {
  return Array.from({ length: size }, (_, i) => i + 1).some(
    (id) => 2 * (1 + links.filter((link) => link.includes(id)).length) > size,
  );
}

describe('partial connectivity', () => {
  it.each(SHAPES)(
    'C144 of %d servers, in all %d shapes: a leader commits if any server reaches a majority, and terms stand still',
    (size, count) => {
      const all = shapes(size);
      expect(all).toHaveLength(count);
      for (const links of all) {
        for (let first = 1; first <= size; first++) {
          const config = (id: number) => ({ random: seeded(31 * first + id) });
          const cluster = new Cluster({ size, config });
          cluster.elect(first);
          cluster.propose(first, 'sent to nobody');
          for (let a = 1; a <= size; a++) {
            for (let b = a + 1; b <= size; b++)
              if (!links.some((link) => link[0] === a && link[1] === b)) cluster.cut(a, b);
          }
          cluster.tick(300);
          const { highestTerm } = cluster.checker;
          cluster.tick(150);
          expect([links, first, cluster.checker.highestTerm]).toEqual([links, first, highestTerm]);
          expect([links, first, commits(cluster)]).toEqual([links, first, hasHub(size, links)]);
        }
      }
    },
  );
});

function commits(cluster: Cluster): boolean {
  const leader = cluster.leader();
  if (leader === 0) return false;
  const proposed = cluster.propose(leader, 'x');
  cluster.tick(60);
  return 'index' in proposed && cluster.status(leader).commit >= proposed.index;
}

import { describe, expect, it } from 'vitest';
import type { ServerId } from '../consensus/types.ts';
import type { Group } from '../server/core/group.ts';
import { World } from './world.ts';

const SECOND_US = 1_000_000;
const MS_US = 1_000;
/** For a silent zone (design, 13). */
const FAILOVER_MS_MAX = 800;

/** Zones hz1 and hz2 of one city, sh1 of another. */
const HZ1: ServerId = 1;
const HZ2: ServerId = 2;
const SH1: ServerId = 3;
const ALL: readonly ServerId[] = [HZ1, HZ2, SH1];

function groups(world: World, server: ServerId): readonly Group[] {
  const { registry, units } = world.host(server).server!;
  return [registry.group, ...units.map((unit) => unit.group)];
}

/** Whether the server serves each group. */
const serves = (world: World, server: ServerId): boolean[] =>
  groups(world, server).map(({ serving }) => serving);

/** The highest term of each group. */
function terms(world: World): number[] {
  const all = ALL.map((id) => groups(world, id).map(({ raft }) => raft.term));
  return all[0]!.map((_, i) => Math.max(...all.map((of) => of[i]!)));
}

describe('zones that do not all reach each other', () => {
  it.each([
    [HZ1, HZ2, 'both ways'],
    [HZ1, SH1, 'both ways'],
    [HZ2, SH1, 'both ways'],
    [HZ1, HZ2, 'one way'],
    [HZ2, HZ1, 'one way'],
    [HZ1, SH1, 'one way'],
    [SH1, HZ1, 'one way'],
    [HZ2, SH1, 'one way'],
    [SH1, HZ2, 'one way'],
  ])(
    'C144 with %d to %d cut, %s, each group has one leader and terms stop growing',
    (from, to, how) => {
      const world = new World({ seed: 7, units: 6 });
      const { network, scheduler } = world;
      world.start();
      scheduler.run(2 * SECOND_US);
      network.cut(from, to);
      if (how === 'both ways') network.cut(to, from);
      scheduler.run(7 * SECOND_US);
      const before = terms(world);
      expect(Math.max(...before)).toBeLessThanOrEqual(3);
      scheduler.run(20 * SECOND_US);
      expect(terms(world)).toEqual(before);
      for (const i of before.keys())
        expect(ALL.filter((id) => serves(world, id)[i])).toHaveLength(1);
    },
  );
});

describe('a zone that falls silent', () => {
  it.each([1, 2, 3])(
    'C143 leaves its groups to the other zone of the city, all in time (seed %d)',
    (seed) => {
      const world = new World({ seed, units: 32 });
      const { network, scheduler } = world;
      world.start();
      scheduler.run(7 * SECOND_US);
      const lost = serves(world, HZ1).filter(Boolean).length > 16 ? HZ1 : HZ2;
      const stays = lost === HZ1 ? HZ2 : HZ1;
      const led = serves(world, lost);
      const before = terms(world);
      expect(led.filter(Boolean).length).toBeGreaterThanOrEqual(16);
      for (const id of ALL) {
        network.cut(id, lost);
        network.cut(lost, id);
      }
      const startUs = scheduler.nowUs;
      while (!serves(world, stays).every(Boolean)) {
        scheduler.run(scheduler.nowUs + 10 * MS_US);
        expect((scheduler.nowUs - startUs) / MS_US).toBeLessThan(FAILOVER_MS_MAX);
        // Whoever votes for it makes it leader: that the remote zone leads nothing is seen at every step.
        expect(groups(world, SH1).filter(({ raft }) => raft.role !== 'follower')).toEqual([]);
      }
      scheduler.run(scheduler.nowUs + 2 * SECOND_US);
      for (const [i, term] of terms(world).entries())
        expect(term).toBe(before[i]! + (led[i] === true ? 1 : 0));
    },
  );
});

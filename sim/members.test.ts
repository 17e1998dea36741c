import { describe, expect, it, vi } from 'vitest';
import { votersOnly } from '../consensus/membership.ts';
import type { ClusterChange } from '../server/core/cluster-change.ts';
import type { ServerPlace } from '../server/core/topology.ts';
import { findFaults, settled } from './checks.ts';
import { Workload } from './workload.ts';
import { World, type WorldOptions } from './world.ts';

const seed = Number(process.env.EVENKEEL_SEED ?? 1) >>> 0;
const SECOND_US = 1_000_000;
// Simulated minutes, on a machine that does other things too.
vi.setConfig({ testTimeout: 120_000 });
const place = (id: number, zone: string): Required<ServerPlace> => ({
  id,
  zone,
  address: `127.0.0.1:${7400 + id}`,
  peerAddress: `127.0.0.1:${7500 + id}`,
});
const TWO_TWO_ONE = [1, 2, 3, 4, 5].map((id) =>
  place(id, ['hz1', 'hz1', 'hz2', 'hz2', 'sh1'][id - 1]!),
);

function start({ clients = 4, ...options }: Partial<WorldOptions> & { clients?: number } = {}) {
  const world = new World({ seed, units: 3, ...options });
  const workload = new Workload(world, seed, 40);
  world.start();
  workload.createAccounts();
  run(world, 'accounts', () => workload.accountsCreated);
  workload.start(clients);
  return { world, workload };
}

function run(world: World, what: string, until: () => boolean, seconds = 60): void {
  const { scheduler } = world;
  scheduler.run(scheduler.nowUs + seconds * SECOND_US, until);
  if (!until()) throw new Error(`not within ${seconds} s: ${what}`);
}

function pause(world: World, seconds: number): void {
  world.scheduler.run(world.scheduler.nowUs + seconds * SECOND_US, () => false);
}

function change(world: World, asked: ClusterChange): string {
  let answer: string | null = null;
  const host = world.hosts.find(({ server }) => server !== null)!;
  host.server!.changes.make(asked, (error) => {
    answer = error === null ? 'done' : error.code;
  });
  run(world, asked.change, () => answer !== null);
  return answer!;
}

/** The groups of a server, the registry's too. */
const groups = (world: World, id: number) => {
  const { registry, units } = world.host(id).server!;
  return [registry.group, ...units.map(({ group }) => group)];
};
const running = (world: World) => world.hosts.filter(({ server }) => server !== null);
const leads = (world: World, id: number) =>
  groups(world, id).filter((group) => group.serving).length;
const voters = (world: World, through: number) =>
  groups(world, through).map(({ raft }) => raft.membership);
const allAre = (world: World, through: number, ids: readonly number[]) =>
  voters(world, through).every(
    (membership) => JSON.stringify(membership) === JSON.stringify(votersOnly(ids)),
  );

function finish(world: World, workload: Workload): string[] {
  workload.stop();
  run(world, 'all answered', () => workload.idle);
  run(world, 'all books equal', () => settled(world));
  return findFaults(world, workload.bookings);
}

describe('members', () => {
  it('a new server catches up under load, votes by itself, and takes the place of one that goes', () => {
    const { world, workload } = start({ later: [place(4, 'hz1')] });
    run(world, '300 transfers', () => workload.answered >= 300);
    world.startLater(4);
    expect(change(world, { change: 'addServer', server: place(4, 'hz1') })).toBe('done');
    run(world, 'its vote', () => allAre(world, 2, [1, 2, 3, 4]) && allAre(world, 4, [1, 2, 3, 4]));
    expect(change(world, { change: 'removeServers', ids: [1] })).toBe('done');
    run(world, 'the removal', () => allAre(world, 4, [2, 3, 4]) && leads(world, 1) === 0);
    const before = workload.answered;
    world.kill(1);
    run(world, '200 transfers more', () => workload.answered >= before + 200);
    world.kill(2);
    run(world, '100 without a server of the first', () => workload.answered >= before + 300);
    world.restart(2);
    workload.stop();
    run(world, 'all answered', () => workload.idle);
    const level = () => {
      const indexes = [2, 3, 4].map((id) =>
        world
          .host(id)
          .server!.units.map(({ machine }) => machine.index)
          .join(),
      );
      return new Set(indexes).size === 1;
    };
    run(world, 'the same index', level);
    const digests = [2, 3, 4].map((id) =>
      world
        .host(id)
        .server!.units.map(({ machine }) => machine.digest)
        .join(),
    );
    expect(new Set(digests).size).toBe(1);
  });

  it('a new server whose peers have compacted their logs gets their books, and votes by itself', () => {
    const installed: string[] = [];
    const { world, workload } = start({
      later: [place(4, 'hz1')],
      server: { logKeepBytes: 6 << 10 },
      log: (_us, server, _level, text) => {
        if (server === 4 && text.includes('books installed')) installed.push(text);
      },
    });
    const compacted = (id: number) =>
      world.host(id).server!.units.every(({ firstLogIndex }) => firstLogIndex > 1);
    run(world, 'compaction', () => [1, 2, 3].every(compacted));
    world.startLater(4);
    expect(change(world, { change: 'addServer', server: place(4, 'hz1') })).toBe('done');
    run(world, 'its vote', () => allAre(world, 2, [1, 2, 3, 4]) && allAre(world, 4, [1, 2, 3, 4]));
    expect(installed.length).toBeGreaterThanOrEqual(3);
    expect(finish(world, workload)).toEqual([]);
  });

  it('refuses what would be wrong or unsafe, with the reason', () => {
    const { world, workload } = start({ later: [place(4, 'sh1')] });
    workload.stop();
    const add = (server: ServerPlace) => change(world, { change: 'addServer', server });
    const remove = (...ids: number[]) => change(world, { change: 'removeServers', ids });
    expect(add(place(2, 'hz2'))).toBe('member_exists');
    expect(add(place(4, 'nowhere'))).toBe('zone_unknown');
    expect(remove(9)).toBe('member_unknown');
    expect(remove(1, 2)).toBe('quorum_at_risk');
    expect(remove(1, 2, 3)).toBe('last_voter');
    expect(change(world, { change: 'drainZone', zone: 'nowhere' })).toBe('zone_unknown');
    world.kill(3);
    pause(world, 2);
    expect(remove(1)).toBe('quorum_at_risk');
    expect(change(world, { change: 'drainZone', zone: 'hz1' })).toBe('quorum_at_risk');
    expect(remove(3)).toBe('done');
    run(world, 'the removal', () => allAre(world, 1, [1, 2]));
    expect(add(place(3, 'sh1'))).toBe('server_id_used');
    expect(add(place(4, 'sh1'))).toBe('done');
    expect(add(place(5, 'sh1'))).toBe('change_in_flight');
    // It was never started: nobody waits for it for ever.
    pause(world, 1);
    expect(remove(4)).toBe('done');
    run(world, 'its removal', () => allAre(world, 1, [1, 2]));
    expect(add(place(5, 'sh1'))).toBe('done');
  });

  it.each([[[1, 1, 0]], [[1, 1, 1]]] as const)(
    'a drained zone leads nothing, loses no request, and leads its share again: weights %j',
    (leaderWeights) => {
      const { world, workload } = start({ leaderWeights, units: 6, clients: 1 });
      const share = 6 / leaderWeights.filter((weight) => weight > 0).length;
      const unitsLed = (id: number) =>
        world.host(id).server!.units.filter(({ group }) => group.serving).length;
      run(world, 'all at home', () => unitsLed(1) === share && unitsLed(2) === share);
      expect(change(world, { change: 'drainZone', zone: 'hz1' })).toBe('done');
      run(world, 'an empty zone', () => leads(world, 1) === 0, 5);
      const before = workload.answered;
      world.kill(1);
      run(world, '50 transfers', () => workload.answered >= before + 50);
      world.restart(1);
      run(world, 'it is back', () => groups(world, 1).every(({ leader }) => leader !== 0));
      pause(world, 4);
      expect(leads(world, 1)).toBe(0);
      expect(change(world, { change: 'restoreZone', zone: 'hz1' })).toBe('done');
      run(world, 'all at home again', () => unitsLed(1) === share && unitsLed(2) === share);
      expect(finish(world, workload)).toEqual([]);
    },
  );

  it('a 2-2-1 unit that lost a zone shrinks to those that are left, survives one more, and grows back', () => {
    const { world, workload } = start({ servers: TWO_TWO_ONE, server: { shrinkAfterMs: 2_000 } });
    run(world, '100 transfers', () => workload.answered >= 100);
    world.kill(1);
    world.kill(2);
    run(world, 'the shrinking', () =>
      voters(world, 3).every(
        (membership) => membership.voters.join() === '3,4,5' && membership.outgoing.length === 0,
      ),
    );
    const before = workload.answered;
    world.kill(4);
    run(world, '100 with two of five', () => workload.answered >= before + 100);
    for (const id of [1, 2, 4]) world.restart(id);
    run(world, 'all five vote', () => allAre(world, 3, [1, 2, 3, 4, 5]));
    expect(running(world)).toHaveLength(5);
    expect(finish(world, workload)).toEqual([]);
  });

  it('a removal survives the end of the leader that made it', () => {
    const { world, workload } = start({ later: [place(4, 'sh1')] });
    world.startLater(4);
    change(world, { change: 'addServer', server: place(4, 'sh1') });
    run(world, 'its vote', () => allAre(world, 4, [1, 2, 3, 4]));
    expect(change(world, { change: 'removeServers', ids: [3] })).toBe('done');
    const leader = world.hosts.find(({ server }) => server?.registry.group.serving === true)!;
    world.kill(leader.id);
    const through = [1, 2, 4].find((id) => id !== leader.id)!;
    run(world, 'the removal', () => allAre(world, through, [1, 2, 4]));
    const before = workload.answered;
    run(world, '100 more', () => workload.answered >= before + 100);
  });
});

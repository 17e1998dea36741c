import { expect, test, vi } from 'vitest';
import { Workload } from './workload.ts';
import { World } from './world.ts';

// Much happens in the first one, and machines are busy at times.
vi.setConfig({ testTimeout: 60_000 });

const SECOND_US = 1_000_000;

/** Three servers whose logs keep hardly anything, under load for some seconds. */
function underLoad(seed: number, seconds: number, each: (world: World) => void): void {
  const world = new World({ seed, units: 1, server: { logKeepBytes: 2 << 10 } });
  const workload = new Workload(world, seed, 20);
  const { scheduler } = world;
  world.start();
  workload.createAccounts();
  scheduler.run(scheduler.nowUs + 20 * SECOND_US, () => workload.accountsCreated);
  workload.start(3);
  const endUs = scheduler.nowUs + seconds * SECOND_US;
  while (scheduler.nowUs < endUs) {
    scheduler.run(scheduler.nowUs + 50_000);
    each(world);
  }
}

test('C127: the log never loses what the books do not hold durably, however slow they are', () => {
  let compacted = 0;
  underLoad(1, 3, (world) => {
    world.host(2).booksSlowness = 200;
    for (const host of world.hosts) {
      const [unit] = host.server!.units;
      expect(unit!.firstLogIndex).toBeLessThanOrEqual(unit!.books.index() + 1);
      compacted = Math.max(compacted, unit!.firstLogIndex);
    }
  });
  expect(compacted).toBeGreaterThan(1);
});

test('C127: a leader keeps what a peer in touch still lacks', () => {
  let compacted = 0;
  underLoad(2, 5, (world) => {
    // In touch all the while, and some hundred entries behind.
    for (const id of [1, 2]) world.network.delay(id, 3, 400_000);
    const leader = world.hosts.find((host) => host.server!.units[0]!.leads);
    const status = leader?.server?.units[0]?.group.raft.status();
    if (leader === undefined || status === undefined || !status.ownTermCommitted) return;
    const first = leader.server!.units[0]!.firstLogIndex;
    for (const peer of status.peers) {
      if (peer.recentlyActive && peer.match > 0) expect(first).toBeLessThanOrEqual(peer.match + 1);
    }
    compacted = Math.max(compacted, first);
  });
  expect(compacted).toBeGreaterThan(1);
});

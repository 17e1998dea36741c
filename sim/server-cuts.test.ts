import { expect, it, vi } from 'vitest';
import { findFaults, settled } from './checks.ts';
import type { Choose } from './disk-file.ts';
import { Workload } from './workload.ts';
import { World } from './world.ts';

/** With EVENKEEL_EXHAUSTIVE set the power of each server is cut after every step of its disk, else after a few. */
const EXHAUSTIVE = process.env.EVENKEEL_EXHAUSTIVE !== undefined;
vi.setConfig({ testTimeout: EXHAUSTIVE ? 3_600_000 : 60_000 });

/** What the disk keeps of what was not synced depends on it: nothing, all, or some of it. */
const SEED = Number(process.env.EVENKEEL_SEED ?? 0) % 3;
const SECOND_US = 1_000_000;
const TRANSFERS = 8;

/** A short life of three servers with two units: accounts, then transfers, two at a time, some of them between the units. */
function begin(): { world: World; workload: Workload; go: () => void } {
  const world = new World({ seed: 1, units: 2, server: { segmentBytes: 12_288 + 6 * 4096 } });
  const workload = new Workload(world, 1, 6);
  // Slower than the network: else what is said too early would be durable by the time it is heard.
  for (const host of world.hosts) host.diskSlowness = 20;
  world.start();
  workload.createAccounts();
  let started = false;
  const go = () => {
    if (workload.accountsCreated && !started) {
      started = true;
      workload.start(2);
    }
    if (workload.answered >= TRANSFERS) workload.stop();
  };
  return { world, workload, go };
}

const lost: Choose = () => 0;
const kept: Choose = (options, what) => (what === 'torn' ? 0 : options - 1);

interface Cut {
  /** After so many steps of this server's disk. */
  readonly at: { readonly server: number; readonly step: number };
  readonly servers: readonly number[];
  /** What the disks keep; drawn if not said. */
  readonly choose: Choose | undefined;
}

/** Whole and equal at the end, with every answered transfer in the books once. Returns the faults. */
function faultsAfter({ at, servers, choose }: Cut): string[] {
  const { world, workload, go } = begin();
  const { scheduler } = world;
  const { step } = at;
  const { disk } = world.host(at.server);
  const run = (seconds: number, until: () => boolean) =>
    scheduler.run(scheduler.nowUs + seconds * SECOND_US, () => {
      go();
      return until();
    });
  run(20, () => disk.steps >= step);
  for (const id of servers) world.kill(id, step % 2 === 0 ? 'lost' : 'kept', choose);
  run(0.05 * (step % 10), () => false);
  for (const id of servers) world.restart(id);
  const isDone = () => workload.answered >= TRANSFERS && workload.idle && settled(world);
  run(30, isDone);
  return isDone() ? findFaults(world, workload.bookings) : ['not whole and equal after 30 s'];
}

/** Of a life without a cut, by server. */
function stepsOf(): number[] {
  const { world, workload, go } = begin();
  world.scheduler.run(30 * SECOND_US, () => {
    go();
    return workload.answered >= TRANSFERS && workload.idle && settled(world);
  });
  return world.hosts.map((host) => host.disk.steps);
}

it.each([
  { what: 'the first server', at: 1, servers: [1] },
  { what: 'the second server', at: 2, servers: [2] },
  { what: 'the remote server', at: 3, servers: [3] },
  { what: 'all servers', at: 1, servers: [1, 2, 3] },
])('no acknowledged transfer is lost wherever the power of $what is cut', ({ at, servers }) => {
  const count = stepsOf()[at - 1]!;
  expect(count).toBeGreaterThan(40);
  const stride = EXHAUSTIVE ? 1 : Math.ceil(count / (servers.length > 1 ? 10 : 3));
  let runs = 0;
  for (let step = EXHAUSTIVE ? 1 : at; step <= count; step += stride) {
    // What all lose at once no other server makes good.
    const choose = servers.length > 1 ? lost : [lost, undefined, kept][(step + SEED) % 3];
    const faults = faultsAfter({ at: { server: at, step }, servers, choose });
    expect([step, faults]).toEqual([step, []]);
    runs += 1;
  }
  if (EXHAUSTIVE) console.log(`${servers.join()}: ${runs} runs`);
});

import { findFaults, settled } from './checks.ts';
import { Workload } from './workload.ts';
import { World, type WorldOptions } from './world.ts';

export interface Rehearsal {
  readonly runHash: string;
  readonly simulatedMs: number;
  readonly answered: number;
  readonly answeredWhileDown: number;
  readonly killed: number;
  readonly faults: readonly string[];
}

const SECOND_US = 1_000_000;

/**
 * The first rehearsal: three zones under load; the server that leads most is killed, as by a power cut,
 * and comes back; then every book must agree with what the clients were told.
 */
export function rehearseKillAndRestart(options: WorldOptions): Rehearsal {
  const world = new World(options);
  const { scheduler } = world;
  const workload = new Workload(world, options.seed, 40);
  world.start();
  workload.createAccounts();
  run(world, 20, 'accounts created', () => workload.accountsCreated);

  workload.start(16);
  run(world, 20, '400 transfers', () => workload.answered >= 400);
  const killed = leaderOfMost(world);
  world.kill(killed);
  const before = workload.answered;
  run(world, 20, '400 transfers more', () => workload.answered >= before + 400);
  const answeredWhileDown = workload.answered - before;
  world.restart(killed);
  run(world, 20, 'another 400', () => workload.answered >= before + 800);
  workload.stop();
  run(world, 30, 'all answered', () => workload.idle);
  run(world, 60, 'all books equal', () => settled(world));
  return {
    runHash: scheduler.runHash,
    simulatedMs: Math.round(scheduler.nowUs / 1_000),
    answered: workload.answered,
    answeredWhileDown,
    killed,
    faults: findFaults(world, workload.bookings),
  };
}

/** Runs until `until`; failing that within the time is a failure of liveness. */
function run(world: World, seconds: number, what: string, until: () => boolean): void {
  const { scheduler } = world;
  scheduler.run(scheduler.nowUs + seconds * SECOND_US, until);
  if (!until()) throw new Error(`not within ${seconds} s: ${what}`);
}

function leaderOfMost(world: World): number {
  const leads = world.hosts.map(
    (host) => host.server!.units.filter((unit) => unit.group.serving).length,
  );
  return world.hosts[leads.indexOf(Math.max(...leads))]!.id;
}

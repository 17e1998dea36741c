import { settled } from './checks.ts';
import { Random } from './random.ts';
import { findSwarmFaults, leadersAreHome, nothingHeld } from './swarm-checks.ts';
import { drawPlan, type Fault, heal, schedulePlan } from './swarm-plan.ts';
import { drawShape, SwarmWorkload } from './swarm-workload.ts';
import { World, type WorldOptions } from './world.ts';

export interface SwarmRun {
  readonly seed: number;
  readonly runHash: string;
  readonly simulatedMs: number;
  readonly answered: number;
  readonly reads: number;
  readonly plan: readonly Fault[];
  /** Empty if all is well. */
  readonly faults: readonly string[];
}

const SECOND_US = 1_000_000;
/** How long clients book while faults come and go. */
const LOAD_MS = 5_000;
/** A request that was lost with nobody noticing is sent again within 20 s. */
const ANSWERED_SECONDS = 30;
const SETTLED_SECONDS = 30;
const HOME_SECONDS = 20;
const LED_SECONDS = 3;

/** One run under random faults; a function of the seed alone. */
export function runSwarm(seed: number, log?: WorldOptions['log']): SwarmRun {
  const random = new Random(seed, 'world');
  const units = [1, 3, 4][random.below(3)]!;
  const world = new World({
    seed,
    units,
    server: {
      residentTransfersMax: [0, 8, 64, 512][random.below(4)]!,
      idFilterWindow: 64,
      segmentBytes: (16 << 10) << random.below(6),
      logCacheBytes: (4 << 10) << random.below(8),
      logKeepBytes: (4 << 10) << (3 * random.below(5)),
    },
    ...(log && { log }),
  });
  const workload = new SwarmWorkload(world, seed, drawShape(seed));
  const plan = drawPlan(seed, LOAD_MS);
  let failure: string[] = [];
  try {
    failure = live(world, workload, plan, random.chance(0.6));
  } catch (error) {
    failure = [(error as Error).stack ?? String(error)];
  }
  return {
    seed,
    runHash: world.scheduler.runHash,
    simulatedMs: Math.round(world.scheduler.nowUs / 1_000),
    answered: workload.answered,
    reads: workload.reads,
    plan,
    faults: [...workload.faults, ...failure],
  };
}

function live(
  world: World,
  workload: SwarmWorkload,
  plan: readonly Fault[],
  seen: boolean,
): string[] {
  const { scheduler } = world;
  const within = (seconds: number, what: string, until: () => boolean): string[] => {
    scheduler.run(scheduler.nowUs + seconds * SECOND_US, until);
    return until() ? [] : [`not within ${seconds} s: ${what}`];
  };
  world.start();
  schedulePlan(world, plan, seen);
  workload.createAccounts();
  const lastMs = Math.max(LOAD_MS, ...plan.map((fault) => fault.atMs + fault.forMs));
  scheduler.run(lastMs * 1_000, () => workload.accountsCreated);
  const early = workload.accountsCreated;
  if (early) workload.start();
  scheduler.run(lastMs * 1_000);
  heal(world);
  const accounts = within(ANSWERED_SECONDS, 'accounts created', () => workload.accountsCreated);
  if (accounts.length > 0) return accounts;
  if (!early) workload.start();
  scheduler.run(scheduler.nowUs + SECOND_US);
  workload.stop();
  const steps = [
    () => within(ANSWERED_SECONDS, 'all answered', () => workload.idle),
    () => within(ANSWERED_SECONDS, 'nothing is held any more', () => nothingHeld(world)),
    () => within(SETTLED_SECONDS, 'all books equal', () => settled(world)),
    () => within(HOME_SECONDS, 'all leaders home', () => leadersAreHome(world)),
    // Hand-overs begin terms, and each begins with an entry.
    () => within(SETTLED_SECONDS, 'all books equal again', () => settled(world)),
  ];
  for (const step of steps) {
    const faults = step();
    if (faults.length > 0) return faults;
  }
  const faults = findSwarmFaults(world, workload.intents);
  return faults.length > 0 ? faults : killWhileIdle(world, within);
}

/** With nothing under way, so that nothing else's sync helps: the others must still take over. */
function killWhileIdle(
  world: World,
  within: (seconds: number, what: string, until: () => boolean) => string[],
): string[] {
  world.kill(1);
  return within(LED_SECONDS, 'all units led', () =>
    world.hosts[1]!.server!.units.every((_, i) =>
      world.hosts.some((host) => host.server?.units[i]?.group.serving === true),
    ),
  );
}

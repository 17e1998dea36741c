import { PendingState, TransferRowWord } from '../ledger/layout.ts';
import { settled } from './checks.ts';
import { bookedFaults, rowsOf, unitFaults } from './every-kind-checks.ts';
import { EveryKindClient } from './every-kind-client.ts';
import { leftDecisions, unequalReplicas, wrongClearing } from './swarm-checks.ts';
import { drawPlan, heal, schedulePlan } from './swarm-plan.ts';
import { World } from './world.ts';

const SECOND_US = 1_000_000;
const STEPS = 70;
/** About as long as the steps take. */
const PLAN_MS = 15_000;
/** Clocks are set ahead by up to 10 s, and a unit's time never goes back. */
const SETTLED_SECONDS = 40;

export interface EveryKindRun {
  readonly runHash: string;
  readonly answered: number;
  readonly expired: number;
  /** Empty if all is well. */
  readonly faults: readonly string[];
}

/** Every kind of transfer under random faults, over one unit or several; a function of the seed alone. */
export function runEveryKind(seed: number): EveryKindRun {
  const world = new World({ seed, units: [1, 3][seed % 2]! });
  const client = new EveryKindClient(world, seed);
  let failure: string[] = [];
  let expired = 0;
  try {
    world.start();
    schedulePlan(world, drawPlan(seed, PLAN_MS), seed % 3 !== 0);
    client.createAccounts();
    for (let step = 0; step < STEPS; step += 1) client.step();
    // Faults of the plan that have yet to begin or end must not come back after the end of all.
    world.scheduler.run(Math.max(world.scheduler.nowUs, (PLAN_MS + 3_000) * 1_000));
    heal(world);
    for (const booked of client.booked) client.repeat(booked);
    failure = settle(world);
    if (failure.length === 0) {
      const units = world.hosts[0]!.server!.units;
      const rows = units.flatMap((unit) => rowsOf(unit));
      expired = rows.filter(
        (row) => row[TransferRowWord.pendingState] === PendingState.expired,
      ).length;
      failure = [
        ...units.flatMap((_, i) => unitFaults(world.hosts.map(({ server }) => server!.units[i]!))),
        ...bookedFaults(client.booked, rows),
        ...unequalReplicas(world),
        ...wrongClearing(units),
        ...leftDecisions(units),
      ];
    }
  } catch (error) {
    failure = [(error as Error).stack ?? String(error)];
  }
  const faults = [...client.faults, ...failure];
  return { runHash: world.scheduler.runHash, answered: client.booked.length, expired, faults };
}

/** All servers up, past every deadline, all applied and in the books. */
function settle(world: World): string[] {
  const { scheduler } = world;
  const isQuiet = () =>
    settled(world) &&
    world.hosts.every(({ server }) =>
      server!.units.every(({ machine }) => machine.nextDeadline === null),
    );
  scheduler.run(scheduler.nowUs + SETTLED_SECONDS * SECOND_US, isQuiet);
  return isQuiet() ? [] : [`not within ${SETTLED_SECONDS} s: all expired and in the books`];
}

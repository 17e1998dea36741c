import type { ServerId } from '../../consensus/types.ts';
import { Workload } from '../workload.ts';
import { World } from '../world.ts';

const SECOND_US = 1_000_000;
const LIMIT_US = 20 * SECOND_US;

/** Conditions are looked at so often only: they cost more than most events. */
const LOOK_US = 5_000;

/** A world with every unit led and all leaders home; `workload` is ready to start. */
export function ledWorld(seed: number, units: number) {
  const lines: { timeUs: number; server: ServerId; text: string }[] = [];
  const world = new World({
    seed,
    units,
    log: (timeUs, server, _level, text) => lines.push({ timeUs, server, text }),
  });
  const { scheduler } = world;
  const workload = new Workload(world, seed, 4 * units);
  /** How long it took, ms. */
  const until = (what: string, isSo: () => boolean): number => {
    const startUs = scheduler.nowUs;
    while (!isSo()) {
      if (scheduler.nowUs - startUs > LIMIT_US) {
        throw new Error(`not within ${LIMIT_US / SECOND_US} s: ${what}`);
      }
      scheduler.run(scheduler.nowUs + LOOK_US);
    }
    return (scheduler.nowUs - startUs) / 1_000;
  };
  const runMs = (ms: number) => scheduler.run(scheduler.nowUs + ms * 1_000);
  const leads = (id: ServerId): number =>
    world.host(id).server?.units.filter(({ group }) => group.serving).length ?? 0;
  world.start();
  workload.createAccounts();
  until('accounts created', () => workload.accountsCreated);
  until('leaders home', () => leads(1) === units / 2 && leads(2) === units / 2);
  // The last hand-over ends here.
  runMs(1_000);
  return { world, workload, lines, leads, until, runMs };
}

import { parseArgs } from 'node:util';
import { AccountStatus, TransferStatus } from '../status.ts';
import { described } from './described.ts';
import { Random } from './random.ts';
import { RandomWorld } from './random-world.ts';
import { shrink } from './shrink.ts';

// Drives the machine and the oracle with random requests until so many events have been compared:
//     node ledger/testing/oracle-main.ts --events 1000000 --seed 1
// Every run of one seed is the same. A failure prints the fewest steps that still fail.

const STEPS_PER_WORLD = 120;
/** One world in so many is large. */
const LARGE_EVERY = 60;
/** No public status is reached less often in a run of a million events. */
const REACHED_MIN_PER_MILLION = 100;

interface Options {
  readonly events: number;
  readonly seed: number;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: { events: { type: 'string' }, seed: { type: 'string' } },
  });
  const events = Number(values.events ?? '1000000');
  const seed = Number(values.seed ?? '1');
  if (!Number.isSafeInteger(events) || events < 1) throw new Error('--events wants a count');
  if (!Number.isSafeInteger(seed)) throw new Error('--seed wants a whole number');
  return { events, seed };
}

class Counts {
  readonly accounts = new Map<number, number>();
  readonly transfers = new Map<number, number>();
  events = 0;

  readonly watch: ConstructorParameters<typeof RandomWorld>[2] = (command, results) => {
    this.events += results.length;
    if (command.kind !== 'accounts' && command.kind !== 'transfers') return;
    const counts = this[command.kind];
    for (const { status } of results) counts.set(status, (counts.get(status) ?? 0) + 1);
  };

  /** Prints how often each public status came; returns those that came too seldom. */
  print(min: number): string[] {
    const seldom: string[] = [];
    const tables = [
      ['create_accounts', AccountStatus, this.accounts],
      ['create_transfers', TransferStatus, this.transfers],
    ] as const;
    for (const [title, statuses, counts] of tables) {
      process.stdout.write(`\n${title}\n`);
      for (const [name, status] of Object.entries(statuses)) {
        const count = counts.get(status) ?? 0;
        process.stdout.write(`${String(count).padStart(10)}  ${name}\n`);
        if (count < min) seldom.push(`${title}: ${name}`);
      }
    }
    return seldom;
  }
}

function isLarge(worldSeed: number): boolean {
  return worldSeed % LARGE_EVERY === 0;
}

function stepsOf(worldSeed: number): number[] {
  const random = new Random(worldSeed ^ 0x5eed_5eed);
  const count = isLarge(worldSeed) ? STEPS_PER_WORLD / 3 : STEPS_PER_WORLD;
  return Array.from({ length: count }, () => random.next32());
}

/** The error of a world with these steps, or null. */
function failureOf(worldSeed: number, steps: readonly number[], watch?: Counts['watch']) {
  try {
    const world = new RandomWorld(worldSeed, isLarge(worldSeed), watch);
    for (const step of steps) world.step(step);
    world.end();
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function report(worldSeed: number, error: Error): void {
  const steps = shrink(stepsOf(worldSeed), (some) => failureOf(worldSeed, some) !== null);
  const trace: string[] = [];
  const last = failureOf(worldSeed, steps, (command) => trace.push(described(command)));
  process.stdout.write(`world ${worldSeed} fails: ${error.message}\n\n`);
  process.stdout.write(`${steps.length} steps are enough:\n${steps.join(' ')}\n`);
  process.stdout.write(`${trace.join('\n')}\n\nand then what fails:\n${last?.stack}\n`);
}

function main(): number {
  const { events, seed } = readOptions();
  const counts = new Counts();
  const worlds = new Random(seed);
  let shownAt = 0;
  process.stdout.write(`seed ${seed}\n`);
  for (let world = 1; counts.events < events; world += 1) {
    const worldSeed = worlds.next32();
    const error = failureOf(worldSeed, stepsOf(worldSeed), counts.watch);
    if (error !== null) {
      report(worldSeed, error);
      process.stdout.write(`\nDIFFERENT after ${counts.events} events, seed ${seed}\n`);
      return 1;
    }
    if (counts.events - shownAt < events / 50) continue;
    shownAt = counts.events;
    process.stderr.write(`\r${counts.events} of ${events} events, ${world} units`);
  }
  process.stderr.write('\n');
  const min = Math.floor((REACHED_MIN_PER_MILLION * Math.min(events, 1_000_000)) / 1_000_000);
  const seldom = counts.print(min);
  if (seldom.length > 0)
    process.stdout.write(`\nreached less than ${min} times:\n${seldom.join('\n')}\n`);
  const verdict = seldom.length > 0 ? 'INCOMPLETE' : 'EQUAL';
  process.stdout.write(`\n${verdict} over ${counts.events} events, seed ${seed}\n`);
  return seldom.length > 0 ? 1 : 0;
}

process.exitCode = main();

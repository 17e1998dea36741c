import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type BenchReport, benchTransfers } from '../bench/transfers.ts';
import { register as registerCatchUp } from './bench-catch-up.ts';
import { register as registerFailover } from './bench-failover.ts';
import { register as registerMachine } from './bench-machine.ts';
import { MisuseError } from './exit.ts';
import { interruptible } from './interrupt.ts';
import { SERVER_COMMAND } from './local.ts';
import { parseWhole } from './parse.ts';
import { Progress } from './progress.ts';

interface Flags {
  readonly zones: string;
  readonly batch: string;
  readonly units: string;
  readonly accounts: string;
  readonly crossings: string;
  readonly seconds: string;
  readonly data: string;
  readonly json?: true;
}

/** Adds `bench`. */
export function register(program: Command): void {
  const command = program
    .command('bench')
    // Options behind `failover` and `machine` are their own.
    .enablePositionalOptions()
    .description('durable transfers a second and their latency, on servers that it starts itself')
    .option('--zones <n>', '1 or 3', '3')
    .option('--batch <n>', 'transfers a request, up to 8190; 1 = single messages on streams', '1')
    .option('--units <n>', 'shards of the books', '4')
    .option('--accounts <n>', 'how many accounts share the load evenly', '10000')
    .option('--crossings <share>', 'share of transfers between units, 0 to 1', '0.1')
    .option('--seconds <n>', 'how long each of the two measurements takes', '60')
    .option('--data <dir>', 'parent of a folder that is removed afterwards', tmpdir())
    .option('--json', 'one JSON line on stdout')
    .action((flags: Flags) => interruptible((signal) => bench(flags, signal)));
  registerCatchUp(command);
  registerFailover(command);
  registerMachine(command);
}

async function bench(flags: Flags, signal: AbortSignal): Promise<void> {
  const zones = parseWhole('--zones', flags.zones, 3, 1);
  if (zones === 2) throw new MisuseError('--zones takes 1 or 3, got 2');
  const crossings = Number(flags.crossings);
  if (!(crossings >= 0 && crossings <= 1)) {
    throw new MisuseError(`--crossings takes a share from 0 to 1, got '${flags.crossings}'`);
  }
  const options = {
    zones: zones as 1 | 3,
    crossings,
    batch: parseWhole('--batch', flags.batch, 8_190, 1),
    units: parseWhole('--units', flags.units, 256, 1),
    accounts: parseWhole('--accounts', flags.accounts, 10_000_000, 100),
    seconds: parseWhole('--seconds', flags.seconds, 3_600, 1),
  };
  const dataDir = mkdtempSync(join(flags.data, 'evenkeel-bench-'));
  const progress = new Progress();
  try {
    const report = await benchTransfers({
      ...options,
      dataDir,
      command: SERVER_COMMAND,
      signal,
      progress: (text) => progress.step(text),
    });
    progress.done();
    console.log(flags.json ? JSON.stringify(report) : describe(report));
  } catch (error) {
    if (error instanceof RangeError) throw new MisuseError(error.message, { cause: error });
    throw error;
  } finally {
    progress.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function describe(report: BenchReport): string {
  const { p50, p99, p999 } = report.latency_ms;
  return [
    `${report.transfers_per_second.toLocaleString('en-US')} durable transfers/s`,
    `  ${report.zones} zones, ${report.units} units, ${report.batch} a request, ${report.accounts} accounts, ${report.crossings * 100} % between units`,
    `  latency at 70 % of that: p50 ${p50} ms, p99 ${p99} ms, p99.9 ${p999} ms`,
    `  ${report.cpu_seconds_per_million} CPU seconds of the servers a million transfers`,
    `  ${report.bytes_on_disk_per_transfer} bytes on disk a transfer and replica`,
  ].join('\n');
}

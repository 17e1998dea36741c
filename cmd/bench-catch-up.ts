import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { benchCatchUp, type CatchUpReport } from '../bench/catch-up.ts';
import { interruptible } from './interrupt.ts';
import { SERVER_COMMAND } from './local.ts';
import { parseWhole } from './parse.ts';
import { Progress } from './progress.ts';

interface Flags {
  readonly transfers: string;
  readonly keepMib: string;
  readonly rate: string;
  readonly units: string;
  readonly accounts: string;
  readonly data: string;
  readonly json?: true;
}

/** Adds `bench catch-up` to `bench`. */
export function register(bench: Command): void {
  bench
    .command('catch-up')
    .description('how long a server that comes back needs to have what was booked without it')
    .option('--transfers <n>', 'booked while it is down', '1000000')
    .option(
      '--keep-mib <n>',
      'of the log that the others keep; 1 = it has to copy the books',
      '1024',
    )
    .option('--rate <n>', 'transfers a second meanwhile', '2000')
    .option('--units <n>', 'shards of the books', '4')
    .option('--accounts <n>', 'how many accounts share the load evenly', '10000')
    .option('--data <dir>', 'parent of a folder that is removed afterwards', tmpdir())
    .option('--json', 'one JSON line on stdout')
    .action((flags: Flags) => interruptible((signal) => run(flags, signal)));
}

async function run(flags: Flags, signal: AbortSignal): Promise<void> {
  const dataDir = mkdtempSync(join(flags.data, 'evenkeel-catch-up-'));
  const progress = new Progress();
  try {
    const report = await benchCatchUp({
      transfers: parseWhole('--transfers', flags.transfers, 100_000_000, 1),
      logKeepMib: parseWhole('--keep-mib', flags.keepMib, 1_048_576, 1),
      perSecond: parseWhole('--rate', flags.rate, 100_000, 1),
      units: parseWhole('--units', flags.units, 64, 1),
      accounts: parseWhole('--accounts', flags.accounts, 10_000_000, 100),
      dataDir,
      command: SERVER_COMMAND,
      progress: (text) => progress.step(text),
      signal,
    });
    progress.done();
    console.log(flags.json ? JSON.stringify(report) : describe(report));
  } finally {
    progress.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function describe(report: CatchUpReport): string {
  const { transfers, units, seconds, latency_ms: latency } = report;
  const way =
    report.copied_units === 0
      ? 'from the log'
      : `${report.copied_units} of ${units} units by their books`;
  return [
    `${transfers} transfers caught up in ${seconds} s, ${way}`,
    `meanwhile ${report.load_per_second} transfers a second: p50 ${latency.p50} ms, p99 ${latency.p99} ms`,
  ].join('\n');
}

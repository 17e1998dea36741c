import type { Command } from 'commander';
import { benchMachine, type MachineBenchReport } from '../bench/machine.ts';
import { parseWhole } from './parse.ts';
import { Progress } from './progress.ts';

interface Flags {
  readonly accounts: string;
  readonly batches: string;
  readonly growTo: string;
  readonly json?: true;
}

/** Adds `bench machine` to `bench`. */
export function register(bench: Command): void {
  bench
    .command('machine')
    .description(
      'how fast the ledger machine applies batches of 8,190 transfers, alone, on one core',
    )
    .option('--accounts <n>', 'accounts that the transfers are spread over evenly', '100000')
    .option('--batches <n>', 'batches of each kind that are timed', '200')
    .option('--grow-to <n>', 'accounts, and transfers, that a new machine grows to', '2000000')
    .option('--json', 'one JSON line on stdout')
    .action((flags: Flags) => run(flags));
}

function run(flags: Flags): void {
  const progress = new Progress();
  try {
    const report = benchMachine({
      accounts: parseWhole('--accounts', flags.accounts, 50_000_000, 100),
      batches: parseWhole('--batches', flags.batches, 100_000, 4),
      growTo: parseWhole('--grow-to', flags.growTo, 50_000_000, 1_024),
      progress: (text) => progress.step(text),
    });
    progress.done();
    console.log(flags.json ? JSON.stringify(report) : describe(report));
  } finally {
    progress.stop();
  }
}

function describe(report: MachineBenchReport): string {
  const perSecond = (count: number) => `${count.toLocaleString('en-US')} transfers/s`;
  return [
    `${perSecond(report.plain_per_second)} plain`,
    `${perSecond(report.mixed_per_second)} mixed: 30 % two-phase, 10 % in chains, limits on half of the accounts`,
    `  ${report.garbage_bytes_per_transfer} bytes of garbage a transfer, ${report.bytes_per_account} bytes of memory an account`,
    `  ${report.longest_pause_ms} ms the longest pause while growing`,
    `  ${report.fold_us_per_transfer} us a transfer to hand it to the books and forget it`,
  ].join('\n');
}

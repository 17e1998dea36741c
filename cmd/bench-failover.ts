import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { pageOf } from '../bench/failover/page.ts';
import { FAULT_KINDS, FAULTS, type FaultKind } from '../bench/failover/plan.ts';
import { isOk, summarize } from '../bench/failover/report.ts';
import { benchFailover } from '../bench/failover/run.ts';
import { reportText, roundLine } from '../bench/failover/text.ts';
import { dataFolder } from './demo/input.ts';
import { EXIT_FAILED, MisuseError } from './exit.ts';
import { interruptible } from './interrupt.ts';
import { SERVER_COMMAND } from './local.ts';
import { parseWhole } from './parse.ts';
import { Progress } from './progress.ts';

interface Flags {
  readonly rounds: string;
  readonly seed?: string;
  readonly from: string;
  readonly kinds: string;
  readonly units: string;
  readonly rate?: string;
  readonly keep?: string;
  readonly report?: string;
  readonly json?: true;
}

/** A client asks each unit so often a second, as long as that stays within RATE_MAX. */
const ASKS_PER_UNIT = 50;
const RATE_MAX = 500;

/** Adds `bench failover` to `bench`. */
export function register(bench: Command): void {
  const kinds = FAULT_KINDS.map((kind) => `  ${kind.padEnd(17)} ${FAULTS[kind]}`).join('\n');
  bench
    .command('failover')
    .description(
      'rounds of kill -9, SIGSTOP and cut links on real processes under load: what clients see, and that nothing is lost',
    )
    .option('--rounds <n>', 'how many, some 4 s each', '22')
    .option('--seed <n>', 'draws faults, victims, times and load (default: another each time)')
    .option('--from <n>', 'the first round: with --rounds 1 that one alone', '1')
    .option('--kinds <list>', `kinds of fault, with commas, or all:\n${kinds}`, 'all')
    .option('--units <n>', 'shards of the books', '4')
    .option('--rate <n>', "transfers a second of each of the three zones' clients")
    .option('--keep <dir>', 'where the zones keep their data and logs; it is left there')
    .option('--report <file>', 'write a page with pictures to look at')
    .option('--json', 'one JSON line on stdout')
    .action((flags: Flags) => interruptible((signal) => run(flags, signal)));
}

async function run(flags: Flags, signal: AbortSignal): Promise<void> {
  const units = parseWhole('--units', flags.units, 256, 1);
  const rate = flags.rate ?? String(Math.min(RATE_MAX, units * ASKS_PER_UNIT));
  const options = {
    units,
    rounds: parseWhole('--rounds', flags.rounds, 10_000, 1),
    from: parseWhole('--from', flags.from, 1_000_000, 1),
    seed: parseWhole('--seed', flags.seed ?? `${Date.now() % 1_000_000}`, Number.MAX_SAFE_INTEGER),
    perSecond: parseWhole('--rate', rate, 5_000, 1),
    kinds: parseKinds(flags.kinds),
  };
  const again = `npm run -s evenkeel -- bench failover --seed ${options.seed} --kinds '${options.kinds.join()}' --units ${units} --rate ${rate}`;
  const folder = dataFolder(flags.keep);
  const progress = new Progress();
  try {
    progress.step(`seed ${options.seed}`);
    const report = await benchFailover({
      ...options,
      dataDir: folder.path,
      command: SERVER_COMMAND,
      signal,
      progress: (text) => progress.step(text),
      onRound: (round) => {
        progress.note(roundLine(round));
        if (round.wrong.length > 0)
          progress.note(`again: ${again} --from ${round.number} --rounds 1`);
      },
    });
    progress.done();
    const whole = `${again} --from ${options.from} --rounds ${options.rounds}`;
    const ok = isOk(report);
    const kinds = summarize(report.rounds);
    if (flags.report !== undefined) writeFileSync(flags.report, pageOf(report, whole));
    if (flags.json) console.log(JSON.stringify({ ok, again: whole, kinds, ...report }));
    else console.log(reportText(report, whole));
    if (!ok) process.exitCode = EXIT_FAILED;
  } finally {
    progress.stop();
    folder.remove();
  }
}

function parseKinds(text: string): FaultKind[] {
  if (text === 'all') return [...FAULT_KINDS];
  return text.split(',').map((name) => {
    const kind = FAULT_KINDS.find((candidate) => candidate === name.trim());
    if (kind !== undefined) return kind;
    throw new MisuseError(`--kinds: '${name}' is none of ${FAULT_KINDS.join(', ')}`);
  });
}

import type { Command } from 'commander';
import { dataFolder, readInput } from './demo/input.ts';
import { reportText } from './demo/report.ts';
import { runDemo } from './demo/run.ts';
import { EXIT_FAILED, MisuseError } from './exit.ts';
import { interruptible } from './interrupt.ts';
import { parseRateFlag } from './parse.ts';
import { Progress } from './progress.ts';

interface Flags {
  readonly input?: string;
  readonly rate: string;
  readonly keep?: string;
  readonly json?: true;
}

/** Adds `demo`, which is also `npm start`. */
export function register(program: Command): void {
  program
    .command('demo')
    .description(
      "book a bank's year over three zones, lose one, get it back, and compare every balance",
    )
    .option('--input <file>', "a bank's book as CSV, .gz too (default: a generated one)")
    .option('--rate <rows>', 'rows a second, or max; windows under 5 s then show no rate', '2000')
    .option('--keep <dir>', 'where the zones keep their data; it is left there')
    .option('--json', 'one JSON line on stdout')
    .action((flags: Flags) => interruptible((signal) => demo(flags, signal)));
}

async function demo(flags: Flags, signal: AbortSignal): Promise<void> {
  const rate = parseRateFlag(flags.rate);
  const { book, expected } = readInput(flags.input);
  if (book.rows.length === 0) throw new MisuseError(`${book.path} has no rows`);
  const folder = dataFolder(flags.keep);
  const progress = new Progress();
  try {
    const { report, debitsEqualCredits } = await runDemo({
      rows: book.rows,
      expected,
      rate,
      dataDir: folder.path,
      progress,
      signal,
    });
    progress.done();
    if (flags.json) console.log(JSON.stringify(report));
    else console.log(reportText(report, expected, debitsEqualCredits));
    if (flags.keep !== undefined) console.error(`the data of all zones is in ${flags.keep}`);
    if (!report.ok) process.exitCode = EXIT_FAILED;
  } finally {
    progress.stop();
    folder.remove();
  }
}

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { MUTANTS } from '../mutants/all.ts';
import type { Mutant } from '../mutants/mutant.ts';
import { seeded } from './config.ts';
import { runMutants } from './mutants.ts';

// Puts the faults that others met in the field into our code, and fails if a test stays green:
//     npm run mutants -- [--only 14,15] [--sample 10 --seed 1] [--jobs 2] [--json]
// Progress goes to stderr; a failure names what must be done.

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(Math.min(4, availableParallelism())) },
    json: { type: 'boolean', default: false },
  },
});

const ADVICE = {
  found_out: '',
  survived: 'a test is missing: write it, or name another',
  not_applicable: 'the code has changed: say anew which line breaks it',
  test_unfit: 'name a test that exists and is green',
  nonsense: 'the replacement must be code that runs',
} as const;

function natural(text: string, flag: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${flag} wants a whole number`);
  return value;
}

function choose(): Mutant[] {
  if (values.only !== undefined) {
    const bugs = values.only.split(',').map((text) => natural(text, '--only'));
    const chosen = MUTANTS.filter(({ bug }) => bugs.includes(bug));
    if (chosen.length === 0) throw new Error(`--only: no break has the number ${values.only}`);
    return chosen;
  }
  const chosen = [...MUTANTS];
  if (values.sample === undefined) return chosen;
  const random = seeded(Number(values.seed));
  const size = natural(values.sample, '--sample');
  while (chosen.length > size) chosen.splice(random() % chosen.length, 1);
  return chosen;
}

const mutants = choose();
const outcomes = await runMutants(mutants, {
  jobs: natural(values.jobs, '--jobs'),
  onOutcome: ({ mutant, verdict, said, ms }, done) => {
    const head = `${done}/${mutants.length} bug ${mutant.bug}: ${verdict.replaceAll('_', ' ')}`;
    process.stderr.write(`${head} (${ms} ms): ${said}\n`);
  },
});
const failed = outcomes.filter(({ verdict }) => verdict !== 'found_out');
for (const { mutant, verdict, said } of failed) {
  process.stderr.write(
    `\nbug ${mutant.bug}: ${mutant.fault}\n  ${mutant.file}: ${mutant.find.trim()}\n` +
      `  ${mutant.testFile}: ${mutant.test}\n  ${said}: ${ADVICE[verdict]}\n`,
  );
}
if (values.json) process.stdout.write(`${JSON.stringify(outcomes, null, 2)}\n`);
else console.log(`${outcomes.length} breaks: ${outcomes.length - failed.length} found out`);
process.exitCode = failed.length > 0 ? 1 : 0;

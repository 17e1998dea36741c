/**
 * Applies the breaks of consensus/mutants/ one by one, each in a copy of the checkout, and runs only the test that
 * must find it out. A break whose test stays green shows that a test is missing.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Mutant } from '../mutants/mutant.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const LEFT_OUT = new Set(['.git', 'node_modules', 'coverage', 'data', 'tmp']);

/** A broken core may loop for ever: that, too, is being found out. */
const RUN_MS_MAX = 60_000;
/** All named tests at once. */
const UNBROKEN_MS_MAX = 300_000;

export type Verdict =
  | 'found_out'
  /** The test stayed green. */
  | 'survived'
  /** The text to replace is not there exactly once. */
  | 'not_applicable'
  /** Without the break the test fails too, or does not exist. */
  | 'test_unfit'
  /** The test failed over a name that does not exist, not over what the break does. */
  | 'nonsense';

export interface Outcome {
  readonly mutant: Mutant;
  readonly verdict: Verdict;
  /** First line of what the test said. */
  readonly said: string;
  readonly ms: number;
}

export interface RunOptions {
  readonly jobs: number;
  readonly onOutcome: (outcome: Outcome, done: number) => void;
}

export async function runMutants(
  mutants: readonly Mutant[],
  { jobs, onOutcome }: RunOptions,
): Promise<Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-mutants-'));
  try {
    const workers = Array.from({ length: Math.min(jobs, mutants.length) }, (_, i) =>
      copyCheckout(join(folder, `copy-${i}`)),
    );
    const unbroken = await runUnbroken(workers[0] ?? ROOT, mutants);
    const outcomes: Outcome[] = [];
    const queue = [...mutants];
    const work = async (copy: string) => {
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const startMs = performance.now();
        const { verdict, said } = await tryOne(copy, mutant, unbroken);
        const outcome = { mutant, verdict, said, ms: Math.round(performance.now() - startMs) };
        outcomes.push(outcome);
        onOutcome(outcome, outcomes.length);
      }
    };
    await Promise.all(workers.map(work));
    return outcomes.sort((a, b) => mutants.indexOf(a.mutant) - mutants.indexOf(b.mutant));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function copyCheckout(to: string): string {
  for (const name of readdirSync(ROOT)) {
    if (!LEFT_OUT.has(name)) cpSync(join(ROOT, name), join(to, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(to, 'node_modules'));
  return to;
}

/** How often the text to replace stands in the file: a break fits if once. */
export function occurrences(mutant: Mutant, root: string = ROOT): number {
  return readFileSync(join(root, mutant.file), 'utf8').split(mutant.find).length - 1;
}

async function tryOne(
  copy: string,
  mutant: Mutant,
  unbroken: readonly TestResult[],
): Promise<{ verdict: Verdict; said: string }> {
  const before = resultsOf(mutant, unbroken);
  if (before.length === 0 || before.some(({ passed }) => !passed)) {
    return { verdict: 'test_unfit', said: 'without the break it fails too, or does not exist' };
  }
  const count = occurrences(mutant, copy);
  if (count !== 1) return { verdict: 'not_applicable', said: `the text stands ${count} times` };
  const path = join(copy, mutant.file);
  const whole = readFileSync(path, 'utf8');
  // By a function: `$` has a meaning in replacement texts.
  await replaceFile(
    path,
    whole.replace(mutant.find, () => mutant.replace),
  );
  const results = await runTests(copy, [mutant.testFile], [mutant.test], RUN_MS_MAX);
  await replaceFile(path, whole);
  if (results === 'timeout') return { verdict: 'found_out', said: 'the test came to no end' };
  const found = resultsOf(mutant, results);
  const red = found.find(({ passed }) => !passed);
  if (red === undefined) {
    return found.length === 0
      ? { verdict: 'nonsense', said: 'the test file does not load' }
      : { verdict: 'survived', said: 'the test stays green' };
  }
  // What a typing error in the replacement would cause.
  const verdict = /^(Reference|Syntax)Error/.test(red.said) ? 'nonsense' : 'found_out';
  return { verdict, said: red.said };
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

interface TestResult {
  readonly testFile: string;
  readonly title: string;
  readonly passed: boolean;
  readonly said: string;
}

function resultsOf({ testFile, test }: Mutant, results: readonly TestResult[]): TestResult[] {
  return results.filter((result) => result.testFile === testFile && result.title.startsWith(test));
}

/** The named tests without any break: those must exist and be green. */
async function runUnbroken(copy: string, mutants: readonly Mutant[]): Promise<TestResult[]> {
  const files = [...new Set(mutants.map(({ testFile }) => testFile))];
  const titles = [...new Set(mutants.map(({ test }) => test))];
  const results = await runTests(copy, files, titles, UNBROKEN_MS_MAX);
  if (results === 'timeout') throw new Error('the tests come to no end without any break');
  return results;
}

/** What vitest's JSON reporter says, as far as it is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

async function runTests(
  copy: string,
  files: readonly string[],
  names: readonly string[],
  msMax: number,
): Promise<TestResult[] | 'timeout'> {
  const reportPath = join(copy, 'report.tmp');
  rmSync(reportPath, { force: true });
  const pattern = `(${names.map((name) => name.replaceAll(/[^\w ]/g, '\\$&')).join('|')})`;
  const ended = await vitest(copy, msMax, [
    ...files,
    '--testNamePattern',
    pattern,
    '--reporter=json',
    `--outputFile=${reportPath}`,
    `--fsModuleCachePath=${join(copy, 'module-cache.tmp')}`,
    '--no-cache',
  ]);
  if (ended === 'timeout') return 'timeout';
  const report = JSON.parse(readFileSync(reportPath, 'utf8')) as Report;
  return report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'passed' || status === 'failed')
      .map(({ title, status, failureMessages }) => ({
        testFile: name.slice(name.indexOf(copy) + copy.length + 1),
        title,
        passed: status === 'passed',
        said: failureMessages[0]?.split('\n', 1)[0] ?? '',
      })),
  );
}

function vitest(
  cwd: string,
  timeout: number,
  args: readonly string[],
): Promise<'ended' | 'timeout'> {
  const main = join(ROOT, 'node_modules/vitest/vitest.mjs');
  return new Promise((resolve) => {
    const options = { cwd, timeout, killSignal: 'SIGKILL' } as const;
    execFile(process.execPath, [main, 'run', ...args], options, (error) => {
      resolve(error?.killed === true ? 'timeout' : 'ended');
    });
  });
}

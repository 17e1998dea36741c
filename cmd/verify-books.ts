import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { type Difference, type Verified, verifyBooks } from '../server/node/books/verify.ts';
import { EXIT_FAILED, MisuseError } from './exit.ts';
import { Progress } from './progress.ts';
import { toJson } from './show.ts';

interface Flags {
  readonly json: boolean;
}

const STEPS = {
  structure: 'structure of the file',
  accounts: 'accounts',
  rows: 'transfer rows',
  balances: 'balances',
  tables: 'other tables',
} as const;

/** Adds `verify-books`. */
export function register(program: Command): void {
  program
    .command('verify-books <file>')
    .description(
      "work out a unit's books anew from its transfers alone, and name the first difference (reads only, also under a running server)",
    )
    .option('--json', 'machine-readable output', false)
    .action(run);
}

function run(file: string, { json }: Flags): void {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new MisuseError(`${file} is no file; the books of unit 1 are DATA/books/unit-1.sqlite`);
  }
  const progress = new Progress();
  const verified = verifying(file, progress);
  if (verified.difference === null) progress.done();
  else progress.stop();
  if (json) console.log(toJson({ ...verified, sound: verified.difference === null }));
  else for (const line of linesOf(verified)) console.log(line);
  if (verified.difference !== null) process.exitCode = EXIT_FAILED;
}

function verifying(file: string, progress: Progress): Verified {
  let last = '';
  try {
    return verifyBooks(file, (step, done, total) => {
      const of = total > 0 ? ` of ${total}` : '';
      const text = done > 0 ? `${STEPS[step]}: ${done}${of}` : STEPS[step];
      if (step === last) progress.update(text);
      else progress.step(text);
      last = step;
    });
  } catch (error) {
    progress.stop();
    const foreign = error instanceof Error && 'code' in error && error.code === 'books_foreign';
    if (foreign) throw new MisuseError(error.message, { cause: error });
    throw error;
  }
}

function linesOf(verified: Verified): string[] {
  const { unit, index, accounts, rows, difference } = verified;
  if (difference !== null) return differenceLines(verified.file, difference);
  const held = `${accounts} accounts, ${rows} transfer rows`;
  return [`The books of unit ${unit} hold at entry ${index}: ${held}.`];
}

function differenceLines(file: string, { table, row, expected, found }: Difference): string[] {
  return [
    `The books do not hold: ${file}`,
    `  table     ${table}`,
    ...(row === '' ? [] : [`  row       ${row}`]),
    `  expected  ${expected}`,
    `  found     ${found}`,
  ];
}

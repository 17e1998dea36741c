import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareBalances, expectedBalances } from '../bank/balances.ts';
import type { Book } from '../bank/book.ts';
import { parseBook, readBook } from '../bank/csv.ts';
import { generateBook } from '../bank/generate.ts';
import type { Expectation } from './report.ts';

/** The book of a run without --input: at 2,000 rows/s it takes 40 s. */
const GENERATED_ROWS = 80_000;
const GENERATED_SEED = 1;

export interface DemoInput {
  readonly book: Book;
  /** What a correct ledger must show, by plain addition over the file. */
  readonly expected: Expectation;
}

export function readInput(path: string | undefined): DemoInput {
  const book = path === undefined ? generated() : readBook(path);
  const { balancesExact, balanceOffMax } = compareBalances(book.rows, expectedBalances(book.rows));
  return { book, expected: { balancesExact, balanceOffMax: Number(balanceOffMax) } };
}

function generated(): Book {
  const text = [...generateBook({ seed: GENERATED_SEED, rows: GENERATED_ROWS })].join('');
  return parseBook('generated book', Buffer.from(text));
}

/** The folder for the data, and its end: kept if the user named it, else gone with the demo. */
export function dataFolder(keep: string | undefined): { path: string; remove(): void } {
  if (keep !== undefined) return { path: keep, remove: () => {} };
  const path = mkdtempSync(join(tmpdir(), 'evenkeel-demo-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

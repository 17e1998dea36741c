import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Command } from 'commander';
import {
  ACCOUNTS_DEFAULT,
  type GenerateOptions,
  generateBook,
  ROWS_DEFAULT,
} from './bank/generate.ts';
import { MisuseError } from './exit.ts';

interface Flags {
  seed: string;
  rows?: string;
  accounts?: string;
  output?: string;
}

/** Adds `generate-bank`: a made-up bank's book, in the form that `replay` reads. */
export function register(program: Command): void {
  program
    .command('generate-bank')
    .description("write a made-up bank's book as CSV: the same seed gives the same bytes")
    .requiredOption('--seed <n>', 'a whole number')
    .option('--rows <n>', `transactions (default ${ROWS_DEFAULT})`)
    .option('--accounts <n>', `customers' accounts (default ${ACCOUNTS_DEFAULT}, at most the rows)`)
    .option('--output <file>', 'where to write, gzipped if it ends in .gz (default: stdout)')
    .action(async (flags: Flags) => {
      const book = plan(flags);
      await write(book, flags.output);
    });
}

/** The generator refuses what is out of range; here that is wrong usage, and no bug. */
function plan(flags: Flags): Generator<string> {
  try {
    return generateBook(parseFlags(flags));
  } catch (error) {
    if (error instanceof RangeError) throw new MisuseError(error.message, { cause: error });
    throw error;
  }
}

function parseFlags({ seed, rows, accounts }: Flags): GenerateOptions {
  return {
    seed: wholeNumber('--seed', seed),
    ...(rows !== undefined && { rows: wholeNumber('--rows', rows) }),
    ...(accounts !== undefined && { accounts: wholeNumber('--accounts', accounts) }),
  };
}

function wholeNumber(flag: string, text: string): number {
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text))) {
    throw new RangeError(`${flag} takes a whole number from 0 to 2^53 - 1, got '${text}'`);
  }
  return Number(text);
}

async function write(book: Generator<string>, output: string | undefined): Promise<void> {
  const source = Readable.from(book);
  if (output?.endsWith('.gz')) {
    await pipeline(source, createGzip(), createWriteStream(output));
  } else if (output !== undefined) {
    await pipeline(source, createWriteStream(output));
  } else {
    await pipeline(source, process.stdout, { end: false }).catch(ignoreClosedPipe);
  }
}

/** A reader that has seen enough, such as head, closes the pipe: no failure of ours. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

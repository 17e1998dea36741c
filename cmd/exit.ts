import { CommanderError } from 'commander';
import { BookError } from './bank/book.ts';

/** What was asked was understood and does not hold, or failed. */
export const EXIT_FAILED = 1;
/** What was asked makes no sense: a flag, a file or a number is wrong. Nothing was done. */
export const EXIT_MISUSE = 2;

/** Wrong usage: leaves with EXIT_MISUSE and the message alone. */
export class MisuseError extends Error {
  override readonly name = 'MisuseError';
}

/** What was asked doesn't hold: leaves with EXIT_FAILED and the message alone. */
export class FailedError extends Error {
  override readonly name = 'FailedError';
}

/** The command's end on an error: a line a person can act on, and no stack unless it is our own fault. */
export function exitWith(error: unknown): void {
  if (error instanceof CommanderError) {
    // Commander has printed it already; help and version are no errors.
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_MISUSE;
    return;
  }
  const misuse = error instanceof MisuseError || error instanceof BookError;
  process.exitCode = misuse ? EXIT_MISUSE : EXIT_FAILED;
  console.error(`evenkeel: ${describe(error)}`);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // An error of ours says all that is needed; any other is a bug and its place helps.
  const ours =
    'code' in error ||
    error instanceof MisuseError ||
    error instanceof FailedError ||
    error instanceof BookError;
  return ours ? error.message : (error.stack ?? error.message);
}

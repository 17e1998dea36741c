import type { Command } from 'commander';
import type { AccountQuery, Ledger } from '../client/index.ts';
import { parseId, parseLedger, parseTimestamp, parseWhole } from './parse.ts';

const U32_MAX = 0xffff_ffff;
const U64_MAX = 2n ** 64n - 1n;

export interface TimeFlags {
  readonly from?: string;
  readonly to?: string;
}

export interface FilterFlags extends TimeFlags {
  readonly userData128?: string;
  readonly userData64?: string;
  readonly userData32?: string;
  readonly ledger?: string;
  readonly code?: string;
  readonly reversed?: true;
  readonly limit: string;
}

/** Adds the bounds of time. */
export function withTimes(command: Command): Command {
  return command
    .option(
      '--from <time>',
      'from then on: a UTC time such as 2026-01-31T12:00:00Z, or ns since 1970',
    )
    .option('--to <time>', 'up to then, that day, second or nanosecond included');
}

/** Adds what both queries can ask for. */
export function withFilter(command: Command): Command {
  return withTimes(command)
    .option('--user-data-128 <n>', 'with this user data, decimal or 0x...')
    .option('--user-data-64 <n>', 'with this user data, decimal or 0x...')
    .option('--user-data-32 <n>', 'with this user data')
    .option('--ledger <ledger>', 'of this ledger, by number or currency')
    .option('--code <code>', 'of this code')
    .option('--reversed', 'newest first')
    .option('--limit <n>', 'how many at most', '100');
}

export function timesOf({ from, to }: TimeFlags): Pick<AccountQuery, 'from' | 'to'> {
  return {
    ...(from === undefined ? {} : { from: parseTimestamp('--from', from) }),
    ...(to === undefined ? {} : { to: parseTimestamp('--to', to, 'end') }),
  };
}

export function filterOf(
  flags: FilterFlags,
  ledgers: readonly Ledger[],
): AccountQuery & { readonly limit: number } {
  const { userData128, userData64, userData32, ledger, code } = flags;
  return {
    ...timesOf(flags),
    ...(userData128 === undefined ? {} : { userData128: parseId('--user-data-128', userData128) }),
    ...(userData64 === undefined
      ? {}
      : { userData64: parseId('--user-data-64', userData64, U64_MAX) }),
    ...(userData32 === undefined
      ? {}
      : { userData32: parseWhole('--user-data-32', userData32, U32_MAX) }),
    ...(ledger === undefined ? {} : { ledger: parseLedger(ledgers, ledger).number }),
    ...(code === undefined ? {} : { code: parseWhole('--code', code, 65_535, 1) }),
    ...(flags.reversed === true ? { reversed: true } : {}),
    limit: parseLimit(flags.limit),
  };
}

export function parseLimit(text: string): number {
  return parseWhole('--limit', text, Number.MAX_SAFE_INTEGER, 1);
}

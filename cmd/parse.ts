import type { Ledger } from '../client/index.ts';
import { isoNumber } from '../server/core/iso-4217.ts';
import { foldName } from '../server/core/ledger-definition.ts';
import { parseMoney } from './bank/money.ts';
import { parseRate, type Rate } from './bank/pacer.ts';
import { MisuseError } from './exit.ts';

const U128_MAX = 2n ** 128n - 1n;

/** A u128, or up to `max`: decimal, or hex with 0x. */
export function parseId(what: string, text: string, max = U128_MAX): bigint {
  const id = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? BigInt(text) : -1n;
  if (id < 0n || id > max) {
    const limit = `2^${max.toString(2).length}`;
    throw new MisuseError(`${what}: '${text}' is no whole number below ${limit}, decimal or 0x...`);
  }
  return id;
}

/** As people pass ids around: small ones in decimal, composed ones in hex. */
export function formatId(id: bigint): string {
  return id < 2n ** 64n ? `${id}` : `0x${id.toString(16)}`;
}

export function parseWhole(what: string, text: string, max: number, min = 0): number {
  const value = /^\d+$/.test(text) ? Number(text) : -1;
  if (value < min || value > max) {
    throw new MisuseError(`${what} takes a whole number from ${min} to ${max}, got '${text}'`);
  }
  return value;
}

/** By number, or by currency or name in any case. Older clusters may have a name twice. */
export function parseLedger(ledgers: readonly Ledger[], text: string): Ledger {
  const name = foldName(text);
  const byNumber = ledgers.filter(({ number }) => `${number}` === text);
  const byName = ledgers.filter(({ currency }) => foldName(currency) === name);
  const standard = byName.filter(({ number }) => number === isoNumber(text));
  const found = [byNumber, standard].find((of) => of.length > 0) ?? byName;
  if (found.length === 1) return found[0]!;
  const names = (of: readonly Ledger[]) =>
    of.map(({ number, currency }) => `${number} (${currency})`).join(', ');
  if (found.length > 1) {
    throw new MisuseError(`'${text}' may be any of ${names(found)}: give the number`);
  }
  throw new MisuseError(`there is no ledger ${text}; known are ${names(ledgers)}`);
}

/** In the ledger's form, never below 0. */
export function parseAmount(text: string, { currency, number, scale }: Ledger): bigint {
  let minor: bigint;
  try {
    minor = parseMoney(text, { code: currency, numeric: number, scale });
  } catch (error) {
    throw new MisuseError(`amount: ${(error as Error).message}`, { cause: error });
  }
  if (minor < 0n || minor > U128_MAX) {
    throw new MisuseError(`amount: ${text} must be 0 .. 2^128-1 minor units`);
  }
  return minor;
}

const TIMESTAMP_MAX = 2n ** 63n - 1n;
const NS_PER_SECOND = 1_000_000_000n;
const TIME = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?Z)?$/;

/**
 * Nanoseconds since 1970, or an ISO 8601 time in UTC such as 2026-01-31T12:00:00Z. A time names a span: a day, a
 * minute, a second, or what its last decimal stands for. `edge` says which of its nanoseconds is meant.
 */
export function parseTimestamp(
  what: string,
  text: string,
  edge: 'start' | 'end' = 'start',
): bigint {
  const span = /^\d+$/.test(text) ? { start: BigInt(text), lengthNs: 1n } : spanOf(text);
  const ns = span === null ? -1n : edge === 'start' ? span.start : span.start + span.lengthNs - 1n;
  if (ns < 1n || ns > TIMESTAMP_MAX) {
    throw new MisuseError(
      `${what}: '${text}' is neither a UTC time such as 2026-01-31T12:00:00Z nor nanoseconds since 1970`,
    );
  }
  return ns;
}

function spanOf(text: string): { start: bigint; lengthNs: bigint } | null {
  const parts = TIME.exec(text);
  if (parts === null) return null;
  const [, day, minute, second, decimals] = parts;
  const whole = `${day}T${minute ?? '00:00'}:${second ?? '00'}`;
  const ms = Date.parse(`${whole}Z`);
  // Date.parse takes 31 February for 3 March: what doesn't come back as it was is no time.
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== `${whole}.000Z`) return null;
  const start = BigInt(ms) * 1_000_000n + BigInt((decimals ?? '').padEnd(9, '0'));
  if (decimals !== undefined) return { start, lengthNs: 10n ** BigInt(9 - decimals.length) };
  const lengthS = second !== undefined ? 1n : minute !== undefined ? 60n : 86_400n;
  return { start, lengthNs: lengthS * NS_PER_SECOND };
}

export function parseRateFlag(text: string): Rate {
  try {
    return parseRate(text);
  } catch (error) {
    throw new MisuseError(`--rate: ${(error as Error).message}`, { cause: error });
  }
}

import type { Topology } from '../client/index.ts';
import { parseRate, type Rate } from './bank/pacer.ts';
import { MisuseError } from './exit.ts';

const U128_MAX = 2n ** 128n - 1n;

/** A u128: decimal, or hex with 0x. */
export function parseId(what: string, text: string): bigint {
  const id = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? BigInt(text) : -1n;
  if (id < 0n || id > U128_MAX) {
    throw new MisuseError(`${what}: '${text}' is no whole number below 2^128, decimal or 0x...`);
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

/** By number or by currency. */
export function parseLedger(topology: Topology, text: string): Topology['ledgers'][number] {
  const ledger = topology.ledgers.find(
    ({ number, currency }) => `${number}` === text || currency === text.toUpperCase(),
  );
  if (ledger !== undefined) return ledger;
  const known = topology.ledgers.map(({ number, currency }) => `${number} (${currency})`);
  throw new MisuseError(`there is no ledger ${text}; known are ${known.join(', ')}`);
}

export function parseRateFlag(text: string): Rate {
  try {
    return parseRate(text);
  } catch (error) {
    throw new MisuseError(`--rate: ${(error as Error).message}`, { cause: error });
  }
}

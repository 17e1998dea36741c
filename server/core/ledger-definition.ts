import { isoScale } from './iso-4217.ts';
import type { LedgerDefinition } from './topology.ts';

/** 2^128 minor units at scale 18 still leave 20 digits before the point; finer parts of anything are not in use. */
export const LEDGER_SCALE_MAX = 18;
export const LEDGER_NAME_CHARACTERS_MAX = 32;
const U32_MAX = 0xffff_ffff;
/** Printable, in any script, and no space at either end, where nobody would see it. */
const NAME =
  /^[\p{L}\p{M}\p{N}\p{P}\p{S}](?:[\p{L}\p{M}\p{N}\p{P}\p{S} ]*[\p{L}\p{M}\p{N}\p{P}\p{S}])?$/u;

/** What is wrong with a ledger's definition, beginning with the field, or null. A ledger can't be changed later. */
export function ledgerProblem({ ledger, currency, scale }: LedgerDefinition): string | null {
  if (!Number.isInteger(ledger) || ledger < 1 || ledger > U32_MAX) {
    return `number: ${ledger}, must be 1 .. ${U32_MAX}`;
  }
  const characters = Array.from(currency).length;
  if (characters < 1 || characters > LEDGER_NAME_CHARACTERS_MAX || !NAME.test(currency)) {
    return `currency: must be 1 .. ${LEDGER_NAME_CHARACTERS_MAX} printable characters, and neither begin nor end with a space`;
  }
  if (!Number.isInteger(scale) || scale < 0 || scale > LEDGER_SCALE_MAX) {
    return `scale: ${scale}, must be 0 .. ${LEDGER_SCALE_MAX}`;
  }
  const standard = isoScale(currency);
  if (standard !== undefined && scale !== standard) {
    return `scale: ${scale}, but ${currency} has ${standard} decimal places by ISO 4217; for another scale take a name of your own, such as ${currency}-${scale}`;
  }
  return null;
}

/** Names are for people, and to people `eur` is EUR. */
export function foldName(currency: string): string {
  return currency.toLowerCase();
}

export function isSameLedger(a: LedgerDefinition, b: LedgerDefinition): boolean {
  return a.ledger === b.ledger && a.currency === b.currency && a.scale === b.scale;
}

import { AccountWord } from './layout.ts';
import { NO_ACCOUNT } from './outcome.ts';
import type { LedgerState } from './state.ts';

/** Clearing accounts need a code; clients never see one in a transfer. */
const CLEARING_CODE = 1;

/** Writes the id of the clearing account of (ledger, other unit): 2^128 - 2^64 + (ledger << 32 | unit << 16 | 1). */
export function writeClearingId(
  ledger: number,
  otherUnit: number,
  words: Uint32Array,
  at: number,
): void {
  words[at] = (otherUnit << 16) | 1;
  words[at + 1] = ledger;
  words[at + 2] = 0xffff_ffff;
  words[at + 3] = 0xffff_ffff;
}

/** Handle of the clearing account, or -1 while no entry has needed it. */
export function findClearing(state: LedgerState, ledger: number, otherUnit: number): number {
  writeClearingId(ledger, otherUnit, state.clearingRecord, AccountWord.id);
  return state.accounts.find(state.clearingRecord, AccountWord.id);
}

/** The same, created by the event in hand if it is the first to need it. */
export function needClearing(state: LedgerState, ledger: number, otherUnit: number): number {
  const known = findClearing(state, ledger, otherUnit);
  if (known !== NO_ACCOUNT) return known;
  const record = state.clearingRecord;
  record[AccountWord.ledger] = ledger;
  record[AccountWord.codeAndFlags] = CLEARING_CODE;
  return state.accounts.create(record, AccountWord.id, state.time.lo, state.time.hi);
}

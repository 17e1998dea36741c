import { HotWord } from './account-store.ts';
import { OK } from './amount-rules.ts';
import { existingAccountStatus } from './exists-rules.ts';
import { importedAccountStatus, timestampStatus } from './import-rules.ts';
import { AccountFlag, AccountWord } from './layout.ts';
import { NO_ACCOUNT } from './outcome.ts';
import type { LedgerState } from './state.ts';
import { AccountStatus, CREATED, InternalStatus } from './status.ts';
import { isHighHalfMax, isZero } from './u128.ts';

const LIMITS = AccountFlag.debitsMustNotExceedCredits | AccountFlag.creditsMustNotExceedDebits;
/** Spread accounts are not served yet. */
const SERVED_FLAGS =
  AccountFlag.linked | LIMITS | AccountFlag.history | AccountFlag.imported | AccountFlag.closed;

/** One event of create_accounts: its status. The account exists if it is `created`. */
export function createAccount(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  event: number,
): number {
  if (!ownsId(state, words, at + AccountWord.id)) return InternalStatus.wrong_unit;
  const early = statusBeforeId(state, words, at);
  if (early !== OK) return early;
  const known = state.accounts.find(words, at + AccountWord.id);
  if (known !== NO_ACCOUNT) return statusOfKnown(state, known, words, at);
  const status = statusOfFields(words, at);
  if (status !== OK) return status;
  const { time, outcome } = state;
  if (state.isImport) {
    const imported = importedAccountStatus(state, words, at + AccountWord.timestamp, event);
    if (imported !== OK) return imported;
    outcome.takeTimestamp(words, at + AccountWord.timestamp);
    state.accounts.create(words, at, outcome.timestampLo, outcome.timestampHi);
  } else {
    state.accounts.create(words, at, time.lo, time.hi);
  }
  return CREATED;
}

/** In a chain an id that no account can have is refused by the chain's unit, whatever its slot. */
function ownsId(state: LedgerState, words: Uint32Array, at: number): boolean {
  if (state.chain.open && (isZero(words, at) || isHighHalfMax(words, at))) return true;
  return state.owns(words, at);
}

function statusBeforeId(state: LedgerState, words: Uint32Array, at: number): number {
  const W = AccountWord;
  const flags = words[at + W.codeAndFlags]! >>> 16;
  const isImported = (flags & AccountFlag.imported) !== 0;
  const lo = words[at + W.timestamp]!;
  const hi = words[at + W.timestamp + 1]!;
  const timestamp = timestampStatus(state, isImported, lo, hi, AccountStatus);
  if (timestamp !== OK) return timestamp;
  if (words[at + W.reserved] !== 0) return AccountStatus.reserved_field;
  if ((flags & ~SERVED_FLAGS) !== 0) return AccountStatus.reserved_flag;
  if (isZero(words, at + W.id)) return AccountStatus.id_must_not_be_zero;
  // The ids of clearing accounts end in 2^128 - 1; all of them are closed to clients.
  if (isHighHalfMax(words, at + W.id)) return AccountStatus.id_must_not_be_int_max;
  return OK;
}

function statusOfKnown(state: LedgerState, handle: number, words: Uint32Array, at: number): number {
  const status = existingAccountStatus(state.accounts, handle, words, at);
  if (status === AccountStatus.exists) {
    const page = state.accounts.pageOf(handle);
    const row = state.accounts.offsetOf(handle);
    state.outcome.takeTimestamp(page, row + HotWord.timestamp);
  }
  return status;
}

function statusOfFields(words: Uint32Array, at: number): number {
  const W = AccountWord;
  const flags = words[at + W.codeAndFlags]! >>> 16;
  if ((flags & LIMITS) === LIMITS) return AccountStatus.flags_are_mutually_exclusive;
  if (!isZero(words, at + W.debitsPending)) return AccountStatus.debits_pending_must_be_zero;
  if (!isZero(words, at + W.debitsPosted)) return AccountStatus.debits_posted_must_be_zero;
  if (!isZero(words, at + W.creditsPending)) return AccountStatus.credits_pending_must_be_zero;
  if (!isZero(words, at + W.creditsPosted)) return AccountStatus.credits_posted_must_be_zero;
  if (words[at + W.ledger] === 0) return AccountStatus.ledger_must_not_be_zero;
  if ((words[at + W.codeAndFlags]! & 0xffff) === 0) return AccountStatus.code_must_not_be_zero;
  return OK;
}

import {
  burnIfTransient,
  creditLimitStatus,
  debitLimitStatus,
  OK,
  overflowStatus,
} from './amount-rules.ts';
import { existingTransferStatus } from './exists-rules.ts';
import { Known } from './known-ids.ts';
import { AccountWord, Leg, TransferWord } from './layout.ts';
import { NO_ACCOUNT } from './outcome.ts';
import { addToColumn, bookRow } from './posting.ts';
import { reserve } from './reserve.ts';
import type { LedgerState } from './state.ts';
import { InternalStatus, TransferStatus } from './status.ts';
import { equal, isHighHalfMax, isMax, isZero } from './u128.ts';

/** One event of create_transfers: its status. `event` is its number in the entry. */
export function createTransfer(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  event: number,
  wantsBalances: boolean,
): number {
  if (!state.owns(words, at + TransferWord.debitAccountId)) return InternalStatus.wrong_unit;
  const early = statusBeforeId(words, at);
  if (early !== OK) return early;
  const known = state.ids.locate(words, at + TransferWord.id, event);
  if (known !== Known.none) return statusOfKnown(state, known, words, at);
  const fields = statusOfFields(words, at);
  if (fields !== OK) return fields;
  const status = transfer(state, words, at, wantsBalances);
  burnIfTransient(state, status, words, at);
  return status;
}

function statusBeforeId(words: Uint32Array, at: number): number {
  const W = TransferWord;
  if ((words[at + W.timestamp]! | words[at + W.timestamp + 1]!) !== 0) {
    return TransferStatus.timestamp_must_be_zero;
  }
  // No flag is served yet.
  if (words[at + W.codeAndFlags]! >>> 16 !== 0) return TransferStatus.reserved_flag;
  if (isZero(words, at + W.id)) return TransferStatus.id_must_not_be_zero;
  if (isMax(words, at + W.id)) return TransferStatus.id_must_not_be_int_max;
  return OK;
}

/** Existence is tested before validity, so a retry gets its first outcome whatever else it says. */
function statusOfKnown(state: LedgerState, known: Known, words: Uint32Array, at: number): number {
  if (known === Known.open) return InternalStatus.in_flight;
  if (known === Known.burnt) return TransferStatus.id_already_failed;
  const { ids, outcome, accounts } = state;
  const stored = ids.foundWords;
  const status = existingTransferStatus(words, at, stored, ids.foundAt);
  if (status === TransferStatus.exists) {
    outcome.timestampLo = stored[ids.foundAt + TransferWord.timestamp]!;
    outcome.timestampHi = stored[ids.foundAt + TransferWord.timestamp + 1]!;
    outcome.debit = accounts.find(words, at + TransferWord.debitAccountId);
    outcome.credit = accounts.find(words, at + TransferWord.creditAccountId);
  }
  return status;
}

/** Rules that the record alone decides. Ids of clearing accounts count as 2^128 - 1. */
function statusOfFields(words: Uint32Array, at: number): number {
  const W = TransferWord;
  const debit = at + W.debitAccountId;
  const credit = at + W.creditAccountId;
  if (isZero(words, debit)) return TransferStatus.debit_account_id_must_not_be_zero;
  if (isHighHalfMax(words, debit)) return TransferStatus.debit_account_id_must_not_be_int_max;
  if (isZero(words, credit)) return TransferStatus.credit_account_id_must_not_be_zero;
  if (isHighHalfMax(words, credit)) return TransferStatus.credit_account_id_must_not_be_int_max;
  if (equal(words, debit, words, credit)) return TransferStatus.accounts_must_be_different;
  if (!isZero(words, at + W.pendingId)) return TransferStatus.pending_id_must_be_zero;
  if (words[at + W.timeout] !== 0) return TransferStatus.timeout_reserved_for_pending_transfer;
  if (words[at + W.ledger] === 0) return TransferStatus.ledger_must_not_be_zero;
  if ((words[at + W.codeAndFlags]! & 0xffff) === 0) return TransferStatus.code_must_not_be_zero;
  return OK;
}

function transfer(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  wantsBalances: boolean,
): number {
  const debit = state.accounts.find(words, at + TransferWord.debitAccountId);
  if (debit === NO_ACCOUNT) return TransferStatus.debit_account_not_found;
  const creditOwner = state.ownerOf(words, at + TransferWord.creditAccountId);
  if (creditOwner !== state.unit) {
    return reserve(state, words, at, debit, creditOwner, wantsBalances);
  }
  const credit = state.accounts.find(words, at + TransferWord.creditAccountId);
  if (credit === NO_ACCOUNT) return TransferStatus.credit_account_not_found;
  const status = statusOfAccounts(state, words, at, debit, credit);
  if (status !== OK) return status;
  const amount = at + TransferWord.amount;
  addToColumn(state, debit, AccountWord.debitsPosted, words, amount);
  addToColumn(state, credit, AccountWord.creditsPosted, words, amount);
  bookRow(state, words, at, debit, credit, Leg.both, 0);
  state.outcome.debit = debit;
  state.outcome.credit = credit;
  return TransferStatus.created;
}

function statusOfAccounts(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  debit: number,
  credit: number,
): number {
  const debitPage = state.accounts.pageOf(debit);
  const debitRow = state.accounts.offsetOf(debit);
  const creditPage = state.accounts.pageOf(credit);
  const creditRow = state.accounts.offsetOf(credit);
  const ledger = debitPage[debitRow + AccountWord.ledger];
  if (ledger !== creditPage[creditRow + AccountWord.ledger]) {
    return TransferStatus.accounts_must_have_the_same_ledger;
  }
  if (ledger !== words[at + TransferWord.ledger]) {
    return TransferStatus.transfer_must_have_the_same_ledger_as_accounts;
  }
  const overflow = overflowStatus(debitPage, debitRow, creditPage, creditRow, words, at);
  if (overflow !== OK) return overflow;
  const debitLimit = debitLimitStatus(debitPage, debitRow, words, at);
  if (debitLimit !== OK) return debitLimit;
  return creditLimitStatus(creditPage, creditRow, words, at);
}

import { debitLimitStatus, OK, overflowStatus } from './amount-rules.ts';
import { findClearing, needClearing } from './clearing.ts';
import { AccountWord, OpenRowWord, RECORD_WORDS, TransferWord } from './layout.ts';
import { NO_ACCOUNT } from './outcome.ts';
import { addToColumn } from './posting.ts';
import type { LedgerState } from './state.ts';
import { InternalStatus, TransferStatus } from './status.ts';
import { copyWords } from './words.ts';

/**
 * First step of a crossing, in the home unit: all home-side rules, then the amount becomes pending on
 * the debit account against the clearing account of the far unit. The transfer has no row until Complete.
 */
export function reserve(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  debit: number,
  farUnit: number,
  wantsBalances: boolean,
): number {
  const status = statusOfHomeSide(state, words, at, debit, farUnit);
  if (status !== OK) return status;
  const { channels, outcome } = state;
  const clearing = needClearing(state, words[at + TransferWord.ledger]!, farUnit);
  const amount = at + TransferWord.amount;
  addToColumn(state, debit, AccountWord.debitsPending, words, amount);
  addToColumn(state, clearing, AccountWord.creditsPending, words, amount);
  const channel = channels.get(farUnit);
  const place = channels.open(channel, wantsBalances);
  const page = channels.pool.pageOf(place);
  const record = channels.pool.offsetOf(place) + OpenRowWord.record;
  copyWords(words, at, page, record, RECORD_WORDS);
  page[record + TransferWord.timestamp] = state.time.lo;
  page[record + TransferWord.timestamp + 1] = state.time.hi;
  state.ids.addOpen(words, at + TransferWord.id, place);
  outcome.crossing(farUnit, channel.lastSequence);
  outcome.debit = debit;
  return InternalStatus.crossing_opened;
}

function statusOfHomeSide(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  debit: number,
  farUnit: number,
): number {
  const page = state.accounts.pageOf(debit);
  const row = state.accounts.offsetOf(debit);
  const ledger = page[row + AccountWord.ledger]!;
  if (ledger !== words[at + TransferWord.ledger]) {
    return TransferStatus.transfer_must_have_the_same_ledger_as_accounts;
  }
  const clearing = findClearing(state, ledger, farUnit);
  const known = clearing !== NO_ACCOUNT;
  const clearingPage = known ? state.accounts.pageOf(clearing) : state.zeroRow;
  const clearingRow = known ? state.accounts.offsetOf(clearing) : 0;
  const overflow = overflowStatus(page, row, clearingPage, clearingRow, words, at);
  return overflow !== OK ? overflow : debitLimitStatus(page, row, words, at);
}

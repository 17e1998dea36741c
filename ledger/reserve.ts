import { HotWord } from './account-store.ts';
import { closedStatus, debitLimitStatus, OK, overflowStatus } from './amount-rules.ts';
import { findClearing, needClearing } from './clearing.ts';
import { Leg, OpenRowWord, RECORD_WORDS, TransferWord } from './layout.ts';
import { NO_ACCOUNT } from './outcome.ts';
import { addToColumn, bookMovement } from './posting.ts';
import type { LedgerState } from './state.ts';
import { InternalStatus, TransferStatus } from './status.ts';
import { copyWords } from './words.ts';

/**
 * First step of a crossing, in the home unit: all home-side rules, then the amount becomes pending on
 * the debit account against the clearing account of the far unit. The transfer itself is booked at
 * Complete; until then its hold is.
 */
export function reserve(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  debit: number,
  farUnit: number,
): number {
  const status = statusOfHomeSide(state, words, at, debit, farUnit);
  if (status !== OK) return status;
  const { channels, outcome } = state;
  const clearing = needClearing(state, words[at + TransferWord.ledger]!, farUnit);
  const amount = at + TransferWord.amount;
  addToColumn(state, debit, HotWord.debitsPending, words, amount);
  addToColumn(state, clearing, HotWord.creditsPending, words, amount);
  bookMovement(state, words, at, debit, clearing, Leg.hold, farUnit);
  const channel = channels.get(farUnit);
  const place = channels.open(channel, state.wantsBalances);
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
  const account = state.accounts.offsetOf(debit);
  const ledger = page[account + HotWord.ledger]!;
  if (ledger !== words[at + TransferWord.ledger]) {
    return TransferStatus.transfer_must_have_the_same_ledger_as_accounts;
  }
  const clearing = findClearing(state, ledger, farUnit);
  const known = clearing !== NO_ACCOUNT;
  const clearingPage = known ? state.accounts.pageOf(clearing) : state.zeroAccount;
  const clearingAt = known ? state.accounts.offsetOf(clearing) : 0;
  const closed = closedStatus(page, account, clearingPage, clearingAt);
  if (closed !== OK) return closed;
  const amount = at + TransferWord.amount;
  const overflow = overflowStatus(page, account, clearingPage, clearingAt, words, amount, false);
  return overflow !== OK ? overflow : debitLimitStatus(page, account, words, amount);
}

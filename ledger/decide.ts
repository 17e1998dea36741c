import { HotWord } from './account-store.ts';
import {
  burnIfTransient,
  closedStatus,
  creditLimitStatus,
  OK,
  overflowStatus,
} from './amount-rules.ts';
import type { Channel } from './channels.ts';
import { DecidedWord } from './channels.ts';
import { findClearing, needClearing } from './clearing.ts';
import { existingTransferStatus } from './exists-rules.ts';
import { invariant } from './invariant.ts';
import { Known } from './known-ids.ts';
import { Leg, TransferWord } from './layout.ts';
import { NO_ACCOUNT } from './outcome.ts';
import { addToColumn, bookTransfer } from './posting.ts';
import type { LedgerState } from './state.ts';
import { InternalStatus, TransferStatus } from './status.ts';

/**
 * Second step of a crossing, in the far unit: the whole record is tested by all far-side rules and, if
 * they hold, credited against the home unit's clearing account. Same attempt, same answer, until the
 * home unit has said that it is finished with it. The answer's timestamp is the decision's.
 */
export function decide(
  state: LedgerState,
  channel: Channel,
  sequence: number,
  record: Uint32Array,
  at: number,
  event: number,
): number {
  const { outcome, channels, time } = state;
  outcome.crossing(channel.otherUnit, sequence);
  if (sequence <= channel.forgottenThrough) return InternalStatus.decision_forgotten;
  const earlier = channel.decided.find(sequence);
  if (earlier >= 0) return repeat(state, channel, earlier, record, at);
  const status = outcomeOf(state, channel.otherUnit, record, at, event);
  burnIfTransient(state, status, record, at);
  outcome.reset(time.lo, time.hi);
  outcome.crossing(channel.otherUnit, sequence);
  if (status === TransferStatus.created) showCredit(state, record, at);
  channels.decide(channel, sequence, status, time.lo, time.hi);
  return status;
}

function repeat(
  state: LedgerState,
  channel: Channel,
  decidedAt: number,
  record: Uint32Array,
  at: number,
): number {
  const { words } = channel.decided;
  const status = words[decidedAt + DecidedWord.status]!;
  state.outcome.takeTimestamp(words, decidedAt + DecidedWord.timestamp);
  if (status === TransferStatus.created) showCredit(state, record, at);
  return status;
}

function showCredit(state: LedgerState, record: Uint32Array, at: number): void {
  state.outcome.credit = state.accounts.find(record, at + TransferWord.creditAccountId);
}

function outcomeOf(
  state: LedgerState,
  homeUnit: number,
  record: Uint32Array,
  at: number,
  event: number,
): number {
  // The slot is another unit's by now: the home unit releases, and the client's gateway asks again.
  if (!state.owns(record, at + TransferWord.creditAccountId)) return InternalStatus.wrong_unit;
  const { ids } = state;
  const idAt = at + TransferWord.id;
  const known = ids.locate(ids.hashOf(record, idAt), record, idAt, event);
  if (known === Known.burnt) return TransferStatus.id_already_failed;
  // A row, or an open crossing of our own, has another debit account: a client used one id twice. An open
  // one must not be waited for, or two units could wait for each other.
  if (known !== Known.none) return statusOfKnown(state, record, at);
  const credit = state.accounts.find(record, at + TransferWord.creditAccountId);
  if (credit === NO_ACCOUNT) return TransferStatus.credit_account_not_found;
  const status = statusOfFarSide(state, homeUnit, record, at, credit);
  if (status !== OK) return status;
  const clearing = needClearing(state, record[at + TransferWord.ledger]!, homeUnit);
  const amount = at + TransferWord.amount;
  addToColumn(state, clearing, HotWord.debitsPosted, record, amount);
  addToColumn(state, credit, HotWord.creditsPosted, record, amount);
  state.outcome.takeTimestamp(record, at + TransferWord.timestamp);
  bookTransfer(state, record, at, state.ids.hash, clearing, credit, Leg.far, homeUnit, state.time);
  return TransferStatus.created;
}

function statusOfKnown(state: LedgerState, record: Uint32Array, at: number): number {
  const status = existingTransferStatus(record, at, state.ids.foundWords, state.ids.foundAt);
  // To release what was credited already would make money: an attempt that succeeded is repeated above.
  invariant(status !== TransferStatus.exists, 'a transfer crossed twice');
  return status;
}

function statusOfFarSide(
  state: LedgerState,
  homeUnit: number,
  record: Uint32Array,
  at: number,
  credit: number,
): number {
  const page = state.accounts.pageOf(credit);
  const row = state.accounts.offsetOf(credit);
  const ledger = page[row + HotWord.ledger]!;
  if (ledger !== record[at + TransferWord.ledger]) {
    return TransferStatus.accounts_must_have_the_same_ledger;
  }
  const clearing = findClearing(state, ledger, homeUnit);
  const known = clearing !== NO_ACCOUNT;
  const clearingPage = known ? state.accounts.pageOf(clearing) : state.zeroAccount;
  const clearingRow = known ? state.accounts.offsetOf(clearing) : 0;
  const closed = closedStatus(clearingPage, clearingRow, page, row);
  if (closed !== OK) return closed;
  const amount = at + TransferWord.amount;
  const overflow = overflowStatus(clearingPage, clearingRow, page, row, record, amount, false);
  return overflow !== OK ? overflow : creditLimitStatus(page, row, record, amount);
}

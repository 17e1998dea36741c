import { HotWord } from './account-store.ts';
import { burnIfTransient } from './amount-rules.ts';
import type { Channel } from './channels.ts';
import { needClearing } from './clearing.ts';
import { invariant } from './invariant.ts';
import { Leg, OpenRowWord, TransferWord } from './layout.ts';
import { NO_ACCOUNT } from './outcome.ts';
import { addToColumn, bookMovement, bookTransfer, takeFromColumn } from './posting.ts';
import type { LedgerState } from './state.ts';
import { InternalStatus, TransferStatus } from './status.ts';

/** Internal statuses start here; of those only wrong_unit is a decision. */
const INTERNAL_STATUS_MIN = InternalStatus.crossing_opened;

/**
 * Last step of a crossing, in the home unit: posts or releases what Reserve held, as the far unit has
 * decided. The result's timestamp is the Reserve's, which is the transfer's.
 */
export function complete(
  state: LedgerState,
  channel: Channel,
  sequence: number,
  farStatus: number,
): number {
  const { channels, outcome } = state;
  outcome.crossing(channel.otherUnit, sequence);
  const place = channels.findOpen(channel, sequence);
  if (place < 0) return InternalStatus.already_complete;
  const words = channels.pool.pageOf(place);
  const row = channels.pool.offsetOf(place);
  const record = row + OpenRowWord.record;
  outcome.takeTimestamp(words, record + TransferWord.timestamp);
  const debit = state.accounts.find(words, record + TransferWord.debitAccountId);
  invariant(debit !== NO_ACCOUNT, 'the debit account of an open crossing is gone');
  const clearing = needClearing(state, words[record + TransferWord.ledger]!, channel.otherUnit);
  const amount = record + TransferWord.amount;
  takeFromColumn(state, debit, HotWord.debitsPending, words, amount);
  takeFromColumn(state, clearing, HotWord.creditsPending, words, amount);
  state.ids.removeOpen(words, record + TransferWord.id);
  if (farStatus === TransferStatus.created) {
    addToColumn(state, debit, HotWord.debitsPosted, words, amount);
    addToColumn(state, clearing, HotWord.creditsPosted, words, amount);
    const hash = state.ids.hashOf(words, record + TransferWord.id);
    const unit = channel.otherUnit;
    bookTransfer(state, words, record, hash, debit, clearing, Leg.home, unit, state.time);
    if (words[row + OpenRowWord.wantsBalances] === 1) outcome.debit = debit;
  } else {
    const decides = farStatus < INTERNAL_STATUS_MIN || farStatus === InternalStatus.wrong_unit;
    invariant(decides, 'a crossing was completed with a status that decides nothing');
    bookMovement(state, words, record, debit, clearing, Leg.release, channel.otherUnit);
    burnIfTransient(state, farStatus, words, record);
  }
  channels.close(channel, sequence, place);
  return farStatus;
}

import { InternalStatus, TransferStatus as S } from '../status.ts';
import { limitStatus, overflowStatus } from './oracle-amounts.ts';
import { reserve } from './oracle-crossings.ts';
import { compareTransfer } from './oracle-exists.ts';
import { AccountBit, Flag, has, TIMESTAMP_MAX, TRANSFER_FLAGS, U128_MAX } from './oracle-flags.ts';
import { CLOSED_IDS_FROM, type OracleLedger } from './oracle-ledger.ts';
import { resolvePending } from './oracle-two-phase.ts';
import { type Batch, type Evaluated, type OracleResult, plain } from './oracle-types.ts';
import type { AccountFields, TransferFields } from './records.ts';

const SECOND_NS = 1_000_000_000n;

/** create_transfers, in the order of its list. The caller burns the id where that is due. */
export function createTransfer(
  ledger: OracleLedger,
  event: TransferFields,
  at: bigint,
  batch: Batch,
  isLinked: boolean,
): Evaluated {
  const refuse = (status: number) => ({ result: plain(status, at), shows: null });
  const isResolving = has(event, Flag.post | Flag.void);
  if (ownerOf(ledger, event, isLinked) !== ledger.unit) {
    return refuse(InternalStatus.wrong_unit);
  }
  const early = statusBeforeExists(event, batch);
  if (early !== null) return refuse(early);
  if (ledger.isOpen(event.id)) return refuse(InternalStatus.in_flight);
  const known = ledger.transfers.get(event.id);
  if (known !== undefined) {
    const status = compareTransfer(ledger, event, known);
    if (status !== S.exists) return refuse(status);
    return { result: plain(status, known.timestamp), shows: batch.balances ? known : null };
  }
  if (ledger.burnt.has(event.id)) return refuse(S.id_already_failed);
  const timestamp = has(event, Flag.imported) ? event.timestamp : at;
  const status = isResolving
    ? resolvePending(ledger, event, at, timestamp)
    : newTransfer(ledger, event, at, timestamp, batch, isLinked);
  if (typeof status !== 'number') return { result: status, shows: null };
  if (status !== S.created) return refuse(status);
  const record = ledger.transfers.get(event.id)!;
  return { result: plain(status, timestamp), shows: batch.balances ? record : null };
}

/**
 * A post or void may leave out accounts; one that names none is for whoever gets it. In a chain so is
 * one with a debit id that no account can have.
 */
function ownerOf(ledger: OracleLedger, event: TransferFields, isLinked: boolean): number {
  if (isLinked && (event.debit === 0n || event.debit >= CLOSED_IDS_FROM)) return ledger.unit;
  if (!has(event, Flag.post | Flag.void) || event.debit !== 0n) return ledger.ownerOf(event.debit);
  return event.credit === 0n ? ledger.unit : ledger.ownerOf(event.credit);
}

function statusBeforeExists(event: TransferFields, batch: Batch): number | null {
  const { timestamp, id } = event;
  const imported = has(event, Flag.imported);
  if (batch.imported && !imported) return S.imported_event_expected;
  if (!batch.imported && imported) return S.imported_event_not_expected;
  if (!imported && timestamp !== 0n) return S.timestamp_must_be_zero;
  if (imported && (timestamp === 0n || timestamp > TIMESTAMP_MAX)) {
    return S.imported_event_timestamp_out_of_range;
  }
  if (imported && timestamp >= batch.timestamp) return S.imported_event_timestamp_must_not_advance;
  if ((event.flags & ~TRANSFER_FLAGS) !== 0) return S.reserved_flag;
  if (id === 0n) return S.id_must_not_be_zero;
  if (id === U128_MAX) return S.id_must_not_be_int_max;
  return null;
}

/** An ordinary transfer: none of the rules of posts and voids. */
function newTransfer(
  ledger: OracleLedger,
  event: TransferFields,
  at: bigint,
  timestamp: bigint,
  batch: Batch,
  isLinked: boolean,
): number | OracleResult {
  const status = statusOfFields(event);
  if (status !== null) return status;
  const debit = ledger.accounts.get(event.debit);
  if (debit === undefined) return S.debit_account_not_found;
  const farUnit = ledger.ownerOf(event.credit);
  if (farUnit !== ledger.unit) {
    if (isLinked || event.flags !== 0) return InternalStatus.not_across_units;
    return reserve(ledger, event, debit, farUnit, at, batch);
  }
  const credit = ledger.accounts.get(event.credit);
  if (credit === undefined) return S.credit_account_not_found;
  const amount = balancedAmount(event, debit, credit);
  const late = statusOfAccounts(ledger, event, debit, credit, timestamp, amount);
  if (late !== null) return late;
  book(ledger, { ...event, amount, timestamp }, event.amount);
  return S.created;
}

function statusOfFields(event: TransferFields): number | null {
  const { debit, credit } = event;
  if (debit === 0n) return S.debit_account_id_must_not_be_zero;
  if (debit >= CLOSED_IDS_FROM) return S.debit_account_id_must_not_be_int_max;
  if (credit === 0n) return S.credit_account_id_must_not_be_zero;
  if (credit >= CLOSED_IDS_FROM) return S.credit_account_id_must_not_be_int_max;
  if (debit === credit) return S.accounts_must_be_different;
  if (event.pendingId !== 0n) return S.pending_id_must_be_zero;
  const isPending = has(event, Flag.pending);
  if (event.timeout !== 0 && !isPending) return S.timeout_reserved_for_pending_transfer;
  if (has(event, Flag.closingDebit | Flag.closingCredit) && !isPending) {
    return S.closing_transfer_must_be_pending;
  }
  if (event.ledger === 0) return S.ledger_must_not_be_zero;
  if (event.code === 0) return S.code_must_not_be_zero;
  return null;
}

function statusOfAccounts(
  ledger: OracleLedger,
  event: TransferFields,
  debit: AccountFields,
  credit: AccountFields,
  timestamp: bigint,
  amount: bigint,
): number | null {
  if (debit.ledger !== credit.ledger) return S.accounts_must_have_the_same_ledger;
  if (debit.ledger !== event.ledger) return S.transfer_must_have_the_same_ledger_as_accounts;
  if (has(event, Flag.imported)) {
    if (ledger.regresses(timestamp)) return S.imported_event_timestamp_must_not_regress;
    if (timestamp <= debit.timestamp) {
      return S.imported_event_timestamp_must_postdate_debit_account;
    }
    if (timestamp <= credit.timestamp) {
      return S.imported_event_timestamp_must_postdate_credit_account;
    }
    if (event.timeout !== 0) return S.imported_event_timeout_must_be_zero;
  }
  if (has(debit, AccountBit.closed)) return S.debit_account_already_closed;
  if (has(credit, AccountBit.closed)) return S.credit_account_already_closed;
  const overflow = overflowStatus(debit, credit, amount, has(event, Flag.pending));
  if (overflow !== null) return overflow;
  if (timestamp + BigInt(event.timeout) * SECOND_NS > TIMESTAMP_MAX) return S.overflows_timeout;
  return limitStatus(debit, credit, amount);
}

/** What is left to the account's limit, and never below 0. */
function balancedAmount(event: TransferFields, debit: AccountFields, credit: AccountFields) {
  const most: bigint[] = [event.amount];
  if (has(event, Flag.balancingDebit)) {
    most.push(debit.creditsPosted - debit.debitsPosted - debit.debitsPending);
  }
  if (has(event, Flag.balancingCredit)) {
    most.push(credit.debitsPosted - credit.creditsPosted - credit.creditsPending);
  }
  const least = most.reduce((a, b) => (a < b ? a : b));
  return least < 0n ? 0n : least;
}

function book(ledger: OracleLedger, record: TransferFields, requested: bigint): void {
  const { id, debit, credit, amount, timestamp } = record;
  const isPending = has(record, Flag.pending);
  ledger.move(debit, credit, {
    pending: isPending ? amount : 0n,
    posted: isPending ? 0n : amount,
  });
  if (has(record, Flag.closingDebit)) ledger.setClosed(debit, true);
  if (has(record, Flag.closingCredit)) ledger.setClosed(credit, true);
  ledger.addTransfer(record);
  if (isPending) {
    const deadline = timestamp + BigInt(record.timeout) * SECOND_NS;
    ledger.addPending(record, record.timeout === 0 ? null : deadline);
  }
  const pending = isPending ? ({ id, state: 'pending' } as const) : null;
  ledger.addEvent({ kind: 'transfer', timestamp, record, debit, credit, requested, pending });
}

import { InternalStatus, TransferStatus as S } from '../status.ts';
import { limitStatus, overflowStatus } from './oracle-amounts.ts';
import { burnIfTransient } from './oracle-chains.ts';
import { compareTransfer } from './oracle-exists.ts';
import { AccountBit, has } from './oracle-flags.ts';
import type { Open, OracleLedger } from './oracle-ledger.ts';
import { type Batch, balancesOf, type OracleResult, plain } from './oracle-types.ts';
import type { AccountFields, TransferFields } from './records.ts';

/** First step, home: all home-side rules, then a hold against the clearing account. */
export function reserve(
  ledger: OracleLedger,
  event: TransferFields,
  debit: AccountFields,
  farUnit: number,
  at: bigint,
  batch: Batch,
): OracleResult {
  const refuse = (status: number) => plain(status, at);
  if (debit.ledger !== event.ledger)
    return refuse(S.transfer_must_have_the_same_ledger_as_accounts);
  if (has(debit, AccountBit.closed)) return refuse(S.debit_account_already_closed);
  const clearing = clearingAccount(ledger, event.ledger, farUnit, at);
  const status =
    overflowStatus(debit, clearing, event.amount, false) ??
    limitStatus(debit, clearing, event.amount);
  if (status !== null) return refuse(status);
  needClearing(ledger, clearing);
  ledger.move(debit.id, clearing.id, { pending: event.amount, posted: 0n });
  const sequence = (ledger.lastSequence.get(farUnit) ?? 0n) + 1n;
  ledger.lastSequence.set(farUnit, sequence);
  const record = { ...event, timestamp: at };
  ledger.open.push({ farUnit, sequence, wantsBalances: batch.balances, record });
  addStep(ledger, 'hold', at, record, debit.id, clearing.id);
  const opened = plain(InternalStatus.crossing_opened, at, farUnit, sequence);
  return batch.balances ? { ...opened, debit: balancesOf(ledger.accounts.get(debit.id)!) } : opened;
}

/** Second step, far. Same attempt, same answer. */
export function decide(
  ledger: OracleLedger,
  homeUnit: number,
  sequence: bigint,
  record: TransferFields,
  at: bigint,
  balances: boolean,
): OracleResult {
  const key = `${homeUnit}/${sequence}`;
  if (sequence <= ledger.forgottenThrough(homeUnit)) {
    return plain(InternalStatus.decision_forgotten, at, homeUnit, sequence);
  }
  let decided = ledger.decided.get(key);
  if (decided === undefined) {
    decided = { status: farOutcome(ledger, homeUnit, record, at), timestamp: at };
    ledger.decided.set(key, decided);
    burnIfTransient(ledger, decided.status, record.id, at);
  }
  const result = plain(decided.status, decided.timestamp, homeUnit, sequence);
  if (!balances || decided.status !== S.created) return result;
  return { ...result, credit: balancesOf(ledger.accounts.get(record.credit)!) };
}

function farOutcome(
  ledger: OracleLedger,
  homeUnit: number,
  record: TransferFields,
  at: bigint,
): number {
  if (ledger.ownerOf(record.credit) !== ledger.unit) return InternalStatus.wrong_unit;
  const own = ledger.open.find((open) => open.record.id === record.id)?.record;
  const known = own ?? ledger.transfers.get(record.id);
  if (known !== undefined) return compareTransfer(ledger, record, known);
  if (ledger.burnt.has(record.id)) return S.id_already_failed;
  const credit = ledger.accounts.get(record.credit);
  if (credit === undefined) return S.credit_account_not_found;
  if (credit.ledger !== record.ledger) return S.accounts_must_have_the_same_ledger;
  if (has(credit, AccountBit.closed)) return S.credit_account_already_closed;
  const clearing = clearingAccount(ledger, record.ledger, homeUnit, at);
  const status =
    overflowStatus(clearing, credit, record.amount, false) ??
    limitStatus(clearing, credit, record.amount);
  if (status !== null) return status;
  needClearing(ledger, clearing);
  ledger.move(clearing.id, credit.id, { pending: 0n, posted: record.amount });
  ledger.addTransfer(record);
  addStep(ledger, 'far', at, record, clearing.id, credit.id);
  return S.created;
}

/** Last step, home: posts or releases the hold. */
export function complete(
  ledger: OracleLedger,
  farUnit: number,
  sequence: bigint,
  status: number,
  at: bigint,
  balances: boolean,
): OracleResult {
  const place = ledger.open.findIndex(
    (open) => open.farUnit === farUnit && open.sequence === sequence,
  );
  if (place < 0) return plain(InternalStatus.already_complete, at, farUnit, sequence);
  const [{ record, wantsBalances }] = ledger.open.splice(place, 1) as [Open];
  const { debit, amount } = record;
  const clearing = ledger.clearingId(record.ledger, farUnit);
  const result = plain(status, record.timestamp, farUnit, sequence);
  if (status !== S.created) {
    ledger.move(debit, clearing, { pending: -amount, posted: 0n });
    addStep(ledger, 'release', at, record, debit, clearing);
    burnIfTransient(ledger, status, record.id, at);
    return result;
  }
  ledger.move(debit, clearing, { pending: -amount, posted: amount });
  ledger.addTransfer(record);
  addStep(ledger, 'home', at, record, debit, clearing);
  if (!balances || !wantsBalances) return result;
  return { ...result, debit: balancesOf(ledger.accounts.get(debit)!) };
}

function addStep(
  ledger: OracleLedger,
  kind: 'hold' | 'home' | 'release' | 'far',
  timestamp: bigint,
  record: TransferFields,
  debit: bigint,
  credit: bigint,
): void {
  const requested = record.amount;
  ledger.addEvent({ kind, timestamp, record, debit, credit, requested, pending: null });
}

/** The clearing account as it is, or as it would be created now. */
function clearingAccount(
  ledger: OracleLedger,
  book: number,
  otherUnit: number,
  timestamp: bigint,
): AccountFields {
  const id = ledger.clearingId(book, otherUnit);
  const none = { debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n, creditsPosted: 0n };
  const noData = { userData128: 0n, userData64: 0n, userData32: 0, reserved: 0 };
  return (
    ledger.accounts.get(id) ?? {
      id,
      ...none,
      ...noData,
      ledger: book,
      code: 1,
      flags: 0,
      timestamp,
    }
  );
}

function needClearing(ledger: OracleLedger, clearing: AccountFields): void {
  if (!ledger.accounts.has(clearing.id)) ledger.createAccount(clearing);
}

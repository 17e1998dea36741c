import { InternalStatus, AccountStatus as S } from '../status.ts';
import { ACCOUNT_FLAGS, AccountBit, has, TIMESTAMP_MAX } from './oracle-flags.ts';
import { CLOSED_IDS_FROM, type OracleLedger } from './oracle-ledger.ts';
import { type Batch, type Evaluated, plain } from './oracle-types.ts';
import type { AccountFields } from './records.ts';

/** create_accounts, in the order of its list. */
export function createAccount(
  ledger: OracleLedger,
  event: AccountFields,
  at: bigint,
  batch: Batch,
  isLinked: boolean,
): Evaluated {
  const known = ledger.accounts.get(event.id);
  const status =
    ownerOf(ledger, event.id, isLinked) !== ledger.unit
      ? InternalStatus.wrong_unit
      : (statusBeforeExists(event, batch) ??
        (known === undefined ? statusOfNew(ledger, event) : compare(event, known)));
  if (status === S.exists) return { result: plain(status, known!.timestamp), shows: null };
  if (status !== S.created) return { result: plain(status, at), shows: null };
  const timestamp = isImported(event) ? event.timestamp : at;
  ledger.createAccount({ ...event, timestamp });
  return { result: plain(status, timestamp), shows: null };
}

/** In a chain an id that no account can have is for whoever gets it. */
function ownerOf(ledger: OracleLedger, id: bigint, isLinked: boolean): number {
  const isNobodys = id === 0n || id >= CLOSED_IDS_FROM;
  return isLinked && isNobodys ? ledger.unit : ledger.ownerOf(id);
}

function statusBeforeExists(event: AccountFields, batch: Batch): number | null {
  const { timestamp, id } = event;
  if (batch.imported && !isImported(event)) return S.imported_event_expected;
  if (!batch.imported && isImported(event)) return S.imported_event_not_expected;
  if (!isImported(event) && timestamp !== 0n) return S.timestamp_must_be_zero;
  if (isImported(event) && (timestamp === 0n || timestamp > TIMESTAMP_MAX)) {
    return S.imported_event_timestamp_out_of_range;
  }
  if (isImported(event) && timestamp >= batch.timestamp) {
    return S.imported_event_timestamp_must_not_advance;
  }
  if (event.reserved !== 0) return S.reserved_field;
  if ((event.flags & ~ACCOUNT_FLAGS) !== 0) return S.reserved_flag;
  if (id === 0n) return S.id_must_not_be_zero;
  if (id >= CLOSED_IDS_FROM) return S.id_must_not_be_int_max;
  return null;
}

/** `closed` is left out, so that a resend after a close is `exists`. */
function compare(event: AccountFields, known: AccountFields): number {
  if ((event.flags & ~AccountBit.closed) !== (known.flags & ~AccountBit.closed))
    return S.exists_with_different_flags;
  if (event.userData128 !== known.userData128) return S.exists_with_different_user_data_128;
  if (event.userData64 !== known.userData64) return S.exists_with_different_user_data_64;
  if (event.userData32 !== known.userData32) return S.exists_with_different_user_data_32;
  if (event.ledger !== known.ledger) return S.exists_with_different_ledger;
  if (event.code !== known.code) return S.exists_with_different_code;
  return S.exists;
}

function statusOfNew(ledger: OracleLedger, event: AccountFields): number {
  const { debitsLimited, creditsLimited } = AccountBit;
  if (has(event, debitsLimited) && has(event, creditsLimited))
    return S.flags_are_mutually_exclusive;
  if (event.debitsPending !== 0n) return S.debits_pending_must_be_zero;
  if (event.debitsPosted !== 0n) return S.debits_posted_must_be_zero;
  if (event.creditsPending !== 0n) return S.credits_pending_must_be_zero;
  if (event.creditsPosted !== 0n) return S.credits_posted_must_be_zero;
  if (event.ledger === 0) return S.ledger_must_not_be_zero;
  if (event.code === 0) return S.code_must_not_be_zero;
  if (isImported(event)) {
    const { timestamp } = event;
    const isTaken = ledger.eventTimes.has(timestamp);
    if (timestamp <= ledger.lastAccountTime || isTaken) {
      return S.imported_event_timestamp_must_not_regress;
    }
  }
  return S.created;
}

function isImported(event: AccountFields): boolean {
  return has(event, AccountBit.imported);
}

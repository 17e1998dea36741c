import { HotWord } from './account-store.ts';
import { OK } from './amount-rules.ts';
import { TransferWord } from './layout.ts';
import type { LedgerState } from './state.ts';
import { AccountStatus, TransferStatus } from './status.ts';

/** The status numbers of the rules on an event's timestamp; accounts and transfers have their own. */
export interface TimestampStatuses {
  readonly timestamp_must_be_zero: number;
  readonly imported_event_expected: number;
  readonly imported_event_not_expected: number;
  readonly imported_event_timestamp_out_of_range: number;
  readonly imported_event_timestamp_must_not_advance: number;
}

/** What the timestamp and the flag `imported` of an event must be like, in any batch. */
export function timestampStatus(
  state: LedgerState,
  isImported: boolean,
  lo: number,
  hi: number,
  S: TimestampStatuses,
): number {
  if (isImported !== state.isImport) {
    return isImported ? S.imported_event_not_expected : S.imported_event_expected;
  }
  if (!isImported) return (lo | hi) === 0 ? OK : S.timestamp_must_be_zero;
  if ((lo | hi) === 0 || hi > 0x7fff_ffff) return S.imported_event_timestamp_out_of_range;
  const { batchTime } = state;
  const isOlder = hi < batchTime.hi || (hi === batchTime.hi && lo < batchTime.lo >>> 0);
  return isOlder ? OK : S.imported_event_timestamp_must_not_advance;
}

/** The timestamp of an imported account must be newer than all accounts', and no transfer's. */
export function importedAccountStatus(
  state: LedgerState,
  words: Uint32Array,
  timestampAt: number,
  event: number,
): number {
  const { accounts, ids } = state;
  const isNewest = accounts.firstFrom(words[timestampAt]!, words[timestampAt + 1]!);
  if (isNewest < accounts.count || ids.locateRow(words, timestampAt, event)) {
    return AccountStatus.imported_event_timestamp_must_not_regress;
  }
  return OK;
}

/** The timestamp of an imported transfer must be newer than all rows', and no account's. */
export function importedRegressStatus(
  state: LedgerState,
  words: Uint32Array,
  timestampAt: number,
): number {
  const lo = words[timestampAt]!;
  const hi = words[timestampAt + 1]!;
  const { accounts, lastRowLo, lastRowHi } = state;
  const isNewer = hi > lastRowHi || (hi === lastRowHi && lo > lastRowLo >>> 0);
  if (!isNewer) return TransferStatus.imported_event_timestamp_must_not_regress;
  const handle = accounts.firstFrom(lo, hi);
  if (handle === accounts.count) return OK;
  const page = accounts.pageOf(handle);
  const at = accounts.offsetOf(handle) + HotWord.timestamp;
  const isTaken = page[at] === lo && page[at + 1] === hi;
  return isTaken ? TransferStatus.imported_event_timestamp_must_not_regress : OK;
}

/** The rest of the rules on an imported transfer that is no post or void. */
export function importedTransferStatus(
  state: LedgerState,
  words: Uint32Array,
  at: number,
  debit: number,
  credit: number,
): number {
  const timestampAt = at + TransferWord.timestamp;
  const regress = importedRegressStatus(state, words, timestampAt);
  if (regress !== OK) return regress;
  if (!postdates(state, words, timestampAt, debit)) {
    return TransferStatus.imported_event_timestamp_must_postdate_debit_account;
  }
  if (!postdates(state, words, timestampAt, credit)) {
    return TransferStatus.imported_event_timestamp_must_postdate_credit_account;
  }
  return words[at + TransferWord.timeout] === 0
    ? OK
    : TransferStatus.imported_event_timeout_must_be_zero;
}

function postdates(
  { accounts }: LedgerState,
  words: Uint32Array,
  timestampAt: number,
  handle: number,
): boolean {
  const page = accounts.pageOf(handle);
  const at = accounts.offsetOf(handle) + HotWord.timestamp;
  const lo = words[timestampAt]!;
  const hi = words[timestampAt + 1]!;
  return hi > page[at + 1]! || (hi === page[at + 1] && lo > page[at]!);
}

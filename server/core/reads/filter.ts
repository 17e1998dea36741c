import {
  AccountWord,
  PendingState,
  TransferRowWord,
  TransferWord,
} from '../../../ledger/layout.ts';
import { equal, greater } from '../../../ledger/u128.ts';
import { u64At } from '../books-row.ts';
import type { AccountQuery, AccountTransfersRequest, TransferQuery } from '../gateway/api.ts';
import { READ_ROWS_MAX } from '../limits.ts';
import { putU64, sideOfAccount } from './row.ts';
import { TIMESTAMP_MAX } from './source.ts';

/** A filter packed into words, as it travels to the units. One form for all reads that page. */
export const FILTER_WORDS = 28;
export const FilterWord = {
  /** FilterBit values. */
  bits: 0,
  limit: 1,
  /** u64s, both included: row timestamps, or of accounts when they were created. */
  from: 2,
  to: 4,
  userData128: 6,
  userData64: 10,
  userData32: 12,
  ledger: 13,
  code: 14,
  /** 0 = any. */
  pendingState: 15,
  /** u128s, both included. */
  amountMin: 16,
  amountMax: 20,
  accountId: 24,
} as const;

/** The first five say that the field counts; others that the flag is set. */
export const FilterBit = {
  userData128: 1 << 0,
  userData64: 1 << 1,
  userData32: 1 << 2,
  ledger: 1 << 3,
  code: 1 << 4,
  onlyDebits: 1 << 5,
  onlyCredits: 1 << 6,
  reversed: 1 << 7,
  balances: 1 << 8,
} as const;

export function packAccountTransfers(query: AccountTransfersRequest): Uint32Array {
  const words = packShared(query);
  words.set(query.accountId.subarray(0, 4), FilterWord.accountId);
  if (query.side === 'debits') words[FilterWord.bits]! |= FilterBit.onlyDebits;
  if (query.side === 'credits') words[FilterWord.bits]! |= FilterBit.onlyCredits;
  if (query.balances === true) words[FilterWord.bits]! |= FilterBit.balances;
  return words;
}

export function packTransferQuery(query: TransferQuery): Uint32Array {
  const words = packShared(query);
  words[FilterWord.pendingState] = query.pendingState ?? PendingState.none;
  putU128(words, FilterWord.amountMin, query.amountMin ?? 0n);
  if (query.amountMax !== undefined) putU128(words, FilterWord.amountMax, query.amountMax);
  return words;
}

export function packAccountQuery(query: AccountQuery): Uint32Array {
  return packShared(query);
}

function packShared(query: AccountQuery): Uint32Array {
  const words = new Uint32Array(FILTER_WORDS);
  let bits = query.reversed ? FilterBit.reversed : 0;
  words[FilterWord.limit] = query.limit;
  putU64(words, FilterWord.from, query.fromTimestamp);
  putU64(words, FilterWord.to, query.toTimestamp);
  words.fill(0xffff_ffff, FilterWord.amountMax, FilterWord.amountMax + 4);
  if (query.userData128 !== undefined) {
    bits |= FilterBit.userData128;
    putU128(words, FilterWord.userData128, query.userData128);
  }
  if (query.userData64 !== undefined) {
    bits |= FilterBit.userData64;
    putU64(words, FilterWord.userData64, query.userData64);
  }
  if (query.userData32 !== undefined) {
    bits |= FilterBit.userData32;
    words[FilterWord.userData32] = query.userData32;
  }
  if (query.ledger !== undefined) {
    bits |= FilterBit.ledger;
    words[FilterWord.ledger] = query.ledger;
  }
  if (query.code !== undefined) {
    bits |= FilterBit.code;
    words[FilterWord.code] = query.code;
  }
  words[FilterWord.bits] = bits;
  return words;
}

export function has(filter: Uint32Array, bit: number): boolean {
  return (filter[FilterWord.bits]! & bit) !== 0;
}

export function boundsOf(filter: Uint32Array): { readonly from: bigint; readonly to: bigint } {
  return { from: u64At(filter, FilterWord.from), to: u64At(filter, FilterWord.to) };
}

/** The user data, ledger and code of an account or a transfer: both records have them in the same places. */
export function meetsShared(filter: Uint32Array, record: Uint32Array): boolean {
  const bits = filter[FilterWord.bits]!;
  if (
    (bits & FilterBit.code) !== 0 &&
    (record[AccountWord.codeAndFlags]! & 0xffff) !== filter[FilterWord.code]
  ) {
    return false;
  }
  if ((bits & FilterBit.ledger) !== 0 && record[AccountWord.ledger] !== filter[FilterWord.ledger]) {
    return false;
  }
  return (
    ((bits & FilterBit.userData32) === 0 ||
      record[AccountWord.userData32] === filter[FilterWord.userData32]) &&
    ((bits & FilterBit.userData64) === 0 ||
      (record[AccountWord.userData64] === filter[FilterWord.userData64] &&
        record[AccountWord.userData64 + 1] === filter[FilterWord.userData64 + 1])) &&
    ((bits & FilterBit.userData128) === 0 ||
      equal(record, AccountWord.userData128, filter, FilterWord.userData128))
  );
}

/** The row must carry its pending state. Time bounds are the caller's. */
export function meetsTransfer(filter: Uint32Array, row: Uint32Array): boolean {
  const state = filter[FilterWord.pendingState]!;
  return (
    meetsShared(filter, row) &&
    (state === PendingState.none || row[TransferRowWord.pendingState] === state) &&
    !greater(filter, FilterWord.amountMin, row, TransferWord.amount) &&
    !greater(row, TransferWord.amount, filter, FilterWord.amountMax)
  );
}

export function meetsSide(filter: Uint32Array, row: Uint32Array): boolean {
  const bits = filter[FilterWord.bits]! & (FilterBit.onlyDebits | FilterBit.onlyCredits);
  if (bits === 0) return true;
  const accountId = filter.subarray(FilterWord.accountId, FilterWord.accountId + 4);
  const side = bits === FilterBit.onlyDebits ? 'debit' : 'credit';
  return sideOfAccount(row, accountId) === side;
}

/** Why a peer's filter can't be served, or null. */
export function filterProblem(words: Uint32Array): string | null {
  if (words.length !== FILTER_WORDS) return 'no filter';
  const { from, to } = boundsOf(words);
  if (from > to || to > TIMESTAMP_MAX) return 'its times are out of bounds';
  const limit = words[FilterWord.limit]!;
  return limit >= 1 && limit <= READ_ROWS_MAX ? null : `its limit is ${limit}`;
}

function putU128(words: Uint32Array, offset: number, value: bigint): void {
  putU64(words, offset, value & 0xffff_ffff_ffff_ffffn);
  putU64(words, offset + 2, value >> 64n);
}

import type { Account, Balances, Transfer } from './types.ts';

/** What became of a pending transfer; `none` of any other. */
export type PendingState = 'none' | 'pending' | 'posted' | 'voided' | 'expired';

/** Of reads that give one page. */
export interface PageOptions {
  /** Rows at most. @default 8_190, which is also the most */
  readonly limit?: number;
  /** Of the page before, whose query must be the same but for the limit. */
  readonly pageToken?: Uint8Array;
}

/** Conditions: what is left out is not asked for; all that is set, to 0 too, must be met. */
export interface AccountQuery {
  /** Bounds of the timestamp, or of transfers of bookedTimestamp, both included. */
  readonly from?: bigint;
  readonly to?: bigint;
  /** Newest first. */
  readonly reversed?: boolean;
  readonly userData128?: bigint;
  readonly userData64?: bigint;
  readonly userData32?: number;
  readonly ledger?: number;
  readonly code?: number;
}

export interface TransferQuery extends AccountQuery {
  /** Both included. */
  readonly amountMin?: bigint;
  readonly amountMax?: bigint;
  /** Pending transfers in this state. */
  readonly pendingState?: Exclude<PendingState, 'none'>;
}

export interface AccountTransfersQuery extends Omit<AccountQuery, 'ledger'> {
  /** Only transfers that debit the account, or only those that credit it. */
  readonly side?: 'debits' | 'credits';
  /** Give the account's balances after each transfer. */
  readonly balances?: boolean;
}

export interface BookedTransfer extends Transfer {
  /** When the debit account's unit booked it; what `from` and `to` look at. */
  readonly bookedTimestamp: bigint;
}

export interface AccountTransfer extends Transfer {
  /** When the account's unit booked it; what `from` and `to` look at. */
  readonly bookedTimestamp: bigint;
  /** Of the account after it, if asked for. */
  readonly balances?: Balances;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** null = this was the last page. */
  readonly nextPageToken: Uint8Array | null;
}

export interface AccountTransfers {
  /** As of the read. */
  readonly account: Account;
  readonly transfers: readonly AccountTransfer[];
  /** null = this was the last page. */
  readonly nextPageToken: Uint8Array | null;
}

export interface AccountBalance extends Balances {
  /** Of the account. */
  readonly ledger: number;
  /** Nothing that is still to be booked can change the answer. */
  readonly final: boolean;
}

interface EventBase {
  /** When the unit booked it. */
  readonly timestamp: bigint;
  /** To go on after it: `watch({ unit, cursor })`. */
  readonly cursor: Uint8Array;
}

export interface AccountEvent extends EventBase {
  readonly kind: 'account_created';
  /** Without balances. */
  readonly account: Account;
}

interface TransferEventBase extends EventBase {
  /** The side that the unit holds: not both of a transfer between units, which makes an event in each. */
  readonly side: 'both' | 'debit' | 'credit';
  /** After the event; null for a side that another unit holds. */
  readonly debitAccount: Balances | null;
  readonly creditAccount: Balances | null;
}

export interface TransferEvent extends TransferEventBase {
  readonly kind: 'transfer' | 'pending' | 'posted' | 'voided';
  readonly transfer: Transfer;
  /** What was asked for; other than transfer.amount where that could not, or need not, be booked. */
  readonly requestedAmount: bigint;
  /** posted, voided: what was resolved, in its new state; else null. */
  readonly pendingTransfer: Transfer | null;
}

export interface ExpiryEvent extends TransferEventBase {
  readonly kind: 'expired';
  readonly pendingTransfer: Transfer;
}

export type LedgerEvent = AccountEvent | TransferEvent | ExpiryEvent;

export interface WatchOptions {
  /** 1 up to the number of units, see `topology`. */
  readonly unit: number;
  /** Events after this time. @default 0n, all */
  readonly after?: bigint;
  /** Instead: events after the one that carried it. */
  readonly cursor?: Uint8Array;
  /** Ends the watching. */
  readonly signal?: AbortSignal;
}

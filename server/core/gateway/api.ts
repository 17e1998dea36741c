import type { PendingState } from '../../../ledger/layout.ts';
import type { EvenkeelError } from '../error.ts';

/**
 * The front of a server as its gRPC services see it: packed events in, packed results out, in order.
 * Any server takes any request. Nothing here waits: `done` is called later, exactly once, unless the
 * request was cancelled before.
 */
export interface Gateway {
  /** `records`: count x RECORD_WORDS, 1 <= count <= EVENTS_PER_REQUEST_MAX. Result: count x RESULT_WORDS. */
  createAccounts(records: Uint32Array, count: number, done: GatewayDone): RequestHandle;
  /** Result: count x RESULT_WORDS, or RESULT_WITH_BALANCES_WORDS if `balances`. */
  createTransfers(
    records: Uint32Array,
    count: number,
    balances: boolean,
    done: GatewayDone,
  ): RequestHandle;
  /** `ids`: count x 4 words. Result: account records, found ones only, in the order asked. Linearizable. */
  lookupAccounts(ids: Uint32Array, count: number, done: GatewayDone): RequestHandle;
  /** Result: TRANSFER_ROW_WORDS rows, found ones only, in the order asked; asks every unit. Linearizable. */
  lookupTransfers(ids: Uint32Array, count: number, done: GatewayDone): RequestHandle;
  /**
   * Result: the account's record as of the read (RECORD_WORDS), then TRANSFER_ROW_WORDS rows, each followed by
   * BALANCES_WORDS if `balances`; empty if there is no such account. Linearizable.
   */
  accountTransfers(query: AccountTransfersRequest, done: PageDone): RequestHandle;
  /**
   * The account's balances after all that was booked up to `timestamp` (0n = now): BALANCE_WORDS; empty if
   * there is, or was then, no such account. Linearizable.
   */
  accountBalance(accountId: Uint32Array, timestamp: bigint, done: GatewayDone): RequestHandle;
  /** Result: account records, of all units. Linearizable. */
  queryAccounts(query: AccountQuery, done: PageDone): RequestHandle;
  /** Result: TRANSFER_ROW_WORDS rows, of all units. Linearizable. */
  queryTransfers(query: TransferQuery, done: PageDone): RequestHandle;
  /** False while the gateway holds as much as it may: read no further requests until `onRoom` is called. */
  readonly hasRoom: boolean;
  onRoom(callback: () => void): void;
}

export type GatewayDone = (error: EvenkeelError | null, words: Uint32Array) => void;
/** `nextPageToken`: where the next page goes on; empty = this was the last. */
export type PageDone = (
  error: EvenkeelError | null,
  words: Uint32Array,
  nextPageToken: Uint8Array,
) => void;

/** The caller has lost interest. What was proposed may still take effect: the outcome is unknown. */
export interface RequestHandle {
  cancel(): void;
}

/** Conditions that are absent ask for nothing. All that are there must be met. */
export interface AccountQuery {
  /** Creation times, or of transfers booking times (row timestamps): inclusive, ns. 0n and 2^63-1 for no bound. */
  readonly fromTimestamp: bigint;
  readonly toTimestamp: bigint;
  readonly reversed: boolean;
  /** 1 .. READ_ROWS_MAX */
  readonly limit: number;
  /** Absent or empty for the first page. */
  readonly pageToken?: Uint8Array;
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
  readonly pendingState?: PendingState;
}

export interface AccountTransfersRequest extends AccountQuery {
  /** Four words. */
  readonly accountId: Uint32Array;
  /** Only transfers that debit it, or only those that credit it. */
  readonly side?: 'debits' | 'credits';
  readonly balances?: boolean;
}

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
   * Result: the account's record as of the read (RECORD_WORDS), then TRANSFER_ROW_WORDS rows; empty if
   * there is no such account. Linearizable.
   */
  accountTransfers(query: AccountTransfersRequest, done: GatewayDone): RequestHandle;
  /** False while the gateway holds as much as it may: read no further requests until `onRoom` is called. */
  readonly hasRoom: boolean;
  onRoom(callback: () => void): void;
}

export type GatewayDone = (error: EvenkeelError | null, words: Uint32Array) => void;

/** The caller has lost interest. What was proposed may still take effect: the outcome is unknown. */
export interface RequestHandle {
  cancel(): void;
}

export interface AccountTransfersRequest {
  /** Four words. */
  readonly accountId: Uint32Array;
  /** Booking times (row timestamps), inclusive, ns. 0n and 2^63-1 for no bound. */
  readonly fromTimestamp: bigint;
  readonly toTimestamp: bigint;
  readonly reversed: boolean;
  /** 1 .. EVENTS_PER_REQUEST_MAX */
  readonly limit: number;
}

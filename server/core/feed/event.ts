/** As in proto/evenkeel/v1/ledger.proto. */
export const EventKind = {
  accountCreated: 1,
  transfer: 2,
  pending: 3,
  posted: 4,
  voided: 5,
  expired: 6,
} as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

export const EventSide = { both: 0, debit: 1, credit: 2 } as const;
export type EventSide = (typeof EventSide)[keyof typeof EventSide];

/** One thing that happened in a unit. */
export interface FeedEvent {
  readonly kind: EventKind;
  /** When the unit booked it. */
  readonly timestamp: bigint;
  /** To go on after it; see cursor.ts. */
  readonly cursor: Uint8Array;
  /** accountCreated: its record without balances. */
  readonly account: Uint32Array | null;
  /** TRANSFER_ROW_WORDS, with its state as of the event. null for expired and accountCreated. */
  readonly transfer: Uint32Array | null;
  /** Four words, where another amount was booked than asked for. */
  readonly requested: Uint32Array | null;
  /** posted, voided, expired: row of the pending transfer, in its new state. */
  readonly pending: Uint32Array | null;
  readonly side: EventSide;
  /** BALANCES_WORDS after the event; null for a side that another unit holds. */
  readonly debitBalances: Uint32Array | null;
  readonly creditBalances: Uint32Array | null;
}

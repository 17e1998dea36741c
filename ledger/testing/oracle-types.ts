import type { AccountFields, TransferFields } from './records.ts';

/** What an entry's sub-batch asks for. */
export type Command =
  | {
      readonly kind: 'accounts';
      readonly events: readonly AccountFields[];
      readonly balances: boolean;
      /** The request's first event is imported. Left out: it is the first of these. */
      readonly imported?: boolean;
    }
  | {
      readonly kind: 'transfers';
      readonly events: readonly TransferFields[];
      readonly balances: boolean;
      /** As for accounts. */
      readonly imported?: boolean;
    }
  | {
      readonly kind: 'decide';
      readonly homeUnit: number;
      readonly finished: bigint;
      readonly items: readonly { readonly sequence: bigint; readonly record: TransferFields }[];
      readonly balances: boolean;
    }
  | {
      readonly kind: 'complete';
      readonly farUnit: number;
      readonly items: readonly { readonly sequence: bigint; readonly status: number }[];
      readonly balances: boolean;
    }
  | {
      readonly kind: 'expire';
      /** Of the pending transfers. */
      readonly timestamps: readonly bigint[];
    };

export type Balances = readonly [dp: bigint, dc: bigint, cp: bigint, cc: bigint];

export interface OracleResult {
  readonly status: number;
  readonly timestamp: bigint;
  readonly unit: number;
  readonly sequence: bigint;
  readonly debit: Balances | null;
  readonly credit: Balances | null;
}

export type PendingName = 'pending' | 'posted' | 'voided' | 'expired';

/** One line of the change feed. The steps of a crossing are there too. */
export interface OracleEvent {
  readonly kind: 'transfer' | 'expiry' | 'hold' | 'home' | 'release' | 'far';
  /** When this unit booked it; of an imported transfer the given time. Ascends. */
  readonly timestamp: bigint;
  /** As stored; an expiry's is the pending transfer's. */
  readonly record: TransferFields;
  /** The accounts that it moved: of a crossing's step one is the clearing account. */
  readonly debit: bigint;
  readonly credit: bigint;
  readonly debitAfter: Balances;
  readonly creditAfter: Balances;
  readonly requested: bigint;
  /** The pending transfer that it booked or resolved, and what that is now. */
  readonly pending: { readonly id: bigint; readonly state: PendingName } | null;
}

/** A result, and the accounts whose balances it may show, as they are once its chain holds or is undone. */
export interface Evaluated {
  readonly result: OracleResult;
  readonly shows: { readonly debit: bigint; readonly credit: bigint } | null;
}

/** What holds for every event of one request. */
export interface Batch {
  /** Of its first event: the batch's own timestamp. */
  readonly timestamp: bigint;
  readonly imported: boolean;
  readonly balances: boolean;
}

export function plain(status: number, timestamp: bigint, unit = 0, sequence = 0n): OracleResult {
  return { status, timestamp, unit, sequence, debit: null, credit: null };
}

export function balancesOf(account: AccountFields): Balances {
  return [
    account.debitsPending,
    account.debitsPosted,
    account.creditsPending,
    account.creditsPosted,
  ];
}

import type { PendingState } from './read-types.ts';
import type { AccountStatus, TransferStatus } from './status.ts';

/**
 * Ids, amounts and balances are bigint, 0 .. 2^128-1; amounts count the smallest unit of the ledger's
 * currency. Timestamps are nanoseconds since 1970, UTC, given by the ledger.
 */
export interface NewAccount {
  /** Choose it with `accountId()`, and keep it for every retry. */
  readonly id: bigint;
  /** The book: its currency and scale are in `topology()`. */
  readonly ledger: number;
  /** Kind of account by your chart of accounts, 1 .. 65535. */
  readonly code: number;
  /** Sum of AccountFlag values. */
  readonly flags?: number;
  /** Yours; the ledger keeps and returns them. */
  readonly userData128?: bigint;
  readonly userData64?: bigint;
  readonly userData32?: number;
}

export const AccountFlag = {
  /** Refuse transfers after which pending and posted debits would exceed posted credits. */
  debitsMustNotExceedCredits: 1 << 1,
  /** The mirror image. Excludes the other. */
  creditsMustNotExceedDebits: 1 << 2,
} as const;

export interface Balances {
  readonly debitsPending: bigint;
  readonly debitsPosted: bigint;
  readonly creditsPending: bigint;
  readonly creditsPosted: bigint;
}

export interface Account extends Required<NewAccount>, Balances {
  readonly timestamp: bigint;
}

export interface NewTransfer {
  /** Choose it before the first try, with `id()`, and keep it for every retry: one id, one booking. */
  readonly id: bigint;
  readonly debitAccountId: bigint;
  readonly creditAccountId: bigint;
  readonly amount: bigint;
  /** The ledger of both accounts. */
  readonly ledger: number;
  /** Kind of transfer, yours, 1 .. 65535. */
  readonly code: number;
  readonly pendingId?: bigint;
  readonly timeout?: number;
  readonly flags?: number;
  readonly userData128?: bigint;
  readonly userData64?: bigint;
  readonly userData32?: number;
}

export interface Transfer extends Required<NewTransfer> {
  readonly timestamp: bigint;
  readonly pendingState: PendingState;
  /** When a pending transfer expires unless it is resolved before; 0 = never. */
  readonly expiresTimestamp: bigint;
}

export interface AccountResult {
  readonly status: AccountStatus;
  /** True for created and exists: the account is there, as asked for. */
  readonly ok: boolean;
  /** Of the account if ok, else when it was judged. */
  readonly timestamp: bigint;
}

export interface TransferResult {
  readonly status: TransferStatus;
  /** True for created and exists: the transfer is booked, once. */
  readonly ok: boolean;
  /** Of the transfer if ok, else when it was judged. */
  readonly timestamp: bigint;
  /** After the transfer. Only when asked for and known. */
  readonly debitAccount?: Balances;
  readonly creditAccount?: Balances;
}

export interface Topology {
  readonly clusterId: string;
  readonly protocolVersion: number;
  /** The server that answered. */
  readonly serverId: number;
  readonly zone: string;
  readonly zones: readonly { readonly name: string; readonly leaderWeight: number }[];
  readonly servers: readonly {
    readonly id: number;
    readonly zone: string;
    readonly address: string;
  }[];
  readonly ledgers: readonly {
    readonly number: number;
    readonly currency: string;
    readonly scale: number;
  }[];
  readonly units: readonly TopologyUnit[];
}

/** A unit as the answering server sees it. */
export interface TopologyUnit {
  readonly id: number;
  readonly slotCount: number;
  /** Both ends included. */
  readonly slots: readonly { readonly first: number; readonly last: number }[];
  /** 0 = none known. */
  readonly leaderServerId: number;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly booksIndex: number;
  readonly lastIndex: number;
  readonly executionDigest: string;
  readonly role: 'unspecified' | 'none' | 'follower' | 'candidate' | 'leader' | 'learner';
}

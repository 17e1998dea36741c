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
  /** When it was opened. Of an imported account only; else the ledger gives it. */
  readonly timestamp?: bigint;
}

/** What each does is told in proto/evenkeel/v1/ledger.proto. */
export const AccountFlag = {
  /** Stands or falls with the next account of the request: see `chain`. */
  linked: 1 << 0,
  /** Refuse transfers after which pending and posted debits would exceed posted credits. */
  debitsMustNotExceedCredits: 1 << 1,
  /** The mirror image. Excludes the other. */
  creditsMustNotExceedDebits: 1 << 2,
  /** Keep the balances after each transfer for fast reading. */
  history: 1 << 3,
  /** One of the past, under its own timestamp; then all of the request are. */
  imported: 1 << 4,
  /** Refuse all transfers. */
  closed: 1 << 5,
} as const;

export const TransferFlag = {
  /** Stands or falls with the next transfer of the request: see `chain`. */
  linked: 1 << 0,
  /** Reserve the amount, until it is posted, voided or expires. */
  pending: 1 << 1,
  /** See `post`. */
  postPendingTransfer: 1 << 2,
  /** See `voidOf`. */
  voidPendingTransfer: 1 << 3,
  /** Book at most what the debit account has. */
  balancingDebit: 1 << 4,
  /** Book at most what the credit account owes. */
  balancingCredit: 1 << 5,
  /** Close the debit account while this pending transfer is neither voided nor expired. */
  closingDebit: 1 << 6,
  /** The same of the credit account. */
  closingCredit: 1 << 7,
  /** One of the past, under its own timestamp; then all of the request are. */
  imported: 1 << 8,
} as const;

export interface Balances {
  readonly debitsPending: bigint;
  readonly debitsPosted: bigint;
  readonly creditsPending: bigint;
  readonly creditsPosted: bigint;
}

export interface Account extends Required<NewAccount>, Balances {}

export interface NewTransfer {
  /** Choose it before the first try, with `id()`, and keep it for every retry: one id, one booking. */
  readonly id: bigint;
  /** 0 in a post or void: that of the pending transfer. Where there are several units name at least one. */
  readonly debitAccountId: bigint;
  readonly creditAccountId: bigint;
  /** Of a balancing transfer at most this; of a post see `post`. */
  readonly amount: bigint;
  /** The ledger of both accounts. 0 in a post or void: that of the pending transfer. */
  readonly ledger: number;
  /** Kind of transfer, yours, 1 .. 65535. 0 in a post or void: that of the pending transfer. */
  readonly code: number;
  /** The pending transfer that this one posts or voids. */
  readonly pendingId?: bigint;
  /** Seconds until this pending transfer expires; 0 = never. */
  readonly timeout?: number;
  /** Sum of TransferFlag values. */
  readonly flags?: number;
  /** Yours; the ledger keeps and returns them. 0 in a post or void: those of the pending transfer. */
  readonly userData128?: bigint;
  readonly userData64?: bigint;
  readonly userData32?: number;
  /** When it was booked. Of an imported transfer only; else the ledger gives it. */
  readonly timestamp?: bigint;
}

export interface Transfer extends Required<NewTransfer> {
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

/** A book: one currency, or another quantity that is counted. */
export interface Ledger {
  /** 1 .. 2^32-1 */
  readonly number: number;
  /** ISO 4217 code, or a name of your own of 1 to 32 printable characters. */
  readonly currency: string;
  /** Decimal places: 1234 at scale 2 is 12.34. 0 .. 18, of an ISO 4217 code the one that it has there. */
  readonly scale: number;
}

export interface Topology {
  readonly clusterId: string;
  readonly protocolVersion: number;
  /** The server that answered. */
  readonly serverId: number;
  readonly zone: string;
  readonly zones: readonly {
    readonly name: string;
    readonly leaderWeight: number;
    readonly drained: boolean;
  }[];
  readonly servers: readonly ClusterServer[];
  readonly ledgers: readonly Ledger[];
  readonly units: readonly TopologyUnit[];
  /** 0 = none known. */
  readonly registryLeaderServerId: number;
  /** Why the server that answered does not lead if it can help it; empty: it is well. */
  readonly ailment: string;
  /** Its clock less the median of the servers' clocks. */
  readonly clockErrorMs: number;
}

export interface ClusterServer {
  /** 1 .. 65535, never used before. */
  readonly id: number;
  readonly zone: string;
  /** host:port that users reach it at. */
  readonly address: string;
  /** host:port that the other servers reach it at. */
  readonly peerAddress: string;
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
  readonly voters: readonly number[];
  readonly learners: readonly number[];
}

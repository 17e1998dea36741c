import type { Heartbeat, HeartbeatReply, Message, ServerId } from '../../consensus/types.ts';

/**
 * What servers say to each other (proto/evenkeel/v1/peer.proto is the same on the wire). Byte arrays
 * are never changed once sent: senders and receivers may share them.
 */
export type PeerMessage =
  | RaftMessage
  | EnvelopeMessage
  | RequestMessage
  | ReplyMessage
  | CopyMessage;

/** A consensus message of one unit's group, but for heartbeats and their replies: those are in envelopes. */
export interface RaftMessage {
  readonly type: 'raft';
  readonly unit: number;
  readonly message: Exclude<Message, Heartbeat | HeartbeatReply>;
}

/** How many numbers of an envelope's lists belong to one group. */
export const BEAT_NUMBERS = 4;
export const ACK_NUMBERS = 3;

/**
 * From a server to a peer each heartbeat, whatever it leads, and at once where read rounds or answers wait:
 * one message for the heartbeats of all groups.
 */
export interface EnvelopeMessage {
  readonly type: 'envelope';
  /** The sender's process. */
  readonly epoch: number;
  /** The sender's monotonic clock, us: to be echoed at once. 0 in a mere answer, which is not answered. */
  readonly sentUs: number;
  /** `sentUs` of the envelope that this answers, 0 for none. */
  readonly echoUs: number;
  /** The sender's wall clock, ms since 1970. */
  readonly wallMs: number;
  /** How far the sender's log is durable; see Log. */
  readonly logEnd: number;
  /** The sender's disk or event loop has stalled of late. */
  readonly isSick: boolean;
  /** Heartbeats: unit, term, commit and read context of each group, one group after the other. */
  readonly beats: readonly number[];
  /** Replies to heartbeats: unit, term and read context of each group. */
  readonly acks: readonly number[];
}

export const RequestKind = {
  /** Body: sub-batches (ledger/layout.ts), one after the other, to be proposed in this order. */
  propose: 1,
  /** Body: account ids, four words each. */
  lookupAccounts: 2,
  /** Body: transfer ids, four words each. */
  lookupTransfers: 3,
  /** Body of these three: a filter, see reads/filter.ts. */
  accountTransfers: 4,
  queryTransfers: 16,
  queryAccounts: 17,
  /** Body: BALANCE_QUERY_WORDS, see reads/account-balance.ts. */
  accountBalance: 18,
  /** To the registry. Body: the ledger. Answer: a LedgerOutcome, then the ledger that is there. See registry-request.ts. */
  createLedger: 32,
  /** To the registry. No body. Answer: all ledgers. */
  listLedgers: 33,
  /** To the registry. Body: a ClusterChange as JSON, see registry-request.ts. Answer: nothing, or a ChangeRefusal. */
  changeCluster: 34,
} as const;

/** A request to the leader of a unit. Sent again to another server when it is refused or goes unanswered. */
export interface RequestMessage {
  readonly type: 'request';
  readonly unit: number;
  readonly kind: number;
  /** The sender's process: a restarted sender must not take an answer to its predecessor. */
  readonly epoch: number;
  /** u32. Of the first sub-batch of a propose (the next has ref + 1 and so on), else of the request. */
  readonly ref: number;
  readonly body: Uint8Array;
}

export const ReplyOutcome = {
  /** Body: results. */
  done: 0,
  /** Nothing was done: ask `leader`, or anyone if 0. */
  notLeader: 1,
  /** Leadership was lost meanwhile: it may or may not have been done. */
  unknown: 2,
  /** Nothing was done: the unit's queue is full. */
  overloaded: 3,
  /** Nothing was done: the leader's disk is full, and no other server could take over. */
  diskFull: 4,
} as const;

/** Answers `count` consecutive refs alike unless done, which answers one. */
export interface ReplyMessage {
  readonly type: 'reply';
  readonly unit: number;
  /** The epoch of the request. */
  readonly epoch: number;
  readonly ref: number;
  readonly count: number;
  readonly outcome: number;
  readonly leader: ServerId;
  /** done: for a propose results (RESULT_WORDS or RESULT_WITH_BALANCES_WORDS each), else rows. */
  readonly body: Uint8Array;
}

export const CopyKind = {
  /** To the source: copy these books. Body: the state of the books that the copy starts from, see state-text.ts. */
  open: 1,
  /** The answer. Body: the state that is copied. */
  opened: 2,
  /** To the source: chunks below `sequence` have arrived. */
  next: 3,
  /** To the source: nothing has come for a while, so all chunks from `sequence` on are wanted again. */
  again: 4,
  /** Body: rows of a table. */
  chunk: 5,
  /** There are `sequence` chunks. */
  end: 6,
  /** To whoever copies: not to be had. Body: the reason, for people. */
  refused: 7,
  /** To the source: the copy has come to an end, or is given up. */
  close: 8,
} as const;

/** A step in copying a unit's books to a replica that lags too far for the log; see catch-up/. */
export interface CopyMessage {
  readonly type: 'copy';
  readonly unit: number;
  readonly kind: number;
  /** u32, chosen by whoever copies. */
  readonly session: number;
  /** Number of a chunk, from 0. */
  readonly sequence: number;
  /** Of a chunk: a CopyTable. */
  readonly table: number;
  /** Of a chunk and of the end: CRC-32 of the bodies of all chunks so far. */
  readonly crc: number;
  readonly body: Uint8Array;
}

/** Lanes have a connection each, so that heartbeats never queue behind bulk. */
export type Lane = 'control' | 'bulk';

export function laneOf(message: PeerMessage): Lane {
  if (message.type === 'envelope') return 'control';
  if (message.type !== 'raft') return 'bulk';
  const type = message.message.type;
  return type === 'append' || type === 'appendReply' ? 'bulk' : 'control';
}

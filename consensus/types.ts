/**
 * What goes into and out of the consensus core. Every field is a plain number, boolean or byte
 * array, so that the shell can put a message on the wire and an entry on the disk without looking
 * into either.
 *
 * Caller's duties, in order, for each `Output` (etcd `doc.go`):
 * 1. `sendNow` may leave at once. `committed` and `reads` may be served at once.
 * 2. Install `snapshot`, if any. Write `entries`, first dropping all from `entries[0].index` on; then
 *    write `hardState`.
 * 3. Sync, if `mustSync`.
 * 4. If `durable` is not null, call `raft.durable(term, index)` with it: once an Output, in order.
 * 5. Deliver `sendAfterDurable`, messages addressed to self through `raft.step`.
 *
 * Several Outputs may be in flight, but steps 2 to 5 are first in, first out across them: an Output
 * that has nothing to write still waits for the earlier ones, since its messages may speak of their
 * entries.
 */

/** A replica's server: 1..65_535; 0 means none. */
export type ServerId = number;

/** Highest legal `ServerId`. */
export const SERVER_ID_MAX = 65_535;

/**
 * What an entry holds. The numbers are the log format: never reuse one. A membership entry holds
 * an encoded `Membership`; a state machine skips it like an empty one.
 */
export const EntryKind = { empty: 0, command: 1, membership: 2 } as const;

/**
 * Who takes part in a group. All lists ascend without repeats; all are empty at a new server that
 * waits to be added.
 */
export interface Membership {
  readonly voters: readonly ServerId[];
  /**
   * Not empty while a joint change is under way: the voters before it, whose majority is needed as
   * well (thesis 4.3).
   */
  readonly outgoing: readonly ServerId[];
  /** Get the log, and count for nothing. Never voters of either half. */
  readonly learners: readonly ServerId[];
  /** Outgoing voters that become learners when the joint change ends (C111). */
  readonly learnersNext: readonly ServerId[];
}

/** State up to `index`, which a log may start after. */
export interface SnapshotMark {
  readonly index: number;
  /** Of the entry at `index`. */
  readonly term: number;
  /** In force at `index`. */
  readonly membership: Membership;
}

/** One entry of the replicated log. Never mutated, and neither are the bytes of `payload`. */
export interface Entry {
  readonly term: number;
  readonly index: number;
  readonly kind: number;
  readonly payload: Uint8Array;
}

/** What must survive a crash beside the log. `commit` alone may lag: it is only a hint at start. */
export interface HardState {
  readonly term: number;
  readonly vote: ServerId;
  readonly commit: number;
}

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

interface Envelope {
  readonly from: ServerId;
  readonly to: ServerId;
  /**
   * The sender's term; for `preVote` and a granting `preVoteReply` the term it would campaign in.
   */
  readonly term: number;
}

/** "Would you vote for me?" Changes nothing at the voter (thesis 9.6). */
export interface PreVote extends Envelope {
  readonly type: 'preVote';
  readonly lastIndex: number;
  readonly lastTerm: number;
}

export interface PreVoteReply extends Envelope {
  readonly type: 'preVoteReply';
  readonly granted: boolean;
}

export interface Vote extends Envelope {
  readonly type: 'vote';
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** Asked for by the leader itself through a transfer: overrides the refusal threshold (C97). */
  readonly forced: boolean;
}

export interface VoteReply extends Envelope {
  readonly type: 'voteReply';
  readonly granted: boolean;
}

export interface Append extends Envelope {
  readonly type: 'append';
  /** Index and term of the entry right before `entries[0]`. */
  readonly prevIndex: number;
  readonly prevTerm: number;
  /** The leader's commit; counts only as far as this message reaches (C70). */
  readonly commit: number;
  readonly entries: readonly Entry[];
}

export interface AppendReply extends Envelope {
  readonly type: 'appendReply';
  /** Accepted: the last index the message covered. Rejected: the message's `prevIndex`. */
  readonly index: number;
  readonly rejected: boolean;
  /** Rejected only (else 0): the largest (index, term) the follower has that may match (C73). */
  readonly hintIndex: number;
  readonly hintTerm: number;
}

export interface Heartbeat extends Envelope {
  readonly type: 'heartbeat';
  /** min(peer's match, leader's commit), so the follower surely has it (C8). */
  readonly commit: number;
  /** Latest read round under way, 0 for none; the reply echoes it. */
  readonly readContext: number;
}

export interface HeartbeatReply extends Envelope {
  readonly type: 'heartbeatReply';
  readonly readContext: number;
}

/** Leader to the heir of a transfer: campaign at once, without pre-vote (thesis 3.10). */
export interface TimeoutNow extends Envelope {
  readonly type: 'timeoutNow';
}

/** Follower to leader: from which index on may I answer the read `context`? */
export interface Read extends Envelope {
  readonly type: 'read';
  readonly context: number;
}

export interface ReadReply extends Envelope {
  readonly type: 'readReply';
  readonly context: number;
  readonly index: number;
}

/**
 * Leader to a peer whose next entry is compacted. For the core it is the state itself; in production
 * the shell takes it as an offer, fetches the books, and steps it with the mark that it got.
 */
export interface Snapshot extends Envelope {
  readonly type: 'snapshot';
  readonly index: number;
  /** Term of the entry at `index`. */
  readonly logTerm: number;
  readonly membership: Membership;
}

/** Follower to leader: rot took what I had acknowledged after `index`; how far must I be whole? */
export interface Recover extends Envelope {
  readonly type: 'recover';
  readonly context: number;
  readonly index: number;
}

export interface RecoverReply extends Envelope {
  readonly type: 'recoverReply';
  readonly context: number;
  /** The leader's last index. */
  readonly index: number;
}

export type Message =
  | PreVote
  | PreVoteReply
  | Vote
  | VoteReply
  | Append
  | AppendReply
  | Heartbeat
  | HeartbeatReply
  | TimeoutNow
  | Read
  | ReadReply
  | Snapshot
  | Recover
  | RecoverReply;

/**
 * The log as the core reads it; written by the shell from `Output.entries`. Ranges are half open,
 * [lo, hi). The core reads an index only after `durable()` covered it (or it was there at start),
 * so whether entries show here between acceptance and durability does not matter.
 */
export interface LogStore {
  /** Index of the first entry still held; 1 for a new log. */
  firstIndex(): number;
  /** Index of the last entry; firstIndex() - 1 for an empty log. */
  lastIndex(): number;
  /** Valid for firstIndex() - 1 .. lastIndex(); 0 for index 0 (C128). */
  term(index: number): number;
  /**
   * A prefix of [lo, hi) of at most `maxBytes` payload bytes, but at least one entry if lo < hi.
   * Not mutated by the core.
   */
  entries(lo: number, hi: number, maxBytes: number): Entry[];
  /** In force at firstIndex() - 1; null for a log that began empty. */
  startMembership(): Membership | null;
  /** The entries of kind membership that it holds, ascending. Read at start only. */
  memberships(): readonly Entry[];
  /**
   * The newest state that a lagging peer can be given, at or behind firstIndex() - 1 and not beyond
   * what is applied; null if there is none now.
   */
  snapshot(): SnapshotMark | null;
}

/** One turn's work for the shell; the rules of order are at the top of this file. */
export interface Output {
  readonly sendNow: readonly Message[];
  /**
   * Not null: the state is replaced by this one and the log starts after it; all entries held before
   * are dropped (C125). Written before `entries` and `hardState`, durable with them.
   */
  readonly snapshot: SnapshotMark | null;
  /** To be written, contiguous. */
  readonly entries: readonly Entry[];
  /** Not null if it changed. */
  readonly hardState: HardState | null;
  /** Term or vote changed, or there are entries or a snapshot; a moved commit alone needs none (C65). */
  readonly mustSync: boolean;
  /** What to pass to `durable()` once this Output and all before it are on disk. */
  readonly durable: { readonly term: number; readonly index: number } | null;
  readonly sendAfterDurable: readonly Message[];
  /** To apply in order; each exactly once, none before it is durable here (C62, C66). */
  readonly committed: readonly Entry[];
  /** Serve each once applied >= index. */
  readonly reads: readonly { readonly context: number; readonly index: number }[];
  /** Reads whose answer can no longer come: ask again. */
  readonly readsDropped: readonly number[];
  /** This replica was recovering and is whole again; to be noted durably before the next start. */
  readonly recovered: boolean;
}

/** Why a call was refused. A code exists only where the caller acts differently. */
export type Refusal =
  | { readonly refused: 'not_leader'; readonly leader: ServerId }
  | { readonly refused: 'transferring' }
  | { readonly refused: 'quota_exceeded' }
  /** This leader is not a voter any more: it only brings its own removal to an end (C57). */
  | { readonly refused: 'removed' }
  /** An earlier change, or the first entry of this leader's term, is not committed yet (C105-C107). */
  | { readonly refused: 'change_in_flight' }
  | { readonly refused: 'membership_invalid'; readonly reason: string };

/**
 * Something worth logging or checking, in the order it happened. For tests, the simulator and trace
 * validation.
 */
export type TraceEvent =
  | {
      readonly kind: 'role';
      readonly self: ServerId;
      readonly role: Role;
      readonly term: number;
      readonly leader: ServerId;
    }
  | {
      readonly kind: 'vote';
      readonly self: ServerId;
      readonly term: number;
      readonly candidate: ServerId;
    }
  | {
      readonly kind: 'truncate';
      readonly self: ServerId;
      readonly term: number;
      readonly index: number;
    }
  | {
      readonly kind: 'commit';
      readonly self: ServerId;
      readonly term: number;
      readonly index: number;
    }
  | {
      readonly kind: 'membership';
      readonly self: ServerId;
      readonly term: number;
      /** Of the entry, or the snapshot, that it came with. */
      readonly index: number;
      readonly membership: Membership;
    }
  | {
      readonly kind: 'restore';
      readonly self: ServerId;
      readonly term: number;
      readonly index: number;
    }
  | {
      readonly kind: 'recovered';
      readonly self: ServerId;
      readonly term: number;
      readonly index: number;
    }
  | {
      readonly kind: 'needsSnapshot';
      readonly self: ServerId;
      readonly term: number;
      readonly peer: ServerId;
    };

export interface RaftConfig {
  readonly self: ServerId;
  /** In force while the log says nothing else. All lists empty: wait to be added. */
  readonly membership: Membership;
  /**
   * The zone of a server, as any number. A commit needs acks of two zones where the voters have two
   * (see `quorumReachedInZones`).
   */
  readonly zoneOf: (server: ServerId) => number;
  /** Ticks between heartbeats of a leader. 10; a tick is 5 ms. */
  readonly heartbeatTicks: number;
  /**
   * A voter refuses (pre-)votes while it heard a leader less than this many ticks ago; also how
   * often a leader checks that it hears a quorum. The same on all voters. 60.
   */
  readonly voteRefusalTicks: number;
  /**
   * How long to wait for a leader before campaigning, drawn anew in [min, max]. Biased by zone:
   * city 64..80, remote 200..260. Always above `voteRefusalTicks`, or survivors would refuse each
   * other (etcd#10483).
   */
  readonly candidacyTicksMin: number;
  readonly candidacyTicksMax: number;
  /**
   * First retry of a refused or unanswered pre-vote, about one WAN round trip; doubles up to the
   * candidacy timeout. 8.
   */
  readonly preVoteRetryTicks: number;
  /** Entry bytes an append; one entry always fits. 1 MiB. */
  readonly maxAppendBytes: number;
  /** Unacknowledged appends with entries a peer, by count and by bytes. */
  readonly maxInflightAppends: number;
  readonly maxInflightBytes: number;
  /** Payload bytes this leader may have proposed and not yet handed out as committed (C135). */
  readonly maxUncommittedBytes: number;
  /** Payload bytes handed out as committed and not yet reported by `appliedTo` (C136). */
  readonly maxCommittedBytesPerOutput: number;
  /** Uniform uint32, seeded by the caller. */
  readonly random: () => number;
  readonly trace?: (event: TraceEvent) => void;
}

/**
 * The state of one replica and its outboxes: what the functions of roles, election, replication,
 * reads and transfer work on. No rules of the protocol here.
 */
import { RaftLog } from './log.ts';
import { voterSetsOf, votersOf } from './membership.ts';
import type { Progress } from './progress.ts';
import type { VoterSets } from './quorum.ts';
import type {
  HardState,
  LogStore,
  Message,
  RaftConfig,
  Role,
  ServerId,
  SnapshotMark,
  TraceEvent,
} from './types.ts';

/** A read waiting at the leader; `from` is self or a follower that passed it on. */
export interface ReadRequest {
  readonly from: ServerId;
  readonly context: number;
}

/** Reads that one heartbeat round confirms: all may be served at `index`. */
export interface ReadRound {
  readonly round: number;
  readonly index: number;
  readonly requests: readonly ReadRequest[];
}

/** What a replica that lost a part of its log still waits for. */
export interface Recovery {
  /** Drawn at start, so that no answer to an earlier start is taken. */
  readonly context: number;
  /** Whole once it holds all up to `index` of the leader of `term`; 0: not answered yet. */
  term: number;
  index: number;
}

export interface Core {
  readonly config: RaftConfig;
  readonly self: ServerId;
  /** Of the membership in force: one set, two while a joint change is under way. */
  voterSets: VoterSets;
  readonly log: RaftLog;

  role: Role;
  term: number;
  vote: ServerId;
  leader: ServerId;

  /** Ticks since this replica last had a reason not to campaign, and how many it waits. */
  candidacyElapsed: number;
  candidacyTicks: number;
  /**
   * Ticks since a leader was heard; decides on refusing votes. Separate from the above: see the
   * TRAP in `RaftConfig`.
   */
  leaderElapsed: number;
  /** Pre-votes asked for since a leader was last heard; spaces out the retries. */
  preVoteAttempts: number;
  readonly votes: Map<ServerId, boolean>;

  // Of a leader only; meaningless in other roles.
  /**
   * One for each member, self included, sorted by id: the order of all sending. Also for those on
   * their way out, until they could know (see reconfigure.ts).
   */
  progress: Progress[];
  /** Index of the empty entry this leader began with: from here on all entries are of its term. */
  termStart: number;
  quorumElapsed: number;
  uncommittedBytes: number;
  /** Heir of a transfer under way, 0 for none. */
  transferee: ServerId;
  transferElapsed: number;
  readsQueued: ReadRequest[];
  readRounds: ReadRound[];
  /** Number of the latest round; rises over the life of this object. */
  readRound: number;

  /** The shell allows this replica to campaign; false while its server is sick. */
  eligible: boolean;
  /** Set while this replica may lack what it once acknowledged; see recover.ts. */
  recovery: Recovery | null;
  /** Highest index shown to equal the log of the leader of this term. */
  matched: number;

  /** Reads passed on to the leader, oldest first, with the tick at which they count as lost. */
  readsForwarded: { readonly context: number; readonly deadline: number }[];
  ticks: number;

  sendNow: Message[];
  sendAfterDurable: Message[];
  reads: { readonly context: number; readonly index: number }[];
  readsDropped: number[];
  /** To be handed out. */
  snapshot: SnapshotMark | null;
  recovered: boolean;
  /** The hard state as last handed out. */
  saved: HardState;
}

export function createCore(
  config: RaftConfig,
  store: LogStore,
  hard: HardState,
  applied: number,
  recovering: boolean,
): Core {
  // What a recovering replica had committed it may have lost.
  const commit = recovering ? Math.min(hard.commit, store.lastIndex()) : hard.commit;
  const log = new RaftLog(
    store,
    config.membership,
    commit,
    applied,
    config.maxCommittedBytesPerOutput,
  );
  return {
    config,
    self: config.self,
    voterSets: voterSetsOf(log.membership),
    log,
    role: 'follower',
    term: hard.term,
    vote: hard.vote,
    leader: 0,
    candidacyElapsed: 0,
    candidacyTicks: drawCandidacyTicks(config),
    leaderElapsed: 0,
    preVoteAttempts: 0,
    votes: new Map(),
    progress: [],
    termStart: 0,
    quorumElapsed: 0,
    uncommittedBytes: 0,
    transferee: 0,
    transferElapsed: 0,
    readsQueued: [],
    readRounds: [],
    readRound: 0,
    eligible: true,
    recovery: recovering ? { context: config.random(), term: 0, index: 0 } : null,
    matched: 0,
    readsForwarded: [],
    ticks: 0,
    sendNow: [],
    sendAfterDurable: [],
    reads: [],
    readsDropped: [],
    snapshot: null,
    recovered: false,
    saved: hard,
  };
}

/** Uniform in [candidacyTicksMin, candidacyTicksMax] (C5). */
export function drawCandidacyTicks(config: RaftConfig): number {
  const span = config.candidacyTicksMax - config.candidacyTicksMin + 1;
  return config.candidacyTicksMin + Math.floor((config.random() / 2 ** 32) * span);
}

export function isVoter(core: Core, id: ServerId): boolean {
  return core.voterSets.some((voters) => voters.includes(id));
}

/**
 * Whether it may stand for election (C11). Also one that an entry has removed which may not be committed: who has not
 * got that entry may need its vote, and cannot have it (thesis 4.2.2). It doesn't count its own then. Not while a snapshot is being installed (C126), nor with a log that may
 * lack what this replica has acknowledged (C141).
 */
export function isPromotable(core: Core): boolean {
  const { self, log } = core;
  const votes = isVoter(core, self) || votersOf(log.committedMembership).includes(self);
  return votes && core.eligible && core.recovery === null && !log.restoring;
}

export function progressOf(core: Core, id: ServerId): Progress | undefined {
  return core.progress.find((progress) => progress.id === id);
}

export function trace(core: Core, event: TraceEvent): void {
  core.config.trace?.(event);
}

/**
 * Whether this leader has committed an entry of its term: before that it must not serve reads
 * (C84).
 */
export function ownTermCommitted(core: Core): boolean {
  return core.role === 'leader' && core.log.commit >= core.termStart;
}

/**
 * The state of one replica and its outboxes: what the functions of roles, election, replication,
 * reads and transfer work on. No rules of the protocol here.
 */
import { RaftLog } from './log.ts';
import type { Progress } from './progress.ts';
import type { VoterSets } from './quorum.ts';
import type {
  HardState,
  LogStore,
  Message,
  RaftConfig,
  Role,
  ServerId,
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

export interface Core {
  readonly config: RaftConfig;
  readonly self: ServerId;
  /** One set now; two while a joint change is under way. */
  readonly voterSets: VoterSets;
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
  /** One for each voter, self included, sorted by id: the order of all sending. */
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

  /** Reads passed on to the leader, oldest first, with the tick at which they count as lost. */
  readsForwarded: { readonly context: number; readonly deadline: number }[];
  ticks: number;

  sendNow: Message[];
  sendAfterDurable: Message[];
  reads: { readonly context: number; readonly index: number }[];
  readsDropped: number[];
  /** The hard state as last handed out. */
  saved: HardState;
}

export function createCore(
  config: RaftConfig,
  store: LogStore,
  hard: HardState,
  applied: number,
): Core {
  return {
    config,
    self: config.self,
    voterSets: [config.voters],
    log: new RaftLog(store, hard.commit, applied, config.maxCommittedBytesPerOutput),
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
    readsForwarded: [],
    ticks: 0,
    sendNow: [],
    sendAfterDurable: [],
    reads: [],
    readsDropped: [],
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

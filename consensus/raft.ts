/**
 * One replica of a Raft group as a pure step machine: messages, ticks and calls in, one `Output` a
 * turn out. No I/O, clock, randomness of its own or promises; the same inputs give the same
 * outputs. etcd-io/raft's shape. The caller's duties are at the top of types.ts; a call after a
 * thrown `InvariantError` is not defined.
 */
import { checkConfig } from './config.ts';
import { type Core, createCore, isVoter, ownTermCommitted, progressOf } from './core.ts';
import {
  campaign,
  checkQuorum,
  handleVoteReply,
  handleVoteRequest,
  preCampaign,
  refusesCampaigns,
} from './election.ts';
import { assertNatural } from './invariant.ts';
import { isMember, type MembershipTarget } from './membership.ts';
import type { ProgressState } from './progress.ts';
import {
  expireForwardedReads,
  handleRead,
  handleReadAck,
  handleReadReply,
  readRoundDue,
  requestRead,
  startReadRound,
} from './reads.ts';
import { changeMembership, dropLeavers } from './reconfigure.ts';
import { askToRecover, endRecovery, handleRecover, handleRecoverReply } from './recover.ts';
import {
  appendOwn,
  broadcastAppend,
  broadcastHeartbeat,
  handleAppend,
  handleAppendReply,
  handleHeartbeat,
  handleHeartbeatReply,
} from './replication.ts';
import { becomeFollower, forgetLeader, hearLeader } from './roles.ts';
import { handleSnapshot, snapshotEnded, wantsSnapshot } from './snapshot.ts';
import { handOverWhenCaughtUp, startTransfer, tickTransfer } from './transfer.ts';
import {
  type Entry,
  EntryKind,
  type HardState,
  type LogStore,
  type Membership,
  type Message,
  type Output,
  type RaftConfig,
  type Refusal,
  type Role,
  type ServerId,
  type Snapshot,
} from './types.ts';

export { InvariantError } from './invariant.ts';
export type { Output, RaftConfig, Refusal, TraceEvent } from './types.ts';

export interface PeerStatus {
  readonly id: ServerId;
  readonly match: number;
  readonly next: number;
  readonly state: ProgressState;
  readonly recentlyActive: boolean;
  /** Counts for commits and votes; false for a learner, and one on its way out. */
  readonly voter: boolean;
}

export interface RaftStatus {
  readonly role: Role;
  readonly term: number;
  readonly leader: ServerId;
  readonly commit: number;
  readonly applied: number;
  readonly lastIndex: number;
  /**
   * This leader has committed an entry of its term: it may serve reads, and what it knows as
   * committed is complete.
   */
  readonly ownTermCommitted: boolean;
  /** Heir of a transfer under way, 0 for none. */
  readonly transferee: ServerId;
  /** In force, committed or not; and the index of the entry that brought it. */
  readonly membership: Membership;
  readonly membershipIndex: number;
  /** This replica may lack what it once acknowledged, and so neither votes nor campaigns. */
  readonly recovering: boolean;
  /** All members, self included, by id; empty unless leader. */
  readonly peers: readonly PeerStatus[];
}

const NONE: readonly never[] = Object.freeze([]);

export class Raft {
  readonly #core: Core;

  /**
   * Starts, or restarts, as a follower that knows no leader (C1). `applied` is the index the books
   * hold; entries above it that are known to be committed come again (C63). Throws if `hard.commit`
   * or `applied` is outside the log (C64). `recovering`: the disk has lost entries that it may have
   * acknowledged, but neither term nor vote (recover.ts).
   */
  constructor(
    config: RaftConfig,
    store: LogStore,
    hard: HardState,
    applied: number,
    { recovering = false }: { readonly recovering?: boolean } = {},
  ) {
    checkConfig(config);
    assertNatural(hard.term, 'term');
    assertNatural(hard.commit, 'commit');
    assertNatural(applied, 'applied');
    this.#core = createCore(config, store, hard, applied, recovering);
  }

  /**
   * Takes a message of a peer, or of itself from `sendAfterDurable`. Ignores what is not for this
   * replica, what only a replica may tell itself (C12), and answers of a stranger (C13). A leader or
   * candidate may be a stranger: the entry that brings it in may not have come here yet.
   */
  step(message: Message): void {
    const core = this.#core;
    assertNatural(message.term, 'term');
    if (message.to !== core.self) return;
    if (message.from === core.self ? !isOwnAck(message) : this.#isStranger(message)) return;
    if (message.term > core.term) {
      if (!this.#adoptTerm(message)) return;
    } else if (message.term < core.term) {
      this.#answerStale(message);
      return;
    }
    switch (message.type) {
      case 'preVote':
      case 'vote':
        handleVoteRequest(core, message);
        return;
      case 'preVoteReply':
      case 'voteReply':
        handleVoteReply(core, message);
        return;
      case 'append':
        hearLeader(core, message.from);
        handleAppend(core, message);
        return;
      case 'heartbeat':
        hearLeader(core, message.from);
        handleHeartbeat(core, message);
        if (core.recovery?.term !== core.term) askToRecover(core);
        return;
      case 'snapshot':
        hearLeader(core, message.from);
        handleSnapshot(core, message);
        return;
      case 'appendReply':
        if (core.role !== 'leader') return;
        handleAppendReply(core, message);
        handOverWhenCaughtUp(core, message.from);
        return;
      case 'heartbeatReply':
        if (core.role !== 'leader') return;
        handleHeartbeatReply(core, message);
        handleReadAck(core, message);
        return;
      case 'timeoutNow':
        if (core.role === 'follower') campaign(core, true); // C40, C104
        return;
      case 'read':
        handleRead(core, message);
        return;
      case 'readReply':
        handleReadReply(core, message);
        return;
      case 'recover':
        handleRecover(core, message);
        return;
      case 'recoverReply':
        handleRecoverReply(core, message);
        return;
      default:
        message satisfies never;
    }
  }

  /** Candidates count answers of voters alone, whoever asked them; a leader those of its members. */
  #isStranger({ type, from }: Message): boolean {
    const core = this.#core;
    if (type === 'preVoteReply' || type === 'voteReply') return !isVoter(core, from);
    if (type === 'timeoutNow') return from !== core.leader && !isMember(core.log.membership, from); // C104
    if (type !== 'appendReply' && type !== 'heartbeatReply' && type !== 'recover') return false;
    if (core.role === 'leader') return progressOf(core, from) === undefined;
    return !isMember(core.log.membership, from);
  }

  /**
   * A message of a higher term: false if it is to be ignored. Only a leader's own messages prove
   * who leads (C2).
   */
  #adoptTerm(message: Message): boolean {
    const core = this.#core;
    switch (message.type) {
      case 'preVote':
        return !refusesCampaigns(core, message); // the term asked about is not one anybody is in
      case 'preVoteReply':
        if (!message.granted) becomeFollower(core, message.term, 0); // C38
        return true;
      case 'vote':
        if (refusesCampaigns(core, message)) return false;
        becomeFollower(core, message.term, 0);
        return true;
      case 'append':
      case 'heartbeat':
      case 'snapshot':
        becomeFollower(core, message.term, message.from);
        return true;
      default:
        becomeFollower(core, message.term, 0);
        return true;
    }
  }

  /**
   * A message of a lower term changes nothing (C3), but two senders must learn of this term or they
   * could be stuck: a leader that this replica no longer follows (C46) and a pre-candidate that
   * cannot win (C39).
   */
  #answerStale(message: Message): void {
    const core = this.#core;
    const { self, term } = core;
    const to = message.from;
    const { type } = message;
    if (type === 'append' || type === 'heartbeat' || type === 'snapshot') {
      core.sendNow.push({ type: 'heartbeatReply', from: self, to, term, readContext: 0 });
    } else if (message.type === 'preVote') {
      core.sendAfterDurable.push({ type: 'preVoteReply', from: self, to, term, granted: false });
    }
  }

  /** 5 ms have passed. */
  tick(): void {
    const core = this.#core;
    core.ticks++;
    core.leaderElapsed++;
    if (core.role === 'leader') {
      this.#tickLeader();
      return;
    }
    expireForwardedReads(core);
    core.candidacyElapsed++;
    if (core.candidacyElapsed >= core.candidacyTicks) preCampaign(core);
  }

  #tickLeader(): void {
    const core = this.#core;
    core.quorumElapsed++;
    if (core.quorumElapsed >= core.config.voteRefusalTicks) {
      core.quorumElapsed = 0;
      checkQuorum(core);
      if (core.role !== 'leader') return;
      dropLeavers(core);
    }
    tickTransfer(core);
    // By the tick's number, not by the age of the leadership: all groups of a server beat in one turn.
    if (core.ticks % core.config.heartbeatTicks === 0) broadcastHeartbeat(core);
  }

  /** As if the candidacy timeout had elapsed: asks for pre-votes. Nothing at a leader (C10). */
  campaign(): void {
    preCampaign(this.#core);
  }

  /**
   * Appends a command at the leader. The outcome is known when an entry with this index and term is
   * committed.
   */
  propose(payload: Uint8Array): { index: number; term: number } | Refusal {
    const core = this.#core;
    if (core.role !== 'leader') return { refused: 'not_leader', leader: core.leader };
    if (!isVoter(core, core.self)) return { refused: 'removed' }; // C57
    if (core.transferee !== 0) return { refused: 'transferring' }; // C100
    const bytes = payload.byteLength;
    // On an empty tail any size goes, or a large entry could never (C135).
    if (
      core.uncommittedBytes > 0 &&
      bytes > 0 &&
      core.uncommittedBytes + bytes > core.config.maxUncommittedBytes
    ) {
      return { refused: 'quota_exceeded' };
    }
    core.uncommittedBytes += bytes;
    const index = appendOwn(core, EntryKind.command, payload);
    broadcastAppend(core);
    return { index, term: core.term };
  }

  /**
   * Asks from which index on a linearizable read may be answered; the answer comes in
   * `Output.reads`, or the context in `readsDropped`. `context` is positive and unique for this
   * object. Any replica may ask; the leader confirms (C82-C89).
   */
  requestRead(context: number): Refusal | undefined {
    assertNatural(context, 'context');
    return requestRead(this.#core, context);
  }

  /**
   * Hands leadership to `to`, given up after `candidacyTicksMin` (C95-C103). Proposals are refused
   * meanwhile.
   */
  transferLeadership(to: ServerId): Refusal | undefined {
    return startTransfer(this.#core, to);
  }

  /**
   * Makes these the voters and learners, at the leader: by a simple change if at most one voter comes
   * or goes, else by a joint one that ends by itself. Done once an entry with this index and term is
   * committed and `status().membership` is no longer joint. Let a new voter be a learner first: its ack may be needed
   * for the very entry that brings it in, and it may have to catch up by a snapshot, which must know it (C124).
   */
  changeMembership(target: MembershipTarget): { index: number; term: number } | Refusal {
    return changeMembership(this.#core, target);
  }

  /** A leader stops leading at once, for its server is sick; nothing at others. */
  resign(): void {
    const core = this.#core;
    if (core.role === 'leader') becomeFollower(core, core.term, 0);
  }

  /** Whether this replica may campaign; false while its server is sick. It still votes. */
  setEligible(eligible: boolean): void {
    this.#core.eligible = eligible;
  }

  /** Whether stepping this message would replace the state: the shell must have it then. */
  wantsSnapshot(message: Snapshot): boolean {
    return wantsSnapshot(this.#core, message);
  }

  /** How the snapshot ended that this leader's shell gave to `peer`. */
  reportSnapshot(peer: ServerId, ok: boolean): void {
    snapshotEnded(this.#core, peer, ok);
  }

  /**
   * That server's process is known to be dead. A follower of it will vote, and may `campaign()`, at
   * once (C49).
   */
  forgetLeader(leader: ServerId): void {
    forgetLeader(this.#core, leader);
  }

  /** Messages to `peer` were lost: probe it before sending on (C134). */
  reportUnreachable(peer: ServerId): void {
    const core = this.#core;
    if (core.role !== 'leader' || peer === core.self) return;
    const progress = progressOf(core, peer);
    if (progress?.state === 'replicate') progress.becomeProbe(progress.match + 1);
  }

  /**
   * All that an Output and those before it carried is on disk. Once for each whose `durable` is not
   * null, in order.
   */
  durable(term: number, index: number): void {
    this.#core.log.endWrite(term, index);
    endRecovery(this.#core);
  }

  /** Everything up to `index` is applied; frees its share of the apply quota (C136). */
  appliedTo(index: number): void {
    assertNatural(index, 'applied');
    this.#core.log.appliedTo(index);
  }

  /** Whether `takeOutput` would have anything to say. */
  hasOutput(): boolean {
    const core = this.#core;
    return (
      core.sendNow.length > 0 ||
      core.sendAfterDurable.length > 0 ||
      core.snapshot !== null ||
      core.recovered ||
      core.log.hasUnwritten() ||
      core.log.hasCommitted() ||
      core.reads.length > 0 ||
      core.readsDropped.length > 0 ||
      this.#hardStateChanged() ||
      readRoundDue(core)
    );
  }

  /** Everything since the last call; see `Output` for the caller's duties. */
  takeOutput(): Output {
    const core = this.#core;
    const { log } = core;
    if (readRoundDue(core)) {
      startReadRound(core);
      if (core.readRounds.length > 0) broadcastHeartbeat(core);
    }
    const entries: readonly Entry[] = log.hasUnwritten() ? log.takeUnwritten() : NONE;
    if (entries.length > 0 && core.role === 'leader') this.#ackOwnWrite();
    const { snapshot, recovered } = core;
    core.snapshot = null;
    core.recovered = false;
    const mustSync =
      snapshot !== null ||
      entries.length > 0 ||
      core.term !== core.saved.term ||
      core.vote !== core.saved.vote;
    const hardState = this.#hardStateChanged()
      ? { term: core.term, vote: core.vote, commit: log.commit }
      : null;
    if (hardState !== null) core.saved = hardState;
    const committed = log.takeCommitted();
    this.#freeUncommitted(committed);
    const { sendNow, sendAfterDurable, reads, readsDropped } = core;
    // Also without entries of its own: a later write's completion may be the first that is not
    // voided by a truncation.
    const writes =
      snapshot !== null || entries.length > 0 || hardState !== null || sendAfterDurable.length > 0;
    const durable = writes && log.hasUnstable() ? log.beginWrite(core.term) : null;
    if (sendNow.length > 0) core.sendNow = [];
    if (sendAfterDurable.length > 0) core.sendAfterDurable = [];
    if (reads.length > 0) core.reads = [];
    if (readsDropped.length > 0) core.readsDropped = [];
    return {
      sendNow: sendNow.length > 0 ? sendNow : NONE,
      snapshot,
      entries,
      hardState,
      mustSync,
      durable,
      sendAfterDurable: sendAfterDurable.length > 0 ? sendAfterDurable : NONE,
      committed,
      reads: reads.length > 0 ? reads : NONE,
      readsDropped: readsDropped.length > 0 ? readsDropped : NONE,
      recovered,
    };
  }

  /** The leader's copy counts like a peer's: by an ack, once durable, in this term only (C52). */
  #ackOwnWrite(): void {
    const core = this.#core;
    core.sendAfterDurable.push({
      type: 'appendReply',
      from: core.self,
      to: core.self,
      term: core.term,
      index: core.log.lastIndex(),
      rejected: false,
      hintIndex: 0,
      hintTerm: 0,
    });
  }

  #hardStateChanged(): boolean {
    const { term, vote, saved, log } = this.#core;
    return term !== saved.term || vote !== saved.vote || log.commit !== saved.commit;
  }

  #freeUncommitted(committed: readonly Entry[]): void {
    const core = this.#core;
    if (core.role !== 'leader') return;
    // Entries of earlier terms were never counted, nor changes of members.
    for (const { term, kind, payload } of committed)
      if (term === core.term && kind === EntryKind.command)
        core.uncommittedBytes -= payload.byteLength;
  }

  /** As in `status`, for those who ask all the time. */
  get role(): Role {
    return this.#core.role;
  }

  get term(): number {
    return this.#core.term;
  }

  get leader(): ServerId {
    return this.#core.leader;
  }

  /** This leader has committed in its own term; how far, says `commit`. */
  get ownTermCommitted(): boolean {
    return ownTermCommitted(this.#core);
  }

  /** A snapshot was taken and is not durable yet. */
  get restoring(): boolean {
    return this.#core.log.restoring;
  }

  /** In force, committed or not. */
  get membership(): Membership {
    return this.#core.log.membership;
  }

  get commit(): number {
    return this.#core.log.commit;
  }

  status(): RaftStatus {
    const core = this.#core;
    const peers = core.progress.map(({ id, match, next, state, recentlyActive }) => ({
      id,
      match,
      next,
      state,
      recentlyActive: recentlyActive || id === core.self,
      voter: isVoter(core, id),
    }));
    return {
      role: core.role,
      term: core.term,
      leader: core.leader,
      commit: core.log.commit,
      applied: core.log.applied,
      lastIndex: core.log.lastIndex(),
      ownTermCommitted: ownTermCommitted(core),
      transferee: core.transferee,
      membership: core.log.membership,
      membershipIndex: core.log.membershipIndex,
      recovering: core.recovery !== null,
      peers,
    };
  }
}

/** What a replica may tell itself: that its own vote or entries are durable. */
function isOwnAck(message: Message): boolean {
  return (
    message.type === 'preVoteReply' ||
    message.type === 'voteReply' ||
    message.type === 'appendReply'
  );
}

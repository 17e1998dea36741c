import { decodeMembership, votersOnly } from '../../consensus/membership.ts';
import { type Output, Raft, type Refusal } from '../../consensus/raft.ts';
import {
  type Entry,
  EntryKind,
  type HardState,
  type Membership,
  type Message,
  type ServerId,
  type SnapshotMark,
} from '../../consensus/types.ts';
import type { Log, UnitLog } from './log/log.ts';

/** What a group replicates. */
export interface StateMachine {
  /** Log index the machine stands at. */
  readonly index: number;
  /** In force there, as far as whoever keeps the machine's state knows. Read at start. */
  readonly membership: Membership | null;
  /** False while it must not take more entries, for its books lag too far. */
  readonly ready: boolean;
  apply(entry: Entry): void;
  /**
   * Replaces the state by that at `mark`, which whoever stepped the snapshot has prepared. Once it is durable,
   * and this machine stands there, `done` is called: later.
   */
  install(mark: SnapshotMark, done: () => void): void;
}

export interface GroupOptions {
  readonly unit: number;
  readonly self: ServerId;
  /** Voters while the log says nothing else; none for a server that was added later. */
  readonly founders: readonly ServerId[];
  /** Any number a zone. */
  readonly zoneOf: (server: ServerId) => number;
  readonly candidacyTicksMin: number;
  readonly candidacyTicksMax: number;
  readonly heartbeatTicks: number;
  readonly voteRefusalTicks: number;
  readonly random: () => number;
}

export interface GroupEvents {
  send(message: Message): void;
  /** This server began to lead, and all earlier entries are applied: it may serve. */
  onLeading(): void;
  /** A state is installed: `collect` goes on. */
  onInstalled(): void;
  /** This server led and leads no more. */
  onDeposed(): void;
  /** The read of this context may be served now. */
  onRead(context: number): void;
  onReadDropped(context: number): void;
}

/** What must be done once a flush of the log has made it true. */
export interface Promised {
  readonly group: Group;
  readonly durable: { readonly term: number; readonly index: number } | null;
  readonly messages: readonly Message[];
}

/**
 * One unit's replica on this server: its consensus core bound to the shared log and to its state
 * machine. The server drives it; what must wait for the disk is handed to the server.
 */
export class Group {
  readonly unit: number;
  readonly raft: Raft;
  readonly #self: ServerId;
  readonly #log: Log;
  readonly #machine: StateMachine;
  readonly #events: GroupEvents;
  readonly #configured: Membership;
  /** In force at the machine's index: the books keep it with what they hold. */
  #membership: Membership;
  /** Committed entries that the machine was not ready for. */
  #committed: Entry[] = [];
  #reads: { context: number; index: number }[] = [];
  #serving = false;
  /** yes: a state is being installed; an Output: it is, and this brought it. */
  #restoring: 'no' | 'yes' | Output = 'no';
  /** Outputs given to the log and not yet durable: later promises must not overtake them. */
  #unflushed = 0;

  constructor(options: GroupOptions, log: Log, machine: StateMachine, events: GroupEvents) {
    this.unit = options.unit;
    this.#self = options.self;
    this.#log = log;
    this.#machine = machine;
    this.#events = events;
    const stored = log.unit(options.unit);
    const configured = votersOnly(options.founders);
    this.#configured = configured;
    this.#membership = machine.membership ?? stored.startMembership() ?? configured;
    this.raft = new Raft(
      {
        self: options.self,
        membership: configured,
        zoneOf: options.zoneOf,
        heartbeatTicks: options.heartbeatTicks,
        voteRefusalTicks: options.voteRefusalTicks,
        candidacyTicksMin: options.candidacyTicksMin,
        candidacyTicksMax: options.candidacyTicksMax,
        preVoteRetryTicks: 8,
        maxAppendBytes: 1 << 20,
        maxInflightAppends: 64,
        maxInflightBytes: 16 << 20,
        maxUncommittedBytes: 64 << 20,
        maxCommittedBytesPerOutput: 8 << 20,
        random: options.random,
      },
      stored,
      hardStateToStartFrom(stored, machine.index),
      machine.index,
      { recovering: stored.recovering },
    );
  }

  /** Leads, has committed in its own term and applied all before: proposals and reads are served. */
  get serving(): boolean {
    return this.#serving;
  }

  /** In force at the index that the machine stands at. */
  get membership(): Membership {
    return this.#membership;
  }

  /** In force at an index that the log holds, or starts after. */
  membershipAt(index: number): Membership {
    return this.#log.unit(this.unit).membershipAt(index) ?? this.#configured;
  }

  get leader(): ServerId {
    return this.raft.leader;
  }

  propose(payload: Uint8Array): { index: number; term: number } | Refusal {
    return this.raft.propose(payload);
  }

  /** There is something to collect. */
  get hasOutput(): boolean {
    return this.#restoring === 'no' ? this.raft.hasOutput() : this.#restoring !== 'yes';
  }

  /** Takes what the core has to say; true if the log must be flushed for it. */
  collect(promise: (promised: Promised) => void): boolean {
    let mustSync = false;
    // A leader may have stepped down without a word.
    this.#roleChange();
    while (this.hasOutput) {
      const output = this.#nextOutput();
      if (output === null) break;
      if (output.entries.length > 0) this.#log.append(this.unit, output.entries);
      if (output.hardState !== null) this.#log.setHardState(this.unit, output.hardState);
      // Noted with the next flush: until then a new start recovers once more.
      if (output.recovered) this.#log.recovered(this.unit);
      mustSync ||= output.mustSync;
      this.#promise(output.mustSync, output.durable, output.sendAfterDurable, promise);
      for (const entry of output.committed) this.#committed.push(entry);
      for (const context of output.readsDropped) this.#events.onReadDropped(context);
      for (const read of output.reads) this.#reads.push(read);
      this.#roleChange();
      this.advance();
    }
    return mustSync;
  }

  /**
   * The next output to be written; null while a state is installed: the log may only start anew once the
   * books that it goes on from are durable, and all that was said later waits.
   */
  #nextOutput(): Output | null {
    if (this.#restoring !== 'no' && this.#restoring !== 'yes') {
      const restored = this.#restoring;
      this.#restoring = 'no';
      const mark = restored.snapshot!;
      this.#log.reset(this.unit, mark);
      this.#membership = mark.membership;
      return restored;
    }
    const output = this.raft.takeOutput();
    for (const message of output.sendNow) this.#events.send(message);
    if (output.snapshot === null) return output;
    this.#restoring = 'yes';
    this.#committed = [];
    this.#machine.install(output.snapshot, () => {
      this.#restoring = output;
      this.#events.onInstalled();
    });
    return null;
  }

  /** Hands committed entries to the machine as far as it is ready, then serves the reads they allow. */
  advance(): void {
    let applied = 0;
    for (const entry of this.#committed) {
      if (!this.#machine.ready) break;
      if (entry.index !== this.#machine.index + 1) {
        throw new Error(
          `unit ${this.unit}: entry ${entry.index} committed, but the machine stands at ${this.#machine.index}`,
        );
      }
      this.#machine.apply(entry);
      if (entry.kind === EntryKind.membership) this.#membership = decodeMembership(entry.payload);
      applied += 1;
    }
    if (applied > 0) {
      this.#committed.splice(0, applied);
      this.raft.appliedTo(this.#machine.index);
    }
    this.#roleChange();
    if (this.#reads.length > 0) this.#serveReads();
  }

  /** The flush that carried `promised` is durable. */
  keep(promised: Promised): void {
    this.#unflushed -= 1;
    this.#deliver(promised.durable, promised.messages);
  }

  #promise(
    mustSync: boolean,
    durable: Promised['durable'],
    messages: readonly Message[],
    promise: (promised: Promised) => void,
  ): void {
    if (!mustSync && durable === null && messages.length === 0) return;
    // With mustSync alone too: a term just taken over must be durable before any later word is.
    if (!mustSync && this.#unflushed === 0) {
      this.#deliver(durable, messages);
      return;
    }
    this.#unflushed += 1;
    promise({ group: this, durable, messages });
  }

  #deliver(durable: Promised['durable'], messages: readonly Message[]): void {
    if (durable !== null) this.raft.durable(durable.term, durable.index);
    for (const message of messages) {
      if (message.to === this.#self) this.raft.step(message);
      else this.#events.send(message);
    }
  }

  #roleChange(): void {
    const { raft } = this;
    const leading = raft.ownTermCommitted && this.#machine.index >= raft.commit;
    if (leading && !this.#serving) {
      this.#serving = true;
      this.#events.onLeading();
    } else if (this.#serving && raft.role !== 'leader') {
      this.#serving = false;
      this.#events.onDeposed();
    }
  }

  #serveReads(): void {
    const waiting: { context: number; index: number }[] = [];
    for (const read of this.#reads) {
      if (read.index <= this.#machine.index) this.#events.onRead(read.context);
      else waiting.push(read);
    }
    this.#reads = waiting;
  }
}

/**
 * The stored hard state, raised to what the log and the books prove: a crash may keep entries and lose
 * the hard state that was written after them, and a commit alone is never synced.
 */
function hardStateToStartFrom(log: UnitLog, applied: number): HardState {
  const { term, vote, commit } = log.hardState();
  const lastTerm = log.term(log.lastIndex());
  return {
    term: Math.max(term, lastTerm),
    vote: lastTerm > term ? 0 : vote,
    commit: Math.max(commit, applied),
  };
}

/** One random walk; see explorer.ts. */
import {
  decodeMembership,
  isJoint,
  isMember,
  type MembershipTarget,
  voterSetsOf,
  votersOf,
} from '../membership.ts';
import { type Entry, EntryKind, type Membership, type Message, type TraceEvent } from '../types.ts';
import { SafetyError } from './checker.ts';
import { Cluster } from './cluster.ts';
import { seeded } from './config.ts';
import { type ExplorerReport, noCounts } from './explorer-counts.ts';
import { encode, type SimNode } from './node.ts';

export interface WalkOptions {
  readonly seed: number;
  /** Voters at the start: 3 or 5. Two more servers wait to be added. */
  readonly size: number;
  readonly steps: number;
  /** The broken shell that tells the core "durable" without a sync. */
  readonly skipDurability?: boolean;
}

const SPARES = 2;
/** 1-1-1 and 2-2-1, and where the spares stand. */
const ZONES: Readonly<Record<number, readonly number[]>> = {
  3: [1, 2, 3, 1, 2],
  5: [1, 1, 2, 2, 3, 1, 2],
};
/** Ticks of calm after the walk in which the group must recover. */
const CALM_ROUNDS = 4;
const CALM_TICKS = 200;
/** Terms that the recovery may cost. */
const CALM_TERMS = 6;

export class Walk {
  readonly cluster: Cluster;
  readonly #random: () => number;
  readonly #counts: ExplorerReport = noCounts();
  readonly #configured: Membership;
  #proposals = 0;
  #contexts = 0;
  /** Highest index that any leader has declared committed. */
  #commit = 0;
  /** Of the last committed membership entry. */
  #membership: Membership;
  /** Who was told last to take over, and in which term. */
  #heir = { id: 0, term: 0 };
  /** What will happen at a later step. */
  #plans: { readonly step: number; readonly act: () => void }[] = [];
  /** Lowest index that the read of a context may be answered with. */
  readonly #readFloor = new Map<string, number>();

  constructor(options: WalkOptions) {
    this.#random = seeded(options.seed);
    const zones = ZONES[options.size];
    if (zones === undefined) throw new Error(`no zones for ${options.size} servers`);
    const inZones = this.#chance(2);
    this.cluster = new Cluster({
      size: options.size + SPARES,
      voters: Array.from({ length: options.size }, (_, i) => i + 1),
      config: (id) => ({
        random: seeded(options.seed * 31 + id),
        zoneOf: (server) => (inZones ? (zones[server - 1] as number) : server),
        // Small limits, so that windows, pages and quotas are met.
        maxInflightAppends: 1 + this.#below(4),
        maxAppendBytes: 1 + this.#below(24),
        maxInflightBytes: 64,
        maxCommittedBytesPerOutput: 1 + this.#below(16),
        maxUncommittedBytes: 256,
      }),
      nodes: () => ({ showEarly: this.#chance(2) }),
    });
    this.#configured = this.cluster.node(1).config.membership;
    this.#membership = this.#configured;
    for (const node of this.cluster.nodes) this.#watch(node, options.skipDurability ?? false);
    this.cluster.checker.onCommitted = (entry) => this.#onCommitted(entry);
  }

  #watch(node: SimNode, skipDurability: boolean): void {
    const { checker } = this.cluster;
    node.skipDurability = skipDurability;
    node.onWrite = (entries) => checker.onWrite(node, entries);
    const stateOf = node.stateOf;
    node.stateOf = (mark) => {
      this.#counts.snapshots++;
      checker.checkMark(mark, this.#configured);
      return stateOf(mark);
    };
    const check = node.onEvent;
    node.onEvent = (event) => {
      check(event);
      this.#onEvent(node, event);
    };
  }

  #onEvent(node: SimNode, event: TraceEvent): void {
    const counts = this.#counts;
    if (event.kind === 'commit') {
      this.#commit = Math.max(this.#commit, event.index);
      if (node.raft.role === 'leader' && !node.skipDurability)
        this.cluster.checker.checkQuorumHolds(node, this.cluster.nodes, event.index);
    } else if (event.kind === 'role' && event.role === 'leader') {
      counts.elections++;
      if (this.#heir.id === node.id && this.#heir.term + 1 === event.term) counts.transfers++;
      // Before it has committed in its term it may not.
      if (this.#chance(4)) this.#plan(6, () => this.#change(node));
    } else if (event.kind === 'truncate') {
      const lost = node.accepted.memberships().filter(({ index }) => index >= event.index).length;
      counts.truncations++;
      counts.membershipsTakenBack += lost;
      // The second of two was only begun when the first was committed, which is for ever.
      if (lost > 1) throw new SafetyError(`server ${node.id} takes back ${lost} memberships`);
    } else if (event.kind === 'recovered') counts.recoveries++;
  }

  #onCommitted(entry: Entry): void {
    const counts = this.#counts;
    counts.commits++;
    if (entry.kind !== EntryKind.membership) return;
    const before = this.#membership;
    const now = decodeMembership(entry.payload);
    this.#membership = now;
    if (isJoint(before)) counts.jointChanges++;
    else if (!isJoint(now)) counts.simpleChanges++;
    if (before.learners.some((id) => now.voters.includes(id))) counts.learnersPromoted++;
  }

  #below(limit: number): number {
    return this.#random() % limit;
  }

  #chance(oneIn: number): boolean {
    return this.#below(oneIn) === 0;
  }

  #node(): SimNode {
    return this.cluster.nodes[this.#below(this.cluster.nodes.length)] as SimNode;
  }

  #leader(): SimNode | undefined {
    return this.cluster.nodes.find(({ alive, raft }) => alive && raft.role === 'leader');
  }

  /** Mostly a leader, if there is one. */
  #anyOrLeader(): SimNode {
    return (this.#chance(4) ? undefined : this.#leader()) ?? this.#node();
  }

  /** Within the next `steps`. */
  #plan(steps: number, act: () => void): void {
    this.#plans.push({ step: this.#counts.steps + 1 + this.#below(steps), act });
  }

  #actOnPlans(): void {
    if (this.#plans.length === 0) return;
    const due = this.#plans.filter(({ step }) => step <= this.#counts.steps);
    this.#plans = this.#plans.filter(({ step }) => step > this.#counts.steps);
    for (const { act } of due) act();
  }

  step(): void {
    this.#counts.steps++;
    this.#actOnPlans();
    const dice = this.#below(1000);
    if (dice < 330)
      for (let i = this.#below(3 * this.cluster.nodes.length); i >= 0; i--) this.#deliver();
    else if (dice < 680) for (const node of this.cluster.nodes) this.#turn(node);
    else if (dice < 860) this.#tick();
    else if (dice < 915) this.#propose(this.#anyOrLeader());
    else if (dice < 945) this.#read(this.#anyOrLeader());
    else if (dice < 962) this.#compact(this.#node());
    else if (dice < 985) this.#change(this.#leader());
    else this.#trouble();
  }

  #deliver(): void {
    const { cluster } = this;
    cluster.collect();
    const { network } = cluster;
    if (network.length === 0) return;
    // Mostly in order, sometimes any.
    const at = this.#chance(4) ? this.#below(network.length) : 0;
    const message = network[at];
    if (message === undefined) return;
    if (!this.#chance(30)) network.splice(at, 1); // else it will come again
    if (this.#chance(30)) return; // lost
    if (this.#chance(15)) {
      this.#plan(80, () => cluster.network.push(message)); // late
      return;
    }
    if (network.length > 200) network.splice(this.#below(100), 100);
    cluster.deliver(message.type === 'snapshot' ? this.#fetched(message) : message);
  }

  /** The receiver's shell fetches the state, and that may have gone on since it was offered. */
  #fetched(offer: Extract<Message, { type: 'snapshot' }>): Message {
    const mark = this.cluster.node(offer.from).accepted.snapshot();
    if (mark === null || mark.index <= offer.index || this.#chance(2)) return offer;
    return { ...offer, index: mark.index, logTerm: mark.term, membership: mark.membership };
  }

  /** One turn of a server: takes the output, completes some writes, its books advance. */
  #turn(node: SimNode): void {
    if (!node.alive || this.#chance(4)) return;
    node.pump();
    this.cluster.checker.onCommitMoved(node);
    // What may leave at once has left, and nothing else has happened yet.
    const { hard } = node.disk;
    const votes = node.pending.some(({ hardState }) => hardState && hardState.vote !== hard.vote);
    if (this.#chance(votes ? 8 : 60) && node.pending.some(({ mustSync }) => mustSync)) {
      this.cluster.collect();
      this.#bounce(node);
      return;
    }
    node.sync(this.#below(node.pending.length + 1));
    if (this.#chance(4) && !installing(node)) node.booksIndex = node.applied.length;
    this.#checkReads(node);
  }

  #checkReads(node: SimNode): void {
    for (const { context, index } of node.reads.splice(0)) {
      const floor = this.#readFloor.get(`${node.id} ${context}`);
      if (floor === undefined)
        throw new SafetyError(`read ${context} of ${node.id} answered, not asked`);
      if (index < floor)
        throw new SafetyError(`stale read at ${index}, ${floor} was committed before`);
      this.#counts.reads++;
    }
  }

  /** Mostly everybody's clock goes on, by any number of ticks; sometimes only one's. */
  #tick(): void {
    const ticks = 1 + this.#below(this.#chance(30) ? 80 : 4);
    const only = this.#chance(8) ? this.#node() : undefined;
    for (const node of this.cluster.nodes) {
      if (!node.alive || (only !== undefined && only !== node)) continue;
      for (let i = 0; i < ticks; i++) node.raft.tick();
    }
  }

  #propose(node: SimNode): void {
    if (node.alive) node.raft.propose(encode(`p${this.#proposals++}`));
  }

  #read(node: SimNode): void {
    if (!node.alive) return;
    const context = ++this.#contexts;
    this.#readFloor.set(`${node.id} ${context}`, this.#commit);
    node.raft.requestRead(context);
  }

  /** Drops a part of the log that the books hold. */
  #compact(node: SimNode): void {
    if (!node.alive || node.skipDurability || installing(node)) return;
    const { base } = node.accepted;
    const index = base + 1 + this.#below(12);
    if (index > node.applied.length) return;
    // Who was brought in by the log doesn't know who were members before.
    const start = node.accepted.start ?? node.config.membership;
    const [first] = node.accepted.memberships();
    if (start.voters.length === 0 && (first === undefined || first.index > index)) return;
    node.compact(index);
    this.#counts.compactions++;
  }

  #change(leader: SimNode | undefined): void {
    if (leader?.alive !== true) return;
    const target = this.#target(leader.status().membership);
    const { voters } = target;
    const ill = voters.filter((id) => this.cluster.node(id).recovering).length;
    // Those that can't vote must stay a minority, or nobody will ever lead again.
    if (2 * ill >= voters.length) return;
    leader.raft.changeMembership(target);
    if (this.#chance(4)) this.#plan(20, () => this.#usurp(leader));
  }

  /**
   * Who shall vote is a learner first: one that needs a snapshot to hold the very entry that makes it a voter could
   * get none, for no snapshot knows it before that entry is committed.
   */
  #target({ voters, outgoing, learners }: Membership): MembershipTarget {
    const others = this.cluster.nodes
      .map(({ id }) => id)
      .filter((id) => !isMember({ voters, outgoing, learners, learnersNext: [] }, id));
    const any = (ids: readonly number[]) => ids.slice(this.#below(ids.length)).slice(0, 1);
    const without = (ids: readonly number[], gone: readonly number[]) =>
      ids.filter((id) => !gone.includes(id));
    const [other, learner, voter] = [any(others), any(learners), any(voters)];
    switch (this.#below(7)) {
      case 0:
      case 1: // add a learner
        return { voters, learners: [...learners, ...other] };
      case 2: // promote one
        return { voters: [...voters, ...learner], learners: without(learners, learner) };
      case 3: // remove a voter
        return { voters: without(voters, voter), learners };
      case 4: // demote one
        return { voters: without(voters, voter), learners: [...learners, ...voter] };
      case 5: // put a learner in its place
        return {
          voters: [...without(voters, voter), ...learner],
          learners: without(learners, learner),
        };
      default: {
        const chosen = [...voters, ...learners].filter(() => !this.#chance(3));
        const left = this.cluster.nodes.map(({ id }) => id).filter((id) => !chosen.includes(id));
        return { voters: chosen, learners: left.filter(() => this.#chance(2)) };
      }
    }
  }

  #trouble(): void {
    const node = this.#node();
    const { cluster } = this;
    switch (this.#below(19)) {
      case 0:
      case 1:
        if (node.alive) this.#crash(node);
        else cluster.restart(node.id);
        return;
      case 2:
      case 3:
      case 15:
        this.#heal();
        return;
      case 4: {
        const side = cluster.nodes.filter(() => this.#chance(2)).map(({ id }) => id);
        const rest = cluster.nodes.map(({ id }) => id).filter((id) => !side.includes(id));
        cluster.partition(side, rest);
        return;
      }
      case 5: {
        const other = this.#node();
        if (other !== node) cluster.cutOneWay(node.id, other.id);
        return;
      }
      case 6:
      case 7:
        this.#transfer();
        return;
      case 8:
        if (node.alive) node.raft.campaign();
        return;
      case 9:
      case 10:
      case 11:
        this.#coup();
        return;
      case 12:
        if (this.#chance(2)) this.#lose(node);
        return;
      case 13:
        if (!node.alive) return;
        if (node.raft.role === 'leader') this.#counts.resignations++;
        node.raft.resign();
        node.raft.setEligible(!this.#chance(3));
        return;
      case 16:
      case 17:
      case 18:
        this.#usurp(this.#leader());
        return;
      default:
        this.#report(node);
    }
  }

  #crash(node: SimNode): void {
    this.#counts.crashes++;
    this.cluster.crash(node.id, this.#below(node.pending.length + 1));
  }

  #heal(): void {
    this.cluster.heal();
    for (const node of this.cluster.nodes) {
      if (!node.alive) this.cluster.restart(node.id);
      node.raft.setEligible(true);
    }
  }

  #transfer(): void {
    const leader = this.#leader();
    if (leader === undefined) return;
    const heir = this.#node().id;
    this.#heir = { id: heir, term: leader.raft.term };
    leader.raft.transferLeadership(heir);
  }

  /** A disk loses what it had, and the server starts knowing that it has. */
  #lose(node: SimNode): void {
    if (node.recovering || node.skipDurability || !this.#mayLose(node)) return;
    // The books are as far as they were synced, which may be long ago.
    const { base } = node.disk.log;
    node.booksIndex -= this.#below(node.booksIndex - base + 1);
    this.#crash(node);
    this.#counts.losses++;
    node.rot(Math.max(0, node.disk.log.lastIndex() - this.#below(8)));
    this.cluster.restart(node.id);
    if (this.#chance(2)) this.#plan(10, () => this.#usurp(this.#leader()));
  }

  /** As long as in no set of voters that anybody goes by a majority has lost entries. */
  #mayLose(node: SimNode): boolean {
    const { nodes } = this.cluster;
    return nodes.every(({ raft }) =>
      voterSetsOf(raft.status().membership).every((voters) => {
        const ill = nodes.filter((one) => one.recovering || one === node);
        return 2 * ill.filter(({ id }) => voters.includes(id)).length < Math.max(1, voters.length);
      }),
    );
  }

  /** What a shell may come to know, true or not. */
  #report(node: SimNode): void {
    if (!node.alive) return;
    const peer = this.#node().id;
    const dice = this.#below(4);
    if (dice === 0) node.raft.reportUnreachable(peer);
    else if (dice < 3) node.raft.reportSnapshot(peer, dice === 1);
    else node.raft.forgetLeader(node.raft.leader);
  }

  /**
   * One or two servers are told to take over, at once and whoever leads: an election may come at
   * any time, and none may do harm. Often the leader dies of it.
   */
  #coup(): void {
    const { cluster } = this;
    const leader = cluster.leader();
    for (let i = this.#below(2); i >= 0; i--) {
      const node = this.#node();
      const { term, membership } = node.status();
      const from = votersOf(membership).find((id) => id !== node.id) ?? 0;
      if (node.alive) node.raft.step({ type: 'timeoutNow', from, to: node.id, term });
    }
    // Voters that forget whom they have voted for.
    for (let i = this.#below(3); i > 0; i--) this.#plan(12, () => this.#bounce(this.#node()));
    if (leader === 0 || this.#chance(2)) return;
    this.#crash(cluster.node(leader));
    if (this.#chance(2)) cluster.restart(leader);
  }

  #bounce(node: SimNode): void {
    if (!node.alive) return;
    this.#crash(node);
    this.cluster.restart(node.id);
  }

  /**
   * A leader is cut off with less than a majority, and goes on as if nothing were; the others soon elect another. So
   * logs part, reads could be stale, and changes of members meet those of another leader.
   */
  #usurp(leader: SimNode | undefined): void {
    if (leader?.alive !== true || leader.raft.role !== 'leader') return;
    const { nodes } = this.cluster;
    const voters = votersOf(leader.status().membership).filter((id) => id !== leader.id);
    const friends = voters.filter(() => this.#chance(3)).slice(0, Math.floor(voters.length / 2));
    const side = [leader.id, ...friends];
    if (this.#chance(3)) leader.raft.transferLeadership(this.#node().id);
    const rest = nodes.filter(({ id }) => !side.includes(id));
    this.cluster.partition(
      side,
      rest.map(({ id }) => id),
    );
    for (let i = this.#below(4); i > 0; i--) this.#propose(leader);
    if (this.#chance(3)) this.#change(leader);
    const ticks = 60 + this.#below(60);
    for (const { alive, raft } of rest) if (alive) for (let i = 0; i < ticks; i++) raft.tick();
    for (let i = this.#below(3); i > 0; i--) this.#plan(100, () => this.#read(leader));
    this.#plan(200, () => this.#heal());
  }

  /**
   * Heals all and demands: one leader, few terms, no change left half done, all members whole and with equal logs, and
   * new entries applied everywhere.
   */
  recover(): void {
    const { cluster } = this;
    this.#heal();
    cluster.settle();
    const { highestTerm } = cluster.checker;
    for (let round = 0; round < CALM_ROUNDS; round++) {
      cluster.tick(CALM_TICKS);
      // A snapshot that is older than its receiver's membership is of no use to it: there is always a newer one.
      const books = this.#leader();
      if (books === undefined) continue;
      cluster.checker.onCommitMoved(books);
      if (books.applied.length > books.accepted.base) books.compact(books.applied.length);
    }
    for (const node of cluster.nodes) {
      cluster.checker.onCommitMoved(node);
      this.#checkReads(node);
    }
    const leader = cluster.leader();
    if (leader === 0) throw new Error('no leader after healing');
    const { term, membership } = cluster.status(leader);
    if (term > highestTerm + CALM_TERMS)
      throw new Error(`healing took terms ${highestTerm} to ${term}`);
    if (isJoint(membership)) throw new Error('a joint change is not left after healing');
    const proposed = cluster.node(leader).raft.propose(encode('last'));
    if ('refused' in proposed) throw new Error(`refused after healing: ${proposed.refused}`);
    cluster.tick(40);
    for (const node of cluster.nodes.filter(({ id }) => isMember(membership, id))) {
      const status = node.status();
      if (status.term !== term)
        throw new Error(`server ${node.id} moved to term ${status.term} in calm`);
      if (status.applied !== proposed.index)
        throw new Error(`server ${node.id} stays at ${status.applied}`);
      if (status.recovering) throw new Error(`server ${node.id} is not whole`);
    }
  }

  report(): ExplorerReport {
    return { ...this.#counts, highestTerm: this.cluster.checker.highestTerm };
  }
}

/** A snapshot is taken and not on the disk yet. */
function installing(node: SimNode): boolean {
  return node.pending.some(({ snapshot }) => snapshot !== null);
}

/**
 * A random walk over a group: messages are lost, doubled, reordered and delayed, disks are slow,
 * servers crash and come back with what they had synced, links are cut. Safety is checked all
 * along; then everything is healed and the group must come to rest under one leader, in few terms.
 * The seed decides all.
 */

import { SafetyError } from './checker.ts';
import { Cluster } from './cluster.ts';
import { seeded } from './config.ts';
import { encode, type SimNode } from './node.ts';

export interface ExplorerOptions {
  readonly seed: number;
  readonly size: number;
  readonly steps: number;
  /** The broken shell that tells the core "durable" without a sync. */
  readonly skipDurability?: boolean;
}

export interface ExplorerReport {
  readonly committed: number;
  readonly elections: number;
  readonly crashes: number;
  readonly reads: number;
  readonly highestTerm: number;
}

/** Ticks of calm after the walk in which the group must recover. */
const CALM_TICKS = 400;
/** Terms that the recovery may cost. */
const CALM_TERMS = 6;

export function explore(options: ExplorerOptions): ExplorerReport {
  const walk = new Walk(options);
  try {
    for (let step = 0; step < options.steps; step++) {
      walk.step();
      if (step % 64 === 0) walk.cluster.checker.checkLogs(walk.cluster.nodes);
    }
    walk.recover();
  } catch (error) {
    const text = `seed ${options.seed}, size ${options.size}, steps ${options.steps}: ${String(error)}`;
    throw new Error(text, { cause: error });
  }
  return walk.report();
}

class Walk {
  readonly cluster: Cluster;
  readonly #random: () => number;
  #proposals = 0;
  #contexts = 0;
  #crashes = 0;
  #elections = 0;
  #reads = 0;
  /** Highest index that any leader has declared committed. */
  #commit = 0;
  /** Lowest index that the read of a context may be answered with. */
  readonly #readFloor = new Map<string, number>();

  constructor(options: ExplorerOptions) {
    this.#random = seeded(options.seed);
    this.cluster = new Cluster({
      size: options.size,
      config: (id) => ({
        random: seeded(options.seed * 31 + id),
        // Small limits, so that windows, pages and quotas are met.
        maxInflightAppends: 1 + this.#below(4),
        maxAppendBytes: 1 + this.#below(24),
        maxInflightBytes: 64,
        maxCommittedBytesPerOutput: 1 + this.#below(16),
        maxUncommittedBytes: 256,
      }),
      nodes: () => ({ showEarly: this.#chance(2) }),
    });
    for (const node of this.cluster.nodes) {
      node.skipDurability = options.skipDurability ?? false;
      const check = node.onEvent;
      node.onEvent = (event) => {
        check(event);
        if (event.kind === 'commit') this.#commit = Math.max(this.#commit, event.index);
        if (event.kind === 'role' && event.role === 'leader') this.#elections++;
      };
    }
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

  step(): void {
    const dice = this.#below(1000);
    if (dice < 500)
      for (let i = this.#below(4 * this.cluster.nodes.length); i >= 0; i--) this.#deliver();
    else if (dice < 850) for (const node of this.cluster.nodes) this.#turn(node);
    else if (dice < 910) this.#tick();
    else if (dice < 940) this.#propose(this.#node());
    else if (dice < 970) this.#read(this.#node());
    else this.#trouble();
  }

  #deliver(): void {
    this.cluster.collect();
    const { network } = this.cluster;
    if (network.length === 0) return;
    // Mostly in order, sometimes any.
    const at = this.#chance(4) ? this.#below(network.length) : 0;
    const message = network[at];
    if (message === undefined) return;
    if (!this.#chance(30)) network.splice(at, 1); // else it will come again
    if (this.#chance(30)) return; // lost
    if (network.length > 200) network.splice(this.#below(100), 100);
    this.cluster.deliver(message);
  }

  /** One turn of a server: takes the output, completes some writes, its books advance. */
  #turn(node: SimNode): void {
    if (!node.alive || this.#chance(4)) return;
    node.pump();
    node.sync(this.#below(node.pending.length + 1));
    if (this.#chance(4)) node.booksIndex = node.applied.length;
    this.#checkReads(node);
  }

  #checkReads(node: SimNode): void {
    for (const { context, index } of node.reads.splice(0)) {
      const floor = this.#readFloor.get(`${node.id} ${context}`);
      if (floor === undefined)
        throw new SafetyError(`read ${context} of ${node.id} answered, not asked`);
      if (index < floor)
        throw new SafetyError(`stale read at ${index}, ${floor} was committed before`);
      this.#reads++;
    }
  }

  /** Mostly everybody's clock goes on, by any number of ticks; sometimes only one's. */
  #tick(): void {
    const ticks = 1 + this.#below(this.#chance(20) ? 80 : 6);
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

  #trouble(): void {
    const node = this.#node();
    const { cluster } = this;
    switch (this.#below(12)) {
      case 0:
      case 1:
        if (node.alive) {
          this.#crashes++;
          cluster.crash(node.id, this.#below(node.pending.length + 1));
        } else cluster.restart(node.id);
        return;
      case 2:
      case 3:
        cluster.heal();
        for (const other of cluster.nodes) if (!other.alive) cluster.restart(other.id);
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
        if (node.alive) node.raft.transferLeadership(this.#node().id);
        return;
      case 7:
        if (node.alive) node.raft.campaign();
        return;
      case 8:
      case 9:
      case 10:
        this.#coup();
        return;
      default:
        if (!node.alive) return;
        if (this.#chance(2)) node.raft.reportUnreachable(this.#node().id);
        else node.raft.forgetLeader(node.status().leader);
    }
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
      const { term } = node.status();
      const from = cluster.nodes.find(({ id }) => id !== node.id)?.id ?? 0;
      if (node.alive) node.raft.step({ type: 'timeoutNow', from, to: node.id, term });
    }
    if (leader === 0 || this.#chance(2)) return;
    this.#crashes++;
    cluster.crash(leader, this.#below(cluster.node(leader).pending.length + 1));
    if (this.#chance(2)) cluster.restart(leader);
  }

  /**
   * Heals all and demands: one leader, few terms, equal logs, and new entries applied everywhere.
   */
  recover(): void {
    const { cluster } = this;
    cluster.heal();
    for (const node of cluster.nodes) if (!node.alive) cluster.restart(node.id);
    cluster.settle();
    const { highestTerm } = cluster.checker;
    cluster.tick(CALM_TICKS);
    for (const node of cluster.nodes) this.#checkReads(node);
    const leader = cluster.leader();
    if (leader === 0) throw new Error('no leader after healing');
    const { term } = cluster.status(leader);
    if (term > highestTerm + CALM_TERMS)
      throw new Error(`healing took terms ${highestTerm} to ${term}`);
    const proposed = cluster.node(leader).raft.propose(encode('last'));
    if ('refused' in proposed) throw new Error(`refused after healing: ${proposed.refused}`);
    cluster.tick(40);
    for (const node of cluster.nodes) {
      const status = node.status();
      if (status.term !== term)
        throw new Error(`server ${node.id} moved to term ${status.term} in calm`);
      if (status.applied !== proposed.index)
        throw new Error(`server ${node.id} stays at ${status.applied}`);
    }
  }

  report(): ExplorerReport {
    const { checker } = this.cluster;
    return {
      committed: checker.committed.length,
      elections: this.#elections,
      crashes: this.#crashes,
      reads: this.#reads,
      highestTerm: checker.highestTerm,
    };
  }
}

/**
 * A whole group in memory, for tests: replicas on simulated disks, a network that loses, holds and
 * cuts.
 */
import type { Message, RaftConfig, ServerId } from '../types.ts';
import { Checker } from './checker.ts';
import { testConfig } from './config.ts';
import { encode, entryText, type NodeOptions, SimNode } from './node.ts';

export interface ClusterOptions {
  readonly size?: number;
  /** At the start; all servers if not said. The others wait to be added. */
  readonly voters?: readonly ServerId[];
  readonly config?: Partial<RaftConfig> | ((id: ServerId) => Partial<RaftConfig>);
  readonly nodes?: (id: ServerId) => NodeOptions;
}

export class Cluster {
  readonly nodes: SimNode[];
  readonly ids: readonly ServerId[];
  readonly checker = new Checker();
  /** On their way. */
  network: Message[] = [];
  /** Set aside by `hold`, until `release`. */
  held: Message[] = [];
  readonly #cuts = new Set<string>();
  /** Lost when this is true. */
  drop: (message: Message) => boolean = () => false;
  hold: (message: Message) => boolean = () => false;
  /** Servers whose writes complete only by `sync`. */
  readonly slow = new Set<ServerId>();
  onMessage: (message: Message, fate: 'delivered' | 'held' | 'lost') => void = () => {};
  readonly #incarnations = new Map<ServerId, number>();

  constructor(options: ClusterOptions = {}) {
    const ids = Array.from({ length: options.size ?? 3 }, (_, i) => i + 1);
    this.ids = ids;
    this.nodes = ids.map((id) => {
      const overrides = typeof options.config === 'function' ? options.config(id) : options.config;
      const voters = options.voters ?? ids;
      const config = testConfig(id, voters.includes(id) ? voters : [], overrides);
      const node = new SimNode(config, options.nodes?.(id));
      node.onEvent = (event) => this.checker.onEvent(node, this.#incarnations.get(id) ?? 0, event);
      node.stateOf = (mark) => this.checker.committed.slice(0, mark.index);
      node.onApply = (entry) => this.checker.onApply(node, entry);
      return node;
    });
  }

  node(id: ServerId): SimNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  status(id: ServerId) {
    return this.node(id).status();
  }

  /** Moves what nodes have sent onto the network. */
  collect(): void {
    for (const node of this.nodes) this.network.push(...node.take());
  }

  reaches(from: ServerId, to: ServerId): boolean {
    return !this.#cuts.has(`${from}>${to}`) && this.node(to).alive;
  }

  /** Delivers one message, unless it is cut, dropped or held. */
  deliver(message: Message): void {
    if (this.hold(message)) {
      this.onMessage(message, 'held');
      this.held.push(message);
    } else if (!this.reaches(message.from, message.to) || this.drop(message)) {
      this.onMessage(message, 'lost');
    } else {
      this.onMessage(message, 'delivered');
      this.node(message.to).raft.step(message);
    }
  }

  /** These take what they have to say and sync it, unless their disk is slow; nothing is delivered. */
  turn(ids: readonly ServerId[]): void {
    for (const id of ids) {
      if (this.slow.has(id)) this.node(id).pump();
      else this.node(id).settle();
    }
    this.collect();
  }

  /** What is on its way to these now. */
  takeNetwork(ids: readonly ServerId[]): Message[] {
    const taken = this.network.filter(({ to }) => ids.includes(to));
    this.network = this.network.filter(({ to }) => !ids.includes(to));
    return taken;
  }

  /**
   * One round: every node (of `ids`) pumps and syncs, then what was on the network arrives. True if anything
   * moved.
   */
  round(ids: readonly ServerId[] = this.ids): boolean {
    this.turn(ids);
    const batch = this.takeNetwork(ids);
    for (const message of batch) this.deliver(message);
    return batch.length > 0;
  }

  settle(ids: readonly ServerId[] = this.ids): void {
    for (let rounds = 0; this.round(ids); rounds++) {
      if (rounds > 10_000) throw new Error('the cluster does not come to rest');
    }
    this.checker.checkLogs(this.nodes);
  }

  /**
   * `count` ticks at the given nodes (all living ones if not said), everything settled after each.
   */
  tick(count = 1, ids: readonly ServerId[] = this.ids): void {
    for (let i = 0; i < count; i++) {
      for (const id of ids) if (this.node(id).alive) this.node(id).raft.tick();
      this.settle();
    }
  }

  /** Makes `id` leader, as far as the protocol lets it. */
  elect(id: ServerId): void {
    this.node(id).raft.campaign();
    this.settle();
  }

  propose(id: ServerId, text: string) {
    return this.node(id).raft.propose(encode(text));
  }

  /** Asks the leader to make these the members, and lets it happen. */
  change(voters: readonly ServerId[], learners: readonly ServerId[] = []) {
    const outcome = this.node(this.leader()).raft.changeMembership({ voters, learners });
    this.settle();
    return outcome;
  }

  /** The one living leader of the highest term; 0 if none. */
  leader(): ServerId {
    let found: ServerId = 0;
    let term = -1;
    for (const node of this.nodes) {
      const { role, term: own } = node.status();
      if (node.alive && role === 'leader' && own > term) {
        found = node.id;
        term = own;
      }
    }
    return found;
  }

  cutOneWay(from: ServerId, to: ServerId): void {
    this.#cuts.add(`${from}>${to}`);
  }

  cut(a: ServerId, b: ServerId): void {
    this.cutOneWay(a, b);
    this.cutOneWay(b, a);
  }

  isolate(id: ServerId): void {
    for (const node of this.nodes) if (node.id !== id) this.cut(id, node.id);
  }

  /** Cuts every link between the groups. */
  partition(...groups: readonly (readonly ServerId[])[]): void {
    for (const group of groups) {
      for (const other of groups) {
        if (other === group) continue;
        for (const a of group) for (const b of other) this.cutOneWay(a, b);
      }
    }
  }

  heal(): void {
    this.#cuts.clear();
  }

  release(): void {
    this.hold = () => false;
    this.network.push(...this.held);
    this.held = [];
  }

  crash(id: ServerId, survivors = 0): void {
    this.node(id).crash(survivors);
  }

  restart(id: ServerId): void {
    this.#incarnations.set(id, (this.#incarnations.get(id) ?? 0) + 1);
    this.node(id).restart();
  }

  /** The log a node has accepted, as `term:payload` texts. */
  log(id: ServerId): string[] {
    return this.node(id).accepted.entriesHeld.map(entryText);
  }

  applied(id: ServerId): string[] {
    return this.node(id).applied.map(entryText);
  }
}

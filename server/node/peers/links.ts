import { performance } from 'node:perf_hooks';
import type { Server } from '@grpc/grpc-js';
import type { ServerId } from '../../../consensus/types.ts';
import type { Environment } from '../../core/environment.ts';
import { type Lane, laneOf, type PeerMessage } from '../../core/messages.ts';
import { DueTimer } from './due-timer.ts';
import { isSilent, type LinkRule, linkOf, type Place } from './emulation.ts';
import { encodeHello, type Hello } from './handshake.ts';
import { IncomingLanes } from './incoming-lanes.ts';
import { BULK_QUEUE_BYTES_MAX, CONTROL_QUEUE_BYTES_MAX } from './limits.ts';
import { type LaneStats, OutgoingLane } from './outgoing-lane.ts';

export interface PeerLinksOptions {
  readonly self: ServerId;
  readonly zone: string;
  readonly epoch: number;
  readonly clusterId: string;
  readonly protocolVersion: number;
  /** Of the own data folder. */
  readonly disk: string;
  /** As in HelloRules. */
  diskRefusal(hello: Hello): string | null;
  /** How far the own log is durable by now. */
  logEnd(): number;
  /** All other servers. */
  readonly peers: readonly { id: ServerId; zone: string; address: string }[];
  /** Emulated network; none if absent. */
  readonly links?: readonly LinkRule[];
  /** Messages waiting for one peer, without control. */
  readonly bulkQueueBytesMax?: number;
  /** In order on each lane. Must not throw. */
  receive(from: ServerId, message: PeerMessage): void;
  /** The peer's connection has closed and a new one was refused: its process is dead. Once, until it is back. */
  onPeerDown?(id: ServerId): void;
  /** The peer's process takes our control lane: at first, after a death, or after a lost connection. */
  onPeerUp?(id: ServerId): void;
  /** A peer knows this server with another disk, and says so: the process must end. */
  onDisowned?(by: ServerId, reason: string): void;
  readonly log: Environment['log'];
}

interface Peer extends Place {
  readonly lanes: Readonly<Record<Lane, OutgoingLane>>;
  /** unknown: not yet heard of, or its connection was lost, which proves nothing. */
  state: 'unknown' | 'up' | 'down';
}

/**
 * Streams to and from every other server, two a peer and direction: control never waits behind bulk. `send` only
 * queues; `flush`, once at the end of each turn, lets everything for a peer and lane leave as one frame. Messages
 * may be lost, when a connection breaks or a queue is full, but never change and never overtake on a lane.
 */
export class PeerLinks {
  readonly #options: PeerLinksOptions;
  readonly #self: Place;
  readonly #peers = new Map<ServerId, Peer>();
  #started = false;
  readonly #incoming: IncomingLanes;
  readonly #timer = new DueTimer(nowMs, () => this.flush());
  #rules: readonly LinkRule[] = [];

  constructor(options: PeerLinksOptions) {
    this.#options = options;
    this.#self = { id: options.self, zone: options.zone };
    this.#incoming = new IncomingLanes({
      ...options,
      peerOf: (id) => this.#peers.get(id),
      diskRefusal: (hello) => options.diskRefusal(hello),
      receive: (from, message) => options.receive(from, message),
      onHello: (from) => this.#heard(from),
    });
    this.#rules = options.links ?? [];
    for (const peer of options.peers) this.add(peer);
  }

  /** A server that came later, or one that is known already. */
  add(place: { id: ServerId; zone: string; address: string }): void {
    if (place.id === this.#self.id) throw new Error(`server ${place.id} is listed as its own peer`);
    if (this.#peers.has(place.id)) return;
    const peer = this.#peer(place);
    this.#peers.set(place.id, peer);
    this.#applyRules(peer);
    if (this.#started) this.#startPeer(peer);
  }

  /** Peers reach this server through `server`, made by createPeerServer. */
  addService(server: Server): void {
    this.#incoming.addTo(server);
  }

  /** Begins to connect. Once the server listens: a peer that hears us may try to reach us. */
  start(): void {
    this.#started = true;
    for (const peer of this.#peers.values()) this.#startPeer(peer);
  }

  #startPeer({ lanes }: Peer): void {
    lanes.control.start();
    lanes.bulk.start();
  }

  send(to: ServerId, message: PeerMessage): void {
    const peer = this.#peers.get(to);
    // A unit's log may name a server before the registry's does here: its messages are lost, as any may be.
    if (peer === undefined) return;
    peer.lanes[laneOf(message)].push(message, nowMs());
  }

  flush(): void {
    const now = nowMs();
    for (const { lanes } of this.#peers.values()) {
      lanes.control.release(now);
      lanes.bulk.release(now);
    }
    this.#arm();
  }

  /** The rules of the emulated network, of all servers alike; takes effect at once. */
  setLinks(rules: readonly LinkRule[]): void {
    this.#rules = rules;
    for (const peer of this.#peers.values()) this.#applyRules(peer);
    this.#arm();
  }

  #applyRules(peer: Peer): void {
    const link = linkOf(this.#rules, this.#self, peer);
    const silent = isSilent(link) || isSilent(linkOf(this.#rules, peer, this.#self));
    peer.lanes.control.setLink(link, silent);
    peer.lanes.bulk.setLink(link, silent);
  }

  get links(): readonly LinkRule[] {
    return this.#rules;
  }

  stats(): PeerStats[] {
    return [...this.#peers.values()].map(({ id, zone, state, lanes }) => ({
      id,
      zone,
      state,
      lanes: [lanes.control.stats(), lanes.bulk.stats()],
    }));
  }

  close(): void {
    this.#timer.close();
    this.#incoming.close();
    for (const { lanes } of this.#peers.values()) {
      lanes.control.close();
      lanes.bulk.close();
    }
  }

  #peer({ id, zone, address }: { id: ServerId; zone: string; address: string }): Peer {
    const lane = (lane: Lane) => {
      const { self: serverId, zone: ownZone, ...own } = this.#options;
      const { clusterId, protocolVersion, epoch, disk } = own;
      const bulkBytesMax = this.#options.bulkQueueBytesMax ?? BULK_QUEUE_BYTES_MAX;
      return new OutgoingLane({
        lane,
        peer: { id, address },
        hello: () =>
          encodeHello({
            clusterId,
            serverId,
            zone: ownZone,
            protocolVersion,
            epoch,
            lane,
            disk,
            logEnd: this.#options.logEnd(),
          }),
        queueBytesMax: lane === 'control' ? CONTROL_QUEUE_BYTES_MAX : bulkBytesMax,
        nowMs,
        random: Math.random,
        log: this.#options.log,
        onOpen: () => this.#opened(id, lane),
        onLost: () => this.#lost(id, lane),
        onRefused: () => this.#refused(id),
        onDisowned: (reason) => this.#options.onDisowned?.(id, reason),
        onProgress: () => this.#arm(),
      });
    };
    return { id, zone, state: 'unknown', lanes: { control: lane('control'), bulk: lane('bulk') } };
  }

  #opened(id: ServerId, lane: Lane): void {
    const peer = this.#peers.get(id)!;
    if (lane !== 'control' || peer.state === 'up') return;
    peer.state = 'up';
    this.#options.onPeerUp?.(id);
  }

  #lost(id: ServerId, lane: Lane): void {
    const peer = this.#peers.get(id)!;
    if (lane === 'control' && peer.state === 'up') peer.state = 'unknown';
  }

  #heard(id: ServerId): void {
    const peer = this.#peers.get(id)!;
    if (peer.state === 'down') peer.state = 'unknown';
  }

  #refused(id: ServerId): void {
    const peer = this.#peers.get(id)!;
    if (peer.state === 'down') return;
    peer.state = 'down';
    this.#options.log('info', 'peer down', { peer: id });
    this.#options.onPeerDown?.(id);
  }

  #arm(): void {
    let dueMs = Number.POSITIVE_INFINITY;
    for (const { lanes } of this.#peers.values()) {
      dueMs = Math.min(dueMs, lanes.control.nextDueMs() ?? dueMs, lanes.bulk.nextDueMs() ?? dueMs);
    }
    if (dueMs !== Number.POSITIVE_INFINITY) this.#timer.arm(dueMs);
  }
}

export interface PeerStats extends Place {
  readonly state: Peer['state'];
  readonly lanes: readonly LaneStats[];
}

function nowMs(): number {
  return performance.now();
}

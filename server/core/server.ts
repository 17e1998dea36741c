import type { Message, ServerId } from '../../consensus/types.ts';
import { CopyPull } from './catch-up/pull.ts';
import { CopySource, isForSource } from './catch-up/source.ts';
import { DiskRoom } from './disk-room.ts';
import { Envelopes, eachAck, eachBeat } from './envelopes.ts';
import type { Environment } from './environment.ts';
import { EvenkeelError } from './error.ts';
import type { Gateway } from './gateway/api.ts';
import { ClusterChanges } from './gateway/cluster-changes.ts';
import { UnitGateway } from './gateway/gateway.ts';
import { type Ledgers, RegistryLedgers } from './gateway/ledgers.ts';
import type { Group, GroupOptions, Promised } from './group.ts';
import { Health, type HealthView, wallMs } from './health.ts';
import { Homing, type Led } from './homing.ts';
import { LedgerUnit } from './ledger-unit.ts';
import {
  HEARD_MS,
  ID_FILTER_WINDOW_IDS,
  LEADERLESS_MS_MAX,
  LOG_KEEP_TIMES_MAX,
  LOG_NEEDED_BYTES_MIN,
  LOG_TIDY_BYTES,
  LOG_TIDY_MS,
} from './limits.ts';
import { LOG_FORMAT_VERSION, Log, type LogError } from './log/log.ts';
import { Members } from './members.ts';
import type {
  CopyMessage,
  EnvelopeMessage,
  PeerMessage,
  ReplyMessage,
  RequestMessage,
} from './messages.ts';
import { ReplyOutcome } from './messages.ts';
import { RegistryUnit } from './registry-unit.ts';
import { asWords, Router } from './router.ts';
import { Succession } from './succession.ts';
import { isRemote, REGISTRY_UNIT, type Topology, zoneNumbers } from './topology.ts';
import { WorkList } from './work-list.ts';

export interface ServerOptions {
  readonly self: ServerId;
  readonly zone: string;
  /** 32 hex digits: servers and files of another cluster are refused. */
  readonly clusterId: string;
  /** As configured; the registry's first leader writes it into the registry. */
  readonly topology: Topology;
  /**
   * The servers that this one began with, for ever the same; none: it was added later, and waits to be.
   */
  readonly founders: readonly ServerId[];
  readonly tickMs: number;
  readonly heartbeatMs: number;
  readonly voteRefusalMs: number;
  readonly candidacyCityMs: { readonly min: number; readonly max: number };
  readonly candidacyRemoteMs: { readonly min: number; readonly max: number };
  readonly segmentBytes: number;
  readonly logCacheBytes: number;
  /** Of entries that the books hold durably, kept for peers that come back; all units together. */
  readonly logKeepBytes: number;
  /** See DiskRoom. */
  readonly diskReserveBytes: number;
  readonly residentTransfersMax: number;
  /** See Members. 60 s. */
  readonly shrinkAfterMs: number;
  /** See ID_FILTER_WINDOW_IDS, which is the default; rehearsals are shorter. */
  readonly idFilterWindow?: number;
}

/** A turn ends after this many rounds in any case: other inputs wait too. */
const ROUNDS_MAX = 8;

/**
 * One server: the replicas of all units over one log, its gateway, and its way to the leaders. It does
 * nothing by itself: whoever hosts it (server/node in production, sim in rehearsal) calls `receive`,
 * `tick` and the gateway, and then `turn` once, before anything else happens.
 */
export class Server {
  readonly gateway: Gateway;
  readonly ledgers: Ledgers;
  readonly changes: ClusterChanges;
  readonly registry: RegistryUnit;
  readonly units: readonly LedgerUnit[];
  readonly #options: ServerOptions;
  readonly #env: Environment;
  readonly #log: Log;
  readonly #router: Router;
  readonly #gateway: UnitGateway;
  /** Books given to others, and fetched from them. */
  readonly #copies: CopySource;
  readonly #pull: CopyPull;
  readonly #homing = new Homing();
  readonly #succession = new Succession();
  readonly #envelopes: Envelopes;
  readonly #health: Health;
  #ticks = 0;
  readonly #heartbeatTicks: number;
  readonly #members: Members;
  /** When each server was last heard from. */
  readonly #heardMs = new Map<ServerId, number>();
  readonly #startMs: number;
  #zones: { readonly topology: Topology; numberOf(server: ServerId): number };
  readonly #groups: Group[];
  /** Units to look at in the next round, and units that were in one of this turn. */
  readonly #work: WorkList;
  readonly #touched: WorkList;
  /** What the flush under way, and the next one, will make true. */
  #flying: Promised[] = [];
  #promised: Promised[] = [];
  #mustSync = false;
  #tidyDueMs = 0;
  /** Units that are still to be given away before this server stops; null: it does not stop. */
  #ending: Led[] | null = null;
  readonly #room: DiskRoom;
  /** Nothing is said or heard before what was read back is durable again. */
  #state: 'opening' | 'running' | 'stopped' = 'opening';

  /** Reads the log and the books back; throws EvenkeelError if they can't be trusted. */
  constructor(options: ServerOptions, env: Environment) {
    this.#options = options;
    this.#env = env;
    this.#startMs = env.clock.monotonicMs();
    this.#zones = { topology: options.topology, numberOf: zoneNumbers(options.topology) };
    this.#members = new Members({
      self: options.self,
      shrinkAfterMs: options.shrinkAfterMs,
      silentMs: (server) => this.#silentMs(server),
    });
    this.#log = Log.open(
      env.disk,
      {
        clusterId: options.clusterId,
        server: options.self,
        zone: options.zone,
        formatVersion: LOG_FORMAT_VERSION,
      },
      { segmentBytes: options.segmentBytes, cacheBytes: options.logCacheBytes },
    );
    this.#work = new WorkList(options.topology.units);
    this.#touched = new WorkList(options.topology.units);
    this.#room = new DiskRoom(env.disk, options.diskReserveBytes, env.log);
    const { rot } = this.#log;
    if (rot !== null) {
      // It would wait for ever.
      if (options.topology.servers.length === 1) throw lostForGood(rot);
      env.log('error', `${rot.message}; it votes for nobody before it has fetched what is lost`);
    }
    this.#router = new Router({
      self: options.self,
      epoch: env.epoch,
      nowMs: () => env.clock.monotonicMs(),
      leaderOf: (unit) => this.#groups[unit]?.leader ?? 0,
      send: (to, message) => env.send(to, message),
      receive: (from, message) => this.#receiveRequest(from, message),
    });
    this.#envelopes = new Envelopes(
      () => this.#others(),
      () => ({
        epoch: env.epoch,
        sentUs: Math.round(env.clock.monotonicMs() * 1_000),
        wallMs: wallMs(env.clock),
        logEnd: this.#log.durableEnd,
        isSick: this.#health.isAiling,
      }),
    );
    const copying = {
      unit: (unit: number) => this.units[unit - 1],
      send: (to: ServerId, message: CopyMessage) => env.send(to, message),
      nowMs: () => env.clock.monotonicMs(),
      wake: () => env.wake(),
      log: env.log,
    };
    this.#copies = new CopySource(copying);
    this.#pull = new CopyPull({ ...copying, random: env.random });
    this.#heartbeatTicks = this.#ticksOf(options.heartbeatMs);
    this.registry = new RegistryUnit(
      {
        group: this.#groupOptions(REGISTRY_UNIT),
        configured: options.topology,
        log: env.log,
        isHeard: (server) => this.#silentMs(server) <= HEARD_MS,
        sendRaft: (message) => this.#sendRaft(REGISTRY_UNIT, message),
        reply: (to, request, offset, count, outcome, words) =>
          this.#reply(to, request, offset, count, outcome, words),
      },
      this.#log,
    );
    this.units = Array.from({ length: options.topology.units }, (_, i) => this.#openUnit(i + 1));
    this.#groups = [this.registry.group, ...this.units.map((unit) => unit.group)];
    this.#health = new Health({
      self: options.self,
      tickMs: options.tickMs,
      clock: env.clock,
      log: env.log,
      groups: this.#groups,
      isRemote: (server) => isRemote(this.#topology, server),
      isDiskFull: () => this.#room.isLow,
      hold: (unit, isHeld) => this.#hold(unit, isHeld),
    });
    const ledgers = new RegistryLedgers(this.#router, () => env.wake());
    this.ledgers = ledgers;
    this.changes = new ClusterChanges(this.#router, () => env.wake());
    this.#gateway = new UnitGateway(
      this.registry,
      this.#router,
      ledgers,
      () => env.clock.monotonicMs(),
      () => env.wake(),
    );
    this.gateway = this.#gateway;
    this.#flush();
  }

  receive(from: ServerId, message: PeerMessage): void {
    if (this.#state !== 'running') return;
    this.#heardMs.set(from, this.#env.clock.monotonicMs());
    if (message.type === 'raft') {
      this.#step(message.unit, message.message);
    } else if (message.type === 'envelope') {
      this.#receiveEnvelope(from, message);
    } else if (message.type === 'request') {
      this.#receiveRequest(from, message);
    } else if (message.type === 'copy') {
      this.#receiveCopy(from, message);
    } else if (message.body.byteLength % 4 === 0) {
      this.#router.reply(from, message, asWords(message.body));
    }
  }

  /** Every `tickMs`. */
  tick(): void {
    if (this.#state !== 'running') return;
    this.#ticks += 1;
    const nowMs = this.#env.clock.monotonicMs();
    if (this.#room.step(nowMs)) for (const unit of this.units) unit.diskFull = this.#room.isLow;
    if (this.#health.tick()) this.#envelopes.due();
    // Before the ticks, which see what these have caused.
    const topology = this.registry.topology;
    if (topology !== null) {
      if (!this.#health.isAiling) {
        const led = this.#ending ?? [this.registry, ...this.units];
        const isFit = (server: ServerId) => this.#health.isFit(server);
        const isEnding = this.#ending !== null;
        this.#homing.step(nowMs, this.#options.self, topology, led, isFit, isEnding);
      }
      this.#members.step(nowMs, topology, this.#groups);
    }
    this.registry.group.raft.tick();
    this.#work.mark(REGISTRY_UNIT);
    for (const unit of this.units) if (unit.tick(nowMs)) this.#work.mark(unit.unit);
    if (nowMs >= this.#tidyDueMs) {
      this.#tidyDueMs = nowMs + LOG_TIDY_MS;
      if (this.#log.tidy(LOG_TIDY_BYTES)) this.#mustSync = true;
    }
    this.#copies.tick();
    this.#pull.tick();
    // The groups' own heartbeats come with the same tick.
    if (this.#ticks % this.#heartbeatTicks === 0) this.#envelopes.due();
    this.#succeed(nowMs);
  }

  #hold(unit: number, isHeld: boolean): void {
    const led = unit === REGISTRY_UNIT ? this.registry : this.units[unit - 1];
    if (led !== undefined) led.handingOver = isHeld;
    this.#work.mark(unit);
  }

  #others(): readonly ServerId[] {
    const { self } = this.#options;
    return this.#topology.servers.map(({ id }) => id).filter((id) => id !== self);
  }

  /** As the registry has it, once it is known. */
  get #topology(): Topology {
    return this.registry.topology ?? this.#options.topology;
  }

  get health(): HealthView {
    return this.#health.view;
  }

  /** A peer's process has ended for sure: its connection closed and a new one was refused. */
  serverDown(server: ServerId): void {
    if (this.#state !== 'running') return;
    this.#processEnded(server);
    this.#router.serverDown(server);
  }

  #processEnded(server: ServerId): void {
    const nowMs = this.#env.clock.monotonicMs();
    const { self } = this.#options;
    this.#health.gone(server);
    this.#succession.serverDown(nowMs, self, server, this.#topology, this.#groups);
    for (const group of this.#groups) {
      group.raft.forgetLeader(server);
      this.#work.mark(group.unit);
    }
    this.#succeed(nowMs);
  }

  /** A new connection to a peer stands: what was on its way over the old one may be lost. */
  serverReconnected(server: ServerId): void {
    if (this.#state !== 'running') return;
    this.#succession.serverUp(server);
    this.#router.connectionLost(server);
  }

  #succeed(nowMs: number): void {
    for (const group of this.#succession.due(nowMs)) {
      group.raft.campaign();
      this.#work.mark(group.unit);
    }
  }

  /** Does all the work that the inputs since the last turn have caused, and starts what the disk must do. */
  turn(): void {
    if (this.#state !== 'running') return;
    let rounds = 0;
    do {
      this.#round();
      rounds += 1;
    } while (rounds < ROUNDS_MAX && (this.#router.hasNew || !this.#work.isEmpty));
    for (const number of this.#touched.take()) {
      const unit = this.units[number - 1];
      unit?.readOn();
      unit?.fold();
    }
    this.#envelopes.flush((to, message) => this.#env.send(to, message));
    if (this.#mustSync && !this.#log.flushing) this.#flush();
  }

  /**
   * Only units that have something to do are looked at: they were marked when it came in, or by a tick. What is
   * applied in a round lets more be proposed, and its results ask other units: those are for the next round.
   */
  #round(): void {
    this.#gateway.flush();
    const before = this.#work.take();
    for (const unit of before) {
      this.units[unit - 1]?.driveCrossings();
      this.#work.mark(unit);
    }
    this.#router.flush();
    const units = this.#work.take();
    this.registry.prepare();
    for (const unit of units) this.units[unit - 1]?.prepare();
    for (const unit of units) {
      const group = this.#groups[unit]!;
      if (group.collect((promised) => this.#promised.push(promised))) this.#mustSync = true;
      if (this.#hasMore(unit)) this.#work.mark(unit);
      this.#touched.mark(unit);
    }
  }

  #hasMore(unit: number): boolean {
    return this.#groups[unit]!.hasOutput || this.units[unit - 1]?.hasWork === true;
  }

  /** For peers; see Log. */
  get logEnd(): number {
    return this.#log.durableEnd;
  }

  /** Whether a peer's new process comes with a log that ends before what the former one has told. */
  hasOlderLog(peer: ServerId, epoch: number, logEnd: number): boolean {
    return this.#health.hasOlderLog(peer, epoch, logEnd);
  }

  /** Flushes of the log made durable since the start. */
  get logFlushes(): number {
    return this.#log.flushes;
  }

  /** What this server's gateway has taken in, and what it has asked of units and not been answered. */
  get load(): { readonly requests: number; readonly bytes: number; readonly unanswered: number } {
    return { ...this.#gateway.load, unanswered: this.#router.unanswered };
  }

  /**
   * A server that is cut off from its units tells its clients so, and they go to another, which may not be. Clients of a
   * cluster without a quorum go round meanwhile.
   */
  letClientsGoIfCutOff(): void {
    if (this.#state !== 'running' || !this.#router.isCutOff) return;
    this.#gateway.giveUp(
      LEADERLESS_MS_MAX,
      'this server has not reached a leader for long; ask another with the same ids',
    );
  }

  /**
   * Gives away what this server leads, each unit once: where all servers stop together they would hand it round. False
   * while there is any left. For an orderly end: call until it is true.
   */
  handOver(): boolean {
    this.#ending ??= [this.registry, ...this.units];
    this.#ending = this.#ending.filter(({ group }) => group.serving);
    const isAlone = this.registry.topology?.servers.length === 1;
    return isAlone || this.#ending.length === 0;
  }

  /** Gives the books all that is applied; true once they hold it. For an orderly end: call until it is true. */
  foldAll(): boolean {
    let folded = true;
    for (const unit of this.units) if (unit.foldNow()) folded = false;
    return folded;
  }

  /** Ends for good: nothing is sent, written or answered any more. */
  stop(): void {
    this.#state = 'stopped';
    this.#pull.stop();
    this.#copies.stop();
  }

  #flush(): void {
    this.#flying = this.#promised;
    this.#promised = [];
    this.#mustSync = false;
    this.#health.flushStarted();
    this.#log.flush((error) => {
      this.#health.flushEnded();
      if (this.#state === 'stopped') return;
      if (error !== null) {
        // A failed sync says nothing about what is on disk: nothing that hangs from it may be said.
        this.#state = 'stopped';
        this.#env.fatal(error);
        return;
      }
      this.#state = 'running';
      const kept = this.#flying;
      this.#flying = [];
      // What came meanwhile and needs no sync of its own has waited for this one only, and no other may come.
      if (!this.#mustSync) kept.push(...this.#promised.splice(0));
      for (const promised of kept) {
        promised.group.keep(promised);
        this.#work.mark(promised.group.unit);
      }
      this.#env.wake();
    });
  }

  #openUnit(unit: number): LedgerUnit {
    const { logKeepBytes, topology } = this.#options;
    const keepBytes = Math.floor(logKeepBytes / topology.units);
    return new LedgerUnit(
      {
        group: this.#groupOptions(unit),
        hashSeed: this.#env.random(),
        residentTransfersMax: this.#options.residentTransfersMax,
        idFilterWindow: this.#options.idFilterWindow ?? ID_FILTER_WINDOW_IDS,
        sendRaft: (of, message) => this.#sendRaft(of, message),
        reply: (to, request, offset, count, outcome, words) =>
          this.#reply(to, request, offset, count, outcome, words),
        compaction: {
          keepBytes,
          neededBytesMax: Math.max(keepBytes * LOG_KEEP_TIMES_MAX, LOG_NEEDED_BYTES_MIN),
          pinnedAt: () => this.#copies.pinnedAt(unit),
        },
        onWork: () => this.#work.mark(unit),
        slotOwners: () => this.registry.slotOwners,
      },
      this.#log,
      this.#router,
      this.#env,
    );
  }

  #groupOptions(unit: number): GroupOptions {
    const { self, topology } = this.#options;
    const candidacy = isRemote(topology, self)
      ? this.#options.candidacyRemoteMs
      : this.#options.candidacyCityMs;
    return {
      unit,
      self,
      founders: this.#options.founders,
      zoneOf: (server) => this.#zoneOf(server),
      heartbeatTicks: this.#heartbeatTicks,
      voteRefusalTicks: this.#ticksOf(this.#options.voteRefusalMs),
      candidacyTicksMin: this.#ticksOf(candidacy.min),
      candidacyTicksMax: this.#ticksOf(candidacy.max),
      random: this.#env.random,
    };
  }

  #ticksOf(ms: number): number {
    return Math.max(1, Math.round(ms / this.#options.tickMs));
  }

  /** Of one that was never heard from, since this server started. */
  #silentMs(server: ServerId): number {
    if (server === this.#options.self) return 0;
    return this.#env.clock.monotonicMs() - (this.#heardMs.get(server) ?? this.#startMs);
  }

  /** By the registry as far as it is known here, before that by the configuration. */
  #zoneOf(server: ServerId): number {
    const topology = this.registry?.topology ?? this.#options.topology;
    if (this.#zones.topology !== topology)
      this.#zones = { topology, numberOf: zoneNumbers(topology) };
    return this.#zones.numberOf(server);
  }

  #sendRaft(unit: number, message: Message): void {
    if (message.type === 'heartbeat') this.#envelopes.beat(unit, message);
    else if (message.type === 'heartbeatReply') this.#envelopes.ack(unit, message);
    else this.#env.send(message.to, { type: 'raft', unit, message });
  }

  #step(unit: number, message: Message): void {
    const group = this.#groups[unit];
    if (group === undefined) return;
    const replica = this.units[unit - 1];
    if (this.#room.isSpent && takesRoom(message)) return;
    // What it offers has to be fetched first.
    if (message.type === 'snapshot' && replica !== undefined) {
      this.#pull.offered(message.from, replica, message);
    } else group.raft.step(message);
    this.#work.mark(unit);
  }

  #receiveCopy(from: ServerId, message: CopyMessage): void {
    if (isForSource(message.kind)) this.#copies.receive(from, message);
    else this.#pull.receive(from, message);
    if (this.units[message.unit - 1] !== undefined) this.#work.mark(message.unit);
  }

  #receiveEnvelope(from: ServerId, message: EnvelopeMessage): void {
    const { self } = this.#options;
    // It died and came back before its refused connection was seen: what the old process led has no leader.
    if (this.#health.heard(from, message)) {
      this.#processEnded(from);
      this.#succession.serverUp(from);
    }
    eachBeat(message, from, self, (unit, beat) => this.#step(unit, beat));
    eachAck(message, from, self, (unit, ack) => this.#step(unit, ack));
    if (message.sentUs > 0) this.#envelopes.echo(from, message.sentUs);
  }

  #receiveRequest(from: ServerId, request: RequestMessage): void {
    const unit = request.unit === REGISTRY_UNIT ? this.registry : this.units[request.unit - 1];
    if (unit === undefined) {
      this.#env.log('error', 'request refused: no such unit', { server: from, unit: request.unit });
      return;
    }
    unit.receive(from, request);
    this.#work.mark(request.unit);
  }

  #reply(
    to: ServerId,
    request: RequestMessage,
    offset: number,
    count: number,
    outcome: number,
    words: Uint32Array,
  ): void {
    const leader = outcome === ReplyOutcome.done ? 0 : (this.#groups[request.unit]?.leader ?? 0);
    const reply: ReplyMessage = {
      type: 'reply',
      unit: request.unit,
      epoch: request.epoch,
      ref: (request.ref + offset) >>> 0,
      count,
      outcome,
      leader: leader === this.#options.self ? 0 : leader,
      body: new Uint8Array(words.buffer, words.byteOffset, words.byteLength),
    };
    if (to === this.#options.self) this.#router.reply(to, reply, words);
    else this.#env.send(to, reply);
  }
}

function lostForGood({ message }: LogError): EvenkeelError {
  const text = `${message}; there is no other server to fetch what is lost from, so it is lost. The books hold what 'evenkeel verify-books' says; keep a copy of this folder`;
  return new EvenkeelError('log_rotten', text);
}

/** Entries and books; the rest of consensus goes on without room. */
function takesRoom(message: Message): boolean {
  return message.type === 'snapshot' || (message.type === 'append' && message.entries.length > 0);
}

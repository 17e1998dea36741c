import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server as GrpcServer } from '@grpc/grpc-js';
import type { Environment, LogLine } from '../core/environment.ts';
import { EvenkeelError } from '../core/error.ts';
import { Feed } from '../core/feed/feed.ts';
import { LOG_FORMAT_VERSION } from '../core/log/log.ts';
import { Server } from '../core/server.ts';
import type { Topology } from '../core/topology.ts';
import { bind, checkFree } from './bind.ts';
import { StorageThread } from './books/storage-thread.ts';
import { type ServerConfig, warningsOf } from './config.ts';
import { linkProblems } from './config-checks.ts';
import { type ControlStatus, startControl } from './control.ts';
import { coreOptions } from './core-options.ts';
import { type DataFolder, openDataFolder } from './data-folder.ts';
import { NodeDisk } from './disk.ts';
import { KnownDisks } from './known-disks.ts';
import { type Hello, OTHER_DISK } from './peers/handshake.ts';
import { PeerLinks } from './peers/links.ts';
import { createPeerServer } from './peers/transport.ts';
import { serversOf } from './servers-of.ts';
import { registerServices, SERVER_OPTIONS, type ServicesHandle } from './services/register.ts';
import type { Feeds } from './services/watch.ts';
import { topologyView } from './topology-view.ts';
import { Turns } from './turns.ts';

/** Of the messages between servers. */
export const PROTOCOL_VERSION = 1;
/** A stop waits no longer for others to lead, for the last answers, and for the books. Supervisors wait 5 s for all. */
const HAND_OVER_MS_MAX = 1_000;
const ANSWER_MS_MAX = 300;
const FOLD_MS_MAX = 3_000;
const POLL_MS = 10;
const HEALTH_MS = 500;
const CUT_OFF_POLL_MS = 100;

/** One server as a process of its own: files, sockets, threads and time around the core. */
export class ServerProcess {
  readonly links: PeerLinks;
  readonly #config: ServerConfig;
  readonly #onFatal: (error: Error) => void;
  readonly #folder: DataFolder;
  readonly #storage = new StorageThread();
  readonly #core: Server;
  readonly #turns: Turns;
  readonly #peerServer = createPeerServer();
  readonly #clientServer = new GrpcServer(SERVER_OPTIONS);
  readonly #services: ServicesHandle;
  readonly #disk: NodeDisk;
  readonly #healthTimer: NodeJS.Timeout;
  readonly #cutOffTimer: NodeJS.Timeout;
  #control: { close(): void } | null = null;
  #address = '';
  #knownTopology: Topology | null = null;
  #stopping = false;

  /**
   * Throws EvenkeelError, and has changed nothing, if the folder, the log or the books are not this
   * server's or can't be trusted, or if a port is taken. `onFatal` is told when the process must end at
   * once: an invariant is broken, or a disk failed.
   */
  static async start(
    config: ServerConfig,
    log: LogLine,
    onFatal: (error: Error) => void,
  ): Promise<ServerProcess> {
    const { clusterId, server, zone } = config;
    // Opening the log writes; that another server runs here must show before.
    await checkFree(config.peerListen);
    await checkFree(config.listen);
    const identity = { clusterId, server, zone, formatVersion: LOG_FORMAT_VERSION };
    const founders = config.join ? [] : config.servers.map(({ id }) => id);
    const folder = openDataFolder(config.dataDir, identity, founders);
    let starting: ServerProcess;
    try {
      starting = new ServerProcess(config, folder, log, onFatal);
    } catch (error) {
      folder.release();
      throw error;
    }
    try {
      await bind(starting.#peerServer, config.peerListen);
      starting.#address = await bind(starting.#clientServer, config.listen);
      await starting.#openControl();
    } catch (error) {
      await starting.stop();
      throw error;
    }
    for (const warning of warningsOf(config)) log('warn', warning);
    starting.links.start();
    return starting;
  }

  private constructor(
    config: ServerConfig,
    folder: DataFolder,
    log: LogLine,
    onFatal: (error: Error) => void,
  ) {
    this.#config = config;
    this.#folder = folder;
    this.#onFatal = onFatal;
    this.#disk = new NodeDisk(join(folder.path, 'log'));
    const epoch = randomInt(1, 2 ** 32);
    this.links = this.#createLinks(epoch, log);
    // Before the core, which may ask for a turn while it opens.
    this.#turns = new Turns({
      tickMs: config.consensus.tickMs,
      tick: () => this.#guarded(() => this.#core.tick()),
      turn: () =>
        this.#guarded(() => {
          this.#core.turn();
          this.#knowPeers();
          this.links.flush();
        }),
    });
    try {
      this.#core = new Server(coreOptions(config, folder.founders), this.#environment(epoch, log));
    } catch (error) {
      this.#turns.stop();
      void this.#storage.close();
      throw error;
    }
    this.links.addService(this.#peerServer);
    this.#services = registerServices(this.#clientServer, {
      gateway: this.#core.gateway,
      ledgers: this.#core.ledgers,
      changes: this.#core.changes,
      topology: () => topologyView(config, PROTOCOL_VERSION, this.#core),
      feeds: this.#feeds(),
      onDefect: (error) =>
        log('error', 'a request failed by a fault of ours', { error: String(error) }),
    });
    this.#healthTimer = setInterval(() => this.#services.setServing(this.#isServing()), HEALTH_MS);
    this.#cutOffTimer = setInterval(
      () => this.#input(() => this.#core.letClientsGoIfCutOff()),
      CUT_OFF_POLL_MS,
    );
  }

  /** Where its gRPC services are, host:port. */
  get address(): string {
    return this.#address;
  }

  /** Comes back once this server knows a leader of every unit. */
  async ready(): Promise<void> {
    while (!this.#stopping && !this.#isServing()) await sleep(POLL_MS);
    if (!this.#stopping) this.#services.setServing(true);
  }

  /** Every unit has a leader that this server knows of, and its slots. */
  #isServing(): boolean {
    const { registry, units } = this.#core;
    return (
      registry.topology !== null &&
      units.every((unit) => unit.group.leader !== 0 && unit.machine.initialised)
    );
  }

  /**
   * Gives away what it leads, sends its clients elsewhere, gives the books what is applied, and lets the data folder
   * go.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#healthTimer);
    this.#control?.close();
    this.#services.setServing(false);
    await within(HAND_OVER_MS_MAX, () => this.#core.handOver());
    // What clients have asked is still answered; what they ask next goes to another server.
    let answered = false;
    this.#clientServer.tryShutdown(() => {
      answered = true;
    });
    await within(ANSWER_MS_MAX, () => answered);
    clearInterval(this.#cutOffTimer);
    this.links.close();
    this.#peerServer.forceShutdown();
    this.#clientServer.forceShutdown();
    await within(FOLD_MS_MAX, () => this.#core.foldAll());
    this.#turns.stop();
    this.#core.stop();
    // Nothing may still be written when the next process takes the folder.
    while (this.#disk.busy) await sleep(POLL_MS);
    this.#disk.close();
    await this.#storage.close();
    this.#folder.release();
  }

  async #openControl(): Promise<void> {
    const { drill, controlPort } = this.#config;
    if (!drill || controlPort === undefined) return;
    this.#control = await startControl(controlPort, {
      setLinks: (rules) => {
        const problems = linkProblems(rules, this.#config);
        if (problems.length === 0) this.links.setLinks(rules);
        return problems;
      },
      resetLinks: () => this.links.setLinks(this.#config.links),
      status: (): ControlStatus => ({ links: this.links.links, peers: this.links.stats() }),
    });
  }

  #createLinks(epoch: number, log: LogLine): PeerLinks {
    const { server: self, zone, clusterId, servers, links, limits } = this.#config;
    const knownDisks = new KnownDisks(this.#folder.path);
    return new PeerLinks({
      self,
      zone,
      epoch,
      clusterId,
      protocolVersion: PROTOCOL_VERSION,
      disk: this.#folder.disk,
      diskRefusal: (hello) =>
        knownDisks.refusalOf(hello.serverId, hello.disk) ?? this.#olderLogRefusal(hello),
      logEnd: () => this.#core.logEnd,
      peers: servers
        .filter((server) => server.id !== self)
        .map((server) => ({ id: server.id, zone: server.zone, address: server.peerAddress })),
      links,
      bulkQueueBytesMax: limits.peerQueueBytes,
      receive: (from, message) => this.#input(() => this.#core.receive(from, message)),
      onPeerDown: (id) => this.#input(() => this.#core.serverDown(id)),
      onDisowned: (by, reason) =>
        this.#fatal(
          new EvenkeelError(
            'disk_replaced',
            `disk_replaced: server ${by} refuses this one: ${reason}`,
          ),
        ),
      onPeerUp: (id) => this.#input(() => this.#core.serverReconnected(id)),
      log,
    });
  }

  #olderLogRefusal({ serverId, epoch, logEnd }: Hello): string | null {
    if (!this.#core.hasOlderLog(serverId, epoch, logEnd)) return null;
    return `${OTHER_DISK}: server ${serverId} has less in its log than it had told before: its folder was put back from an older copy, and what it has promised since is gone. Remove it ('evenkeel member remove') and add it under a new id`;
  }

  /** Servers come by the registry's log. Those that go stay connected: they may have yet to learn of it. */
  #knowPeers(): void {
    const { topology } = this.#core.registry;
    if (topology === this.#knownTopology) return;
    this.#knownTopology = topology;
    for (const { id, zone, peerAddress } of serversOf(this.#config, topology)) {
      if (id !== this.#config.server) this.links.add({ id, zone, address: peerAddress });
    }
  }

  /** Events straight from what this server has applied. */
  #feeds(): Feeds {
    const { units } = this.#core;
    return {
      units: units.length,
      open: (unit, after) => {
        const feed = new Feed(unit, units[unit - 1]!, after);
        return {
          get hasNews() {
            return feed.hasNews;
          },
          next: () => this.#fatalIfFails(() => feed.next()),
        };
      },
    };
  }

  #environment(epoch: number, log: LogLine): Environment {
    const { clusterId } = this.#config;
    const booksFolder = join(this.#folder.path, 'books');
    return {
      disk: this.#disk,
      clock: {
        monotonicMs: () => performance.now(),
        wallNs: () => BigInt(Date.now()) * 1_000_000n,
      },
      random: () => randomInt(0, 2 ** 32),
      epoch,
      openBooks: (unit) => this.#storage.open(unit, booksFolder, clusterId),
      send: (to, message) => this.links.send(to, message),
      wake: () => this.#turns.soon(),
      log,
      fatal: (error) => this.#fatal(error),
    };
  }

  #input(run: () => void): void {
    this.#guarded(run);
    this.#turns.soon();
  }

  /** An error out of the core is a broken invariant: nothing it would say can be trusted any more. */
  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#fatal(error as Error);
    }
  }

  /** The same, for what a caller waits for. */
  #fatalIfFails<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      this.#fatal(error as Error);
      throw error;
    }
  }

  #fatal(error: Error): void {
    this.#turns.stop();
    this.#core.stop();
    this.#onFatal(error);
  }
}

/** Comes back once it is done, or when the time is over. */
async function within(limitMs: number, isDone: () => boolean): Promise<void> {
  const untilMs = performance.now() + limitMs;
  while (!isDone() && performance.now() < untilMs) await sleep(POLL_MS);
}

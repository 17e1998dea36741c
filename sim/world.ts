import type { ServerId } from '../consensus/types.ts';
import type { ServerOptions } from '../server/core/server.ts';
import type { Topology } from '../server/core/topology.ts';
import { Host } from './host.ts';
import { Network } from './network.ts';
import { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly units: number;
  /** What differs from the usual settings. */
  readonly server?: Partial<ServerOptions>;
  readonly log?: (timeUs: number, server: ServerId, level: string, text: string) => void;
}

/** Default links, one way. */
const CITY_DELAY_US = 500;
const REMOTE_DELAY_US = 8_000;
const LOCAL_JITTER_US = 100;
/** How long after a process ends its peers find their connections closed and a new one refused. */
const DOWN_SEEN_US = 2_000;

/** Three zones with a server each, in one process: the seed fixes all that happens. */
export class World {
  readonly scheduler: Scheduler;
  readonly hosts: readonly Host[];
  readonly topology: Topology;
  readonly network: Network;
  /** Servers whose disk was told to fail: their process may end itself. */
  readonly #mayFail = new Set<ServerId>();

  constructor(options: WorldOptions) {
    const { seed } = options;
    this.scheduler = new Scheduler(new Random(seed, 'same-time order'));
    this.topology = {
      zones: [
        { name: 'hz1', city: 'hz', leaderWeight: 1 },
        { name: 'hz2', city: 'hz', leaderWeight: 1 },
        { name: 'sh1', city: 'sh', leaderWeight: 0 },
      ],
      servers: [
        { id: 1, zone: 'hz1' },
        { id: 2, zone: 'hz2' },
        { id: 3, zone: 'sh1' },
      ],
      ledgers: [{ ledger: 978, currency: 'EUR', scale: 2 }],
      units: options.units,
    };
    this.network = new Network({
      scheduler: this.scheduler,
      random: new Random(seed, 'network'),
      link: (from, to) => ({
        delayUs: this.#city(from) === this.#city(to) ? CITY_DELAY_US : REMOTE_DELAY_US,
        jitterUs: LOCAL_JITTER_US,
      }),
      deliver: (from, to, frame) => this.host(to).receive(from, frame),
      isUp: (server) => this.host(server).server !== null,
    });
    this.hosts = this.topology.servers.map(
      (place) =>
        new Host({
          scheduler: this.scheduler,
          seed,
          server: { ...serverOptions(place.id, place.zone, this.topology), ...options.server },
          send: (from, to, lane, frame) => this.network.send(from, to, lane, frame),
          log: (server, level, text) => {
            this.scheduler.note(`${server} ${level} ${text}`);
            options.log?.(this.scheduler.nowUs, server, level, text);
          },
          fatal: (server, error) => {
            if (!this.#mayFail.has(server)) throw error;
            this.kill(server);
          },
        }),
    );
  }

  host(id: ServerId): Host {
    const host = this.hosts[id - 1];
    if (host === undefined) throw new RangeError(`there is no server ${id}`);
    return host;
  }

  start(): void {
    for (const host of this.hosts) host.start();
  }

  /** Ends a server's process; its peers find out a little later. */
  kill(id: ServerId, booksInFlight: 'lost' | 'kept' = 'lost'): void {
    this.host(id).kill(booksInFlight);
    this.network.processEnded(id);
    for (const peer of this.hosts) {
      if (peer.id === id) continue;
      this.scheduler.after(DOWN_SEEN_US, `server ${peer.id} sees ${id} down`, () => {
        if (this.host(id).server === null) peer.serverDown(id);
      });
    }
  }

  restart(id: ServerId): void {
    this.#mayFail.delete(id);
    this.host(id).start();
  }

  /** The server's next sync fails, so that it ends itself; a power cut follows at once. */
  failNextSync(id: ServerId): void {
    this.#mayFail.add(id);
    this.host(id).failNextSync();
  }

  /** Both ends find a new connection between them. */
  reconnect(a: ServerId, b: ServerId): void {
    this.host(a).serverReconnected(b);
    this.host(b).serverReconnected(a);
  }

  #city(server: ServerId): string {
    const place = this.topology.servers.find((candidate) => candidate.id === server);
    return this.topology.zones.find((zone) => zone.name === place?.zone)!.city;
  }
}

export function serverOptions(self: ServerId, zone: string, topology: Topology): ServerOptions {
  return {
    self,
    zone,
    clusterId: '0123456789abcdef0123456789abcdef',
    topology,
    tickMs: 5,
    heartbeatMs: 50,
    voteRefusalMs: 300,
    candidacyCityMs: { min: 320, max: 400 },
    candidacyRemoteMs: { min: 1_000, max: 1_300 },
    segmentBytes: 1 << 20,
    logCacheBytes: 1 << 20,
    residentTransfersMax: 256,
  };
}

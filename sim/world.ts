import type { ServerId } from '../consensus/types.ts';
import type { ServerOptions } from '../server/core/server.ts';
import type { ServerPlace, Topology } from '../server/core/topology.ts';
import type { Choose } from './disk-file.ts';
import { Host } from './host.ts';
import { Network } from './network.ts';
import { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly units: number;
  /** One a zone, if not said. */
  readonly servers?: readonly ServerPlace[];
  /** Of servers that are not part of the cluster yet: `startLater` starts one, and a change of the cluster brings it in. */
  readonly later?: readonly ServerPlace[];
  /** Weights of hz1, hz2, sh1. */
  readonly leaderWeights?: readonly [number, number, number];
  /** What differs from the usual settings. */
  readonly server?: Partial<ServerOptions>;
  readonly log?: (timeUs: number, server: ServerId, level: string, text: string) => void;
}

const ONE_A_ZONE: readonly ServerPlace[] = [
  { id: 1, zone: 'hz1' },
  { id: 2, zone: 'hz2' },
  { id: 3, zone: 'sh1' },
];
/** Default links, one way. */
const CITY_DELAY_US = 500;
const REMOTE_DELAY_US = 8_000;
const LOCAL_JITTER_US = 100;
/** When a process ends its peers find their connections closed one way later, and a new one refused after two more. */
const DOWN_SEEN_WAYS = 3;

/** Three zones with a server each, in one process: the seed fixes all that happens. */
export class World {
  readonly scheduler: Scheduler;
  readonly hosts: readonly Host[];
  readonly topology: Topology;
  readonly network: Network;
  readonly #places: readonly ServerPlace[];
  /** Servers whose disk was told to fail: their process may end itself. */
  readonly #mayFail = new Set<ServerId>();

  constructor(options: WorldOptions) {
    const { seed, leaderWeights = [1, 1, 0], later = [] } = options;
    this.scheduler = new Scheduler(new Random(seed, 'same-time order'));
    this.topology = {
      zones: [
        { name: 'hz1', city: 'hz', leaderWeight: leaderWeights[0] },
        { name: 'hz2', city: 'hz', leaderWeight: leaderWeights[1] },
        { name: 'sh1', city: 'sh', leaderWeight: leaderWeights[2] },
      ],
      servers: options.servers ?? ONE_A_ZONE,
      ledgers: [{ ledger: 978, currency: 'EUR', scale: 2 }],
      units: options.units,
    };
    this.network = new Network({
      scheduler: this.scheduler,
      random: new Random(seed, 'network'),
      link: (from, to) => ({ delayUs: this.#delayUs(from, to), jitterUs: LOCAL_JITTER_US }),
      deliver: (from, to, frame) => this.host(to).receive(from, frame),
      isUp: (server) => this.host(server).server !== null,
    });
    const places = [...this.topology.servers, ...later];
    this.#places = places;
    this.hosts = places.map(
      (place) =>
        new Host({
          scheduler: this.scheduler,
          seed,
          server: {
            ...serverOptions(place.id, place.zone, this.topology),
            ...(later.includes(place) ? { founders: [] } : {}),
            ...options.server,
          },
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
    const host = this.hosts.find((candidate) => candidate.id === id);
    if (host === undefined) throw new RangeError(`there is no server ${id}`);
    return host;
  }

  start(): void {
    for (const { id } of this.topology.servers) this.host(id).start();
  }

  startLater(id: ServerId): void {
    this.host(id).start();
  }

  /** Ends a server's process; its peers find out a little later. */
  kill(id: ServerId, booksInFlight: 'lost' | 'kept' = 'lost', choose?: Choose): void {
    this.host(id).kill(booksInFlight, choose);
    this.network.processEnded(id);
    for (const peer of this.hosts) {
      if (peer.id === id) continue;
      const seenUs = DOWN_SEEN_WAYS * this.#delayUs(id, peer.id);
      this.scheduler.after(seenUs, `server ${peer.id} sees ${id} down`, () => {
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

  #delayUs(from: ServerId, to: ServerId): number {
    return this.#city(from) === this.#city(to) ? CITY_DELAY_US : REMOTE_DELAY_US;
  }

  #city(server: ServerId): string {
    const place = this.#places.find((candidate) => candidate.id === server);
    return this.topology.zones.find((zone) => zone.name === place?.zone)!.city;
  }
}

export function serverOptions(self: ServerId, zone: string, topology: Topology): ServerOptions {
  return {
    self,
    zone,
    clusterId: '0123456789abcdef0123456789abcdef',
    topology,
    founders: topology.servers.map(({ id }) => id),
    tickMs: 5,
    heartbeatMs: 50,
    voteRefusalMs: 300,
    candidacyCityMs: { min: 320, max: 400 },
    candidacyRemoteMs: { min: 1_000, max: 1_300 },
    segmentBytes: 1 << 20,
    logCacheBytes: 1 << 20,
    diskReserveBytes: 8 << 20,
    logKeepBytes: 64 << 20,
    residentTransfersMax: 256,
    shrinkAfterMs: 60_000,
  };
}

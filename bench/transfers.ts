import { setTimeout as sleep } from 'node:timers/promises';
import { EvenkeelClient } from '../client/index.ts';
import { isMemoryFileSystem, LocalCluster } from '../server/node/index.ts';
import { BenchAccounts } from './accounts.ts';
import { type LoadOptions, loadAtRate, loadFully } from './load.ts';
import { cpuSeconds, diskBytes } from './usage.ts';

export interface BenchOptions {
  readonly zones: 1 | 3;
  readonly batch: number;
  readonly units: number;
  readonly accounts: number;
  readonly crossings: number;
  readonly seconds: number;
  readonly dataDir: string;
  /** What runs a server, see LocalCluster. */
  readonly command: readonly string[];
  readonly progress: (text: string) => void;
  /** Aborted when the user has seen enough: its reason is what is thrown, once all servers are stopped. */
  readonly signal: AbortSignal;
}

/** The `--json` line holds exactly this. */
export interface BenchReport {
  readonly zones: number;
  readonly batch: number;
  readonly units: number;
  readonly accounts: number;
  readonly crossings: number;
  readonly transfers_per_second: number;
  /** At 70 % of that rate, from the time each request was due. */
  readonly latency_ms: { readonly p50: number; readonly p99: number; readonly p999: number };
  /** Of all servers, without the client. */
  readonly cpu_seconds_per_million: number;
  /** Of one replica: log and books. */
  readonly bytes_on_disk_per_transfer: number;
}

const WARM_UP_SECONDS = 3;
const LATENCY_LOAD = 0.7;
const CAUGHT_UP_MS_MAX = 120_000;

/** Starts servers of its own and measures durable transfers through gRPC. */
export async function benchTransfers(options: BenchOptions): Promise<BenchReport> {
  const { dataDir, units, zones, command, signal } = options;
  if (isMemoryFileSystem(dataDir)) {
    throw new RangeError(
      `${dataDir} is in memory: a sync costs nothing there. Name a folder on a disk`,
    );
  }
  options.progress('starting servers');
  const cluster = await LocalCluster.create({
    dataDir,
    units,
    zones,
    ports: 'free',
    drill: false,
    command,
    log: () => {},
  });
  const clients: EvenkeelClient[] = [];
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([measure(options, cluster, clients), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    for (const client of clients) client.close();
    await cluster.stop();
  }
}

async function measure(
  options: BenchOptions,
  cluster: LocalCluster,
  clients: EvenkeelClient[],
): Promise<BenchReport> {
  const { zones, batch, units, accounts: accountCount, seconds, progress } = options;
  await cluster.start();
  const addresses = cluster.servers.map(({ address }) => address);
  for (const address of addresses) clients.push(new EvenkeelClient({ addresses: [address] }));
  progress(`opening ${accountCount} accounts`);
  const accounts = await BenchAccounts.create(clients[0]!, accountCount);
  // One unit has no other to cross to.
  const crossings = units === 1 ? 0 : options.crossings;
  const load: LoadOptions = { clients, accounts, batch, crossings, seconds };
  progress(`warming up for ${WARM_UP_SECONDS} s`);
  await loadFully({ ...load, seconds: WARM_UP_SECONDS });
  await caughtUp(cluster, options.signal);

  progress(`as many as it takes, for ${seconds} s`);
  const before = usage(cluster);
  const { answered, seconds: tookSeconds } = await loadFully(load);
  await caughtUp(cluster, options.signal);
  const after = usage(cluster);
  const perSecond = answered / tookSeconds;

  progress(`latency at ${LATENCY_LOAD * 100} % of that, for ${seconds} s`);
  const latencies = await loadAtRate(load, perSecond * LATENCY_LOAD);
  await caughtUp(cluster, options.signal);
  return {
    zones,
    batch,
    units,
    accounts: accountCount,
    crossings,
    transfers_per_second: Math.round(perSecond),
    latency_ms: {
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      p999: quantile(latencies, 0.999),
    },
    cpu_seconds_per_million: round(((after.cpu - before.cpu) / answered) * 1e6),
    bytes_on_disk_per_transfer: Math.round((after.disk - before.disk) / zones / answered),
  };
}

function usage(cluster: LocalCluster): { cpu: number; disk: number } {
  let cpu = 0;
  let disk = 0;
  for (const { pid, folder } of cluster.servers) {
    if (pid === null) throw new Error('a server died under load');
    cpu += cpuSeconds(pid);
    disk += diskBytes(folder);
  }
  return { cpu, disk };
}

/** Every server has applied all that it knows to be committed, and its books hold it. */
async function caughtUp(cluster: LocalCluster, signal: AbortSignal): Promise<void> {
  const clients = cluster.servers.map(
    ({ address }) => new EvenkeelClient({ addresses: [address] }),
  );
  const close = () => {
    for (const client of clients) client.close();
  };
  const untilMs = performance.now() + CAUGHT_UP_MS_MAX;
  signal.addEventListener('abort', close);
  try {
    while (performance.now() < untilMs) {
      const views = await Promise.all(clients.map((client) => client.topology()));
      const same = views.every((view) =>
        view.units.every((unit, i) => {
          const first = views[0]!.units[i]!;
          return unit.booksIndex === first.commitIndex && unit.commitIndex === first.commitIndex;
        }),
      );
      if (same) return;
      await sleep(20);
    }
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
  throw new Error(`the books have not caught up in ${CAUGHT_UP_MS_MAX / 1_000} s`);
}

function quantile(ascending: readonly number[], share: number): number {
  return round(
    ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? 0,
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

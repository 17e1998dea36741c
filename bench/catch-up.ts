import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EvenkeelClient, type Topology } from '../client/index.ts';
import { isMemoryFileSystem, LocalCluster } from '../server/node/index.ts';
import { BenchAccounts } from './accounts.ts';
import { type LoadOptions, loadAtRate, loadCount } from './load.ts';

export interface CatchUpOptions {
  /** Booked while the server is down. */
  readonly transfers: number;
  /** What the others keep of their logs: with less than was booked it has to copy the books. */
  readonly logKeepMib: number;
  readonly units: number;
  readonly accounts: number;
  /** Booked in single messages while it catches up. */
  readonly perSecond: number;
  readonly dataDir: string;
  readonly command: readonly string[];
  readonly progress: (text: string) => void;
  readonly signal: AbortSignal;
}

/** The `--json` line holds exactly this. */
export interface CatchUpReport {
  readonly transfers: number;
  readonly units: number;
  readonly log_keep_mib: number;
  /** Units that copied the books; the others were sent the log. */
  readonly copied_units: number;
  /** From the start of its process until it has applied as much as the others. */
  readonly seconds: number;
  readonly seconds_until_ready: number;
  readonly load_per_second: number;
  readonly latency_ms: { readonly p50: number; readonly p99: number };
}

const LATE = 3;
/** In requests of so many. */
const BATCH = 8_190;
const SETTLE_MS = 10_000;
const POLL_MS = 50;
const CAUGHT_UP_MS_MAX = 300_000;
/** Entries that a replica which follows may be behind a leader, at two answers of two servers. */
const LAG_ENTRIES = 30;
const LOAD_SECONDS = 5;

/** A server is killed, much is booked without it, and it comes back under load. */
export async function benchCatchUp(options: CatchUpOptions): Promise<CatchUpReport> {
  const { dataDir, units, command, logKeepMib } = options;
  if (isMemoryFileSystem(dataDir)) {
    throw new RangeError(`${dataDir} is in memory: name a folder on a disk`);
  }
  const cluster = await LocalCluster.create({
    dataDir,
    units,
    zones: 3,
    ports: 'free',
    drill: false,
    command,
    overrides: { limits: { logKeepBytes: logKeepMib * 2 ** 20 } },
    log: () => {},
  });
  const clients: EvenkeelClient[] = [];
  try {
    options.progress('starting servers');
    await cluster.start();
    for (const { address } of cluster.servers) {
      clients.push(new EvenkeelClient({ addresses: [address] }));
    }
    return await measure(options, cluster, clients);
  } finally {
    for (const client of clients) client.close();
    await cluster.stop();
  }
}

async function measure(
  options: CatchUpOptions,
  cluster: LocalCluster,
  clients: readonly EvenkeelClient[],
): Promise<CatchUpReport> {
  const { progress, transfers, perSecond, units, signal } = options;
  const accounts = await BenchAccounts.create(clients[0]!, options.accounts);
  const others = clients.filter((_, i) => i + 1 !== LATE);
  cluster.kill(LATE, 'SIGKILL', { hold: true });
  progress(`${transfers} transfers without server ${LATE}`);
  const load: LoadOptions = { clients: others, accounts, batch: BATCH, crossings: 0.1, seconds: 0 };
  await loadCount(load, transfers);
  // The books take it in, and what the log needs no more goes.
  await sleep(SETTLE_MS);
  signal.throwIfAborted();

  progress(`server ${LATE} comes back, under ${perSecond} transfers a second`);
  const single = { ...load, batch: 1, seconds: LOAD_SECONDS };
  let loading = true;
  const latencies: number[] = [];
  const loaded = (async () => {
    while (loading) latencies.push(...(await loadAtRate(single, perSecond)));
  })();
  const startMs = performance.now();
  let readyMs = 0;
  const ready = cluster.restart(LATE).then(() => {
    readyMs = performance.now() - startMs;
  });
  const late = new EvenkeelClient({
    addresses: [cluster.server(LATE).address],
    retryWindowMs: 500,
  });
  try {
    await caughtUp(others[0]!, late, startMs + CAUGHT_UP_MS_MAX);
  } finally {
    late.close();
  }
  const seconds = (performance.now() - startMs) / 1_000;
  await ready;
  loading = false;
  await loaded;
  latencies.sort((a, b) => a - b);
  return {
    transfers,
    units,
    log_keep_mib: options.logKeepMib,
    copied_units: copiedUnits(cluster.server(LATE).folder),
    seconds: round(seconds),
    seconds_until_ready: round(readyMs / 1_000),
    load_per_second: perSecond,
    latency_ms: {
      p50: round(latencies[Math.floor(latencies.length * 0.5)]!),
      p99: round(latencies[Math.floor(latencies.length * 0.99)]!),
    },
  };
}

/** The late server has applied all that the other knows to be committed, but for what is on its way. */
async function caughtUp(
  other: EvenkeelClient,
  late: EvenkeelClient,
  untilMs: number,
): Promise<void> {
  for (;;) {
    const [ahead, behind] = await Promise.all([
      other.topology(),
      late.topology().catch(() => null),
    ]);
    if (behind !== null && isCaughtUp(ahead, behind)) return;
    if (performance.now() > untilMs) throw new Error('it has not caught up');
    await sleep(POLL_MS);
  }
}

function isCaughtUp(ahead: Topology, behind: Topology): boolean {
  return ahead.units.every(({ id, commitIndex }) => {
    const unit = behind.units.find((candidate) => candidate.id === id);
    return unit !== undefined && commitIndex - unit.appliedIndex <= LAG_ENTRIES;
  });
}

/** As its log tells. */
function copiedUnits(folder: string): number {
  return readFileSync(join(folder, 'server.log'), 'utf8').split('books installed').length - 1;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

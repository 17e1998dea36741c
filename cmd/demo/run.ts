import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EvenkeelClient, type Topology } from '../../client/index.ts';
import { checkBooks } from '../../server/node/books/check.ts';
import { LocalCluster } from '../../server/node/local-cluster.ts';
import { compareBalances } from '../bank/balances.ts';
import type { BookRow } from '../bank/book.ts';
import { bookThrough, openAccounts } from '../bank/open.ts';
import type { Clock, Rate } from '../bank/pacer.ts';
import { replayBook } from '../bank/replay.ts';
import { AnswerLog } from '../bank/window.ts';
import { FailedError } from '../exit.ts';
import { QUIET, SERVER_COMMAND } from '../local.ts';
import type { Progress } from '../progress.ts';
import type { DemoReport, Expectation } from './report.ts';

export interface DemoOptions {
  readonly rows: readonly BookRow[];
  readonly expected: Expectation;
  readonly rate: Rate;
  readonly dataDir: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export interface DemoOutcome {
  readonly report: DemoReport;
  readonly debitsEqualCredits: boolean;
}

const UNITS = 4;
/** Shares of the rows answered when the zone is killed, and when it is started again. */
const KILL_AT = 0.4;
const RESTART_AT = 0.7;
const CATCH_UP_MS_MAX = 60_000;
const POLL_MS = 50;

const clock: Clock = { nowMs: () => performance.now(), sleep: (ms) => sleep(ms) };

/** Three zones, a bank's book, the loss of a zone, its return, and what is left to say against it. */
export async function runDemo(options: DemoOptions): Promise<DemoOutcome> {
  const { rows, progress, signal } = options;
  progress.step(`starting three zones in ${options.dataDir}`);
  const cluster = await LocalCluster.create({
    dataDir: options.dataDir,
    units: UNITS,
    zones: 3,
    ports: 'free',
    drill: false,
    command: SERVER_COMMAND,
    log: QUIET,
  });
  const clients: EvenkeelClient[] = [];
  try {
    const work = async (): Promise<DemoOutcome> => {
      await cluster.start();
      const addresses = cluster.servers.map((server) => server.address);
      // One client a zone, each with the other zones to fall back on.
      clients.push(
        ...addresses.map((_, i) => new EvenkeelClient({ addresses: rotated(addresses, i) })),
      );
      progress.step('opening accounts');
      await openAccounts(clients[0]!, rows);
      const replayed = await replayThroughLoss(options, cluster, clients);
      progress.step('waiting until the lost zone has caught up');
      await waitForEqual(cluster, signal);
      await cluster.stop();
      progress.step('comparing the books of all zones');
      return summarize(options, replayed, cluster);
    };
    return await Promise.race([work(), aborted(signal)]);
  } finally {
    for (const client of clients) client.close();
    await cluster.stop();
  }
}

interface Replayed {
  readonly balances: readonly bigint[];
  readonly acknowledged: readonly bigint[];
  readonly log: AnswerLog;
  readonly killedMs: number;
  readonly restartedMs: number;
  readonly endMs: number;
}

async function replayThroughLoss(
  options: DemoOptions,
  cluster: LocalCluster,
  clients: readonly EvenkeelClient[],
): Promise<Replayed> {
  const { rows, rate, progress } = options;
  const log = new AnswerLog();
  const killAt = Math.ceil(rows.length * KILL_AT);
  const restartAt = Math.max(killAt + 1, Math.ceil(rows.length * RESTART_AT));
  const loss = { zone: '', killedMs: 0, restartedMs: 0, work: Promise.resolve() };
  const lose = async (): Promise<void> => {
    const id = await leaderOfMost(clients);
    loss.zone = cluster.server(id).zone;
    cluster.kill(id, 'SIGKILL', { hold: true });
    loss.killedMs = clock.nowMs();
    progress.note(`killed zone ${loss.zone}, which led most units`);
  };
  const bringBack = async (): Promise<void> => {
    const down = cluster.servers.find((server) => server.zone === loss.zone)!;
    loss.restartedMs = clock.nowMs();
    progress.note(`started zone ${loss.zone} again`);
    await cluster.restart(down.id);
  };
  const then = (next: () => Promise<void>): void => {
    loss.work = loss.work.then(next);
    loss.work.catch(() => {}); // awaited below
  };

  progress.step(`booking ${rows.length} rows`);
  const { balances, acknowledged } = await replayBook({
    rows,
    rate,
    clock,
    log,
    book: bookThrough(clients),
    onAnswered: (answered) => {
      if (answered === killAt) then(lose);
      if (answered === restartAt) then(bringBack);
      if (answered % 100 === 0) progress.update(`booked ${answered} of ${rows.length} rows`);
    },
  });
  const endMs = clock.nowMs();
  await loss.work;
  const { killedMs, restartedMs } = loss;
  return { balances, acknowledged, log, killedMs, restartedMs, endMs };
}

/** The server that leads most units, as the servers see it now. */
async function leaderOfMost(clients: readonly EvenkeelClient[]): Promise<number> {
  const topology = await clients[0]!.topology();
  const leads = new Map<number, number>();
  for (const { leaderServerId } of topology.units) {
    if (leaderServerId !== 0) leads.set(leaderServerId, (leads.get(leaderServerId) ?? 0) + 1);
  }
  const [most] = [...leads].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return most?.[0] ?? 1;
}

/** Comes back when every zone stands at the same entry of every unit, in memory and in its books. */
async function waitForEqual(cluster: LocalCluster, signal: AbortSignal): Promise<void> {
  const clients = cluster.servers.map(
    ({ address }) => new EvenkeelClient({ addresses: [address], retryWindowMs: 5_000 }),
  );
  const close = () => {
    for (const client of clients) client.close();
  };
  const untilMs = clock.nowMs() + CATCH_UP_MS_MAX;
  signal.addEventListener('abort', close);
  try {
    while (clock.nowMs() < untilMs && !signal.aborted) {
      const views = await Promise.all(clients.map((client) => client.topology().catch(() => null)));
      if (areEqual(views)) return;
      await sleep(POLL_MS);
    }
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
  throw new FailedError(`the zones are not equal after ${CATCH_UP_MS_MAX / 1_000} s`);
}

function areEqual(views: readonly (Topology | null)[]): boolean {
  const [first] = views;
  if (first == null) return false;
  return views.every((view) =>
    first.units.every((unit, i) => {
      const other = view?.units[i];
      return (
        other?.appliedIndex === unit.appliedIndex &&
        other.executionDigest === unit.executionDigest &&
        other.booksIndex === unit.appliedIndex
      );
    }),
  );
}

function summarize(options: DemoOptions, replayed: Replayed, cluster: LocalCluster): DemoOutcome {
  const { rows, expected } = options;
  const { log, killedMs, restartedMs, endMs } = replayed;
  const { balancesExact, balanceOffMax } = compareBalances(rows, replayed.balances);
  const folders = cluster.servers.map(({ folder }) => join(folder, 'data', 'books'));
  const books = checkBooks(folders, UNITS, replayed.acknowledged);
  const windows = log.summary({ fromMs: killedMs, toMs: restartedMs }, endMs);
  const gap = log.longestGap(endMs);
  const result = {
    rows: rows.length,
    balances_exact: balancesExact,
    balance_off_max: Number(balanceOffMax),
    acknowledged: replayed.acknowledged.length,
    acknowledged_lost: books.acknowledgedLost,
    duplicates: books.duplicates,
    zones_equal: books.zonesEqual,
    transfers_per_second: {
      before: rounded(windows.before.perSecond),
      during: rounded(windows.during.perSecond),
      after: rounded(windows.after.perSecond),
    },
    longest_gap_ms: Math.round(gap.toMs - gap.fromMs),
  };
  const ok =
    result.acknowledged === rows.length &&
    balancesExact === expected.balancesExact &&
    result.balance_off_max === expected.balanceOffMax &&
    books.acknowledgedLost === 0 &&
    books.duplicates === 0 &&
    books.zonesEqual &&
    books.debitsEqualCredits;
  return { report: { ...result, ok }, debitsEqualCredits: books.debitsEqualCredits };
}

function rounded(perSecond: number | undefined): number | null {
  return perSecond === undefined ? null : Math.round(perSecond);
}

function rotated<T>(list: readonly T[], by: number): T[] {
  return [...list.slice(by), ...list.slice(0, by)];
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

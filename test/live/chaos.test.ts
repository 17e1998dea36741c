import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { customerAccountId } from '../../cmd/bank/accounts.ts';
import { compareBalances, customerBalance, finalBalances } from '../../cmd/bank/balances.ts';
import { parseBook } from '../../cmd/bank/csv.ts';
import { generateBook } from '../../cmd/bank/generate.ts';
import { bookThrough, openAccounts } from '../../cmd/bank/open.ts';
import type { Random } from '../../cmd/bank/random.ts';
import { replayBook } from '../../cmd/bank/replay.ts';
import { AnswerLog } from '../../cmd/bank/window.ts';
import { checkBooks } from '../../cmd/demo/books-check.ts';
import type { LocalCluster } from '../../server/node/local-cluster.ts';
import { clientsOf, startCluster, UNITS, untilEqual, zoneClientsOf } from './support/cluster.ts';
import { tempFolder } from './support/defer.ts';
import { serversIn } from './support/processes.ts';
import { seededRandom } from './support/seed.ts';
import { until } from './support/until.ts';

const BUDGET_MS = 150_000;
const ROWS = 6_000;
/** The rows fall due over 30 s; the blows fall until all are answered. */
const ROWS_PER_SECOND = 200;
const READY_MS_MAX = 30_000;

const BLOWS = ['kill', 'kill twice', 'kill two', 'kill during catch-up', 'pause'] as const;

test(
  'servers that are killed and paused at random lose, double and falsify nothing',
  async () => {
    const { seed, random } = seededRandom('chaos');
    const text = [...generateBook({ seed, rows: ROWS, accounts: 200 })].join('');
    const { rows } = parseBook('generated', Buffer.from(text));
    const dataDir = tempFolder(onTestFinished);
    const cluster = await startCluster(onTestFinished, dataDir);
    expect(serversIn(dataDir)).toHaveLength(3);
    const clients = clientsOf(onTestFinished, cluster);
    await openAccounts(clients[0]!, rows);

    const log = new AnswerLog();
    const clock = { nowMs: () => performance.now(), sleep: (ms: number) => sleep(ms) };
    const book = bookThrough(clients);
    let replaying = true;
    const replay = replayBook({ rows, rate: ROWS_PER_SECOND, clock, log, book }).finally(() => {
      replaying = false;
    });
    replay.catch(() => {}); // awaited below
    const given = await strike(cluster, random, () => replaying);
    const { balances, acknowledged, existed } = await replay;
    const gap = log.longestGap(performance.now());
    const gapMs = Math.round(gap.toMs - gap.fromMs);
    console.log(`${given.join(', ')}; ${existed} rows asked for twice; longest gap ${gapMs} ms`);
    // Every kind of blow fell while rows were being booked.
    expect(new Set(given)).toEqual(new Set(BLOWS));

    const exact = { rows: ROWS, balancesExact: ROWS, balanceOffMax: 0n };
    expect(compareBalances(rows, balances)).toEqual(exact);
    expect(new Set(acknowledged).size).toBe(ROWS);
    const last = finalBalances(rows, balances);
    const ids = [...last.keys()].map((customer) => customerAccountId(customer));
    for (const client of zoneClientsOf(onTestFinished, cluster)) {
      const accounts = await client.lookupAccounts(ids);
      expect(accounts.map(customerBalance)).toEqual([...last.values()]);
    }

    await untilEqual(zoneClientsOf(onTestFinished, cluster));
    await cluster.stop();
    const folders = cluster.servers.map(({ folder }) => join(folder, 'data', 'books'));
    expect(checkBooks(folders, UNITS, acknowledged)).toEqual({
      zonesEqual: true,
      debitsEqualCredits: true,
      acknowledgedLost: 0,
      duplicates: 0,
    });
    expect(serversIn(dataDir)).toEqual([]);
  },
  BUDGET_MS,
);

/** Blows of every kind in random order, again and again; comes back with all servers ready. */
async function strike(
  cluster: LocalCluster,
  random: Random,
  goOn: () => boolean,
): Promise<string[]> {
  const given: string[] = [];
  const pause = (low: number, high: number) => sleep(random.integer(low, high));
  const ready = (id: number) =>
    until(`server ${id} to be ready`, READY_MS_MAX, () => cluster.server(id).state === 'ready');
  const kill = async (id: number): Promise<void> => {
    // Its next process may not have come yet.
    await until(`a process of ${id}`, READY_MS_MAX, () => cluster.server(id).pid !== null);
    cluster.kill(id);
  };
  const blows: Record<(typeof BLOWS)[number], (a: number, b: number) => Promise<void>> = {
    kill: (a) => kill(a),
    'kill twice': async (a) => {
      await kill(a);
      await until('its end', READY_MS_MAX, () => cluster.server(a).state !== 'ready');
      await pause(0, 800);
      await kill(a);
    },
    'kill two': async (a, b) => {
      await Promise.all([kill(a), kill(b)]);
    },
    'kill during catch-up': async (a, b) => {
      await kill(a);
      await pause(250, 1_200);
      await kill(b);
    },
    pause: async (a) => {
      cluster.kill(a, 'SIGSTOP');
      await pause(1_000, 2_000);
      cluster.kill(a, 'SIGCONT');
    },
  };
  while (goOn()) {
    const deck = [...BLOWS];
    random.shuffle(deck);
    for (const blow of deck) {
      const servers = [1, 2, 3];
      random.shuffle(servers);
      await pause(50, 1_000);
      if (!goOn()) break;
      await blows[blow](servers[0]!, servers[1]!);
      given.push(blow);
      // Half of the next blows fall while this one's victims still come back.
      if (random.chance(0.5)) await Promise.all([1, 2, 3].map(ready));
      else
        await until('processes', READY_MS_MAX, () =>
          cluster.servers.every(({ pid }) => pid !== null),
        );
    }
  }
  await Promise.all([1, 2, 3].map(ready));
  return given;
}

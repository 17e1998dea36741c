import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { BenchAccounts } from '../../bench/accounts.ts';
import { type LoadOptions, loadAtRate, loadCount } from '../../bench/load.ts';
import type { EvenkeelClient } from '../../client/index.ts';
import { verifyBooks } from '../../server/node/books/verify.ts';
import type { LocalCluster } from '../../server/node/local-cluster.ts';
import { startCluster, UNITS, zoneClientsOf } from './support/cluster.ts';
import { tempFolder } from './support/defer.ts';
import { until } from './support/until.ts';

const BUDGET_MS = 120_000;
const LATE = 3;
const TRANSFERS = 60_000;
/** Once the books are synced the log lets go of what they hold: every two seconds. */
const COMPACTED_MS = 5_000;

/** The late server tells so for each unit. */
function installed(cluster: LocalCluster): number {
  const log = readFileSync(join(cluster.server(LATE).folder, 'server.log'), 'utf8');
  return log.split('books installed').length - 1;
}

/** All servers have applied the same entries, with the same digest. */
async function isLevel(clients: readonly EvenkeelClient[]): Promise<boolean> {
  const views = await Promise.all(clients.map((client) => client.topology()));
  const texts = views.map(({ units }) =>
    units.map(({ appliedIndex, executionDigest }) => `${appliedIndex} ${executionDigest}`).join(),
  );
  return new Set(texts).size === 1;
}

test(
  'a server whose peers have compacted their logs copies their books under load, through a kill -9',
  async () => {
    const dataDir = tempFolder(onTestFinished);
    const limits = { logKeepBytes: 2 ** 20 };
    const cluster = await startCluster(onTestFinished, dataDir, { limits });
    const clients = zoneClientsOf(onTestFinished, cluster);
    const accounts = await BenchAccounts.create(clients[0]!, 400);
    cluster.kill(LATE, 'SIGKILL', { hold: true });
    const others = clients.slice(0, 2);
    const load: LoadOptions = {
      clients: others,
      accounts,
      batch: 4_000,
      crossings: 0.1,
      seconds: 4,
    };
    await loadCount(load, TRANSFERS);
    await sleep(COMPACTED_MS);

    const restarted = cluster.restart(LATE);
    const meanwhile = loadAtRate({ ...load, batch: 1 }, 200);
    await until('a first copy', BUDGET_MS, () => installed(cluster) >= 1);
    cluster.kill(LATE, 'SIGKILL');
    await Promise.all([restarted.catch(() => {}), meanwhile]);
    await until('all units copied', BUDGET_MS, () => installed(cluster) >= UNITS);
    await until('equal books', BUDGET_MS, () => isLevel(clients).catch(() => false));

    await cluster.stop();
    for (let unit = 1; unit <= UNITS; unit += 1) {
      const file = join(cluster.server(LATE).folder, 'data', 'books', `unit-${unit}.sqlite`);
      const { difference, rows } = verifyBooks(file, () => {});
      expect(difference).toBe(null);
      expect(rows).toBeGreaterThan(TRANSFERS / UNITS / 2);
    }
  },
  BUDGET_MS,
);

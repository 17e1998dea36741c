import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { accountId, id } from '../../client/index.ts';
import { clientsOf, startCluster, zoneClientsOf } from './support/cluster.ts';
import { tempFolder } from './support/defer.ts';
import { seededRandom } from './support/seed.ts';
import { until } from './support/until.ts';

const BUDGET_MS = 120_000;
const TRANSFERS = 300;
/** Every server dies twice while it reads and books. */
const KILLS = 6;
const LEDGER = 978;

test(
  'what is acknowledged shows in the next look-up through every zone, also while leaders move',
  async () => {
    const { random } = seededRandom('reads');
    const cluster = await startCluster(onTestFinished, tempFolder(onTestFinished));
    const writers = clientsOf(onTestFinished, cluster);
    const zones = zoneClientsOf(onTestFinished, cluster);
    // Two parties, so that some transfers stay in a unit and others, most likely, cross.
    const party = BigInt(random.integer(1, 2 ** 31));
    const accounts = [accountId(party), accountId(party), accountId(), accountId()];
    await writers[0]!.createAccounts(
      accounts.map((account) => ({ id: account, ledger: LEDGER, code: 1 })),
    );
    const debits = accounts.map(() => 0n);
    const credits = accounts.map(() => 0n);

    let kills = 0;
    let booking = true;
    const killing = (async () => {
      while (booking) {
        await sleep(random.integer(1_000, 2_000));
        const server = 1 + (kills % 3);
        cluster.kill(server);
        kills += 1;
        await until(`${server} down`, 5_000, () => cluster.server(server).state !== 'ready');
        await until(`${server} up`, 30_000, () => cluster.server(server).state === 'ready');
      }
    })();

    const leaders = new Set<string>();
    for (let n = 0; n < TRANSFERS || kills < KILLS; n += 1) {
      const pair = [0, 1, 2, 3];
      random.shuffle(pair);
      const [from, to] = pair as [number, number];
      const amount = BigInt(random.integer(1, 1_000));
      const result = await writers[n % 3]!.transfer({
        id: id(),
        debitAccountId: accounts[from]!,
        creditAccountId: accounts[to]!,
        amount,
        ledger: LEDGER,
        code: 1,
      });
      expect(result.ok).toBe(true);
      debits[from]! += amount;
      credits[to]! += amount;
      const views = await Promise.all(
        zones.map((zone) => zone.lookupAccounts([accounts[from]!, accounts[to]!])),
      );
      const wanted = [from, to].map((i) => [debits[i]!, credits[i]!]);
      for (const view of views) {
        expect(view.map((row) => [row.debitsPosted, row.creditsPosted])).toEqual(wanted);
      }
      if (n % 10 === 0) {
        const { units } = await writers[0]!.topology();
        for (const unit of units) leaders.add(`${unit.id} led by ${unit.leaderServerId}`);
      }
    }
    booking = false;
    await killing;
    console.log(`${kills} servers killed; ${[...leaders].sort().join(', ')}`);
    expect(leaders.size).toBeGreaterThan(4);
  },
  BUDGET_MS,
);

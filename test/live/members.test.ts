import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type EvenkeelClient, id } from '../../client/index.ts';
import type { ConfigInput } from '../../server/node/config-schema.ts';
import { freePorts } from '../../server/node/free-ports.ts';
import { addressesOf, connect, startCluster, UNITS } from './support/cluster.ts';
import { Command, run } from './support/command.ts';
import { tempFolder } from './support/defer.ts';
import { until } from './support/until.ts';

const BUDGET_MS = 120_000;
const ACCOUNTS = 20;
const CLIENTS = 8;
const account = (n: number) => (BigInt(1 + (n % ACCOUNTS)) << 64n) | 1n;

/** Clients that book without a pause until stopped; what they booked, and how long the longest took. */
class Load {
  booked = 0;
  longestMs = 0;
  failed: unknown[] = [];
  #stopped = false;
  readonly #clients: Promise<void>[];

  constructor(clients: readonly EvenkeelClient[]) {
    this.#clients = Array.from({ length: CLIENTS }, (_, i) =>
      this.#run(clients[i % clients.length]!, i),
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
  }

  async #run(client: EvenkeelClient, offset: number): Promise<void> {
    for (let n = offset; !this.#stopped; n += CLIENTS) {
      const startMs = performance.now();
      try {
        await client.transfer({
          id: id(),
          debitAccountId: account(n),
          creditAccountId: account(n + 1 + (n % 7)),
          amount: 1n,
          ledger: 978,
          code: 1,
        });
        this.booked += 1;
      } catch (error) {
        this.failed.push(error);
        return;
      }
      this.longestMs = Math.max(this.longestMs, performance.now() - startMs);
    }
  }
}

async function start() {
  const folder = tempFolder(onTestFinished);
  const cluster = await startCluster(onTestFinished, folder);
  const addresses = addressesOf(cluster);
  const client = connect(onTestFinished, addresses);
  const accounts = Array.from({ length: ACCOUNTS }, (_, n) => ({
    id: account(n),
    ledger: 978,
    code: 1,
  }));
  await client.createAccounts(accounts);
  const evenkeel = (...args: string[]) =>
    run(onTestFinished, [...args, '--servers', addresses.join(',')]);
  const refused = async (message: string, ...args: string[]) => {
    const { code, stderr } = await evenkeel(...args);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
    expect(stderr).not.toMatch(/^\s+at /m);
  };
  return { folder, cluster, addresses, client, evenkeel, refused };
}

/** Of a fourth server, made from the first one's. */
async function fourth(folder: string, changes: Partial<ConfigInput> = {}) {
  const [port, peerPort] = await freePorts(2);
  const first = JSON.parse(
    readFileSync(join(folder, 'hz1-1', 'config.json'), 'utf8'),
  ) as ConfigInput;
  const row = {
    id: 4,
    zone: 'sh1',
    address: `127.0.0.1:${port}`,
    peerAddress: `127.0.0.1:${peerPort}`,
  };
  const config = {
    ...first,
    server: 4,
    join: true,
    dataDir: join(folder, 'four'),
    servers: [...first.servers, row],
    ...changes,
  };
  const file = join(folder, 'four.json');
  writeFileSync(file, JSON.stringify(config));
  const flags = ['--zone', row.zone, '--address', row.address, '--peer-address', row.peerAddress];
  return { row, file, flags };
}

test(
  'a server is added while all serve, votes by itself, and takes the place of one that is removed',
  async () => {
    const { folder, cluster, client, evenkeel, refused } = await start();
    const load = new Load([client]);
    const { row, file, flags } = await fourth(folder);
    const server = new Command(onTestFinished, ['server', '--config', file]);
    await server.says('stderr', /listening/, 20_000);
    await refused('member_exists', 'member', 'add', '2', ...flags);
    await refused('quorum_at_risk', 'member', 'remove', '1', '2');
    await refused('last_voter', 'member', 'remove', '1', '2', '3');
    await refused('member_unknown', 'member', 'remove', '9');
    const added = await evenkeel('member', 'add', '4', ...flags, '--json');
    expect([added.code, added.stdout]).toEqual([0, expect.stringContaining('"voting":true')]);
    await server.says('stdout', /ready/, 20_000);

    expect((await evenkeel('member', 'remove', '3')).code).toBe(0);
    await refused('server_id_used', 'member', 'add', '3', ...flags);
    cluster.kill(3, 'SIGKILL', { hold: true });
    const before = load.booked;
    await until('more transfers without the removed one', 20_000, () => load.booked > before + 200);

    // Two of the three that are left are a quorum: the new one counts.
    cluster.kill(2, 'SIGKILL', { hold: true });
    const alone = load.booked;
    await until('transfers with the new one', 20_000, () => load.booked > alone + 200);
    await load.stop();
    expect(load.failed).toEqual([]);

    const through = connect(onTestFinished, [row.address]);
    const balances = await through.lookupAccounts(
      Array.from({ length: ACCOUNTS }, (_, n) => account(n)),
    );
    const debits = balances.reduce((sum, { debitsPosted }) => sum + debitsPosted, 0n);
    expect(debits).toBe(BigInt(load.booked));
  },
  BUDGET_MS,
);

test(
  'a zone is drained without a failed request, may be stopped then, and leads its share again when it is back',
  async () => {
    const { cluster, client, evenkeel, refused } = await start();
    const load = new Load([client]);
    const ledBy = async (server: number) =>
      (await client.topology()).units.filter(({ leaderServerId }) => leaderServerId === server)
        .length;
    await until('leaders at home', 30_000, async () => (await ledBy(1)) === UNITS / 2);

    load.longestMs = 0;
    const drained = await evenkeel('zone', 'drain', 'hz1');
    expect([drained.code, drained.stdout]).toEqual([0, expect.stringContaining('leads nothing')]);
    expect(load.failed).toEqual([]);
    console.log(`drain: longest transfer ${load.longestMs.toFixed(0)} ms`);
    expect(await ledBy(1)).toBe(0);
    await refused('quorum_at_risk', 'zone', 'drain', 'hz2');
    await refused('zone_unknown', 'zone', 'drain', 'nowhere');

    cluster.kill(1, 'SIGKILL', { hold: true });
    const before = load.booked;
    await until('transfers while it is away', 20_000, () => load.booked > before + 200);
    await refused('quorum_at_risk', 'member', 'remove', '2');
    await cluster.restart(1);

    const restored = await evenkeel('zone', 'restore', 'hz1');
    expect([restored.code, restored.stderr]).toEqual([0, expect.any(String)]);
    await until('its share', 30_000, async () => (await ledBy(1)) === UNITS / 2);
    await load.stop();
    expect(load.failed).toEqual([]);
  },
  BUDGET_MS,
);

test(
  'a server of another cluster is refused, by it and by the others',
  async () => {
    const { folder, cluster } = await start();
    const { file } = await fourth(folder, { clusterId: '0123456789abcdef0123456789abcdef' });
    const server = new Command(onTestFinished, ['server', '--config', file]);
    await server.says('stderr', /other cluster/, 20_000);
    expect(cluster.servers).toHaveLength(3);
  },
  BUDGET_MS,
);

import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { id } from '../../client/index.ts';
import { freePorts, isFree } from '../../server/node/free-ports.ts';
import { connect, startCluster } from './support/cluster.ts';
import { Command, run } from './support/command.ts';
import { forFile, tempFolder } from './support/defer.ts';
import { folderDigest } from './support/folder-digest.ts';
import { serversIn } from './support/processes.ts';

const BUDGET_MS = 30_000;
const OTHER_CLUSTER = '0123456789abcdef0123456789abcdef';

interface Config {
  clusterId: string;
  server: number;
  zone?: string;
  dataDir: string;
  listen?: string;
  peerListen?: string;
  units: number;
  zones: { name: string; city: string; leaderWeight: number }[];
  servers: { id: number; zone: string; address: string; peerAddress: string }[];
  [more: string]: unknown;
}

const home = tempFolder(forFile());
/** A cluster's folder with some money in it; each test works on its own copy. */
const original = join(home, 'original');

beforeAll(async () => {
  const cleanups: (() => void | Promise<void>)[] = [];
  const cluster = await startCluster((cleanup) => cleanups.push(cleanup), original);
  const client = connect((cleanup) => cleanups.push(cleanup), [cluster.server(1).address]);
  const accounts = [id(), id()].map((account) => ({ id: account, ledger: 978, code: 1 }));
  await client.createAccounts(accounts);
  const [debitAccountId, creditAccountId] = accounts.map((account) => account.id);
  await client.transfer({
    id: id(),
    debitAccountId: debitAccountId!,
    creditAccountId: creditAccountId!,
    amount: 1n,
    ledger: 978,
    code: 1,
  });
  for (const cleanup of cleanups.reverse()) await cleanup();
}, 60_000);

/** A copy of the cluster's folder, and server 1's configuration for it on ports that are free. */
async function copy(): Promise<{ root: string; config: Config }> {
  const root = join(tempFolder(onTestFinished), 'cluster');
  cpSync(original, root, { recursive: true });
  const config = JSON.parse(readFileSync(join(root, 'hz1-1', 'config.json'), 'utf8')) as Config;
  config.dataDir = join(root, 'hz1-1', 'data');
  const ports = await freePorts(6);
  config.servers.forEach((server, i) => {
    server.address = `127.0.0.1:${ports[2 * i]}`;
    server.peerAddress = `127.0.0.1:${ports[2 * i + 1]}`;
  });
  return { root, config };
}

function startServer(config: unknown): ReturnType<typeof run> {
  const file = join(tempFolder(onTestFinished), 'server.json');
  writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  return run(onTestFinished, ['server', '--config', file]);
}

function start(config: Config): Command {
  const file = join(tempFolder(onTestFinished), 'server.json');
  writeFileSync(file, JSON.stringify(config));
  return new Command(onTestFinished, ['server', '--config', file]);
}

/** Servers 2 and 3 on their own folders; made to forget that they ever met server 1, if the test asks for that. */
function startOthers(root: string, config: Config, forget?: 'forget server 1'): void {
  for (const [i, zone] of ['hz2-2', 'sh1-3'].entries()) {
    const dataDir = join(root, zone, 'data');
    const known = join(dataDir, 'peer-disks.json');
    const { 1: first, ...others } = JSON.parse(readFileSync(known, 'utf8')) as Record<
      string,
      string
    >;
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    if (forget !== undefined) writeFileSync(known, JSON.stringify(others));
    start({ ...config, server: i + 2, dataDir });
  }
}

/** Starts a server that must refuse: exit code, message, and the folder as it was. */
async function expectRefused(root: string, config: unknown, ...messages: string[]): Promise<void> {
  const before = folderDigest(root);
  const { code, stdout, stderr } = await startServer(config);
  for (const message of messages) expect(stderr).toContain(message);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stdout).toBe('');
  expect(code).toBe(1);
  expect(folderDigest(root)).toEqual(before);
}

describe('a server refuses a data folder, and changes nothing in it', () => {
  test(
    'of another zone',
    async () => {
      const { root, config } = await copy();
      config.servers[0]!.zone = 'hz2';
      config.servers[1]!.zone = 'hz1';
      await expectRefused(root, config, 'data_folder_foreign', 'zone hz1', 'this is', 'zone hz2');
    },
    BUDGET_MS,
  );

  test(
    'of another server',
    async () => {
      const { root, config } = await copy();
      config.dataDir = join(root, 'sh1-3', 'data');
      await expectRefused(root, config, 'data_folder_foreign', 'server 3', 'this is', 'server 1');
    },
    BUDGET_MS,
  );

  test(
    'of another cluster',
    async () => {
      const { root, config } = await copy();
      const { clusterId } = config;
      config.clusterId = OTHER_CLUSTER;
      await expectRefused(root, config, 'data_folder_foreign', clusterId, OTHER_CLUSTER);
    },
    BUDGET_MS,
  );

  test.each([2, 8])(
    'made with 4 units, when told of %i',
    async (units) => {
      const { root, config } = await copy();
      config.units = units;
      const message = `made with units 4, but this server's configuration says ${units}`;
      await expectRefused(root, config, `topology_differs: the cluster was ${message}`);
    },
    BUDGET_MS,
  );

  test(
    'made with a ledger that the configuration defines otherwise',
    async () => {
      const { root, config } = await copy();
      const ledgers = [{ ledger: 978, currency: 'CZK', scale: 2 }];
      const made = '{"ledger":978,"currency":"EUR","scale":2}';
      await expectRefused(
        root,
        { ...config, ledgers },
        `topology_differs: the cluster was made with ledger ${made}`,
      );
    },
    BUDGET_MS,
  );

  test(
    'even a new one, when the others say that the cluster has other units',
    async () => {
      const { root, config } = await copy();
      startOthers(root, config, 'forget server 1');
      const wrong = start({ ...config, units: 8, dataDir: join(root, 'new') });
      expect((await wrong.ended).code).toBe(1);
      expect(wrong.stderr).toContain('topology_differs');
      expect(wrong.stdout).toBe('');
    },
    BUDGET_MS,
  );

  test(
    'C142 that is empty, when the others know this server with another one',
    async () => {
      const { root, config } = await copy();
      startOthers(root, config);
      const wiped = start({ ...config, dataDir: join(root, 'new') });
      expect((await wiped.ended).code).toBe(1);
      expect(wiped.stderr).toContain('disk_replaced');
      expect(wiped.stderr).toContain('add it under a new id');
      expect(wiped.stdout).toBe('');
    },
    BUDGET_MS,
  );

  test(
    'C142 whose log was deleted, though its books are there',
    async () => {
      const { root, config } = await copy();
      const folder = join(config.dataDir, 'log');
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
      await expectRefused(root, config, 'log_lost', 'add it under a new id');
    },
    BUDGET_MS,
  );

  test(
    'of a future version, by its identity',
    async () => {
      const { root, config } = await copy();
      const file = join(config.dataDir, 'identity.json');
      const identity = JSON.parse(readFileSync(file, 'utf8')) as { formatVersion: number };
      const version = identity.formatVersion;
      writeFileSync(file, JSON.stringify({ ...identity, formatVersion: version + 1 }));
      const messages = [`format ${version + 1}`, `format ${version}`];
      await expectRefused(root, config, 'data_folder_foreign', ...messages);
    },
    BUDGET_MS,
  );

  test(
    'with books of a future version',
    async () => {
      const { root, config } = await copy();
      const file = join(config.dataDir, 'books', 'unit-1.sqlite');
      const books = new Database(file);
      // Its checksum is over fields of its own; one that fits ours would be a flipped bit.
      books.exec('UPDATE meta SET format_version = format_version + 1, crc = crc + 1');
      books.pragma('wal_checkpoint(TRUNCATE)');
      books.close();
      await expectRefused(
        root,
        config,
        `${file} has books of format 4, this release reads format 3`,
      );
    },
    BUDGET_MS,
  );

  test(
    "with somebody else's files",
    async () => {
      const { root, config } = await copy();
      config.dataDir = join(root, 'hz1-1');
      await expectRefused(root, config, 'data_folder_foreign', 'identity.json', 'nobody knows');
    },
    BUDGET_MS,
  );

  test(
    'that a running server holds, which goes on',
    async () => {
      const dataDir = join(tempFolder(onTestFinished), 'cluster');
      const cluster = await startCluster(onTestFinished, dataDir);
      const { folder } = cluster.server(1);
      const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Config;
      const [listen, peerListen] = await freePorts(2);
      config.listen = `127.0.0.1:${listen}`;
      config.peerListen = `127.0.0.1:${peerListen}`;
      const { code, stderr } = await startServer(config);
      expect(stderr).toContain(`data_folder_locked: ${join(folder, 'data')} is in use`);
      expect(code).toBe(1);
      expect(cluster.servers.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready']);
      const client = connect(onTestFinished, [cluster.server(1).address]);
      const [result] = await client.createAccounts([{ id: id(), ledger: 978, code: 1 }]);
      expect(result!.status).toBe('created');
    },
    BUDGET_MS,
  );
});

describe('evenkeel up refuses a folder, and changes nothing in it', () => {
  async function expectUpRefused(
    root: string,
    args: readonly string[],
    ...messages: string[]
  ): Promise<void> {
    const before = folderDigest(root);
    const end = await run(onTestFinished, ['up', '--data', root, ...args]);
    for (const message of messages) expect(end.stderr).toContain(message);
    expect(end.code).toBe(1);
    expect(end.stdout).toBe('');
    expect(folderDigest(root)).toEqual(before);
    expect(serversIn(root)).toEqual([]);
  }

  test(
    'made with another --units',
    async () => {
      const { root } = await copy();
      const message = `data_folder_foreign: ${root} was made with 4 units, not 8`;
      await expectUpRefused(root, ['--units', '8'], message);
    },
    BUDGET_MS,
  );

  test(
    'of a future version',
    async () => {
      const { root } = await copy();
      const file = join(root, 'cluster.json');
      const cluster = JSON.parse(readFileSync(file, 'utf8')) as { version: number };
      writeFileSync(file, JSON.stringify({ ...cluster, version: cluster.version + 1 }));
      await expectUpRefused(root, [], 'data_folder_foreign', `version ${cluster.version + 1}`);
    },
    BUDGET_MS,
  );

  test(
    'with --units that are no number, exit code 2',
    async () => {
      const dataDir = join(tempFolder(onTestFinished), 'new');
      const end = await run(onTestFinished, ['up', '--data', dataDir, '--units', 'many']);
      expect(end.stderr).toContain('--units');
      expect(end.code).toBe(2);
      expect(() => folderDigest(dataDir)).toThrow('ENOENT');
    },
    BUDGET_MS,
  );

  test(
    'when a port is in use, which it names',
    async () => {
      const port = 7412;
      if (await isFree(port)) await occupy(port);
      const dataDir = join(tempFolder(onTestFinished), 'data');
      const command = new Command(onTestFinished, ['up', '--data', dataDir]);
      expect((await command.ended).code).toBe(1);
      // Others of its ports may be taken on this machine, and then are named first.
      expect(command.stderr).toMatch(
        /port_in_use: 127\.0\.0\.1:74[01]\d, for (users|peers) of server/,
      );
      expect(command.members()).toEqual([]);
    },
    BUDGET_MS,
  );
});

async function occupy(port: number): Promise<void> {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void holder.close());
}

describe('a server refuses its configuration', () => {
  test.each(['listen', 'peerListen'] as const)(
    'with a port in use for %s, which it names',
    async (field) => {
      const { root, config } = await copy();
      const [port] = await freePorts(1);
      await occupy(port!);
      config[field] = `127.0.0.1:${port}`;
      await expectRefused(root, config, `can't listen on 127.0.0.1:${port}`);
    },
    BUDGET_MS,
  );

  test.each(['listen', 'peerListen'] as const)(
    'with an address of the network for %s, unless that is allowed',
    async (field) => {
      const { root, config } = await copy();
      config[field] = '0.0.0.0:7999';
      await expectRefused(root, config, `${field}: 0.0.0.0:7999`, 'allowNonLoopback', 'TLS');
    },
    BUDGET_MS,
  );

  test(
    'with an address of the network in servers',
    async () => {
      const { root, config } = await copy();
      config.servers[2]!.address = '192.0.2.1:7403';
      await expectRefused(root, config, 'servers.2.address: 192.0.2.1:7403', 'allowNonLoopback');
    },
    BUDGET_MS,
  );

  test.each<[string, (config: Config) => void, string]>([
    ['an unknown key', (config) => Object.assign(config, { untis: 4 }), 'untis'],
    [
      'an unknown key inside',
      (config) => Object.assign(config, { consensus: { heartbeat: 50 } }),
      'consensus.heartbeat',
    ],
    ['a wrong type', (config) => Object.assign(config, { units: 'four' }), 'units'],
    [
      'a wrong type in a row',
      (config) => Object.assign(config.servers[1]!, { id: '2' }),
      'servers.1.id',
    ],
    ['a number out of range', (config) => Object.assign(config, { units: 257 }), 'units'],
    ['a field missing', (config) => Reflect.deleteProperty(config, 'dataDir'), 'dataDir'],
  ])(
    'with %s, and names the field',
    async (_what, change, field) => {
      const { root, config } = await copy();
      change(config);
      await expectRefused(root, config, 'bad_config', `${field}: `);
    },
    BUDGET_MS,
  );

  test(
    'that is no JSON, or not there, and names the file',
    async () => {
      const { root } = await copy();
      await expectRefused(root, '{ "units": 4, ', 'bad_config', 'server.json');
      const end = await run(onTestFinished, ['server', '--config', join(root, 'nothing.json')]);
      expect(end.stderr).toContain('nothing.json');
      expect(end.code).toBe(1);
    },
    BUDGET_MS,
  );
});

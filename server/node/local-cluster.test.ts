import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from './config.ts';
import { startControl } from './control.ts';
import { LocalCluster, type LocalClusterOptions } from './local-cluster.ts';

const FAKE = fileURLToPath(new URL('./testing/fake-server.ts', import.meta.url));
const PARENT = fileURLToPath(new URL('./testing/cluster-parent.ts', import.meta.url));

let dataDir = '';
const clusters: LocalCluster[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'evenkeel-cluster-'));
});
afterEach(async () => {
  await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
  rmSync(dataDir, { recursive: true, force: true });
});

async function create(changes: Partial<LocalClusterOptions> = {}): Promise<LocalCluster> {
  const cluster = await LocalCluster.create({
    dataDir,
    units: 2,
    zones: 3,
    ports: 'free',
    drill: false,
    log: () => {},
    command: [process.execPath, FAKE],
    ...changes,
  });
  clusters.push(cluster);
  return cluster;
}

async function started(changes: Partial<LocalClusterOptions> = {}): Promise<LocalCluster> {
  const cluster = await create(changes);
  await cluster.start();
  return cluster;
}

function misbehave(zoneAndId: string, how: string): void {
  mkdirSync(join(dataDir, zoneAndId), { recursive: true });
  writeFileSync(join(dataDir, zoneAndId, 'misbehave'), how);
}

/** False for zombies too: nobody may reap them here. */
function isAlive(pid: number): boolean {
  try {
    const state = execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
    return !state.trim().startsWith('Z') && state.trim() !== '';
  } catch {
    return false;
  }
}

async function until(condition: () => boolean, timeoutMs = 5_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > endMs)
      throw new Error(`not within ${timeoutMs} ms: ${String(condition)}`);
    await sleep(10);
  }
}

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
const pidOf = (cluster: LocalCluster, id: number) => cluster.server(id).pid!;

describe('a started cluster', () => {
  test('has a ready process for each server, and all that is a server’s in one folder', async () => {
    const cluster = await started();
    expect(cluster.servers.map(({ id, zone, state }) => `${zone}-${id} ${state}`)).toEqual([
      'hz1-1 ready',
      'hz2-2 ready',
      'sh1-3 ready',
    ]);
    expect(cluster.servers.every(({ pid }) => isAlive(pid!))).toBe(true);
    expect(readdirSync(dataDir).sort()).toEqual(['cluster.json', 'hz1-1', 'hz2-2', 'sh1-3']);
    const config = loadConfig(join(dataDir, 'hz2-2', 'config.json'), {}, {});
    expect(config).toMatchObject({
      server: 2,
      zone: 'hz2',
      units: 2,
      drill: false,
      dataDir: join(dataDir, 'hz2-2', 'data'),
      listen: cluster.server(2).address,
    });
    expect(config.links).toContainEqual({ from: 'hz1', to: 'hz2', bothWays: true, delayMs: 0.5 });
    expect(config.links).toContainEqual({ from: 'hz1', to: 'sh1', bothWays: true, delayMs: 8 });
    const log = readFileSync(join(dataDir, 'hz2-2', 'server.log'), 'utf8');
    expect(log).toContain('server 2 says hello, drill false');
    expect(log).toContain('a line on stdout');
    expect(log).not.toContain('"ready"');
  });

  test('of one zone has one server and no links', async () => {
    const cluster = await started({ zones: 1 });
    expect(cluster.servers).toHaveLength(1);
    expect(loadConfig(join(dataDir, 'hz1-1', 'config.json'), {}, {}).links).toEqual([]);
  });

  test('keeps its cluster id, and takes overrides', async () => {
    const idOf = () => loadConfig(join(dataDir, 'hz1-1', 'config.json'), {}, {}).clusterId;
    await create();
    const first = idOf();
    await create({ overrides: { links: [], limits: { residentTransfersMax: 10_000 } } });
    expect(idOf()).toBe(first);
    const config = loadConfig(join(dataDir, 'sh1-3', 'config.json'), {}, {});
    expect(config.links).toEqual([]);
    expect(config.limits.residentTransfersMax).toBe(10_000);
  });

  test('gives drill servers a control port, and reaches them there', async () => {
    const cluster = await started({ drill: true });
    const rules = [{ from: 'hz1', to: '*', cut: true }];
    const seen: unknown[] = [];
    const controls = await Promise.all(
      ['hz1-1', 'hz2-2', 'sh1-3'].map((name) => {
        const { controlPort } = loadConfig(join(dataDir, name, 'config.json'), {}, {});
        return startControl(controlPort!, {
          setLinks: (given) => {
            seen.push(given);
            return [];
          },
          resetLinks: () => seen.push('reset'),
          status: () => null,
        });
      }),
    );
    await cluster.setLinks(rules);
    await cluster.resetLinks();
    for (const control of controls) control.close();
    expect(seen).toEqual([rules, rules, rules, 'reset', 'reset', 'reset']);
    const log = readFileSync(join(dataDir, 'hz1-1', 'server.log'), 'utf8');
    expect(log).toContain('drill true');
  });

  test('does not pass on settings from its own environment', async () => {
    process.env.EVENKEEL_UNITS = '9';
    try {
      await started({ zones: 1 });
    } finally {
      delete process.env.EVENKEEL_UNITS;
    }
    expect(readFileSync(join(dataDir, 'hz1-1', 'server.log'), 'utf8')).not.toContain('leaked');
  });
});

describe('a folder that is not this cluster’s is refused, unchanged:', () => {
  test.each<[string, Partial<LocalClusterOptions>, string]>([
    ['other units', { units: 3 }, 'was made with 2 units, not 3'],
    ['other zones', { zones: 1 }, 'was made with zones hz1, hz2, sh1, not hz1'],
  ])('%s', async (_, changes, message) => {
    await create();
    const before = readFileSync(join(dataDir, 'hz1-1', 'config.json'), 'utf8');
    await expect(create({ ...changes, drill: true })).rejects.toThrow(message);
    expect(readFileSync(join(dataDir, 'hz1-1', 'config.json'), 'utf8')).toBe(before);
  });

  test.each([
    ['another version', '{"version":2}', 'has version 2, and this program makes 1'],
    ['garbage', '{"vers', "can't be read"],
    ['half of it missing', '{"version":1}', 'clusterId'],
  ])('%s', async (_, text, message) => {
    writeFileSync(join(dataDir, 'cluster.json'), text);
    await expect(create()).rejects.toThrow(message);
    expect(readdirSync(dataDir)).toEqual(['cluster.json']);
    expect(readFileSync(join(dataDir, 'cluster.json'), 'utf8')).toBe(text);
  });

  test('and a wrong override makes nothing', async () => {
    await expect(create({ overrides: { limits: { segmentBytes: 1 } } })).rejects.toThrow(
      'limits.segmentBytes',
    );
    expect(readdirSync(dataDir)).toEqual([]);
  });
});

describe('a start fails clearly', () => {
  test('naming the port that is in use, and starts nothing', async () => {
    const cluster = await create();
    const blocker = createServer().listen(
      Number(cluster.server(2).address.split(':')[1]),
      '127.0.0.1',
    );
    await once(blocker, 'listening');
    const { address } = cluster.server(2);
    await expect(cluster.start()).rejects.toThrow(
      `port_in_use: ${address}, for users of server 2 (hz2), is in use`,
    );
    blocker.close();
    expect(cluster.servers.map(({ pid }) => pid)).toEqual([null, null, null]);
    expect(existsSync(join(dataDir, 'hz1-1', 'server.log'))).toBe(false);
  });

  test('with the last words of a server that dies, and ends the others', async () => {
    misbehave('hz2-2', 'dies');
    const cluster = await create();
    await expect(cluster.start()).rejects.toThrow(
      /start_failed: server 2 \(hz2\) exited with code 3 before it was ready:[\s\S]*the disk is on fire/,
    );
    expect(cluster.servers.map(({ state }) => state)).toEqual(['down', 'down', 'down']);
  });

  test('when the command is none', async () => {
    const cluster = await create({ command: ['/nonexistent/evenkeel'] });
    await expect(cluster.start()).rejects.toThrow('ENOENT');
  });
});

describe('a server', () => {
  test('that dies unasked is started again, and both are told', async () => {
    const cluster = await started({ zones: 1 });
    const events: unknown[] = [];
    cluster.on('exit', (event) => events.push(event));
    cluster.on('restarted', (event) => events.push(event));
    const old = pidOf(cluster, 1);
    process.kill(old, 'SIGKILL');
    await until(() => events.length === 2);
    const { pid } = cluster.server(1);
    expect(events).toEqual([
      { id: 1, asked: false, code: null, signal: 'SIGKILL' },
      { id: 1, pid },
    ]);
    expect(pid).not.toBe(old);
    await until(() => cluster.server(1).state === 'ready');
  });

  test('killed while the cluster starts comes back, and the start goes on', async () => {
    const cluster = await create();
    const starting = cluster.start();
    let pid: number | null = null;
    while (pid === null) {
      await sleep(1);
      pid = cluster.server(2).pid;
    }
    process.kill(pid, 'SIGKILL');
    await starting;
    expect(cluster.servers.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready']);
    expect(cluster.server(2).pid).not.toBe(pid);
  });

  test('killed on request comes back by itself', async () => {
    const cluster = await started({ zones: 1 });
    const old = pidOf(cluster, 1);
    cluster.kill(1, 'SIGKILL');
    const exit = await once(cluster, 'exit');
    expect(exit).toEqual([{ id: 1, asked: true, code: null, signal: 'SIGKILL' }]);
    expect(cluster.server(1)).toMatchObject({ pid: null, state: 'restarting' });
    await until(() => cluster.server(1).state === 'ready');
    expect(pidOf(cluster, 1)).not.toBe(old);
  });

  test('killed to be held stays down until restart', async () => {
    const cluster = await started({ zones: 1 });
    cluster.kill(1, 'SIGTERM', { hold: true });
    await until(() => cluster.server(1).state === 'down');
    await sleep(1_200);
    expect(cluster.server(1)).toMatchObject({ pid: null, state: 'down' });
    expect(() => cluster.kill(1)).toThrow('server 1 has no process');
    await cluster.restart(1);
    expect(cluster.server(1).state).toBe('ready');
    process.kill(pidOf(cluster, 1), 'SIGKILL'); // and is no longer held
    await once(cluster, 'restarted');
  });

  test('restarted while it runs has one new process', async () => {
    const cluster = await started({ zones: 1 });
    const old = pidOf(cluster, 1);
    await cluster.restart(1);
    expect(isAlive(old)).toBe(false);
    expect(cluster.server(1).state).toBe('ready');
    expect(pidOf(cluster, 1)).not.toBe(old);
  });

  test('that dies again and again is tried again and again, ever slower', async () => {
    const cluster = await started({ zones: 1 });
    misbehave('hz1-1', 'dies');
    let exitMs = 0;
    const pausesMs: number[] = [];
    cluster.on('exit', () => {
      exitMs = performance.now();
    });
    cluster.on('restarted', () => pausesMs.push(performance.now() - exitMs));
    cluster.kill(1);
    await until(() => pausesMs.length === 3, 10_000);
    [200, 400, 800].forEach((pauseMs, i) => {
      expect(pausesMs[i]).toBeGreaterThan(pauseMs - 10);
    });
    rmSync(join(dataDir, 'hz1-1', 'misbehave'));
    await until(() => cluster.server(1).state === 'ready');
  });
});

describe('stop', () => {
  test('ends all processes, stopped ones too, and starts none again', async () => {
    const cluster = await started();
    const pids = cluster.servers.map(({ pid }) => pid!);
    cluster.kill(1, 'SIGSTOP');
    const exits: { asked: boolean; signal: string | null }[] = [];
    cluster.on('exit', (event) => exits.push(event));
    await Promise.all([cluster.stop(), cluster.stop()]);
    expect(pids.some(isAlive)).toBe(false);
    expect(exits.map(({ asked, signal }) => `${asked} ${signal}`)).toEqual(
      Array(3).fill('true SIGTERM'),
    );
    await sleep(400);
    expect(cluster.servers.map(({ state }) => state)).toEqual(['down', 'down', 'down']);
  });

  test('kills what does not hear SIGTERM', async () => {
    misbehave('hz1-1', 'ignores SIGTERM');
    const cluster = await started({ zones: 1 });
    const [[exit]] = await Promise.all([once(cluster, 'exit'), cluster.stop()]);
    expect(exit).toMatchObject({ signal: 'SIGKILL' });
  });

  test('before a restart is due cancels it', async () => {
    const cluster = await started({ zones: 1 });
    cluster.kill(1);
    await once(cluster, 'exit');
    await cluster.stop();
    await sleep(400);
    expect(cluster.server(1)).toMatchObject({ state: 'down', pid: null });
    await expect(cluster.restart(1)).rejects.toThrow('the cluster is stopped');
  });
});

test('kill -9 of the parent leaves nothing running, not even servers that can’t hear of it', async () => {
  misbehave('hz2-2', 'ignores its stdin');
  const parent = spawn(process.execPath, [PARENT, dataDir, '1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout!, 'data')) as [Buffer];
  const pids = JSON.parse(line.toString()) as number[];
  expect(pids.map(isAlive)).toEqual([true, true, true]);
  const family = () =>
    execFileSync('ps', ['-eo', 'pid=,stat=,args='], { encoding: 'utf8' })
      .split('\n')
      .filter((row) => !/^\s*\d+\s+Z/.test(row))
      .filter((row) => row.includes(dataDir) || pids.some((pid) => row.endsWith(` sh ${pid}`)));
  expect(family().length).toBeGreaterThanOrEqual(7); // parent, servers, guards
  parent.kill('SIGKILL');
  await until(() => !isAlive(pids[2]!), 2_000); // at once, by its stdin
  await until(() => pids.every((pid) => !isAlive(pid)), 10_000); // in 5 s, by its guard
  await until(() => family().length === 0);
});

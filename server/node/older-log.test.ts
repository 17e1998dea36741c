import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { checkConfig, type ServerConfig } from './config.ts';
import { freePorts } from './free-ports.ts';
import { ServerProcess } from './process.ts';

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-older-'));
const running = new Set<ServerProcess>();
afterEach(async () => {
  for (const server of running) await server.stop();
  rmSync(folder, { recursive: true });
});

const fatal: string[] = [];

async function start(config: ServerConfig): Promise<ServerProcess> {
  const server = await ServerProcess.start(
    config,
    () => {},
    ({ message }) => {
      fatal.push(`${config.server}: ${message}`);
    },
  );
  running.add(server);
  return server;
}

async function stop(server: ServerProcess): Promise<void> {
  running.delete(server);
  await server.stop();
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}

test('a folder that was put back from an older copy is refused by those who have heard more of it', {
  timeout: 60_000,
}, async () => {
  const ports = await freePorts(6);
  const servers = ['hz1', 'hz2', 'sh1'].map((zone, i) => ({
    id: i + 1,
    zone,
    address: `127.0.0.1:${ports[2 * i]}`,
    peerAddress: `127.0.0.1:${ports[2 * i + 1]}`,
  }));
  const configOf = (server: number, dataDir: string): ServerConfig => {
    const clusterId = '0123456789abcdef0123456789abcdef';
    const input = { clusterId, server, dataDir: join(folder, dataDir), servers, units: 1 };
    return checkConfig(input, 'test');
  };
  const other = await start(configOf(2, '2'));
  const first = await start(configOf(1, '1'));
  await Promise.all([first.ready(), other.ready()]);
  await stop(first);
  cpSync(join(folder, '1'), join(folder, 'older'), { recursive: true });
  // Its own folder is welcome again, and grows by an election.
  const again = await start(configOf(1, '1'));
  await again.ready();
  await sleep(500);
  await stop(again);
  const putBack = await start(configOf(1, 'older'));
  await until(() => fatal.length > 0);
  expect(fatal[0]).toMatch(/^1: disk_replaced: server 2 refuses this one: .* older copy/);
  await stop(putBack);
  fatal.length = 0;
  const last = await start(configOf(1, '1'));
  await last.ready();
  expect(fatal).toEqual([]);
});

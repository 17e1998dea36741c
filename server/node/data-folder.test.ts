import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogIdentity } from '../core/log/log.ts';
import { clusterIdOf, isMemoryFileSystem, newClusterId, openDataFolder } from './data-folder.ts';

const OWN: LogIdentity = { clusterId: 'ab'.repeat(16), server: 2, zone: 'hz2', formatVersion: 1 };

describe('a data folder', () => {
  let parent: string;
  let folder: string;
  let child: ChildProcess | null = null;

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'evenkeel-data-'));
    folder = join(parent, 'data');
  });

  afterEach(() => {
    child?.kill('SIGKILL');
    child = null;
    rmSync(parent, { recursive: true });
  });

  it('is taken when it is new, and again by the same server', () => {
    expect(clusterIdOf(folder)).toBeNull();
    openDataFolder(folder, OWN, [1, 2, 3]).release();
    expect(clusterIdOf(folder)).toBe(OWN.clusterId);
    const held = openDataFolder(folder, OWN, [1, 2, 3, 4]);
    expect(held.path).toBe(folder);
    // For ever those of the first start.
    expect(held.founders).toEqual([1, 2, 3]);
    held.release();
    expect(JSON.parse(readFileSync(join(folder, 'identity.json'), 'utf8'))).toEqual({
      ...OWN,
      founders: [1, 2, 3],
      disk: held.disk,
    });
  });

  it('has the same disk id at each start, and another one after it was wiped', () => {
    const start = () => {
      const held = openDataFolder(folder, OWN, [1, 2, 3]);
      held.release();
      return held.disk;
    };
    const disk = start();
    expect(disk).toMatch(/^[0-9a-f]{32}$/);
    expect(start()).toBe(disk);
    rmSync(folder, { recursive: true });
    expect(start()).not.toBe(disk);
  });

  it.each([
    { ...OWN, clusterId: 'cd'.repeat(16) },
    { ...OWN, server: 3 },
    { ...OWN, zone: 'sh1' },
    { ...OWN, formatVersion: 2 },
  ])('is refused to another cluster, server, zone or format, and left as it is (%j)', (other) => {
    openDataFolder(folder, OWN, [1, 2, 3]).release();
    writeFileSync(join(folder, 'log-00000001.seg'), 'precious');
    const before = snapshot(folder);
    expect(() => openDataFolder(folder, other, [1, 2, 3])).toThrow(
      `data_folder_foreign: ${folder} belongs to cluster ${OWN.clusterId}, server 2, zone hz2, format 1, but this is cluster ${other.clusterId}, server ${other.server}, zone ${other.zone}, format ${other.formatVersion}`,
    );
    expect(snapshot(folder)).toEqual(before);
  });

  it('is refused when it holds files and no identity, or one that cannot be read', () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'thesis.txt'), '');
    expect(() => openDataFolder(folder, OWN, [1, 2, 3])).toThrow(
      'holds thesis.txt but no identity.json',
    );
    expect(readdirSync(folder)).toEqual(['thesis.txt']);
    writeFileSync(join(folder, 'identity.json'), '{"clusterId":');
    expect(() => openDataFolder(folder, OWN, [1, 2, 3])).toThrow("identity.json can't be read");
  });

  it('is taken when a crash came before its identity was whole', () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'identity.json.tmp'), '{"clus');
    writeFileSync(join(folder, 'lock'), '');
    openDataFolder(folder, OWN, [1, 2, 3]).release();
    expect(clusterIdOf(folder)).toBe(OWN.clusterId);
  });

  it('is held by one, in this process too', () => {
    const held = openDataFolder(folder, OWN, [1, 2, 3]);
    expect(() => openDataFolder(folder, OWN, [1, 2, 3])).toThrow(
      `data_folder_locked: ${folder} is in use`,
    );
    held.release();
    openDataFolder(folder, OWN, [1, 2, 3]).release();
  });

  it('is held against other processes until the holder is killed, and no longer', async () => {
    const script = `
      import { openDataFolder } from ${JSON.stringify(join(import.meta.dirname, 'data-folder.ts'))};
      openDataFolder(${JSON.stringify(folder)}, ${JSON.stringify(OWN)}, [1, 2, 3]);
      console.log('held');
      setInterval(() => {}, 1000);
    `;
    child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output] = await once(child.stdout!, 'data');
    expect(String(output)).toContain('held');
    expect(() => openDataFolder(folder, OWN, [1, 2, 3])).toThrow('data_folder_locked');
    child.kill('SIGKILL');
    await once(child, 'exit');
    openDataFolder(folder, OWN, [1, 2, 3]).release();
  });

  it('tells memory file systems from disks', () => {
    expect(isMemoryFileSystem('/dev/shm')).toBe(true);
    expect(isMemoryFileSystem(import.meta.dirname)).toBe(false);
  });

  it('makes cluster ids', () => {
    expect(newClusterId()).toMatch(/^[0-9a-f]{32}$/);
    expect(newClusterId()).not.toBe(newClusterId());
  });
});

function snapshot(folder: string): Record<string, string> {
  const names = readdirSync(folder).sort();
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(folder, name), 'latin1')]),
  );
}

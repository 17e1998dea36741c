import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Disk } from '../core/disk.ts';
import { Log, type LogIdentity } from '../core/log/log.ts';
import { NodeDisk } from './disk.ts';

const IDENTITY: LogIdentity = {
  clusterId: 'a'.repeat(32),
  server: 1,
  zone: 'hz1',
  formatVersion: 1,
};

describe('NodeDisk', () => {
  let folder: string;
  let disk: NodeDisk;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evenkeel-disk-'));
    disk = new NodeDisk(join(folder, 'log'));
  });

  afterEach(() => {
    disk.close();
    rmSync(folder, { recursive: true });
  });

  it('has no bytes in a file that does not exist, and does not create it by asking', () => {
    expect(disk.size('a')).toBe(0);
    expect(disk.read('a', 0, 10)).toHaveLength(0);
    expect(disk.list()).toEqual([]);
  });

  it('writes chunks one after the other and reads them back, up to the end of the file', async () => {
    await write(disk, 'b', 3, [Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)]);
    await write(disk, 'a', 0, [Uint8Array.of(9)]);
    expect(disk.list()).toEqual(['a', 'b']);
    expect(disk.size('b')).toBe(6);
    expect(disk.read('b', 0, 100)).toEqual(Uint8Array.of(0, 0, 0, 1, 2, 3));
    expect(disk.read('b', 4, 1)).toEqual(Uint8Array.of(2));
    expect(disk.read('b', 50, 1)).toEqual(Uint8Array.of());
    expect(disk.read('b', 3, 3).byteOffset % 8).toBe(0);
  });

  it('takes more chunks at once than one system call does', async () => {
    const chunks = Array.from({ length: 3000 }, (_, i) => Uint8Array.of(i & 255, 7));
    await write(disk, 'a', 0, chunks);
    expect(disk.read('a', 5996, 4)).toEqual(Uint8Array.of(2998 & 255, 7, 2999 & 255, 7));
    expect(disk.size('a')).toBe(6000);
  });

  it('completes the operations of a file in the order of their calls', async () => {
    const order: number[] = [];
    await new Promise<void>((resolve) => {
      disk.write('a', 0, [new Uint8Array(4 << 20)], () => order.push(1));
      disk.write('a', 0, [Uint8Array.of(1)], () => order.push(2));
      disk.sync('a', () => order.push(3));
      disk.write('a', 0, [Uint8Array.of(2)], () => order.push(4));
      disk.remove('a', () => {
        order.push(5);
        resolve();
      });
    });
    expect(order).toEqual([1, 2, 3, 4, 5]);
    expect(disk.list()).toEqual([]);
  });

  it('reports a failed operation later, as a DiskError that names the file', async () => {
    rmSync(folder, { recursive: true });
    let returned = false;
    const error = await new Promise<Error | null>((resolve) => {
      disk.write('a', 0, [Uint8Array.of(1)], (failure) => {
        expect(returned).toBe(true);
        resolve(failure);
      });
      returned = true;
    });
    expect(error).toMatchObject({ code: 'disk_failed' });
    expect(error?.message).toContain('of a: ENOENT');
    disk.close();
    disk = new NodeDisk(join(folder, 'log'));
  });

  it('carries a log over restarts, a torn tail too', async () => {
    const options = { segmentBytes: 1 << 20, cacheBytes: 0 };
    const payload = new Uint8Array(500).fill(5);
    let log = Log.open(disk, IDENTITY, options);
    log.append(7, [{ term: 1, index: 1, kind: 1, payload }]);
    await flush(log);
    log.append(7, [{ term: 1, index: 2, kind: 1, payload }]);
    log.setHardState(7, { term: 1, vote: 2, commit: 1 });
    await flush(log);
    disk.close();

    disk = new NodeDisk(join(folder, 'log'));
    log = Log.open(disk, IDENTITY, options);
    expect(log.unit(7).entries(1, 3, 1e9)).toMatchObject([{ payload }, { payload }]);
    expect(log.unit(7).hardState()).toEqual({ term: 1, vote: 2, commit: 1 });
    await flush(log);
    log.append(7, [{ term: 1, index: 3, kind: 1, payload }]);
    await flush(log);
    disk.close();
    const file = join(folder, 'log', 'log-00000001.seg');
    expect(readFileSync(file).length % 4096).toBe(0);

    truncateSync(file, 12_288 + 100); // far below what the marks vouch for
    disk = new NodeDisk(join(folder, 'log'));
    log = Log.open(disk, IDENTITY, options);
    expect(log.rot?.message).toContain('log_rotten: log-00000001.seg at byte 12288');
    expect(log.unit(7).recovering).toBe(true);
    await flush(log);
    disk.close();

    disk = new NodeDisk(join(folder, 'log'));
    log = Log.open(disk, IDENTITY, options);
    expect(log.rot).toBeNull();
    expect(log.unit(7)).toMatchObject({ recovering: true });
    expect(log.unit(7).hardState()).toEqual({ term: 1, vote: 2, commit: 0 });
  });

  it('keeps all that a process killed in mid-flush was told is durable', async () => {
    const script = `
      import { Log } from ${JSON.stringify(join(import.meta.dirname, '../core/log/log.ts'))};
      import { NodeDisk } from ${JSON.stringify(join(import.meta.dirname, 'disk.ts'))};
      const disk = new NodeDisk(${JSON.stringify(join(folder, 'log'))});
      const log = Log.open(disk, ${JSON.stringify(IDENTITY)}, ${JSON.stringify({ segmentBytes: 1 << 20, cacheBytes: 0 })});
      let index = log.unit(1).lastIndex();
      const more = (error) => {
        if (error) throw error;
        console.log(index);
        index += 1;
        log.append(1, [{ term: 1, index, kind: 1, payload: new Uint8Array(3000).fill(index) }]);
        log.flush(more);
      };
      log.flush(more);
    `;
    let durable = 0;
    for (let life = 0; life < 3; life++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (chunk) => {
        output += chunk;
        if (output.length > 500) child.kill('SIGKILL');
      });
      await once(child, 'close');
      const said = Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1));
      expect(said).toBeGreaterThan(durable);
      durable = said;
      const reader = new NodeDisk(join(folder, 'log'));
      const log = Log.open(reader, IDENTITY, {
        segmentBytes: 1 << 20,
        cacheBytes: 0,
      });
      const entries = log.unit(1).entries(1, log.unit(1).lastIndex() + 1, 1e9);
      expect(entries.length).toBeGreaterThanOrEqual(durable);
      for (const { index, payload } of entries) expect(payload[2999]).toBe(index & 255);
      reader.close();
    }
  });
});

function write(disk: Disk, name: string, offset: number, chunks: Uint8Array[]): Promise<void> {
  return new Promise((resolve, reject) => {
    disk.write(name, offset, chunks, (error) => (error ? reject(error) : resolve()));
  });
}

/** The closing mark too, so that the file can be closed. */
async function flush(log: Log): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    log.flush((error) => (error ? reject(error) : resolve()));
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
}

import { describe, expect, it } from 'vitest';
import { SimDisk } from './disk.ts';

describe('SimDisk', () => {
  it('keeps what was synced through any power loss', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const { disk, run } = setUp();
      disk.write('a', 0, [filled(2000, 1)], () => {});
      run();
      disk.sync('a', () => {});
      run();
      disk.write('b', 0, [filled(10, 9)], () => {});
      disk.crash(lcg(seed));
      expect(disk.read('a', 0, 9999)).toEqual(filled(2000, 1));
    }
  });

  it('loses, keeps and tears unsynced sectors, each by itself', () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= 300; seed++) {
      const { disk, run } = setUp();
      disk.write('a', 0, [filled(1024, 1)], () => {});
      run();
      disk.sync('a', () => {});
      run();
      disk.write('a', 0, [filled(1024, 2)], () => {});
      run();
      disk.crash(lcg(seed));
      const data = disk.read('a', 0, 1024);
      seen.add(`${kindOf(data.subarray(0, 512))} ${kindOf(data.subarray(512))}`);
    }
    for (const pair of ['1 1', '2 2', '1 2', '2 1', 'torn 1', 'torn 2'])
      expect(seen).toContain(pair);
  });

  it('does not let a sync cover a write that completed only after it was called', () => {
    const kept = new Set<string>();
    for (let seed = 1; seed <= 50; seed++) {
      const { disk, run } = setUp();
      disk.write('a', 0, [filled(512, 1)], () => {});
      run();
      disk.sync('a', () => {});
      run();
      disk.write('a', 0, [filled(512, 2)], () => {});
      disk.sync('a', () => {});
      run();
      disk.crash(lcg(seed));
      kept.add(kindOf(disk.read('a', 0, 512)));
    }
    expect(kept).toContain('1');
  });

  it('may lose a file whose name was never synced', () => {
    const lists = new Set<string>();
    for (let seed = 1; seed <= 50; seed++) {
      const { disk, run } = setUp();
      disk.write('a', 0, [filled(512, 1)], () => {});
      run();
      disk.crash(lcg(seed));
      lists.add(disk.list().join());
    }
    expect(lists).toEqual(new Set(['', 'a']));
  });

  it('keeps completed writes when only the process dies, but not as durable', () => {
    const after = new Set<string>();
    for (let seed = 1; seed <= 50; seed++) {
      const { disk, run } = setUp();
      disk.write('a', 0, [filled(512, 1)], () => {});
      run();
      disk.kill(lcg(seed));
      expect(kindOf(disk.read('a', 0, 512))).toBe('1');
      disk.crash(lcg(seed));
      after.add(kindOf(disk.read('a', 0, 512)));
    }
    expect(after).toContain('none');
  });

  it('completes nothing of a dead process', () => {
    const { disk, run } = setUp();
    const done: string[] = [];
    disk.write('a', 0, [filled(512, 1)], () => done.push('old'));
    disk.crash(lcg(1));
    disk.write('a', 0, [filled(512, 2)], () => done.push('new'));
    run();
    expect(done).toEqual(['new']);
  });

  it('fails a sync on demand, and never makes durable what it covered', () => {
    const kept = new Set<string>();
    for (let seed = 1; seed <= 50; seed++) {
      const { disk, run } = setUp();
      const errors: (Error | null)[] = [];
      disk.write('a', 0, [filled(512, 1)], () => {});
      run();
      disk.failSyncs(1);
      disk.sync('a', (error) => errors.push(error));
      disk.sync('a', (error) => errors.push(error));
      run();
      expect(errors[0]).toMatchObject({ code: 'disk_failed' });
      expect(errors[1]).toBeNull();
      disk.crash(lcg(seed));
      kept.add(kindOf(disk.read('a', 0, 512)));
    }
    expect(kept).toContain('0');
  });

  it('flips a bit and removes a file', () => {
    const { disk, run } = setUp();
    disk.write('a', 0, [filled(3, 0)], () => {});
    run();
    disk.flipBit('a', 1, 4);
    expect(disk.read('a', 0, 9)).toEqual(Uint8Array.of(0, 16, 0));
    disk.remove('a', () => {});
    run();
    expect(disk.list()).toEqual([]);
  });
});

function setUp() {
  const waiting: (() => void)[] = [];
  const disk = new SimDisk((_kind, _bytes, complete) => waiting.push(complete));
  const run = () => {
    while (waiting.length > 0) waiting.shift()!();
  };
  return { disk, run };
}

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

function kindOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'none';
  const first = bytes[0]!;
  return bytes.every((byte) => byte === first) ? String(first) : 'torn';
}

function lcg(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state ^ (state >>> 15)) >>> 0;
  };
}

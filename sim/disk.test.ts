import { describe, expect, it } from 'vitest';
import type { SimDisk } from './disk.ts';
import { oddOutcomesOf, outcomesOf } from './testing/outcomes.ts';
import { SteppedDisk } from './testing/stepped-disk.ts';

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

  it('makes durable what is written again after a failed sync', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const { disk, run } = setUp();
      disk.failSyncs(1);
      for (const value of [1, 2]) {
        disk.write('a', 0, [filled(512, value)], () => {});
        run();
        disk.sync('a', () => {});
        run();
      }
      disk.crash(lcg(seed));
      expect(kindOf(disk.read('a', 0, 512))).toBe('2');
    }
  });

  it('loses the size that was not synced, and what lies behind the durable one with it', () => {
    const sizes = new Set<number>();
    for (let seed = 1; seed <= 50; seed++) {
      const { disk, run } = setUp();
      writeSynced(disk, run, 512, 1);
      disk.write('a', 512, [filled(1024, 2)], () => {});
      run();
      disk.crash(lcg(seed));
      sizes.add(disk.size('a'));
      disk.write('a', 1536, [filled(1, 3)], () => {});
      run();
      if (disk.size('a') < 1536) expect(kindOf(disk.read('a', 512, 1024))).toBe('0');
    }
    expect(sizes).toEqual(new Set([512, 1536]));
  });

  it('removes a file durably, and while it is being removed may have done so', () => {
    const lists = new Set<string>();
    for (let seed = 1; seed <= 50; seed++) {
      const { disk, run } = setUp();
      writeSynced(disk, run, 512, 1);
      disk.remove('a', () => {});
      if (seed === 1) {
        run();
        expect(disk.list()).toEqual([]);
      }
      disk.crash(lcg(seed));
      lists.add(disk.list().join());
    }
    expect(lists).toEqual(new Set(['', 'a']));
  });

  it('flips a bit for good', () => {
    const { disk, run } = setUp();
    writeSynced(disk, run, 512, 0);
    disk.write('a', 1, [filled(3, 0)], () => {});
    run();
    disk.flipBit('a', 1, 4);
    disk.crash(() => 0);
    expect(disk.read('a', 0, 3)).toEqual(Uint8Array.of(0, 16, 0));
  });

  it('does not read a bad sector until it is written again', () => {
    const { disk, run } = setUp();
    writeSynced(disk, run, 2000, 1);
    disk.makeUnreadable('a', 600);
    expect(kindOf(disk.read('a', 0, 512))).toBe('1');
    expect(kindOf(disk.read('a', 1024, 999))).toBe('1');
    for (const offset of [511, 512, 1023]) {
      expect(() => disk.read('a', offset, 2)).toThrow('disk_failed: read of a: EIO');
    }
    disk.crash(() => 0);
    expect(() => disk.read('a', 0, 2000)).toThrow('disk_failed');
    disk.write('a', 512, [filled(512, 1)], () => {});
    run();
    expect(kindOf(disk.read('a', 0, 2000))).toBe('1');
  });

  it('loses a write that it acknowledged', () => {
    const { disk, run } = setUp();
    writeSynced(disk, run, 512, 1);
    disk.loseNextWrite();
    writeSynced(disk, run, 1024, 2);
    expect(kindOf(disk.read('a', 0, 512))).toBe('1');
    expect(kindOf(disk.read('a', 512, 512))).toBe('0');
    writeSynced(disk, run, 1024, 3);
    expect(kindOf(disk.read('a', 0, 1024))).toBe('3');
  });

  it('writes to the wrong place', () => {
    const { disk, run } = setUp();
    writeSynced(disk, run, 1024, 1);
    disk.misdirectNextWrite('a', 512);
    disk.write('a', 0, [filled(512, 2)], () => {});
    run();
    expect(kindOf(disk.read('a', 0, 512))).toBe('1');
    expect(kindOf(disk.read('a', 512, 512))).toBe('2');
  });

  it('makes nothing durable while it lies', () => {
    const { disk, run } = setUp();
    writeSynced(disk, run, 512, 1);
    disk.lies = true;
    writeSynced(disk, run, 512, 2);
    expect(kindOf(disk.read('a', 0, 512))).toBe('2');
    disk.crash(() => 0);
    expect(kindOf(disk.read('a', 0, 512))).toBe('1');
  });

  it('writes what fits when it is full, fails, and still takes what needs no room', () => {
    const { disk, run } = setUp();
    const errors: (Error | null)[] = [];
    disk.capacityBytes = 1000;
    disk.write('a', 0, [filled(400, 1)], (error) => errors.push(error));
    disk.write('b', 0, [filled(500, 2), filled(500, 3)], (error) => errors.push(error));
    disk.write('b', 0, [filled(600, 4)], (error) => errors.push(error));
    run();
    expect(errors[0]).toBeNull();
    expect(errors[1]?.message).toBe('disk_failed: write of b: ENOSPC: simulated');
    expect(errors[2]).toBeNull();
    expect(disk.size('b')).toBe(600);
  });

  it('fails a write, which may have done a part', () => {
    const { disk, run } = setUp();
    const errors: (Error | null)[] = [];
    disk.failWrites(1, 600);
    for (let i = 0; i < 2; i++)
      disk.write('a', 1000 * i, [filled(1000, 1)], (error) => errors.push(error));
    run();
    expect(errors[0]).toMatchObject({ code: 'disk_failed' });
    expect(errors[1]).toBeNull();
    expect(kindOf(disk.read('a', 0, 600))).toBe('1');
    expect(kindOf(disk.read('a', 600, 400))).toBe('0');
  });

  it('completes nothing while it stands still', () => {
    const { disk, run } = setUp();
    const done: number[] = [];
    disk.write('a', 0, [filled(1, 1)], () => done.push(1));
    disk.stall();
    disk.write('a', 0, [filled(1, 2)], () => done.push(2));
    run();
    expect(done).toEqual([]);
    disk.resume();
    run();
    expect(done).toEqual([1, 2]);
  });

  it('completes nothing of a process that died while it stood still', () => {
    const { disk, run } = setUp();
    const done: string[] = [];
    disk.stall();
    disk.write('a', 0, [filled(1, 1)], () => done.push('old'));
    run();
    disk.kill(() => 0);
    disk.resume();
    disk.write('a', 0, [filled(1, 2)], () => done.push('new'));
    run();
    expect(done).toEqual(['new']);
  });

  it('leaves a fork alone', () => {
    const { disk, run } = setUp();
    writeSynced(disk, run, 600, 1);
    const fork = disk.fork(() => {});
    fork.flipBit('a', 0, 0);
    disk.flipBit('a', 1, 1);
    expect([...fork.read('a', 0, 2)]).toEqual([0, 1]);
    expect([...disk.read('a', 0, 2)]).toEqual([1, 3]);
  });
});

describe('outcomesOf', () => {
  it('gives every disk that a power cut could leave, each once', () => {
    const { disk, run } = setUp();
    writeSynced(disk, run, 1024, 1);
    for (const value of [2, 3]) {
      disk.write('a', 0, [filled(512, value)], () => {});
      disk.write('a', 512, [filled(512, value - 1)], () => {});
    }
    disk.write('b', 0, [filled(600, 7)], () => {});
    const before = disk.fork(() => {});
    before.abandon();
    // Sector 0 of 'a' was 1, 2, 3; sector 1 was 1, 1, 2. 'b' is gone, empty, or has two sectors lost or not.
    expect(before.outcomes()).toBe(3 * 2 * (1 + 1 + 4));
    const found = textsOf(outcomesOf(disk, 36, lcg(1)));
    expect(found).toHaveLength(36);
    expect(new Set(found).size).toBe(36);
    expect(found).toContain('a:1,1');
    expect(found).toContain('a:3,2 b:7,0');
  });

  it('gives so many of them, and each with one odd or torn sector', () => {
    const { disk, run } = setUp();
    writeSynced(disk, run, 512 * 20, 1);
    disk.write('a', 0, [filled(512 * 20, 2)], () => {});
    run();
    expect(textsOf(outcomesOf(disk, 10, lcg(1)))).toHaveLength(10);
    const found = textsOf(oddOutcomesOf(disk));
    expect(found).toHaveLength(2 * 20 * 4);
    const other = (odd: string, rest: string) => `a:${[...Array(19).fill(rest), odd].join()}`;
    for (const text of [other('2', '1'), other('1', '2'), other('torn', '1'), other('torn', '2')])
      expect(found).toContain(text);
  });
});

function textsOf(outcomes: Iterable<SteppedDisk>): string[] {
  return Array.from(outcomes, ({ disk: left }) => {
    const files = left.list().map((name) => {
      const sectors = Array.from({ length: Math.ceil(left.size(name) / 512) }, (_, i) =>
        kindOf(left.read(name, 512 * i, 512)),
      );
      return `${name}:${sectors.join()}`;
    });
    return files.join(' ');
  });
}

function writeSynced(disk: SimDisk, run: () => void, length: number, value: number): void {
  disk.write('a', 0, [filled(length, value)], () => {});
  run();
  disk.sync('a', () => {});
  run();
}

function setUp() {
  const stepped = new SteppedDisk();
  return { disk: stepped.disk, run: () => stepped.drain() };
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

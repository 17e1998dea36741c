import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KnownDisks } from './known-disks.ts';

const OLD = 'ab'.repeat(16);
const NEW = 'cd'.repeat(16);

describe('the disks of peers', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evenkeel-disks-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('C142 a peer that comes back with another disk under its old id is refused, for good', () => {
    expect(new KnownDisks(folder).refusalOf(2, OLD)).toBeNull();
    for (let start = 0; start < 2; start++) {
      const disks = new KnownDisks(folder);
      expect(disks.refusalOf(2, NEW)).toContain(`other disk: server 2 came with disk ${OLD}`);
      expect(disks.refusalOf(2, NEW)).toContain('add it under a new id');
      expect(disks.refusalOf(2, OLD)).toBeNull();
    }
    expect(new KnownDisks(folder).refusalOf(4, NEW)).toBeNull(); // the same machine, added anew
  });

  it('a peer that names no disk is refused', () => {
    expect(new KnownDisks(folder).refusalOf(2, '')).toContain('no disk');
  });

  it('a peer that cannot be noted is refused for now', () => {
    const disks = new KnownDisks(join(folder, 'gone'));
    expect(disks.refusalOf(2, OLD)).toContain("the disk of server 2 can't be noted");
    mkdirSync(join(folder, 'gone'));
    expect(disks.refusalOf(2, NEW)).toBeNull();
  });

  it('are not guessed when their file is damaged', () => {
    new KnownDisks(folder).refusalOf(2, OLD);
    writeFileSync(join(folder, 'peer-disks.json'), '{"2":');
    expect(() => new KnownDisks(folder)).toThrow("peer-disks.json can't be read");
  });
});

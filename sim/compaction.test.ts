import { describe, expect, it } from 'vitest';
import { votersOnly } from '../consensus/membership.ts';
import type { Books } from '../server/core/books.ts';
import { Compaction } from '../server/core/compaction.ts';
import type { Group } from '../server/core/group.ts';
import { LogRun, seededRandom } from './testing/log-run.ts';

const ENTRIES = 20;
const ENTRY_BYTES = 100;

/** First index that the log still holds after a compaction with room for one entry, all of them applied. */
function firstKept(given: {
  readonly durable?: number;
  readonly pinned?: number;
  readonly match?: number;
}): number {
  const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 20, cacheBytes: 0 });
  for (let index = 1; index <= ENTRIES; index++) {
    const payload = new Uint8Array(ENTRY_BYTES);
    run.write({ unit: 1, entry: { index, term: 1, kind: 1, payload } });
  }
  const books = {
    index: () => ENTRIES,
    sync: (done: (error: null, durable: number) => void) => done(null, given.durable ?? ENTRIES),
  } as unknown as Books;
  const peers = [{ recentlyActive: true, match: given.match ?? ENTRIES }];
  const group = {
    raft: { role: 'leader', status: () => ({ peers }) },
    membershipAt: () => votersOnly([1, 2, 3]),
  } as unknown as Group;
  const options = {
    unit: 1,
    books,
    keepBytes: ENTRY_BYTES,
    neededBytesMax: 4 * ENTRY_BYTES,
    pinnedAt: () => given.pinned ?? null,
  };
  const fatal = (error: Error) => {
    throw error;
  };
  new Compaction({ ...options, fatal }, run.log, group).tick(1e9);
  return run.log.unit(1).firstIndex();
}

describe('compaction', () => {
  it('lets all go but what is to be kept', () => {
    expect(firstKept({})).toBe(ENTRIES);
  });

  it('C127 keeps what the books do not hold durably, though they hold it', () => {
    expect(firstKept({ durable: 9 })).toBe(10);
    // Nor where a peer or a copy sets the bound.
    expect(firstKept({ durable: 9, match: 17 })).toBe(10);
  });

  it('keeps what a copy of the books goes on from', () => {
    expect(firstKept({ pinned: 17 })).toBe(18);
  });

  it('C127 keeps what a peer in touch lacks, within bounds', () => {
    expect(firstKept({ match: 17 })).toBe(18);
    expect(firstKept({ match: 0 })).toBeGreaterThan(1);
  });
});

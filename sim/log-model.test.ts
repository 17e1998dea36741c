import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { votersOnly } from '../consensus/membership.ts';
import { type Entry, EntryKind } from '../consensus/types.ts';
import { dump, LogRun, seededRandom } from './testing/log-run.ts';

describe('the log beside its model', () => {
  it('shows what was appended at once, buffered, cached or read back, and again after a restart', () => {
    const property = fc.property(
      fc.integer(),
      fc.constantFrom(0, 300, 5_000, 1e9),
      fc.constantFrom(12_288, 12_288 + 2 * 4096, 1 << 20),
      (seed, cacheBytes, segmentBytes) => {
        const run = new LogRun(seededRandom(seed), { segmentBytes, cacheBytes });
        for (let step = 0; step < 150; step++) {
          const dice = run.random() % 11;
          if (dice === 10) run.log.tidy(300);
          else if (dice < 4) run.writeAnything();
          else if (dice < 7) run.complete();
          else if (dice < 8 && !run.log.flushing) run.flush();
          else if (dice < 9) compareRange(run);
          else expect(dump(run.log)).toBe(run.model.dump());
        }
        if (!run.log.flushing) run.flush();
        run.drain();
        expect(dump(run.log)).toBe(run.model.dump());
        if (run.log.dirty) run.flush();
        run.drain();
        const whole = run.model.dump();
        run.restart('crash');
        expect(dump(run.log)).toBe(whole);
      },
    );
    fc.assert(property, { numRuns: 60 });
  });

  it('hands out a prefix within the byte limit, but at least one entry', () => {
    const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 20, cacheBytes: 0 });
    run.log.append(1, [entry(1, 10), entry(2, 20), entry(3, 30)]);
    for (const cached of [true, false]) {
      if (!cached) {
        run.flush();
        run.drain();
      }
      const indexes = (lo: number, hi: number, maxBytes: number) =>
        run.log
          .unit(1)
          .entries(lo, hi, maxBytes)
          .map(({ index }) => index);
      expect(indexes(1, 4, 60)).toEqual([1, 2, 3]);
      expect(indexes(1, 4, 59)).toEqual([1, 2]);
      expect(indexes(1, 4, 0)).toEqual([1]);
      expect(indexes(2, 3, 1e9)).toEqual([2]);
      expect(indexes(2, 2, 1e9)).toEqual([]);
    }
  });

  it('gives payloads read back that can be viewed as 32-bit words', () => {
    const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 20, cacheBytes: 0 });
    run.log.append(1, [entry(1, 4), entry(2, 8), entry(3, 12)]);
    run.flush();
    run.drain();
    for (const { payload } of run.log.unit(1).entries(1, 4, 1e9))
      expect(payload.byteOffset % 8).toBe(0);
  });

  it('fills records up with zeros, whatever the buffer held before', () => {
    const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 20, cacheBytes: 0 });
    for (const [index, payloadBytes] of [800, 1].entries()) {
      run.log.append(1, [entry(index + 1, payloadBytes)]);
      run.flush();
      run.drain();
    }
    const second = run.disk.read('log-00000001.seg', 12_288 + 4096, 48);
    expect([...second.subarray(32)]).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('holds entries in memory up to the limit only once they are on disk', () => {
    const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 20, cacheBytes: 1000 });
    const reads = countReads(run);
    run.log.append(1, [entry(1, 600), entry(2, 600)]);
    run.log.append(2, [entry(1, 600)]);
    expect(run.log.unit(1).entries(1, 3, 1e9)).toHaveLength(2);
    expect(reads()).toBe(0);
    run.flush();
    run.drain();
    run.log.unit(2).entries(1, 2, 1e9);
    expect(reads()).toBe(0);
    run.log.unit(1).entries(1, 2, 1e9);
    expect(reads()).toBe(1);
  });

  it('reads neighbours from the disk in one piece', () => {
    const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 20, cacheBytes: 0 });
    for (let index = 1; index <= 100; index++)
      run.log.append(1 + (index % 2), [entry(Math.ceil(index / 2), 64)]);
    run.flush();
    run.drain();
    const reads = countReads(run);
    expect(run.log.unit(1).entries(1, 51, 1e9)).toHaveLength(50);
    expect(reads()).toBe(1);
  });

  it('starts a new segment when one is full, and gives a larger record one of its own', () => {
    const run = new LogRun(seededRandom(1), { segmentBytes: 12_288 + 4096, cacheBytes: 0 });
    run.log.append(1, [
      entry(1, 2000),
      entry(2, 2000),
      entry(3, 2000),
      entry(4, 9000),
      entry(5, 10),
    ]);
    run.flush();
    run.drain();
    const names = ['log-00000001.seg', 'log-00000002.seg', 'log-00000003.seg', 'log-00000004.seg'];
    expect(run.disk.list()).toEqual([...names, 'votes']);
    run.written = [];
    expect(
      run.log
        .unit(1)
        .entries(1, 6, 1e9)
        .map(({ payload }) => payload.length),
    ).toEqual([2000, 2000, 2000, 9000, 10]);
  });

  it('names the units that have records, ascending', () => {
    const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 20, cacheBytes: 0 });
    run.log.unit(9);
    run.log.append(300, [entry(1, 1)]);
    run.log.setHardState(5, { term: 1, vote: 2, commit: 0 });
    expect(run.log.units()).toEqual([5, 300]);
  });

  it('refuses records that no consensus may write', () => {
    const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 20, cacheBytes: 0 });
    const { log } = run;
    log.append(1, [entry(1, 1, 3), entry(2, 1, 3)]);
    log.setHardState(1, { term: 3, vote: 2, commit: 1 });
    expect(() => log.append(1, [entry(4, 1, 3)])).toThrow('gap');
    expect(() => log.append(1, [entry(1, 1, 3)])).toThrow('committed');
    expect(() => log.append(1, [entry(3, 1, 2)])).toThrow('follows one of term 3');
    expect(() => log.setHardState(1, { term: 3, vote: 2, commit: 3 })).toThrow('commits 3 of 2');
    expect(() => log.setHardState(1, { term: 3, vote: 2, commit: 0 })).toThrow('commits 0 after 1');
    expect(() => log.setHardState(1, { term: 3, vote: 1, commit: 1 })).toThrow(
      'votes for 1 after 2',
    );
    expect(() => log.setHardState(1, { term: 2, vote: 2, commit: 1 })).toThrow('follows term 3');
    expect(() => log.unit(1).term(3)).toThrow('no index 3');
    expect(() => log.unit(1).entries(1, 4, 1)).toThrow('not all');
  });

  it('starts after what was compacted and still knows its term and membership (C128)', () => {
    const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 20, cacheBytes: 1 << 20 });
    const membership = votersOnly([1, 2, 3]);
    run.write({ unit: 1, entry: entry(1, 8, 3) });
    run.write({ unit: 1, entry: entry(2, 8, 4) });
    run.write({ unit: 1, entry: entry(3, 8, 5) });
    run.write({ unit: 1, hard: { term: 5, vote: 2, commit: 2 } });
    run.write({ unit: 1, compact: { index: 2, term: 4, membership } });
    for (const stage of ['at once', 'after a restart']) {
      const unit = run.log.unit(1);
      expect([stage, unit.firstIndex(), unit.lastIndex()]).toEqual([stage, 3, 3]);
      expect([unit.term(2), unit.term(3)]).toEqual([4, 5]);
      expect(unit.snapshot()).toEqual({ index: 2, term: 4, membership });
      expect(() => unit.term(1)).toThrow('no index 1');
      expect(() => unit.entries(2, 4, 1e9)).toThrow('not all');
      run.flush();
      run.drain();
      run.restart('crash');
    }
  });

  it('starts after a snapshot that is far beyond its end, keeping term and vote (C125)', () => {
    const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 20, cacheBytes: 1 << 20 });
    const membership = votersOnly([1, 2, 3]);
    run.write({ unit: 1, entry: entry(1, 8, 3) });
    run.write({ unit: 1, hard: { term: 7, vote: 2, commit: 1 } });
    run.write({ unit: 1, reset: { index: 50, term: 6, membership } });
    run.write({ unit: 1, entry: entry(51, 8, 6) });
    for (const stage of ['at once', 'after a restart']) {
      const unit = run.log.unit(1);
      expect([stage, unit.firstIndex(), unit.lastIndex()]).toEqual([stage, 51, 51]);
      expect([unit.term(50), unit.term(51)]).toEqual([6, 6]);
      expect(unit.hardState()).toEqual({ term: 7, vote: 2, commit: 50 });
      run.flush();
      run.drain();
      run.restart('crash');
    }
  });

  it('refuses to compact what is not there, and to go back behind what is committed', () => {
    const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 20, cacheBytes: 0 });
    const { log } = run;
    const mark = (index: number, term: number) => ({
      index,
      term,
      membership: votersOnly([1, 2, 3]),
    });
    log.append(1, [entry(1, 1, 3), entry(2, 1, 3), entry(3, 1, 3)]);
    log.setHardState(1, { term: 3, vote: 2, commit: 2 });
    expect(() => log.compact(1, mark(4, 3))).toThrow('compaction to 4 of 3 entries');
    expect(() => log.compact(1, mark(2, 4))).toThrow('meets an entry of term 3');
    log.compact(1, mark(2, 3));
    expect(() => log.compact(1, mark(2, 3))).toThrow('compaction to 2 after 2');
    expect(() => log.reset(1, mark(1, 3))).toThrow('committed up to 2');
  });

  it('refuses everything once a sync has failed', () => {
    for (let operations = 0; operations < 2; operations++) {
      const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 20, cacheBytes: 0 });
      run.writeAnything();
      if (operations === 1) {
        run.flush();
        run.drain();
        run.writeAnything();
      }
      run.disk.failSyncs(1);
      run.flush();
      run.drain();
      expect(run.errors).toMatchObject([{ code: 'log_failed' }]);
      expect(run.log.flushing).toBe(false);
      expect(() => run.writeAnything()).toThrow('log_failed');
      expect(() => run.log.setHardState(1, { term: 9, vote: 0, commit: 0 })).toThrow('log_failed');
      expect(() => run.log.flush(() => {})).toThrow('log_failed');
      expect(run.waiting).toBe(0);
    }
  });

  it('takes one flush at a time', () => {
    const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 20, cacheBytes: 0 });
    run.writeAnything();
    run.flush();
    expect(run.log.flushing).toBe(true);
    expect(() => run.flush()).toThrow('a flush is under way');
  });

  it('is dirty after a restart until what was read back is durable', () => {
    const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 20, cacheBytes: 0 });
    expect(run.log.dirty).toBe(false);
    run.writeAnything();
    run.flush();
    run.drain();
    expect(run.log.dirty).toBe(false);
    expect(run.log.flushes).toBe(1);
    run.restart('kill');
    expect(run.log.dirty).toBe(true);
    run.flush();
    run.drain();
    expect(run.log.dirty).toBe(false);
  });
});

function entry(index: number, payloadBytes: number, term = 1): Entry {
  return { term, index, kind: 1, payload: new Uint8Array(payloadBytes).fill(index) };
}

function compareRange(run: LogRun): void {
  const id = 1 + (run.random() % 3);
  const { start, entries, hard } = run.model.unit(id);
  const first = (start?.index ?? 0) + 1;
  const unit = run.log.unit(id);
  const from = run.random() % (entries.length + 1);
  const to = from + (run.random() % (entries.length + 1 - from));
  expect(unit.hardState()).toEqual(hard);
  expect(unit.firstIndex()).toBe(first);
  expect(unit.lastIndex()).toBe(first + entries.length - 1);
  expect(unit.startMembership()).toEqual(start?.membership ?? null);
  expect(unit.term(first + from - 1)).toBe(entries[from - 1]?.term ?? start?.term ?? 0);
  const found = unit.entries(first + from, first + to, Number.POSITIVE_INFINITY);
  expect(found).toEqual(entries.slice(from, to));
  const memberships = entries.filter(({ kind }) => kind === EntryKind.membership);
  expect(unit.memberships()).toEqual(memberships);
}

function countReads(run: LogRun): () => number {
  let reads = 0;
  const read = run.disk.read.bind(run.disk);
  run.disk.read = (name, offset, length) => {
    reads += 1;
    return read(name, offset, length);
  };
  return () => reads;
}

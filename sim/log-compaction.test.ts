import { describe, expect, it } from 'vitest';
import { votersOnly } from '../consensus/membership.ts';
import type { Entry } from '../consensus/types.ts';
import { dump, LogRun, seededRandom } from './testing/log-run.ts';

const OPTIONS = { segmentBytes: 12_288 + 4 * 4096, cacheBytes: 0 };
const IDLE = 7;
const BUSY = 1;

describe('the log that is compacted', () => {
  it('stays small while a busy unit goes on, though an idle unit keeps its entries for ever', () => {
    const run = new LogRun(seededRandom(1), OPTIONS);
    for (let index = 1; index <= 5; index++) run.write({ unit: IDLE, entry: entry(index, 300) });
    run.write({ unit: IDLE, hard: { term: 3, vote: 2, commit: 4 } });
    run.flush();
    run.drain();
    for (let index = 1; index <= 400; index++) busyTurn(run, index);
    expect(segments(run).length).toBeLessThanOrEqual(4);
    expect(segments(run)[0]! > 'log-00000030').toBe(true);
    run.restart('crash');
    const idle = run.log.unit(IDLE);
    expect(idle.entries(1, 6, 1e9).map(({ payload }) => payload[0])).toEqual([1, 2, 3, 4, 5]);
    expect(idle.hardState()).toEqual({ term: 3, vote: 2, commit: 4 });
    expect(run.log.unit(BUSY).firstIndex()).toBe(401);
  });

  it('keeps segments that any unit needs', () => {
    const run = new LogRun(seededRandom(1), OPTIONS);
    for (let index = 1; index <= 60; index++) {
      run.write({ unit: BUSY, entry: entry(index, 700) });
      run.flush();
      run.drain();
    }
    expect(segments(run)[0]).toBe('log-00000001.seg');
    run.write({ unit: BUSY, hard: { term: 1, vote: 0, commit: 60 } });
    run.write({ unit: BUSY, compact: mark(59) });
    run.flush();
    run.drain();
    expect(segments(run)[0]).toBe('log-00000015.seg');
  });

  it('removes nothing before what made it dead is durable', () => {
    const run = new LogRun(seededRandom(1), OPTIONS);
    for (let index = 1; index <= 30; index++) run.write({ unit: BUSY, entry: entry(index, 700) });
    run.write({ unit: BUSY, hard: { term: 1, vote: 0, commit: 30 } });
    run.flush();
    run.drain();
    const before = segments(run);
    run.write({ unit: BUSY, compact: mark(30) });
    run.flush();
    while (run.log.flushing) {
      expect(segments(run)).toEqual(before);
      run.complete();
    }
    run.drain();
    expect(segments(run)).toHaveLength(1);
  });

  it('recovers wherever the power goes while entries are copied and segments are removed', () => {
    let removed = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const run = new LogRun(seededRandom(seed), OPTIONS);
      for (let index = 1; index <= 3; index++) run.write({ unit: IDLE, entry: entry(index, 300) });
      let index = 1;
      for (let life = 0; life < 4; life++) {
        const until = index + 10 + (run.random() % 30);
        for (; index < until; index++) busyTurn(run, index);
        run.write({ unit: BUSY, entry: entry(index, 500) });
        run.log.tidy(300);
        run.flush();
        for (let left = run.random() % 12; left > 0; left--) run.complete();
        run.restart(run.random() % 3 === 0 ? 'kill' : 'crash');
        index = run.log.unit(BUSY).lastIndex() + 1;
        run.flush();
        run.drain();
      }
      expect(run.log.unit(IDLE).lastIndex()).toBe(3);
      if (segments(run)[0]! > 'log-00000002') removed += 1;
    }
    expect(removed).toBeGreaterThan(20);
  });

  it('never gives an index back that is behind its start, after any crash (C128)', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const run = new LogRun(seededRandom(seed), OPTIONS);
      for (let index = 1; index <= 8; index++) busyTurn(run, index);
      const start = run.log.unit(BUSY).firstIndex();
      run.write({ unit: BUSY, entry: entry(9, 500) });
      run.flush();
      for (let left = run.random() % 8; left > 0; left--) run.complete();
      run.restart('crash');
      expect(run.log.unit(BUSY).firstIndex()).toBe(start);
      expect(run.log.unit(BUSY).term(start - 1)).toBe(1);
      expect(dump(run.log)).toBe(run.model.dump());
    }
  });

  it('copies no more than it is told in one call', () => {
    const run = new LogRun(seededRandom(1), { segmentBytes: 1 << 16, cacheBytes: 0 });
    for (let index = 1; index <= 100; index++) run.write({ unit: IDLE, entry: entry(index, 300) });
    run.flush();
    run.drain();
    for (let index = 1; index <= 80; index++) busyTurn(run, index, 0);
    const before = run.log.bytes;
    expect(run.log.tidy(700)).toBe(true);
    expect(run.log.bytes - before).toBeGreaterThan(600);
    expect(run.log.bytes - before).toBeLessThan(700 + 4_096);
    const idle = run.log.unit(IDLE).entries(1, 101, 1e9);
    expect(idle.map(({ payload }) => payload[0])).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
  });
});

/** Writes one entry and compacts it away. */
function busyTurn(run: LogRun, index: number, copied = 1_000): void {
  run.write({ unit: BUSY, entry: entry(index, 900) });
  run.write({ unit: BUSY, hard: { term: 1, vote: 0, commit: index } });
  run.write({ unit: BUSY, compact: mark(index) });
  if (copied > 0) run.log.tidy(copied);
  run.flush();
  run.drain();
}

function mark(index: number) {
  return { index, term: 1, membership: votersOnly([1, 2, 3]) };
}

function entry(index: number, payloadBytes: number): Entry {
  return { term: 1, index, kind: 1, payload: new Uint8Array(payloadBytes).fill(index) };
}

function segments(run: LogRun): string[] {
  return run.disk.list().filter((name) => name.startsWith('log-'));
}

import { describe, expect, it, vi } from 'vitest';
import { RECORDS_OFFSET } from '../server/core/log/format.ts';
import { Log, LogError } from '../server/core/log/log.ts';
import type { SimDisk } from './disk.ts';
import { SECTOR_BYTES } from './disk-file.ts';
import { type CutOptions, LogCutter, legalStates } from './testing/log-cuts.ts';
import { dump, IDENTITY, LogRun, modelOf, seededRandom } from './testing/log-run.ts';
import { outcomesOf } from './testing/outcomes.ts';
import { SHORT_LOG, shortRun } from './testing/short-run.ts';
import { SteppedDisk } from './testing/stepped-disk.ts';

/** With EVENKEEL_EXHAUSTIVE set each fault strikes at every step and every place, else at some. */
const EXHAUSTIVE = process.env.EVENKEEL_EXHAUSTIVE !== undefined;
vi.setConfig({ testTimeout: EXHAUSTIVE ? 3_600_000 : 60_000 });
const STRIDE = EXHAUSTIVE ? 1 : 5;

/** Where the last flush of a short run lies in its segment. */
const LAST_FLUSH = RECORDS_OFFSET + 4096;

const CUTS: CutOptions = {
  log: SHORT_LOG,
  outcomes: EXHAUSTIVE ? 8 : 4,
  oddEvery: EXHAUSTIVE ? 5 : 31,
  againEvery: 1_000,
  outcomesAgain: EXHAUSTIVE ? 2 : 1,
  afterlifeEvery: 10,
};

/** A short run in which `strike` is called when the disk is about to do so many steps. Ends early if the log fails. */
function live(strikeAt: number, strike: (run: LogRun) => void): LogRun {
  const run = new LogRun(seededRandom(1), SHORT_LOG);
  let struck = false;
  try {
    for (const _ of shortRun(run)) {
      if (struck || run.disk.steps !== strikeAt || run.waiting === 0) continue;
      struck = true;
      strike(run);
    }
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== 'log_failed') throw error;
  }
  return run;
}

/** All steps of the disk in a short run of that kind. */
function stepsOf(kind: SimDisk['doing']): number[] {
  const run = new LogRun(seededRandom(1), SHORT_LOG);
  const steps = new Set<number>();
  for (const _ of shortRun(run)) if (run.disk.doing === kind) steps.add(run.disk.steps);
  return [...steps];
}

function some<T>(all: readonly T[]): T[] {
  return all.filter((_, i) => i % STRIDE === 0);
}

describe('the log over a disk that fails', () => {
  it.each([
    { what: 'a sync', kind: 'sync', fail: (disk: SimDisk) => disk.failSyncs(1) },
    { what: 'a write', kind: 'write', fail: (disk: SimDisk) => disk.failWrites(1) },
    { what: 'a part of a write', kind: 'write', fail: (disk: SimDisk) => disk.failWrites(1, 700) },
  ] as const)(
    'says so at $what, does nothing more, and recovers what it had said is durable',
    ({ kind, fail }) => {
      for (const step of some(stepsOf(kind))) {
        const run = live(step, ({ disk }) => fail(disk));
        expect(
          run.errors.every((error) => error instanceof LogError && error.code === 'log_failed'),
        ).toBe(true);
        expect(() => run.log.flush(() => {})).toThrow('log_failed');
        expect([step, run.waiting]).toEqual([step, 0]);
        new LogCutter(run, { ...CUTS, mayNoteRot: kind === 'sync' }, seededRandom(step)).cut();
      }
    },
  );

  it('takes no more when it is full, and recovers what it had said is durable', () => {
    const whole = live(-1, () => {});
    const bytes = whole.disk.list().reduce((sum, name) => sum + whole.disk.size(name), 0);
    let failed = 0;
    for (let capacity = 0; capacity < bytes; capacity += EXHAUSTIVE ? 1_024 : 18_432) {
      const run = live(0, ({ disk }) => {
        disk.capacityBytes = capacity;
      });
      if (run.errors.length === 0) continue; // files that were removed have made room
      failed += 1;
      expect(run.errors[0]?.message).toContain('ENOSPC');
      expect([capacity, run.waiting]).toEqual([capacity, 0]);
      new LogCutter(run, CUTS, seededRandom(capacity)).cut();
    }
    expect(failed).toBeGreaterThan(3);
  });

  it('waits while it stands still, and goes on after', () => {
    for (const step of some([...stepsOf('write'), ...stepsOf('sync')])) {
      const run = live(step, (at) => {
        const { durable } = at;
        at.disk.stall();
        at.drain();
        expect(at.disk.steps).toBe(step);
        expect(at.durable).toBe(durable);
        at.disk.resume();
      });
      expect(dump(run.log)).toBe(modelOf(run.written).dump());
      expect(run.durable).toBe(run.written.length);
    }
  });
});

describe('the log over a disk that loses or misplaces a write that it acknowledged', () => {
  it('comes back whole, or notes the damage', () => {
    const found = { whole: 0, damaged: 0 };
    for (const step of some(stepsOf('write'))) {
      const run = live(step, ({ disk }) => disk.loseNextWrite());
      found[outcome(run)] += 1;
    }
    expect(found.whole).toBeGreaterThan(1);
    expect(found.damaged).toBeGreaterThan(1);
  });

  it('comes back whole, or notes the damage, wherever the write went', () => {
    const found = { whole: 0, damaged: 0, shorter: 0 };
    const targets = placesOf(live(-1, () => {}));
    const writes = stepsOf('write');
    let next = 0;
    for (const step of some(writes)) {
      for (const { name, offset } of EXHAUSTIVE ? targets : [targets[next++ % targets.length]!]) {
        const run = live(step, ({ disk }) => disk.misdirectNextWrite(name, offset));
        run.drain();
        const what = legalOutcome(run, run.disk);
        found[what] += 1;
        // The last closing mark, on top of the flush that it closes, is gone with all that it vouches for.
        if (what === 'shorter') expect([step, offset]).toEqual([writes.at(-1), LAST_FLUSH]);
      }
    }
    expect(found.whole).toBeGreaterThan(0);
    expect(found.damaged).toBeGreaterThan(1);
    expect(found.shorter).toBe(EXHAUSTIVE ? 1 : 0);
  });
});

describe('the log over a disk that says that it synced and did not', () => {
  it('comes back to what was durable before, or to more, or notes the damage', () => {
    const random = seededRandom(3);
    const found = { whole: 0, shorter: 0, damaged: 0 };
    for (const step of some(stepsOf('sync'))) {
      let durable = 0;
      const run = live(step, ({ disk, durable: before }) => {
        disk.lies = true;
        durable = before;
      });
      run.durable = durable;
      for (const left of outcomesOf(run.disk, EXHAUSTIVE ? 16 : 4, random)) {
        found[legalOutcome(run, left.disk)] += 1;
      }
    }
    // Nothing tells a disk that lies from one that lost its last flushes: only the peers can.
    expect(found.shorter).toBeGreaterThan(0);
    expect(found.damaged).toBeGreaterThan(0);
  });
});

describe('the log over a disk with bad sectors', () => {
  it('comes back whole, or notes the damage, whichever sector is unreadable', () => {
    const found = { whole: 0, damaged: 0 };
    const run = live(-1, () => {});
    for (const { name, offset } of some(sectorsOf(run))) {
      const { disk } = new SteppedDisk(run.disk);
      disk.makeUnreadable(name, offset);
      const what = legalOutcome(run, disk);
      expect([name, offset, what]).not.toEqual([name, offset, 'shorter']);
      if (what !== 'shorter') found[what] += 1;
    }
    expect(found.whole).toBeGreaterThan(10);
    expect(found.damaged).toBeGreaterThan(10);
  });
});

/** Shorter: some of what was written is not there, and nothing says so. */
function legalOutcome(run: LogRun, disk: SimDisk): 'whole' | 'shorter' | 'damaged' {
  let log: Log;
  try {
    log = Log.open(disk, IDENTITY, SHORT_LOG);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    expect(error.code).toBe('log_rotten');
    return 'damaged';
  }
  if (log.rot !== null) {
    if (!run.isDamaged(log))
      throw new Error(`${log.rot.message}\nleaves what never was:\n${dump(log)}`);
    return 'damaged';
  }
  const found = dump(log);
  if (found === modelOf(run.written).dump()) return 'whole';
  // A mark on top of the last flush is enough for less than what was durable.
  const legal = legalStates(run, 0, run.written.length);
  expect(legal.has(found) ? 'legal' : found).toBe('legal');
  return 'shorter';
}

/** After a run to its end, all of which was said to be durable. */
function outcome(run: LogRun): 'whole' | 'damaged' {
  run.drain(); // the closing mark, which nobody waits for, vouches for the last flush
  const what = legalOutcome(run, run.disk);
  if (what === 'shorter') throw new Error('shorter than what was acknowledged, and nobody told');
  return what;
}

function sectorsOf({ disk }: LogRun): { name: string; offset: number }[] {
  return disk.list().flatMap((name) =>
    Array.from({ length: Math.ceil(disk.size(name) / SECTOR_BYTES) }, (_, i) => ({
      name,
      offset: i * SECTOR_BYTES,
    })),
  );
}

/** Where a write could end up: headers, marks and records of each file. */
function placesOf(run: LogRun): { name: string; offset: number }[] {
  return run.disk
    .list()
    .flatMap((name) =>
      [0, 4096, 8192, RECORDS_OFFSET, RECORDS_OFFSET + 4096].map((offset) => ({ name, offset })),
    );
}

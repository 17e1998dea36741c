import { expect, it, vi } from 'vitest';
import { RECORDS_OFFSET } from '../server/core/log/format.ts';
import { Log, LogError } from '../server/core/log/log.ts';
import type { SimDisk } from './disk.ts';
import { dump, IDENTITY, LogRun, modelOf, seededRandom } from './testing/log-run.ts';
import { SteppedDisk } from './testing/stepped-disk.ts';

/** With EVENKEEL_EXHAUSTIVE set all bytes are flipped, else some. */
const EXHAUSTIVE = process.env.EVENKEEL_EXHAUSTIVE !== undefined;
vi.setConfig({ testTimeout: EXHAUSTIVE ? 3_600_000 : 60_000 });

const OPTIONS = { segmentBytes: RECORDS_OFFSET + 2 * 4096, cacheBytes: 0 };
/** More than what the head of a header, a mark, a record or the votes takes. */
const HEAD_BYTES = 128;

it('notes each flipped bit that takes something, and is whole again once its peers have given it back', () => {
  const run = smallLog();
  const whole = modelOf(run.written).dump();
  const found = { whole: 0, damaged: 0 };
  let restored = 0;
  for (const { name, offset, bits } of flipsOf(run.disk)) {
    for (const bit of bits) {
      run.disk.flipBit(name, offset, bit);
      const what = outcome(run, run.disk, whole);
      found[what] += 1;
      if (what === 'damaged' && found.damaged % (EXHAUSTIVE ? 50 : 10) === 0) {
        restore(run, run.disk);
        restored += 1;
      }
      run.disk.flipBit(name, offset, bit);
    }
  }
  expect(found.whole).toBeGreaterThan(100);
  expect(found.damaged).toBeGreaterThan(50);
  expect(restored).toBeGreaterThan(2);
  if (EXHAUSTIVE) console.log(`${found.whole} flips took nothing, ${found.damaged} were noted`);
});

it('refuses to start when nothing tells what it has promised', () => {
  const run = smallLog();
  run.disk.flipBit('votes', 0, 0);
  run.disk.flipBit('votes', run.disk.size('votes') / 2, 0);
  run.disk.flipBit('log-00000001.seg', RECORDS_OFFSET, 0);
  expect(() => Log.open(run.disk, IDENTITY, OPTIONS)).toThrow(/^log_rotten: .* both copies/);
});

/** A few segments with entries, hard states and all else; flushed, with nothing under way. */
function smallLog(): LogRun {
  const run = new LogRun(seededRandom(11), OPTIONS);
  while (run.disk.list().length < 4) {
    run.writeAnythingToKeep();
    run.writeAnythingToKeep();
    run.flush();
    run.drain();
  }
  return run;
}

/** Each bit of what tells one thing from another, one of every other byte. */
function* flipsOf(disk: SimDisk): Generator<{ name: string; offset: number; bits: number[] }> {
  let count = 0;
  for (const name of disk.list()) {
    const file = disk.read(name, 0, disk.size(name));
    for (let offset = 0; offset < file.length; offset++) {
      const isHead = offset % 4096 < HEAD_BYTES;
      const isZero = file[offset] === 0;
      count += 1;
      if (!EXHAUSTIVE && count % (isZero ? 97 : 5) !== 0) continue;
      const all = EXHAUSTIVE && isHead && (!isZero || offset % 4096 < 32);
      yield { name, offset, bits: all ? [0, 1, 2, 3, 4, 5, 6, 7] : [offset % 8] };
    }
  }
}

function outcome(run: LogRun, disk: SimDisk, whole: string): 'whole' | 'damaged' {
  const log = Log.open(disk, IDENTITY, OPTIONS);
  if (log.rot === null) {
    expect(dump(log)).toBe(whole);
    return 'whole';
  }
  expect(log.rot).toBeInstanceOf(LogError);
  expect(log.units().every((id) => log.unit(id).recovering)).toBe(true);
  expect(run.isDamaged(log)).toBe(true);
  return 'damaged';
}

/** What its leader would send; after that nothing of the damage may be left. */
function restore(run: LogRun, damaged: SimDisk): void {
  const stepped = new SteppedDisk(damaged);
  const { disk } = stepped;
  const log = Log.open(disk, IDENTITY, OPTIONS);
  log.flush(() => {});
  stepped.drain();
  for (const [id, { entries, hard }] of modelOf(run.written).units) {
    const unit = log.unit(id);
    const agreed = entries.findIndex(
      ({ index, term }) => index > unit.lastIndex() || unit.term(index) !== term,
    );
    if (agreed >= 0) log.append(id, entries.slice(agreed));
    if (hard.commit > unit.hardState().commit) log.setHardState(id, hard);
    log.recovered(id);
  }
  let durable = false;
  log.flush((error) => {
    durable = error === null;
  });
  stepped.drain();
  expect(durable).toBe(true);
  disk.cutPower(() => 0);
  stepped.forget();
  const again = Log.open(disk, IDENTITY, OPTIONS);
  expect(again.rot).toBeNull();
  expect(again.units().some((id) => again.unit(id).recovering)).toBe(false);
  expect(dump(again)).toBe(modelOf(run.written).dump());
}

import { describe, expect, it } from 'vitest';
import { LogRun, seededRandom } from './testing/log-run.ts';

const OPTIONS = { segmentBytes: 12_288 + 4 * 4096, cacheBytes: 600 };

describe('the log over a crashing disk', () => {
  it('recovers to a legal state after a kill at every point', () => {
    const steps = scriptedRun(1, Number.POSITIVE_INFINITY).steps;
    expect(steps).toBeGreaterThan(60);
    for (let stop = 0; stop <= steps; stop++) {
      for (let seed = 1; seed <= 5; seed++) {
        const { run } = scriptedRun(seed, stop);
        run.restart('kill');
        run.restart('crash'); // what recovery read may be gone, unless it was durable
        run.flush();
        run.drain();
        run.restart('crash');
      }
    }
  });

  it('recovers again and again from random crashes, kills and writes between them', () => {
    const recovered = new Set<string>();
    for (let seed = 1; seed <= 120; seed++) {
      const run = new LogRun(seededRandom(seed), OPTIONS);
      for (let life = 0; life < 6; life++) {
        const steps = run.random() % 60;
        for (let step = 0; step < steps; step++) anyStep(run);
        const before = run.written.length;
        run.restart(run.random() % 3 === 0 ? 'kill' : 'crash');
        recovered.add(lossOf(run, before));
      }
    }
    // Else the runs prove nothing: some must lose all, some a part, some nothing of what was not flushed.
    expect(recovered).toEqual(new Set(['nothing unflushed', 'lost all', 'lost some', 'lost none']));
  });

  it('recovers from crashes while it recovers', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const run = new LogRun(seededRandom(seed), OPTIONS);
      for (let life = 0; life < 8; life++) {
        run.writeAnything();
        run.flush();
        while (run.waiting > 0 && run.random() % 6 !== 0) run.complete();
        run.restart('crash');
        run.flush(); // nothing but what must be done before the log may be believed
        for (let left = run.random() % 5; left > 0; left--) run.complete();
        run.restart('crash');
      }
    }
  });

  it('never brings back what a torn flush left behind, though the same records come again', () => {
    let repeated = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const run = new LogRun(seededRandom(seed), OPTIONS);
      run.writeAnything();
      run.flush();
      run.drain();
      for (let i = 0; i < 12; i++) run.writeAnything();
      const all = [...run.written];
      run.flush();
      while (run.waiting > 0 && run.random() % 4 !== 0) run.complete();
      run.restart('crash');
      const lost = all[run.kept];
      if (lost === undefined || 'hard' in lost) continue;
      repeated += 1;
      run.write(lost); // the leader sends it again, byte for byte, and no more
      const count = run.written.length;
      run.flush();
      run.drain();
      run.restart('crash');
      expect(run.written).toHaveLength(count);
    }
    expect(repeated).toBeGreaterThan(100);
  });
});

/** The same appends and flushes for each stop, stopped after so many completed disk operations. */
function scriptedRun(seed: number, stop: number): { run: LogRun; steps: number } {
  const script = seededRandom(77);
  let next = script;
  const run = new LogRun(() => next(), OPTIONS);
  let steps = 0;
  for (let round = 0; round < 14 && steps < stop; round++) {
    run.writeAnything();
    run.writeAnything();
    run.flush();
    run.writeAnything(); // while the flush is under way
    while (steps < stop && run.complete()) steps += 1;
  }
  next = seededRandom(seed); // from here on: what the crash does
  return { run, steps };
}

function anyStep(run: LogRun): void {
  const dice = run.random() % 9;
  if (dice === 8) run.log.tidy(300);
  else if (dice < 3) run.writeAnything();
  else if (dice < 7) run.complete();
  else if (!run.log.flushing) run.flush();
}

function lossOf(run: LogRun, before: number): string {
  if (before === run.durable) return 'nothing unflushed';
  if (run.written.length === before) return 'lost none';
  return run.written.length === run.durable ? 'lost all' : 'lost some';
}

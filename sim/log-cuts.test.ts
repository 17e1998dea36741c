import { expect, it, vi } from 'vitest';
import { type CutOptions, LogCutter } from './testing/log-cuts.ts';
import { LogRun, seededRandom } from './testing/log-run.ts';
import { SHORT_LOG, shortRun } from './testing/short-run.ts';

/**
 * With EVENKEEL_EXHAUSTIVE set all that a cut can leave is tried, up to EVENKEEL_OUTCOMES disks a cut (4,096: all but a
 * few), and counted; else a sample.
 */
const EXHAUSTIVE = process.env.EVENKEEL_EXHAUSTIVE !== undefined;
vi.setConfig({ testTimeout: EXHAUSTIVE ? 3_600_000 : 60_000 });

const OPTIONS: CutOptions = {
  log: SHORT_LOG,
  outcomes: EXHAUSTIVE ? Number(process.env.EVENKEEL_OUTCOMES ?? 512) : 8,
  oddEvery: EXHAUSTIVE ? 1 : 7,
  againEvery: EXHAUSTIVE ? 200 : 1_000,
  outcomesAgain: EXHAUSTIVE ? 4 : 1,
  afterlifeEvery: EXHAUSTIVE ? 4 : 10,
};

it('recovers to a legal state wherever the power is cut, whatever unsynced sectors are lost', () => {
  const run = new LogRun(seededRandom(1), SHORT_LOG);
  const cutter = new LogCutter(run, OPTIONS, seededRandom(2));
  for (const _ of shortRun(run)) cutter.cut();
  expect(cutter.cuts).toBeGreaterThan(60);
  expect(cutter.whole).toBeGreaterThan(100);
  expect(cutter.shorter).toBeGreaterThan(100);
  if (EXHAUSTIVE) console.log(`${cutter.cuts} cuts, ${cutter.states} disks`);
});

import { expect, onTestFinished, test } from 'vitest';
import { FAULT_KINDS } from '../../bench/failover/plan.ts';
import { isOk } from '../../bench/failover/report.ts';
import { benchFailover } from '../../bench/failover/run.ts';
import { roundLine } from '../../bench/failover/text.ts';
import { SERVER_COMMAND } from '../../cmd/local.ts';
import { tempFolder } from './support/defer.ts';
import { serversIn } from './support/processes.ts';

const BUDGET_MS = 180_000;

test(
  'servers that are killed, stopped, paused and cut off at random lose, double and falsify nothing',
  async () => {
    const seed = Number(process.env.EVENKEEL_SEED ?? 1);
    const dataDir = tempFolder(onTestFinished);
    const interrupted = new AbortController();
    onTestFinished(() => interrupted.abort());
    const report = await benchFailover({
      seed,
      from: 1,
      // Every kind of fault once.
      rounds: FAULT_KINDS.length,
      kinds: FAULT_KINDS,
      units: 4,
      perSecond: 100,
      dataDir,
      command: SERVER_COMMAND,
      signal: interrupted.signal,
      progress: () => {},
      onRound: (round) => console.log(roundLine(round)),
    });
    expect(report.wrong).toEqual([]);
    expect(report.rounds.flatMap(({ wrong }) => wrong)).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(1_000);
    // That enough of the faults bit too.
    expect(isOk(report)).toBe(true);
    expect(serversIn(dataDir)).toEqual([]);
  },
  BUDGET_MS,
);

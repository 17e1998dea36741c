import { describe, expect, it } from 'vitest';
import { pageOf } from './page.ts';
import { planRound } from './plan.ts';
import { type FailoverReport, isOk, type RoundReport, summarize } from './report.ts';
import { reportText } from './text.ts';

const zone = (name: string, lost: boolean, gapMs: number) => ({
  zone: name,
  lost,
  gapMs,
  slowestMs: gapMs,
});

function round(number: number, change: Partial<RoundReport> = {}): RoundReport {
  return {
    ...planRound(1, number, ['kill']),
    text: 'SIGKILL hz1 (led 1 & 2)',
    bitten: true,
    affected: 2,
    elections: 2,
    acknowledged: 100,
    failed: 0,
    zones: [zone('hz1', true, 300), zone('hz2', false, 100 + number), zone('sh1', false, 90)],
    levelMs: 20,
    wrong: [],
    ...change,
  };
}

function report(rounds: readonly RoundReport[], wrong: readonly string[] = []): FailoverReport {
  const counts = { acknowledged: 1_000, refused: 10, unknownResolved: 1 };
  return { seed: 1, units: 4, perSecond: 200, seconds: 9, ...counts, rounds, wrong };
}

const FOUR = [1, 2, 3, 4].map((number) => round(number));

describe('a report', () => {
  it('takes each round’s worst client, apart for the zone that was hit', () => {
    const [kill] = summarize(FOUR);
    expect(kill!.others).toEqual({ p50: 102, p99: 104, max: 104 });
    expect(kill!.own).toEqual({ p50: 300, p99: 300, max: 300 });
  });

  it('leaves out of the figures what did not bite, and says how often', () => {
    const idle = round(5, { bitten: false, zones: [zone('hz2', false, 9_000)] });
    const [kill] = summarize([...FOUR, idle]);
    expect([kill!.rounds, kill!.bitten, kill!.others!.max]).toEqual([5, 4, 104]);
  });

  it('holds only if nothing is wrong, in a round or at the end', () => {
    expect(isOk(report(FOUR))).toBe(true);
    expect(isOk(report([...FOUR, round(5, { wrong: ['1 was acknowledged and is lost'] })]))).toBe(
      false,
    );
    expect(isOk(report(FOUR, ['the books of the zones differ']))).toBe(false);
    expect(isOk(report([]))).toBe(false);
  });

  it('does not hold if too few faults bit: then nothing was shown', () => {
    const idle = [5, 6, 7].map((number) => round(number, { bitten: false }));
    expect(isOk(report([...FOUR, ...idle]))).toBe(false);
    expect(reportText(report([...FOUR, ...idle]), 'again')).toContain('TOO FEW');
  });

  it('shows figures, faults and the way to repeat it, as text and as a page of its own', () => {
    const lost = report(FOUR, ['7 was acknowledged and is lost']);
    const page = pageOf(lost, 'bench failover --seed 1');
    for (const text of [page, reportText(lost, 'bench failover --seed 1')]) {
      expect(text).toContain('7 was acknowledged and is lost');
      expect(text).toContain('bench failover --seed 1');
      expect(text).toContain('104');
    }
    expect(page).toContain('(led 1 &amp; 2)');
    expect(page.match(/<circle/g)).toHaveLength(8);
    expect(page).not.toMatch(/https?:/);
  });
});

import { describe, expect, test } from 'vitest';
import { AnswerLog } from './window.ts';

/** One row sent and answered every `everyMs` from `fromMs` up to, not at, `toMs`. */
function steady(log: AnswerLog, fromMs: number, toMs: number, everyMs: number): void {
  for (let atMs = fromMs; atMs < toMs; atMs += everyMs) {
    log.sent(atMs, 1);
    log.answered(atMs, 1);
  }
}

describe('rates before, during and after an interval', () => {
  test('are of answers, each counted once', () => {
    const log = new AnswerLog();
    steady(log, 0, 10_000, 10);
    steady(log, 10_000, 20_000, 100);
    steady(log, 20_000, 30_000, 20);
    expect(log.summary({ fromMs: 10_000, toMs: 20_000 }, 30_000)).toEqual({
      before: { fromMs: 0, toMs: 10_000, answered: 1_000, perSecond: 100 },
      during: { fromMs: 10_000, toMs: 20_000, answered: 100, perSecond: 10 },
      after: { fromMs: 20_000, toMs: 30_000, answered: 500, perSecond: 50 },
    });
  });

  test('a short interval is widened to five seconds, and after begins where it ends', () => {
    const log = new AnswerLog();
    steady(log, 0, 30_000, 10);
    const { during, after } = log.summary({ fromMs: 10_000, toMs: 10_400 }, 30_000);
    expect(during).toEqual({ fromMs: 10_000, toMs: 15_000, answered: 500, perSecond: 100 });
    expect(after).toEqual({ fromMs: 15_000, toMs: 30_000, answered: 1_500, perSecond: 100 });
  });

  test('a window that cannot be five seconds long has a count but no rate', () => {
    const log = new AnswerLog();
    steady(log, 0, 12_000, 10);
    const { before, during, after } = log.summary({ fromMs: 4_999, toMs: 7_000 }, 12_000);
    expect(before).toEqual({ fromMs: 0, toMs: 4_999, answered: 500, perSecond: undefined });
    expect(during).toEqual({ fromMs: 4_999, toMs: 9_999, answered: 500, perSecond: 100 });
    expect(after).toEqual({ fromMs: 9_999, toMs: 12_000, answered: 200, perSecond: undefined });
    expect(log.summary({ fromMs: 9_000, toMs: 9_500 }, 12_000)).toMatchObject({
      during: { fromMs: 9_000, toMs: 12_000, answered: 300, perSecond: undefined },
      after: { fromMs: 12_000, toMs: 12_000, answered: 0, perSecond: undefined },
    });
  });

  test('the first window starts with the first row sent, and batches count their rows', () => {
    const log = new AnswerLog();
    log.sent(2_000, 900);
    log.answered(3_000, 600);
    log.answered(12_000, 300);
    const { before, during } = log.summary({ fromMs: 8_000, toMs: 13_000 }, 13_000);
    expect(before).toEqual({ fromMs: 2_000, toMs: 8_000, answered: 600, perSecond: 100 });
    expect(during.answered).toBe(300);
  });

  test('the last answer counts, though the run ends with it', () => {
    const log = new AnswerLog();
    log.sent(0, 5);
    log.answered(20_000, 5);
    expect(log.summary({ fromMs: 5_000, toMs: 6_000 }, 20_000).after.answered).toBe(5);
  });
});

describe('the longest gap', () => {
  test('is between two answers while rows were outstanding', () => {
    const log = new AnswerLog();
    log.sent(0, 10);
    log.answered(100, 1);
    log.answered(150, 1);
    log.sent(500, 1);
    log.answered(650, 1);
    log.answered(700, 8);
    expect(log.longestGap(700)).toEqual({ fromMs: 150, toMs: 650 });
  });

  test('leaves out time with nothing outstanding', () => {
    const log = new AnswerLog();
    log.sent(0, 1);
    log.answered(10, 1);
    log.sent(60_000, 1);
    log.answered(60_030, 1);
    expect(log.longestGap(90_000)).toEqual({ fromMs: 60_000, toMs: 60_030 });
  });

  test('counts the wait for the first answer, and silence up to the end', () => {
    const log = new AnswerLog();
    log.sent(100, 2);
    log.answered(400, 1);
    expect(log.longestGap(500)).toEqual({ fromMs: 100, toMs: 400 });
    expect(log.longestGap(9_000)).toEqual({ fromMs: 400, toMs: 9_000 });
    expect(log.outstanding).toBe(1);
  });

  test('is nothing when nothing was sent', () => {
    expect(new AnswerLog().longestGap(1_000)).toEqual({ fromMs: 0, toMs: 0 });
  });
});

describe('what cannot have happened is refused', () => {
  test('more answers than rows sent', () => {
    const log = new AnswerLog();
    log.sent(0, 1);
    expect(() => log.answered(1, 2)).toThrow('2 rows answered of 1 outstanding');
  });

  test('time that goes back, an end before the last event, an interval that ends early', () => {
    const log = new AnswerLog();
    log.sent(10, 1);
    expect(() => log.sent(9, 1)).toThrow('time went back');
    expect(() => log.answered(Number.NaN, 1)).toThrow('time went back');
    expect(() => log.summary({ fromMs: 0, toMs: 5 }, 9)).toThrow("the run's end");
    expect(() => log.summary({ fromMs: 6, toMs: 5 }, 10)).toThrow('ends early');
  });

  test.each([0, -1, 1.5])('%d rows', (count) => {
    expect(() => new AnswerLog().sent(0, count)).toThrow('not a count of rows');
  });
});

import { describe, expect, it } from 'vitest';
import { histogram, longestGapMs, quantile, slowestMs } from './gaps.ts';

const asked = (unit: number, dueMs: number, answeredMs: number | null) => ({
  units: [unit],
  dueMs,
  answeredMs,
});
const WINDOW = { fromMs: 100, toMs: 200 };

describe('a gap', () => {
  it('is the longest time from one answer to the next', () => {
    const view = [asked(1, 105, 110), asked(1, 115, 160), asked(1, 165, 170)];
    expect(longestGapMs(view, new Set([1]), WINDOW)).toBe(50);
  });

  it('reaches to the end of the window if nothing is answered any more', () => {
    expect(longestGapMs([asked(1, 105, 110), asked(1, 115, null)], new Set([1]), WINDOW)).toBe(90);
  });

  it('counts each unit for itself: answers of one do not cover the silence of another', () => {
    const view = [asked(1, 105, 110), ...[120, 140, 160, 180].map((ms) => asked(2, ms, ms))];
    expect(longestGapMs(view, new Set([1, 2]), WINDOW)).toBe(90);
    expect(longestGapMs(view, new Set([2]), WINDOW)).toBe(20);
  });

  it('ignores the units that were not hit, and answers before the fault', () => {
    expect(longestGapMs([asked(1, 50, 60)], new Set([2]), WINDOW)).toBe(100);
    expect(longestGapMs([asked(1, 50, 60)], new Set(), WINDOW)).toBe(0);
  });

  it('takes an answer over two units for both', () => {
    const crossing = { units: [1, 2], dueMs: 120, answeredMs: 150 };
    expect(longestGapMs([crossing], new Set([1, 2]), WINDOW)).toBe(50);
  });
});

it('the slowest answer is counted from when it was due, over the units that were hit', () => {
  const view = [asked(1, 10, 30), asked(2, 10, 90), asked(1, 20, null)];
  expect(slowestMs(view, new Set([1]))).toBe(20);
});

describe('quantiles', () => {
  it('are values that occur', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([0, 0.5, 0.99, 1].map((share) => quantile(values, share))).toEqual([1, 50, 99, 100]);
  });

  it('of nothing are nothing', () => {
    expect(quantile([], 0.5)).toBeNull();
  });
});

it('a histogram counts every value once, the open class included', () => {
  const values = [0, 49, 50, 299, 300, 100_000];
  const classes = histogram(values);
  expect(classes.reduce((sum, { count }) => sum + count, 0)).toBe(values.length);
  expect(classes[0]).toEqual({ label: '< 50', count: 2 });
  expect(classes.at(-1)).toEqual({ label: '>= 3000', count: 1 });
});

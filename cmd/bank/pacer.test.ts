import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Clock, pace, parseRate, type Rate } from './pacer.ts';

/** Time passes by sleeping; `late` may make a timer fire early (< 0) or late. */
class FakeClock implements Clock {
  ms = 1_000;
  sleeps = 0;
  readonly #late: () => number;

  constructor(late: () => number = () => 0) {
    this.#late = late;
  }

  nowMs(): number {
    return this.ms;
  }

  async sleep(ms: number): Promise<void> {
    this.sleeps += 1;
    this.ms += Math.max(0.01, ms + this.#late());
  }
}

/** When each row was released, in ms after the start. */
async function releases(rows: number, rate: Rate, clock: FakeClock): Promise<number[]> {
  const startMs = clock.ms;
  const releasedMs: number[] = [];
  for await (const count of pace(rows, rate, clock)) {
    expect(count).toBeGreaterThan(0);
    for (let i = 0; i < count; i += 1) releasedMs.push(clock.ms - startMs);
  }
  return releasedMs;
}

describe('a pacer', () => {
  test('releases each row when it is due, all of them, and never early', async () => {
    const releasedMs = await releases(10_000, 2_000, new FakeClock());
    expect(releasedMs).toHaveLength(10_000);
    releasedMs.forEach((atMs, row) => {
      const dueMs = (row * 1_000) / 2_000;
      expect(atMs).toBeGreaterThanOrEqual(dueMs - 1e-6);
      expect(atMs).toBeLessThan(dueMs + 5.001);
    });
  });

  test('holds for any rate and any timer', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0.5, max: 50_000, noNaN: true }),
        fc.infiniteStream(fc.double({ min: -4, max: 30, noNaN: true })),
        async (rows, rate, lateness) => {
          const late = () => lateness.next().value;
          const releasedMs = await releases(rows, rate, new FakeClock(late));
          expect(releasedMs).toHaveLength(rows);
          releasedMs.forEach((atMs, row) => {
            expect(atMs).toBeGreaterThanOrEqual((row * 1_000) / rate - 1e-6);
            expect(atMs).toBeLessThan((row * 1_000) / rate + 5 + 30 + 1);
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  test('is open loop: after a stall all that became due is due at once', async () => {
    const clock = new FakeClock();
    const paced = pace(10_000, 2_000, clock);
    await paced.next();
    clock.ms += 1_000;
    expect((await paced.next()).value).toBe(2_000);
    clock.ms += 60_000;
    expect((await paced.next()).value).toBe(10_000 - 1 - 2_000);
    expect((await paced.next()).done).toBe(true);
  });

  test('sleeps between turns rather than for each row', async () => {
    const clock = new FakeClock();
    await releases(10_000, 2_000, clock);
    expect(clock.sleeps).toBeLessThanOrEqual(1_001);
  });

  test('at a slow rate never asks for more sleep than a timer can hold', async () => {
    const clock = new FakeClock();
    const asked: number[] = [];
    const sleep = (ms: number) => {
      asked.push(ms);
      return clock.sleep(ms);
    };
    for await (const _ of pace(2, 0.01, { nowMs: () => clock.ms, sleep }));
    expect(Math.max(...asked)).toBe(1_000);
    expect(clock.ms).toBe(101_000);
  });

  test("at 'max' has all rows due at once, without a look at the clock", async () => {
    const clock = new FakeClock();
    const paced = pace(1_000, 'max', clock);
    expect(await paced.next()).toEqual({ value: 1_000, done: false });
    expect((await paced.next()).done).toBe(true);
    expect(clock.sleeps).toBe(0);
  });

  test.each([2_000, 'max'] as const)('of no rows at %s yields nothing', async (rate) => {
    expect(await releases(0, rate, new FakeClock())).toEqual([]);
  });
});

describe('a rate', () => {
  test.each([
    ['max', 'max'],
    ['2000', 2_000],
    ['0.5', 0.5],
    ['1000000', 1_000_000],
  ])('%j is taken', (text, rate) => {
    expect(parseRate(text)).toBe(rate);
  });

  test.each(['', '0', '-1', 'fast', '1e3', '1000001', '2000/s', 'Infinity', '0x10'])(
    '%j is refused',
    (text) => {
      expect(() => parseRate(text)).toThrow(`got '${text}'`);
    },
  );
});

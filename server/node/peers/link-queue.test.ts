import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Link, PLAIN_LINK } from './emulation.ts';
import { LinkQueue } from './link-queue.ts';

const ALL = Number.POSITIVE_INFINITY;
const link = (changes: Partial<Link>): Link => ({ ...PLAIN_LINK, ...changes });
const queue = (bytesMax = ALL, random = () => 0) => new LinkQueue<string>({ bytesMax, random });

describe('a delayed link', () => {
  test('gives an item when its delay is over, not before', () => {
    const q = queue();
    const slow = link({ delayMs: 0.5 });
    q.push('a', 1, 100, slow);
    expect(q.nextDueMs(slow)).toBe(100.5);
    expect(q.take(100.49, slow, ALL)).toEqual([]);
    expect(q.take(100.5, slow, ALL)).toEqual(['a']);
    expect(q.nextDueMs(slow)).toBeNull();
  });

  test('keeps the order when jitter would turn it round', () => {
    const draws = [0.9, 0.1];
    const q = queue(ALL, () => draws.shift()!);
    const shaky = link({ delayMs: 1, jitterMs: 10 });
    q.push('a', 1, 0, shaky);
    q.push('b', 1, 0, shaky);
    expect(q.take(9.9, shaky, ALL)).toEqual([]);
    expect(q.take(10, shaky, ALL)).toEqual(['a', 'b']);
  });

  test('made shorter lets go of what waits by the new delay, in order', () => {
    const q = queue();
    q.push('a', 1, 0, link({ delayMs: 1_000 }));
    q.push('b', 1, 900, link({ delayMs: 1_000 }));
    const fast = link({ delayMs: 2 });
    q.relink(999, fast);
    q.push('c', 1, 999, fast);
    expect(q.take(1_000, fast, ALL)).toEqual(['a']);
    expect(q.take(1_001, fast, ALL)).toEqual(['b', 'c']);
  });

  test('with bounded bandwidth carries one item after the other', () => {
    const q = queue();
    const thin = link({ bandwidthBytesPerSecond: 1_000, delayMs: 5 });
    q.push('a', 10, 0, thin); // on the link until 10 ms
    q.push('b', 20, 0, thin); // until 30 ms
    expect(q.take(14.9, thin, ALL)).toEqual([]);
    expect(q.take(15, thin, ALL)).toEqual(['a']);
    expect(q.take(34.9, thin, ALL)).toEqual([]);
    expect(q.take(35, thin, ALL)).toEqual(['b']);
    q.push('c', 10, 100, thin); // an idle link saves nothing up
    expect(q.nextDueMs(thin)).toBe(115);
  });
});

describe('a cut link', () => {
  const cut = link({ cut: true });

  test('loses what is sent, and what was on its way', () => {
    const q = queue();
    q.push('a', 1, 0, link({ delayMs: 10 }));
    q.push('b', 1, 0, cut);
    expect(q.take(5, cut, ALL)).toEqual([]);
    q.push('c', 1, 6, PLAIN_LINK);
    expect(q.take(20, PLAIN_LINK, ALL)).toEqual(['c']);
    expect(q.vanished).toBe(2);
    expect(q.bytes).toBe(0);
  });
});

describe('a black hole', () => {
  const hole = link({ blackHole: true });

  test('passes nothing while it lasts and everything, in order, when it ends', () => {
    const q = queue();
    q.push('a', 1, 0, PLAIN_LINK);
    q.push('b', 1, 1, hole);
    expect(q.take(1_000, hole, ALL)).toEqual([]);
    expect(q.nextDueMs(hole)).toBeNull();
    expect(q.take(1_000, PLAIN_LINK, ALL)).toEqual(['a', 'b']);
    expect(q.vanished).toBe(0);
  });

  test('is bounded as any queue', () => {
    const q = queue(10);
    for (let i = 0; i < 1_000; i += 1) q.push(`${i}`, 3, i, hole);
    expect(q.bytes).toBeLessThanOrEqual(10);
    expect(q.take(ALL, PLAIN_LINK, ALL)).toEqual(['997', '998', '999']);
    expect(q.dropped).toBe(997);
  });
});

describe('the bounds', () => {
  test('drop the oldest first, but keep the newest however large', () => {
    const q = queue(100);
    q.push('a', 60, 0, PLAIN_LINK);
    q.push('b', 60, 0, PLAIN_LINK);
    expect([q.dropped, q.bytes]).toEqual([1, 60]);
    q.push('c', 500, 0, PLAIN_LINK);
    expect(q.take(0, PLAIN_LINK, ALL)).toEqual(['c']);
    expect([q.dropped, q.bytes, q.size]).toEqual([2, 0, 0]);
  });

  test('of a frame cut what is taken, but a larger item goes alone', () => {
    const q = queue();
    for (const [item, bytes] of [
      ['a', 4],
      ['b', 4],
      ['c', 4],
      ['d', 99],
      ['e', 1],
    ] as const) {
      q.push(item, bytes, 0, PLAIN_LINK);
    }
    expect(q.take(0, PLAIN_LINK, 10)).toEqual(['a', 'b']);
    expect(q.take(0, PLAIN_LINK, 10)).toEqual(['c']);
    expect(q.take(0, PLAIN_LINK, 10)).toEqual(['d']);
    expect(q.take(0, PLAIN_LINK, 10)).toEqual(['e']);
  });

  test('of age drop what was pushed before', () => {
    const q = queue();
    q.push('a', 1, 0, PLAIN_LINK);
    q.push('b', 1, 10, PLAIN_LINK);
    q.dropBefore(10);
    expect(q.take(10, PLAIN_LINK, ALL)).toEqual(['b']);
    expect(q.dropped).toBe(1);
  });
});

test('whatever the links do, items come in order, none early, none twice, and none is lost uncounted', () => {
  const step = fc.record({
    advanceMs: fc.double({ min: 0, max: 20, noNaN: true }),
    bytes: fc.integer({ min: 1, max: 50 }),
    take: fc.boolean(),
    link: fc.record({
      delayMs: fc.double({ min: 0, max: 20, noNaN: true }),
      jitterMs: fc.double({ min: 0, max: 20, noNaN: true }),
      cut: fc.boolean().map((b) => b),
      blackHole: fc.boolean(),
      bandwidthBytesPerSecond: fc.constantFrom(0, 1_000, 100_000),
    }),
    relink: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.99, noNaN: true })),
      (steps, draws) => {
        const q = new LinkQueue<number>({ bytesMax: 200, random: () => draws.next().value! });
        const earliestMs: number[] = [];
        const out: number[] = [];
        let nowMs = 0;
        let current: Link = PLAIN_LINK;
        for (const { advanceMs, bytes, take, link: next, relink } of steps) {
          nowMs += advanceMs;
          if (relink) {
            current = next;
            q.relink(nowMs, current);
            for (let i = 0; i < earliestMs.length; i += 1) {
              earliestMs[i] = Math.min(earliestMs[i]!, nowMs + current.delayMs);
            }
          }
          earliestMs.push(nowMs + current.delayMs);
          q.push(earliestMs.length - 1, bytes, nowMs, current);
          if (!take) continue;
          for (const item of q.take(nowMs, current, 100)) {
            expect(earliestMs[item]!).toBeLessThanOrEqual(nowMs);
            out.push(item);
          }
        }
        expect(out).toEqual([...new Set(out)].sort((x, y) => x - y));
        expect(out.length + q.size + q.dropped + q.vanished).toBe(steps.length);
      },
    ),
    { numRuns: 300 },
  );
});

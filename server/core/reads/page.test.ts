import { describe, expect, it } from 'vitest';
import { collectPage } from './page.ts';

/** Candidates 1, 2, .. count, of which every `every`-th is wanted. */
function numbers(count: number, every: number, limit: number, asked: number[] = []) {
  let next = 1;
  return {
    limit,
    next: (max: number) => {
      asked.push(max);
      const size = Math.min(max, count - next + 1);
      const found = Array.from({ length: size }, (_, i) => Uint32Array.of(next + i));
      next += size;
      return found;
    },
    pick: (candidate: Uint32Array) => (candidate[0]! % every === 0 ? candidate : null),
    timestampOf: (candidate: Uint32Array) => BigInt(candidate[0]!),
  };
}

describe('a page', () => {
  it('ends where it is full', () => {
    const page = collectPage(numbers(5_000, 10, 3));
    expect(page).toMatchObject({ more: true, position: 30n });
    expect(page.rows.map(([n]) => n)).toEqual([10, 20, 30]);
  });

  it('ends where there is nothing more', () => {
    expect(collectPage(numbers(25, 10, 3))).toMatchObject({ more: false, position: 25n });
    expect(collectPage(numbers(0, 10, 3))).toEqual({ more: false, position: 0n, rows: [] });
  });

  it('ends where one call has looked at enough, and says how far that was', () => {
    const asked: number[] = [];
    const page = collectPage(numbers(50_000, 1_500, 8, asked), 4_000);
    expect(page).toMatchObject({ more: true, position: 4_000n });
    expect(page.rows.map(([n]) => n)).toEqual([1_500, 3_000]);
    expect(asked.reduce((sum, max) => sum + max)).toBe(4_000);
    expect(Math.max(...asked)).toBe(1_024);
  });

  it('asks for no more than a small page is likely to need', () => {
    const asked: number[] = [];
    collectPage(numbers(50_000, 1, 20, asked));
    expect(asked).toEqual([64]);
  });
});

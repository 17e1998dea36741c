import { describe, expect, test } from 'vitest';
import { cityLinks, isSilent, type LinkRule, linkOf, PLAIN_LINK } from './emulation.ts';

const a1 = { id: 1, zone: 'hz1' };
const a2 = { id: 2, zone: 'hz1' };
const b3 = { id: 3, zone: 'hz2' };
const c4 = { id: 4, zone: 'sh1' };

describe('the link of a direction', () => {
  test('is plain without rules', () => {
    expect(linkOf([], a1, b3)).toEqual(PLAIN_LINK);
  });

  test('takes every matching rule, the later over the earlier, field by field', () => {
    const rules: LinkRule[] = [
      { from: 'hz1', to: 'hz2', delayMs: 5, jitterMs: 1 },
      { from: 1, to: 'hz2', delayMs: 7 },
      { from: 'hz2', to: 'hz1', cut: true },
    ];
    expect(linkOf(rules, a1, b3)).toEqual({ ...PLAIN_LINK, delayMs: 7, jitterMs: 1 });
    expect(linkOf(rules, a2, b3)).toEqual({ ...PLAIN_LINK, delayMs: 5, jitterMs: 1 });
    expect(linkOf(rules, b3, a1)).toEqual({ ...PLAIN_LINK, cut: true });
  });

  test('is that of one way, unless the rule says both', () => {
    const oneWay: LinkRule = { from: 1, to: 3, cut: true };
    expect(linkOf([oneWay], b3, a1).cut).toBe(false);
    expect(linkOf([{ ...oneWay, bothWays: true }], b3, a1).cut).toBe(true);
    expect(linkOf([{ ...oneWay, bothWays: true }], b3, a2).cut).toBe(false);
  });

  test('a star means the servers of other zones: a lonely zone still talks to itself', () => {
    const rules: LinkRule[] = [{ from: 'hz1', to: '*', bothWays: true, cut: true }];
    expect(linkOf(rules, a1, b3).cut).toBe(true);
    expect(linkOf(rules, c4, a2).cut).toBe(true);
    expect(linkOf(rules, a1, a2).cut).toBe(false);
    expect(linkOf(rules, b3, c4).cut).toBe(false);
  });

  test('is silent when cut or black-holed, however slow it is otherwise', () => {
    expect(isSilent({ ...PLAIN_LINK, cut: true })).toBe(true);
    expect(isSilent({ ...PLAIN_LINK, blackHole: true })).toBe(true);
    expect(isSilent({ ...PLAIN_LINK, delayMs: 1e9 })).toBe(false);
  });
});

test('city links are 0.5 ms in a city, 8 ms between cities, nothing inside a zone', () => {
  const rules = cityLinks([
    { name: 'hz1', city: 'hangzhou' },
    { name: 'hz2', city: 'hangzhou' },
    { name: 'sh1', city: 'shanghai' },
  ]);
  const delay = (x: typeof a1, y: typeof a1) => linkOf(rules, x, y).delayMs;
  expect([delay(a1, b3), delay(b3, a1), delay(a1, c4), delay(c4, b3), delay(a1, a2)]).toEqual([
    0.5, 0.5, 8, 8, 0,
  ]);
});

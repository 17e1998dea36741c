import { expect, it } from 'vitest';
import { isoScale } from './iso-4217.ts';

it('knows the decimal places of currencies, and of nothing else', () => {
  expect(['EUR', 'CNY', 'JPY', 'KWD', 'CLF'].map(isoScale)).toEqual([2, 2, 0, 3, 4]);
  // A code of two neighbours' letters, one in small letters, a metal, and no code at all.
  expect(['EDA', 'eur', 'XAU', 'E', '', 'AED AFN'].map(isoScale)).toEqual(Array(6).fill(undefined));
});

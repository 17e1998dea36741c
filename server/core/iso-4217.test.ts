import { expect, it } from 'vitest';
import { isoNumber, isoScale } from './iso-4217.ts';

it('knows the decimal places of currencies, and of nothing else', () => {
  expect(['EUR', 'CNY', 'JPY', 'KWD', 'CLF'].map(isoScale)).toEqual([2, 2, 0, 3, 4]);
  expect(['eur', 'Jpy', 'ALL'].map(isoScale)).toEqual([2, 0, 2]);
  expect(['EUR', 'czk', 'ALL', 'XAU'].map(isoNumber)).toEqual([978, 203, 8, undefined]);
  // A code of two neighbours' letters, one that is too short, a metal, and no code at all.
  expect(['EDA', 'eu', 'XAU', 'E', '', 'AED AFN'].map(isoScale)).toEqual(Array(6).fill(undefined));
});

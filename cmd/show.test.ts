import { expect, it } from 'vitest';
import { toJson } from './show.ts';

it('gives amounts and times as text whatever their size, and ids as they are typed', () => {
  const text = toJson({
    id: 7n,
    debitAccountId: 2n ** 64n,
    amount: 5n,
    most: 2n ** 128n - 1n,
    code: 1,
  });
  expect(JSON.parse(text)).toEqual({
    id: '7',
    debitAccountId: '0x10000000000000000',
    amount: '5',
    most: `${2n ** 128n - 1n}`,
    code: 1,
  });
});

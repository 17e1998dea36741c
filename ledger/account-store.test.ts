import { describe, expect, it } from 'vitest';
import { AccountStore, HotWord } from './account-store.ts';
import { InvariantError } from './invariant.ts';
import { ACCOUNT_ROW_WORDS, AccountRowWord } from './layout.ts';
import { accountOf, idWords, packAccounts } from './testing/records.ts';

const COUNT = 10_000;
const idOf = (n: number) => BigInt(n + 1) << 70n;

function filled(): AccountStore {
  const store = new AccountStore(5);
  for (let n = 0; n < COUNT; n += 1) {
    expect(store.create(packAccounts([accountOf({ id: idOf(n) })]), 0, n, 7)).toBe(n);
  }
  return store;
}

describe('the account store', () => {
  it('keeps each account in its place over many pages', () => {
    const store = filled();
    for (let n = 0; n < COUNT; n += 1) {
      const handle = store.find(idWords(idOf(n)), 0);
      const at = store.offsetOf(handle) + HotWord.timestamp;
      expect([handle, store.pageOf(handle)[at]]).toEqual([n, n]);
    }
    expect(store.find(idWords(idOf(COUNT)), 0)).toBe(-1);
  });

  it('gives every changed account once, in handle order, and what it gave can be loaded', () => {
    const store = filled();
    const all = store.takeChanged();
    expect(all.length).toBe(COUNT * ACCOUNT_ROW_WORDS);
    expect(store.takeChanged()).toHaveLength(0);
    for (const handle of [9_000, 3, 4_096, 4_095, 3]) store.markChanged(handle);
    const some = store.takeChanged();
    const handles = [0, 1, 2, 3].map((i) => some[i * ACCOUNT_ROW_WORDS + AccountRowWord.handle]);
    expect(handles).toEqual([3, 4_095, 4_096, 9_000]);
    expect(some.length).toBe(4 * ACCOUNT_ROW_WORDS);
    const loaded = new AccountStore(6);
    for (let at = 0; at < all.length; at += ACCOUNT_ROW_WORDS) loaded.load(all, at);
    expect(loaded.find(idWords(idOf(9_999)), 0)).toBe(9_999);
    expect(loaded.takeChanged()).toHaveLength(0);
  });

  it('refuses a second account of an id, and books with a gap', () => {
    const store = new AccountStore(5);
    const record = packAccounts([accountOf({})]);
    store.create(record, 0, 1, 0);
    expect(() => store.create(record, 0, 2, 0)).toThrow(InvariantError);
    const row = new Uint32Array(ACCOUNT_ROW_WORDS).fill(2);
    expect(() => new AccountStore(5).load(row, 0)).toThrow(InvariantError);
  });
});

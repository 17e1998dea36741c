import { expect, test } from 'vitest';
import { IdIndex, RowStore } from './books-rows.ts';

test('rows are found by id and by ordinal over many pieces, while the table grows', () => {
  const store = new RowStore(5);
  const index = new IdIndex(store);
  const ids: Uint32Array[] = [];
  for (let piece = 0; piece < 40; piece++) {
    const rows = new Uint32Array(5 * (piece % 7) * 31);
    for (let at = 0; at < rows.length; at += 5) {
      const id = Uint32Array.of(ids.length % 3, 0, ids.length, piece % 2);
      rows.set(id, at);
      rows[at + 4] = ids.length;
      ids.push(id);
    }
    store.append(rows);
    index.extend();
  }
  expect(store.count).toBe(ids.length);
  for (const [ordinal, id] of ids.entries()) {
    expect(index.find(id, 0)).toBe(ordinal);
    expect(store.row(ordinal)[4]).toBe(ordinal);
    expect(index.find(Uint32Array.of(id[0]!, 1, id[2]!, id[3]!), 0)).toBe(-1);
  }
  expect(() => store.row(ids.length)).toThrow(RangeError);
});

test('an id that comes twice is an error', () => {
  const store = new RowStore(4);
  const index = new IdIndex(store);
  store.append(Uint32Array.of(1, 2, 3, 4, 1, 2, 3, 4));
  expect(() => index.extend()).toThrow('comes twice');
});

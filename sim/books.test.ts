import { beforeEach, describe, expect, test } from 'vitest';
import { type BooksUnderTest, describeBooks } from '../server/core/books.conformance.ts';
import { emptyFold, FoldMaker } from '../server/core/books.fixture.ts';
import { describeCopies } from '../server/core/books-copy.conformance.ts';
import { SimulatedBooks } from './books.ts';

const make = (): BooksUnderTest => {
  const all = new Map<number, SimulatedBooks>();
  return {
    open(unit) {
      const known = all.get(unit);
      known?.reopen();
      const books = known ?? new SimulatedBooks(unit, (_bytes, complete) => setImmediate(complete));
      all.set(unit, books);
      return books;
    },
    async restart() {
      for (const books of all.values()) books.close();
    },
    async dispose() {},
  };
};

describeBooks('simulated books', make);
describeCopies('simulated books', make);

describe('a crash', () => {
  const UNIT = 4;
  const waiting: (() => void)[] = [];
  let books: SimulatedBooks;
  let calls: unknown[];
  beforeEach(() => {
    waiting.length = 0;
    calls = [];
    books = new SimulatedBooks(UNIT, (bytes, complete) => {
      calls.push(bytes);
      waiting.push(complete);
    });
    books.commit(emptyFold(UNIT, 0, 3), (error) => calls.push(error));
    waiting.shift()!();
    books.commit(emptyFold(UNIT, 3, 5), () => calls.push('told'));
  });

  test.each([
    ['lost', 3],
    ['kept', 5],
  ] as const)('leaves a commit under way %s, and tells nobody', (inFlight, index) => {
    expect(books.index()).toBe(3);
    books.crash(inFlight);
    waiting.shift()!();
    expect(books.index()).toBe(index);
    expect(calls).toEqual([0, null, 0]);
  });

  test('opens the books to the next server, whose commits the old thread cannot complete', () => {
    books.crash();
    const late = waiting.shift()!;
    books.commit(emptyFold(UNIT, 3, 4), (error) => calls.push(error));
    late();
    expect(books.index()).toBe(3);
    waiting.shift()!();
    expect(books.index()).toBe(4);
    expect(books.load().index).toBe(4);
  });

  test('after a stop the books open again, but not while a commit is under way', () => {
    books.close();
    expect(() => books.commit(emptyFold(UNIT, 5, 6), () => {})).toThrow('closed');
    expect(() => books.reopen()).toThrow('under way');
    waiting.shift()!();
    books.reopen();
    expect(books.index()).toBe(5);
    expect(calls.at(-1)).toBe('told');
  });
});

test('a commit is metered by the bytes it holds', () => {
  const metered: number[] = [];
  const books = new SimulatedBooks(1, (bytes) => metered.push(bytes));
  const maker = new FoldMaker(1, { mix: 'plain' });
  books.commit(maker.next({ accounts: 3, transfers: 3, burnt: 1 }), () => {});
  expect(metered).toEqual([3 * 144 + 3 * 160 + 32]);
});

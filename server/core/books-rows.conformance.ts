import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  BURNT_ROW_WORDS,
  HISTORY_ROW_WORDS,
  HistoryRowWord,
  Leg,
  PENDING_ROW_WORDS,
  PendingState,
  RECORD_WORDS,
  TRANSFER_ROW_WORDS,
  TransferFlag,
  TransferRowWord,
  TransferWord,
} from '../../ledger/layout.ts';
import { type BooksUnderTest, commit } from './books.conformance.ts';
import { emptyFold, FoldMaker, pendingRow, putU64, u64 } from './books.fixture.ts';
import type { Books, ScanQuery } from './books.ts';

const UNIT = 3;
const COUNT = 2_400;
const ALL = { fromTimestamp: 0n, toTimestamp: 2n ** 64n - 1n, reversed: false, limit: 100_000 };

/** Reads of rows that are no account's own: by id, by time, by user data, by pending state. */
export function describeRowReads(name: string, make: () => BooksUnderTest): void {
  describe(`rows of all legs in ${name}`, () => {
    let host: BooksUnderTest;
    let books: Books;
    let maker: FoldMaker;
    /** With their pending states after the last fold. */
    let rows: Uint32Array[];
    let history: Uint32Array[];
    let burnt: Uint32Array[];
    beforeEach(async () => {
      host = make();
      books = host.open(UNIT);
      maker = new FoldMaker(UNIT, { seed: 11 });
      await commit(books, maker.next({ accounts: 12 }));
      const made: Uint32Array[] = [];
      history = [];
      burnt = [];
      for (let part = 0; part < 3; part++) {
        const fold = maker.next({ transfers: COUNT / 3, burnt: 5 });
        made.push(...split(fold.transfers, TRANSFER_ROW_WORDS));
        history.push(...split(fold.history, HISTORY_ROW_WORDS));
        burnt.push(...split(fold.burnt, BURNT_ROW_WORDS));
        await commit(books, fold);
      }
      rows = made.map((row) => maker.withState(row));
    });
    afterEach(() => host.dispose());

    test('stand for every leg and every pending state here', () => {
      const legs = new Set(rows.map(legOf));
      expect(legs).toEqual(new Set(Object.values(Leg)));
      const states = new Set(rows.map((row) => row[TransferRowWord.pendingState]));
      expect(states).toEqual(new Set(Object.values(PendingState)));
    });

    test('are found by id if they are transfers, with what became of pending ones', () => {
      const transfers = rows.filter(isTransfer);
      const ids = Uint32Array.from(transfers.flatMap((row) => [...row.subarray(0, 4)]));
      expect(books.lookUp(ids)).toEqual(transfers);
    });

    test('of a hold that was given back have no id', () => {
      const released = rows.filter((row) => legOf(row) === Leg.release);
      expect(released.length).toBeGreaterThan(10);
      for (const row of released) expect(books.lookUp(row.slice(0, 4))).toEqual([null]);
    });

    test('are found by row timestamp, or not', () => {
      const asked = [...rows.map(timestampOf), timestampOf(rows[5]!), 0n, 2n ** 64n - 1n];
      const found = books.rowsAt(u64s(asked));
      expect(found).toEqual([...rows, rows[5], null, null]);
      expect(books.rowsAt(new Uint32Array(0))).toEqual([]);
    });

    test('tell the amount that was asked for, where it was another', () => {
      const { requested } = maker.pendings;
      expect(requested.size).toBeGreaterThan(50);
      const expected = rows.map((row) => requested.get(timestampOf(row)) ?? null);
      expect(books.requestedAt(u64s(rows.map(timestampOf)))).toEqual(expected);
    });

    test('come by time in both directions, from any range, up to the limit', () => {
      expectScans({ kind: 'all' }, rows);
    });

    const bits = [32, 64, 128] as const;
    test.each(bits)('are found by their user data of %i bits, if they are transfers', (width) => {
      const values = new Set(rows.map((row) => userData(row, width)));
      values.delete(0n);
      expect(values.size).toBeGreaterThan(4);
      for (const value of values) {
        const own = rows.filter((row) => isTransfer(row) && userData(row, width) === value);
        const source = { kind: 'userData', bits: width, value } as const;
        expect(books.scan({ source, ...ALL })).toEqual(own);
        expectScans(source, own);
      }
      const none = { kind: 'userData', bits: width, value: 2n ** BigInt(width) - 1n } as const;
      expect(books.scan({ source: none, ...ALL })).toEqual([]);
    });

    test.each(bits)(
      'cannot be asked for by user data of %i bits that is 0 or too wide',
      (width) => {
        for (const value of [0n, -1n, 2n ** BigInt(width)]) {
          const source = { kind: 'userData', bits: width, value } as const;
          expect(() => books.scan({ source, ...ALL })).toThrow(RangeError);
        }
      },
    );

    test('are found while they are pending', () => {
      const pending = rows.filter(
        (row) => row[TransferRowWord.pendingState] === PendingState.pending,
      );
      expect(pending.length).toBeGreaterThan(20);
      expectScans({ kind: 'pending' }, pending);
    });

    test('in one fold may be booked and resolved', async () => {
      const row = new Uint32Array(TRANSFER_ROW_WORDS);
      const timestamp = timestampOf(rows.at(-1)!) + 100n;
      row[TransferWord.id] = 77;
      row[TransferWord.codeAndFlags] = (TransferFlag.pending << 16) | 1;
      putU64(row, TransferRowWord.rowTimestamp, timestamp);
      const pendings = new Uint32Array(2 * PENDING_ROW_WORDS);
      pendings.set(pendingRow(timestamp, PendingState.pending, 9n));
      pendings.set(pendingRow(timestamp, PendingState.expired, 9n, timestamp + 1n), 8);
      await commit(books, { ...emptyFold(UNIT, 4, 5), transfers: row, pendings });
      row[TransferRowWord.pendingState] = PendingState.expired;
      expect(books.rowsAt(u64s([timestamp]))).toEqual([row]);
    });

    test('leave balances behind, found at any later time', () => {
      expect(history.length).toBeGreaterThan(100);
      for (let handle = 0; handle < 12; handle++) {
        const own = history.filter((entry) => entry[HistoryRowWord.handle] === handle);
        for (const [position, entry] of own.entries()) {
          const rowTimestamp = u64(entry, HistoryRowWord.rowTimestamp);
          const balances = entry.slice(HistoryRowWord.balances);
          const next = own[position + 1];
          const until =
            next === undefined ? 2n ** 64n - 1n : u64(next, HistoryRowWord.rowTimestamp) - 1n;
          for (const timestamp of [rowTimestamp, until]) {
            expect(books.balancesAt(handle, timestamp)).toEqual({ rowTimestamp, balances });
          }
        }
        expect(books.balancesAt(handle, u64(own[0]!, HistoryRowWord.rowTimestamp) - 1n)).toBe(null);
      }
      expect(books.balancesAt(99, ALL.toTimestamp)).toBe(null);
    });

    test('leave timeouts and the newest timestamp to start from, before and after a restart', async () => {
      const open = maker.pendings.open.filter(({ deadline }) => deadline > 0n);
      expect(open.length).toBeGreaterThan(10);
      const expected = open.flatMap(({ row, deadline }) => [...u64s([timestampOf(row), deadline])]);
      for (const restarted of [false, true]) {
        if (restarted) {
          await host.restart();
          books = host.open(UNIT);
        }
        const image = books.load();
        expect([...image.timeouts].flatMap((piece) => [...piece])).toEqual(expected);
        expect(image.lastRowTimestamp).toBe(timestampOf(rows.at(-1)!));
      }
    });

    test('timeouts are of one index: after a commit what is left of them is refused', async () => {
      const { timeouts } = books.load();
      await commit(books, maker.next({ transfers: 1 }));
      expect(() => [...timeouts]).toThrow('before all timeouts were loaded');
    });

    test('give their ids in slices, burnt ones too, ascending', () => {
      const taken = [...rows.filter(isTransfer), ...burnt].map((row) => row.slice(0, 4));
      const ascending = taken.sort((a, b) => (idNumber(a) < idNumber(b) ? -1 : 1));
      for (const limit of [1_000, 7, taken.length]) {
        const found: Uint32Array[] = [];
        for (;;) {
          const slice = split(books.idsAfter(found.at(-1) ?? null, limit), 4);
          if (slice.length === 0) break;
          expect(slice.length).toBe(Math.min(limit, taken.length - found.length));
          found.push(...slice);
          if (limit === 7 && found.length > 70) break;
        }
        expect(found).toEqual(ascending.slice(0, found.length));
      }
      expect(books.idsAfter(new Uint32Array(4).fill(0xffff_ffff), 5)).toEqual(new Uint32Array(0));
    });

    function expectScans(source: ScanQuery['source'], expected: readonly Uint32Array[]): void {
      for (const reversed of [false, true]) {
        const inOrder = reversed ? expected.toReversed() : expected;
        for (const [from, to] of [
          [0, expected.length - 1],
          [1, Math.floor(expected.length / 2)],
          [Math.floor(expected.length / 3), Math.floor(expected.length / 3)],
        ] as const) {
          for (const [early, late] of [
            [0n, 0n],
            [1n, 0n],
            [0n, -1n],
          ] as const) {
            const fromTimestamp = timestampOf(expected[from]!) + early;
            const toTimestamp = timestampOf(expected[to]!) + late;
            const own = inOrder.filter(
              (row) => timestampOf(row) >= fromTimestamp && timestampOf(row) <= toTimestamp,
            );
            for (const limit of [0, 1, 50, 100_000]) {
              const query = { source, fromTimestamp, toTimestamp, reversed, limit };
              expect(books.scan(query)).toEqual(own.slice(0, limit));
            }
          }
        }
      }
      const late = { fromTimestamp: 2n ** 63n, toTimestamp: 2n ** 64n - 1n };
      expect(books.scan({ source, ...ALL, ...late })).toEqual([]);
    }
  });
}

function legOf(row: Uint32Array): number {
  return row[TransferRowWord.leg]! & 0xffff;
}

function isTransfer(row: Uint32Array): boolean {
  const legs: number[] = [Leg.both, Leg.home, Leg.far];
  return legs.includes(legOf(row));
}

function timestampOf(row: Uint32Array): bigint {
  return u64(row, TransferRowWord.rowTimestamp);
}

function idNumber(words: Uint32Array): bigint {
  return u64(words, 0) + u64(words, 2) * 2n ** 64n;
}

function userData(row: Uint32Array, bits: 32 | 64 | 128): bigint {
  if (bits === 32) return BigInt(row[TransferWord.userData32]!);
  if (bits === 64) return u64(row, TransferWord.userData64);
  return idNumber(row.subarray(TransferWord.userData128, RECORD_WORDS));
}

function u64s(values: readonly bigint[]): Uint32Array {
  const words = new Uint32Array(values.length * 2);
  for (const [i, value] of values.entries()) putU64(words, i * 2, value);
  return words;
}

function split(rows: Uint32Array, rowWords: number): Uint32Array[] {
  const count = rows.length / rowWords;
  return Array.from({ length: count }, (_, row) =>
    rows.slice(row * rowWords, (row + 1) * rowWords),
  );
}

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BooksImage, Fold } from '../../ledger/fold.ts';
import {
  ACCOUNT_ROW_WORDS,
  BURNT_ROW_WORDS,
  Leg,
  PendingState,
  SLOT_COUNT,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from '../../ledger/layout.ts';
import {
  channelRow,
  clearingAccountId,
  closedRow,
  decisionRow,
  emptyFold,
  FoldMaker,
  LEDGER,
  OTHER_UNIT,
  openRow,
  pendingRow,
  requestedRow,
  u64,
} from './books.fixture.ts';
import type { AccountTransfersQuery, Books } from './books.ts';
import { describeRowReads } from './books-rows.conformance.ts';

/** One server's means to keep books, and to start again over the same ones. */
export interface BooksUnderTest {
  open(unit: number): Books;
  /** Closes all books and makes them ready to be opened by the next server. */
  restart(): Promise<void>;
  dispose(): Promise<void>;
}

const UNIT = 3;
const LAST = 2n ** 63n - 1n;
/** What an image gives in pieces, and only once. */
const PIECES = { accounts: null, timeouts: null };

/** The contract of Books. Every implementation runs it. */
export function describeBooks(name: string, make: () => BooksUnderTest): void {
  describeRowReads(name, make);
  describe(`${name} keep the contract of books`, () => {
    let host: BooksUnderTest;
    let books: Books;
    beforeEach(() => {
      host = make();
      books = host.open(UNIT);
    });
    afterEach(() => host.dispose());

    const reopen = async (): Promise<void> => {
      await host.restart();
      books = host.open(UNIT);
    };

    test('new books are empty and stand at 0', () => {
      const image = books.load();
      expect(books.index()).toBe(0);
      expect(image).toMatchObject({
        unit: UNIT,
        index: 0,
        term: 0,
        lastTimestamp: 0n,
        digest: '0000000000000000',
        membership: null,
        slots: null,
        transferCount: 0,
      });
      expect([...image.accounts]).toEqual([]);
      expect([...image.timeouts]).toEqual([]);
      expect(image.lastRowTimestamp).toBe(0n);
      expect(image.opened.length + image.decisions.length + image.channels.length).toBe(0);
      expect([...image.maxTransferId]).toEqual([0, 0, 0, 0]);
    });

    test('load gives what was folded, before and after a restart', async () => {
      const maker = new FoldMaker(UNIT);
      const slots = Uint16Array.from({ length: SLOT_COUNT }, (_, slot) => (slot * 7) % 65_536);
      const membership = Uint8Array.of(3, 1, 4, 1, 5);
      await commit(books, { ...maker.next({ accounts: 50 }), slots, membership });
      await commit(books, maker.next({ accounts: 3, transfers: 40, burnt: 2 }));
      const last = { ...maker.next({ transfers: 5 }), lastTimestamp: LAST, throughTerm: 2 ** 40 };
      const digest = last.digest;
      await commit(books, last);
      for (const restarted of [false, true]) {
        if (restarted) await reopen();
        const image = books.load();
        expect(image).toMatchObject({ unit: UNIT, index: 3, term: 2 ** 40, lastTimestamp: LAST });
        expect(image).toMatchObject({ digest, slots, membership, transferCount: 45 });
        expect(accountsOf(image)).toEqual(maker.accountRows());
      }
    });

    test('a sync tells how far they are durable, while commits go on', async () => {
      const synced = (): Promise<number> =>
        new Promise((resolve, reject) =>
          books.sync((error, index) => (error === null ? resolve(index) : reject(error))),
        );
      const maker = new FoldMaker(UNIT);
      expect(await synced()).toBe(0);
      await commit(books, maker.next({ accounts: 5 }));
      expect(await synced()).toBe(1);
      const under = commit(books, maker.next({ transfers: 5 }));
      expect([1, 2]).toContain(await synced());
      await under;
      expect(await synced()).toBe(2);
    });

    test('accounts come whole and in handle order, however many', async () => {
      const maker = new FoldMaker(UNIT);
      await commit(books, maker.next({ accounts: 20_000 }));
      await commit(books, maker.next({ accounts: 20_000, transfers: 100 }));
      expect(accountsOf(books.load())).toEqual(maker.accountRows());
    });

    test('accounts are of one index: after a commit what is left of them is refused', async () => {
      const maker = new FoldMaker(UNIT);
      await commit(books, maker.next({ accounts: 5 }));
      const { accounts } = books.load();
      await commit(books, maker.next({ transfers: 2 }));
      expect(() => [...accounts]).toThrow('before all accounts were loaded');
    });

    test('a fold takes its buffers away', async () => {
      const fold = new FoldMaker(UNIT).next({ accounts: 2 });
      await new Promise((done) => {
        books.commit(fold, done);
        expect(fold.accounts.length).toBe(0);
      });
    });

    test('a second commit before the first is done is an error of the caller', async () => {
      const done = commit(books, emptyFold(UNIT, 0, 1));
      expect(() => books.commit(emptyFold(UNIT, 1, 2), () => {})).toThrow('committing');
      await done;
      await commit(books, emptyFold(UNIT, 1, 2));
      expect(books.index()).toBe(2);
    });

    test.each([
      [4, 6],
      [6, 7],
      [0, 6],
    ])('a fold from %i to %i is refused by books that stand at 5', async (after, through) => {
      await commit(books, emptyFold(UNIT, 0, 5));
      const fold = { ...emptyFold(UNIT, after, through), digest: 'ffffffffffffffff' };
      await expect(commit(books, fold)).rejects.toThrow('stand at 5');
      expect(books.load()).toMatchObject({ index: 5, digest: '0123456789abcdef' });
    });

    const broken: [string, Partial<Fold>][] = [
      ['another unit', { unit: UNIT + 1 }],
      ['no advance', { throughIndex: 0 }],
      ['half an account', { accounts: new Uint32Array(ACCOUNT_ROW_WORDS - 1) }],
      ['an account out of order', { accounts: new Uint32Array(2 * ACCOUNT_ROW_WORDS) }],
      ['transfers out of order', { transfers: new Uint32Array(2 * TRANSFER_ROW_WORDS) }],
      ['half a pending transfer', { pendings: new Uint32Array(7) }],
      ['a pending state of 5', { pendings: pendingRow(5n, 5 as PendingState, 0n, 9n) }],
      ['one resolved by nothing', { pendings: pendingRow(5n, PendingState.posted) }],
      ['one pending and resolved', { pendings: pendingRow(5n, PendingState.pending, 0n, 9n) }],
      ['a deadline past 2^63', { pendings: pendingRow(5n, PendingState.pending, 2n ** 63n) }],
      ['requested amounts out of order', { requested: new Uint32Array(16) }],
      ['a bad digest', { digest: 'ABC' }],
      ['a short slot table', { slots: new Uint16Array(SLOT_COUNT - 1) }],
    ];
    test.each(broken)('a fold with %s is refused', async (_, part) => {
      const fold = { ...emptyFold(UNIT, 0, 1), ...part };
      await expect(commit(books, fold)).rejects.toThrow('the fold of entries');
      expect(books.index()).toBe(0);
    });

    test('a fold that leaves out a handle is refused', async () => {
      const accounts = new FoldMaker(UNIT).next({ accounts: 3 }).accounts;
      accounts.copyWithin(ACCOUNT_ROW_WORDS, 2 * ACCOUNT_ROW_WORDS);
      const gap = accounts.slice(0, 2 * ACCOUNT_ROW_WORDS);
      await expect(commit(books, { ...emptyFold(UNIT, 0, 1), accounts: gap })).rejects.toThrow(
        'has account 2, where 1 is the next',
      );
    });

    describe('a fold that fails at its last row', () => {
      let maker: FoldMaker;
      let before: BooksImage;
      let taken: Uint32Array;
      let account: Uint32Array;
      beforeEach(async () => {
        maker = new FoldMaker(UNIT, { mix: 'plain' });
        const first = maker.next({ accounts: 10, transfers: 20, burnt: 1 });
        account = maker.accountId(4);
        taken = first.transfers.slice(0, TRANSFER_ROW_WORDS);
        await commit(books, {
          ...first,
          opened: openRow(OTHER_UNIT, 1n),
          decisions: decisionRow(OTHER_UNIT, 3n),
          pendings: Uint32Array.of(
            ...pendingRow(11n, PendingState.pending),
            ...pendingRow(12n, PendingState.pending),
            ...pendingRow(12n, PendingState.voided, 0n, 15n),
          ),
          requested: requestedRow(14n, [1]),
          history: new Uint32Array(20),
        });
        before = books.load();
      });
      const spoiled: [string, (fold: Fold) => Fold][] = [
        ['a transfer id of the books', (fold) => withLastId(fold, taken)],
        ['an id it has already', (fold) => withLastId(fold, fold.transfers)],
        ['an account that has another id', (fold) => withAccountId(fold, 0, [1, 2, 3, 4])],
        ['an account id of the books', (fold) => withAccountId(fold, -1, account)],
        ['a timestamp of the books', (fold) => withFirstTimestamp(fold, taken)],
        [
          'a pending transfer booked twice',
          (fold) => ({ ...fold, pendings: pendingRow(11n, PendingState.pending) }),
        ],
        [
          'a pending transfer resolved twice',
          (fold) => ({ ...fold, pendings: pendingRow(12n, PendingState.posted, 0n, 99n) }),
        ],
        [
          'an unknown pending transfer',
          (fold) => ({ ...fold, pendings: pendingRow(13n, PendingState.voided, 0n, 99n) }),
        ],
        [
          'another deadline',
          (fold) => ({ ...fold, pendings: pendingRow(11n, PendingState.voided, 5n, 99n) }),
        ],
        ['two amounts asked for', (fold) => ({ ...fold, requested: requestedRow(14n, [1]) })],
        ['two history entries at once', (fold) => ({ ...fold, history: new Uint32Array(20) })],
        ['an open crossing', (fold) => ({ ...fold, opened: openRow(OTHER_UNIT, 1n) })],
        ['a decision made twice', (fold) => ({ ...fold, decisions: decisionRow(OTHER_UNIT, 3n) })],
        ['a crossing not open', (fold) => ({ ...fold, closed: closedRow(OTHER_UNIT, 2n) })],
      ];
      test.each(spoiled)('for %s leaves nothing behind', async (_, spoil) => {
        const fold = spoil(maker.next({ accounts: 5, transfers: 20, burnt: 1 }));
        const ids = transferIdsOf(fold.transfers);
        await expect(commit(books, fold)).rejects.toThrow();
        for (const restarted of [false, true]) {
          if (restarted) await reopen();
          expect({ ...books.load(), ...PIECES }).toEqual({ ...before, ...PIECES });
          expect(accountsOf(books.load()).length).toBe(10 * ACCOUNT_ROW_WORDS);
          expect(books.lookUp(ids.subarray(4, 8))).toEqual([null]);
        }
      });

      test('no commit is taken after it, until a restart', async () => {
        await expect(commit(books, emptyFold(UNIT, 7, 8))).rejects.toThrow();
        await expect(commit(books, emptyFold(UNIT, 1, 2))).rejects.toThrow();
        expect(books.index()).toBe(1);
        await reopen();
        await commit(books, emptyFold(UNIT, 1, 2));
      });
    });

    describe('look-ups', () => {
      test.each([false, true])(
        'answer row, burnt or nothing in the order asked; random ids: %s',
        async (randomIds) => {
          const maker = new FoldMaker(UNIT, { randomIds, mix: 'plain' });
          await commit(books, maker.next({ accounts: 10 }));
          const folds = [1, 2].map(() => maker.next({ transfers: 9_000, burnt: 50 }));
          const rows = folds.map((fold) => fold.transfers.slice());
          const burnt = folds.map((fold) => idsOf(fold.burnt, BURNT_ROW_WORDS));
          for (const fold of folds) await commit(books, fold);

          const asked: number[] = [];
          const expected: unknown[] = [];
          for (let i = 0; i < 9_000; i++) {
            const row = rows[i % 2]!.slice(i * TRANSFER_ROW_WORDS, (i + 1) * TRANSFER_ROW_WORDS);
            asked.push(...row.subarray(0, 4));
            expected.push(row);
            const changed = row.slice(0, 4);
            changed[i % 4]! ^= 1 << (i % 32);
            asked.push(...changed);
            expected.push(null);
            if (i < 100) {
              asked.push(...burnt[i % 2]!.subarray((i >> 1) * 4, (i >> 1) * 4 + 4));
              expected.push('burnt');
            }
          }
          expect(books.lookUp(Uint32Array.from(asked))).toEqual(expected);
          await reopen();
          expect(books.lookUp(Uint32Array.from(asked.slice(0, 80)))).toEqual(expected.slice(0, 20));
        },
      );

      test('may ask for one id several times, and for none', async () => {
        const maker = new FoldMaker(UNIT, { mix: 'plain' });
        const fold = maker.next({ accounts: 3, transfers: 1 });
        const row = fold.transfers.slice();
        await commit(books, fold);
        const id = row.slice(0, 4);
        expect(books.lookUp(Uint32Array.of(...id, 0, 0, 0, 1, ...id))).toEqual([row, null, row]);
        expect(books.lookUp(new Uint32Array(0))).toEqual([]);
      });
    });

    test.each([
      [[1, 2, 3, 4], [0, 0, 0, 5], 1],
      [[9, 9, 2, 7], [8, 8, 3, 7], 1],
      [[0xff, 0, 0, 0], [0x100, 0, 0, 0], 1],
      [[0, 0x8000_0000, 1, 1], [0, 0x7fff_ffff, 1, 1], 0],
    ])('the largest id of %j and %j is found by number, burnt or not', async (a, b, larger) => {
      for (const [first, second] of [
        [a, b],
        [b, a],
      ]) {
        const maker = new FoldMaker(UNIT, { mix: 'plain' });
        const fold = maker.next({ accounts: 3, transfers: 1, burnt: 1 });
        fold.transfers.set(first!);
        fold.burnt.set(second!);
        await commit(books, fold);
        expect([...books.load().maxTransferId]).toEqual([a, b][larger]);
        await host.dispose();
        host = make();
        books = host.open(UNIT);
      }
    });

    describe('crossings', () => {
      const rows = (...parts: Uint32Array[]): Uint32Array =>
        Uint32Array.from(parts.flatMap((part) => [...part]));
      const fold = (after: number, part: Partial<Fold>): Fold => ({
        ...emptyFold(UNIT, after, after + 1),
        ...part,
      });

      test('opened ones stay until closed, and load in order of far unit and sequence', async () => {
        const big = 2n ** 53n + 1n;
        await commit(books, fold(0, { opened: rows(openRow(9, 2n), openRow(10, 1n)) }));
        await commit(books, fold(1, { opened: rows(openRow(9, 1n), openRow(2, big)) }));
        await commit(books, fold(2, { closed: closedRow(9, 2n), opened: openRow(9, 11n) }));
        const expected = rows(openRow(2, big), openRow(9, 1n), openRow(9, 11n), openRow(10, 1n));
        expect(books.load().opened).toEqual(expected);
        await reopen();
        expect(books.load().opened).toEqual(expected);
      });

      test('decisions stay until their home unit has finished them', async () => {
        const decisions = rows(decisionRow(8, 1n), decisionRow(9, 1n), decisionRow(9, 10n));
        await commit(books, fold(0, { decisions, channels: channelRow(9, 0n, 0n) }));
        expect(books.load().decisions).toEqual(decisions);
        const more = rows(decisionRow(9, 2n), decisionRow(9, 11n));
        await commit(books, fold(1, { decisions: more, channels: channelRow(9, 0n, 10n) }));
        expect(books.load().decisions).toEqual(rows(decisionRow(8, 1n), decisionRow(9, 11n)));
      });

      test('channels stand as last folded, in order of the other unit', async () => {
        const channels = rows(channelRow(10, 5n, 1n), channelRow(2, 2n ** 60n, 3n));
        await commit(books, fold(0, { channels }));
        await commit(books, fold(1, { channels: channelRow(10, 6n, 2n) }));
        await reopen();
        const expected = rows(channelRow(2, 2n ** 60n, 3n), channelRow(10, 6n, 2n));
        expect(books.load().channels).toEqual(expected);
      });
    });

    describe("an account's transfers", () => {
      const COUNT = 3_000;
      let maker: FoldMaker;
      let all: Uint32Array[];
      /** By row: handles of its sides. */
      let sides: [debit: number, credit: number][];
      const query = (handle: number, part: Partial<AccountTransfersQuery>) => ({
        newestRowTimestamp: maker.newestRowTimestamp(handle),
        accountId: maker.accountId(handle),
        fromTimestamp: 0n,
        toTimestamp: 2n ** 64n - 1n,
        reversed: false,
        limit: 10_000,
        ...part,
      });
      beforeEach(async () => {
        maker = new FoldMaker(UNIT, { seed: 5 });
        await commit(books, maker.next({ accounts: 8 }));
        all = [];
        for (let part = 0; part < 3; part++) {
          const fold = maker.next({ transfers: COUNT / 3 });
          all.push(...split(fold.transfers));
          await commit(books, fold);
        }
        all = all.map((row) => maker.withState(row));
        sides = all.map((row) => [debitHandle(maker, row), creditHandle(maker, row)]);
      });

      test('come in both directions, from any range, up to the limit', () => {
        let random = 1;
        const below = (limit: number): number => {
          random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fff_ffff;
          return (random >>> 8) % limit;
        };
        for (let round = 0; round < 300; round++) {
          const handle = below(8);
          const [a, b] = [below(COUNT), below(COUNT)].sort((x, y) => x - y) as [number, number];
          // At a row, or between two.
          const fromTimestamp = timestampOf(all[a]!) + BigInt(below(3) - 1);
          const toTimestamp = timestampOf(all[b]!) + BigInt(below(3) - 1);
          const limit = [1, 63, 64, 65, 200, COUNT][below(6)]!;
          const reversed = below(2) === 1;
          const expected = all.filter(
            (row, at) =>
              sides[at]!.includes(handle) &&
              timestampOf(row) >= fromTimestamp &&
              timestampOf(row) <= toTimestamp,
          );
          if (reversed) expected.reverse();
          const found = books.accountTransfers(
            query(handle, { fromTimestamp, toTimestamp, limit, reversed }),
          );
          expect(found).toEqual(expected.slice(0, limit));
        }
      });

      test('of a clearing account are the legs of its crossings', () => {
        const found = books.accountTransfers(query(0, {}));
        expect(maker.accountId(0)).toEqual(clearingAccountId(LEDGER, OTHER_UNIT));
        const crossings = all.filter((row) => row[TransferRowWord.leg]! >>> 16 === OTHER_UNIT);
        expect(found).toEqual(crossings);
        expect(found.length).toBeGreaterThan(200);
      });

      test('leave out those newer than the row to start from', () => {
        const own = all.filter((_, at) => sides[at]!.includes(3));
        const start = own[own.length - 100]!;
        const newestRowTimestamp = timestampOf(start);
        for (const reversed of [true, false]) {
          const found = books.accountTransfers(query(3, { newestRowTimestamp, reversed }));
          expect(found[reversed ? 0 : found.length - 1]).toEqual(start);
        }
      });

      test('are none without a newest row, without a limit, or in an empty range', () => {
        for (const reversed of [true, false]) {
          const none = [{ newestRowTimestamp: 0n }, { limit: 0 }, { fromTimestamp: LAST }];
          for (const part of none) {
            expect(books.accountTransfers(query(2, { ...part, reversed }))).toEqual([]);
          }
        }
      });

      test('are an error, not an end, where a row is missing or of others', () => {
        const missing = timestampOf(all[COUNT - 1]!) + 1n;
        const foreign = all.find((_, at) => !sides[at]!.includes(2));
        for (const newestRowTimestamp of [missing, timestampOf(foreign!)]) {
          expect(() => books.accountTransfers(query(2, { newestRowTimestamp }))).toThrow();
        }
      });
    });
  });
}

/** Commits a copy of the fold; rejects if the books refuse it. */
export function commit(books: Books, fold: Fold): Promise<void> {
  return new Promise((resolve, reject) => {
    books.commit(structuredClone(fold), (error) => (error === null ? resolve() : reject(error)));
  });
}

/** All account rows of the image. */
export function accountsOf(image: BooksImage): Uint32Array {
  const pieces = [...image.accounts];
  const all = new Uint32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function withLastId(fold: Fold, id: Uint32Array): Fold {
  fold.transfers.set(id.slice(0, 4), fold.transfers.length - TRANSFER_ROW_WORDS);
  return fold;
}

/** Changes the id of the account at this place, counted from the end if below 0. */
function withAccountId(fold: Fold, place: number, id: ArrayLike<number>): Fold {
  const rows = fold.accounts.length / ACCOUNT_ROW_WORDS;
  fold.accounts.set(id, ((place + rows) % rows) * ACCOUNT_ROW_WORDS);
  return fold;
}

function withFirstTimestamp(fold: Fold, row: Uint32Array): Fold {
  const word = TransferRowWord.rowTimestamp;
  fold.transfers.set(row.subarray(word, word + 2), word);
  return fold;
}

/** The ids at word 0 of each row. */
export function idsOf(rows: Uint32Array, rowWords: number): Uint32Array {
  const ids = new Uint32Array((rows.length / rowWords) * 4);
  for (let row = 0; row * rowWords < rows.length; row++) {
    ids.set(rows.subarray(row * rowWords, row * rowWords + 4), row * 4);
  }
  return ids;
}

/** The ids of those rows that are transfers. */
export function transferIdsOf(rows: Uint32Array): Uint32Array {
  return Uint32Array.from(
    split(rows)
      .filter((row) => (row[TransferRowWord.leg]! & 0xffff) <= Leg.far)
      .flatMap((row) => [...row.subarray(0, 4)]),
  );
}

function split(rows: Uint32Array): Uint32Array[] {
  const count = rows.length / TRANSFER_ROW_WORDS;
  return Array.from({ length: count }, (_, row) =>
    rows.slice(row * TRANSFER_ROW_WORDS, (row + 1) * TRANSFER_ROW_WORDS),
  );
}

function timestampOf(row: Uint32Array): bigint {
  return u64(row, TransferRowWord.rowTimestamp);
}

/** By hand, not by the code under test. Handle 0 is the clearing account. */
function debitHandle(maker: FoldMaker, row: Uint32Array): number {
  const far = (row[TransferRowWord.leg]! & 0xffff) === 2;
  return far ? 0 : maker.accounts.handleOf(row.subarray(4, 8));
}

function creditHandle(maker: FoldMaker, row: Uint32Array): number {
  const homes = [1, 3, 4].includes(row[TransferRowWord.leg]! & 0xffff);
  return homes ? 0 : maker.accounts.handleOf(row.subarray(8, 12));
}

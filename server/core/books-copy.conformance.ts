import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fold } from '../../ledger/fold.ts';
import { SLOT_COUNT } from '../../ledger/layout.ts';
import { accountsOf, type BooksUnderTest, commit, transferIdsOf } from './books.conformance.ts';
import { FoldMaker } from './books.fixture.ts';
import type { Books } from './books.ts';
import {
  type BooksBuild,
  type BooksChunk,
  type BooksReading,
  type BooksState,
  COPY_CHUNK_BYTES,
  CopyTable,
} from './books-copy.ts';

const UNIT = 5;

/** The contract of copies: from the books of one server to those of another. */
export function describeCopies(name: string, make: () => BooksUnderTest): void {
  describe(`${name} are copied to another server`, () => {
    let hosts: [BooksUnderTest, BooksUnderTest];
    let source: Books;
    let target: Books;
    beforeEach(() => {
      hosts = [make(), make()];
      source = hosts[0].open(UNIT);
      target = hosts[1].open(UNIT);
    });
    afterEach(() => Promise.all(hosts.map((host) => host.dispose())));

    /** Copies, and gives the chunks that went over. */
    const copy = async (from: 'own' | 'nothing'): Promise<BooksChunk[]> => {
      const build = target.build(from);
      const own = await openBuild(build);
      const reading = source.copy(own);
      const state = await openReading(reading);
      const chunks = await allChunks(reading);
      reading.close();
      for (const { table, rows } of chunks) await addChunk(build, { table, rows: rows.slice() });
      await finishBuild(build, state);
      await installBuild(build);
      return chunks;
    };

    const expectEqual = async (): Promise<void> => {
      expect(await dump(target)).toEqual(await dump(source));
      const image = target.load();
      const wanted = source.load();
      expect(accountsOf(image)).toEqual(accountsOf(wanted));
      expect([...image.timeouts].flatMap((piece) => [...piece])).toEqual(
        [...wanted.timeouts].flatMap((piece) => [...piece]),
      );
      const pieces = { accounts: null, timeouts: null };
      expect({ ...image, ...pieces }).toEqual({ ...wanted, ...pieces });
      expect(target.index()).toBe(wanted.index);
    };

    const fold = async (books: Books, folds: readonly Fold[]): Promise<void> => {
      for (const each of folds) await commit(books, each);
    };

    test('whole, to a server that has none', async () => {
      await fold(source, someFolds(new FoldMaker(UNIT, { seed: 3 })));
      await copy('own');
      await expectEqual();
      await hosts[1].restart();
      target = hosts[1].open(UNIT);
      await expectEqual();
    });

    test('while they are empty', async () => {
      expect(await copy('own')).toEqual([]);
      await expectEqual();
    });

    test('in what is missing alone, of rows that never change', async () => {
      const folds = someFolds(new FoldMaker(UNIT, { seed: 4 }));
      await fold(source, folds);
      await fold(target, folds.slice(0, 2));
      const chunks = await copy('own');
      await expectEqual();
      const missing = folds.slice(2).map(({ transfers }) => transfers.length);
      const words = (table: number) =>
        chunks.reduce((sum, chunk) => sum + (chunk.table === table ? chunk.rows.length : 0), 0);
      expect(words(CopyTable.transfers)).toBe(missing.reduce((sum, length) => sum + length, 0));
      expect(chunks.every(({ rows }) => rows.byteLength <= COPY_CHUNK_BYTES)).toBe(true);
    });

    test('and go on from there: folds, look-ups and histories', async () => {
      const maker = new FoldMaker(UNIT, { seed: 5 });
      const folds = someFolds(maker);
      await fold(source, folds);
      await fold(target, folds.slice(0, 1));
      await copy('own');
      const more = maker.next({ accounts: 3, transfers: 200, burnt: 2 });
      await fold(source, [more]);
      await fold(target, [more]);
      await expectEqual();
      const ids = transferIdsOf(folds[2]!.transfers);
      expect(target.lookUp(ids)).toEqual(source.lookUp(ids));
      for (const handle of [0, 3, 7]) {
        const query = {
          newestRowTimestamp: maker.newestRowTimestamp(handle),
          accountId: maker.accountId(handle),
          fromTimestamp: 0n,
          toTimestamp: 2n ** 62n,
          reversed: true,
          limit: 100,
        };
        expect(target.accountTransfers(query)).toEqual(source.accountTransfers(query));
      }
      const scan = {
        source: { kind: 'userData', bits: 32, value: 2n },
        fromTimestamp: 0n,
        toTimestamp: 2n ** 62n,
        reversed: false,
        limit: 50,
      } as const;
      expect(target.scan(scan)).toEqual(source.scan(scan));
      expect(target.scan(scan).length).toBeGreaterThan(0);
    });

    test('as of one index, while both go on folding', async () => {
      const folds = someFolds(new FoldMaker(UNIT, { seed: 6 }));
      await fold(source, folds.slice(0, 3));
      await fold(target, folds.slice(0, 1));
      const wanted = await dump(source);
      const build = target.build('own');
      const reading = source.copy(await openBuild(build));
      const state = await openReading(reading);
      const first = await nextChunk(reading);
      await fold(source, folds.slice(3));
      await fold(target, folds.slice(1, 2));
      const chunks = [first!, ...(await allChunks(reading))];
      reading.close();
      for (const chunk of chunks) await addChunk(build, chunk);
      await finishBuild(build, state);
      expect(target.index()).toBe(2);
      await installBuild(build);
      expect(target.index()).toBe(3);
      expect(await dump(target)).toEqual(wanted);
      await fold(target, folds.slice(3));
      await expectEqual();
    });

    test('not at all if a row is damaged, lost, doubled, or from elsewhere', async () => {
      const folds = someFolds(new FoldMaker(UNIT, { seed: 7 }));
      await fold(source, folds);
      const reading = source.copy(null);
      const state = await openReading(reading);
      const chunks = await allChunks(reading);
      reading.close();
      const bad: [string, (chunks: BooksChunk[]) => unknown][] = [
        ['damaged', (all) => rowsOfTable(all, CopyTable.transfers)[7]!++],
        ['damaged', (all) => rowsOfTable(all, CopyTable.history)[6]!++],
        ['damaged', (all) => rowsOfTable(all, CopyTable.requested)[5]!++],
        ['damaged', (all) => rowsOfTable(all, CopyTable.burnt)[1]!++],
        ['lost', (all) => all.splice(at(all, CopyTable.transfers), 1)],
        ['lost', (all) => all.splice(at(all, CopyTable.burnt), 1)],
        ['lost', (all) => all.splice(at(all, CopyTable.decisions), 1)],
        ['doubled', (all) => all.push(all[at(all, CopyTable.transfers)]!)],
        ['no table', (all) => all.push({ table: 77, rows: new Uint32Array(8) })],
        ['no row', (all) => all.push({ table: CopyTable.burnt, rows: new Uint32Array(7) })],
      ];
      for (const [what, spoil] of bad) {
        const spoilt = structuredClone(chunks);
        spoil(spoilt);
        const build = target.build('nothing');
        await openBuild(build);
        const built = (async () => {
          for (const { table, rows } of spoilt) {
            await addChunk(build, { table, rows: rows.slice() });
          }
          await finishBuild(build, state);
        })();
        await expect(built, what).rejects.toMatchObject({ code: 'copy_differs' });
        build.abandon();
      }
      await expectEmpty(target);
    });

    test('not over own rows that are others, but then from nothing', async () => {
      const folds = someFolds(new FoldMaker(UNIT, { seed: 8 }));
      await fold(source, folds);
      const other = structuredClone(folds[0]!);
      other.transfers[12]! ^= 1;
      await fold(target, [other]);
      await expect(copy('own')).rejects.toMatchObject({ code: 'copy_differs' });
      expect(target.index()).toBe(1);
      await copy('nothing');
      await expectEqual();
    });

    test('or not at all: a crash before the switch leaves the old ones', async () => {
      const folds = someFolds(new FoldMaker(UNIT, { seed: 9 }));
      await fold(source, folds);
      await fold(target, folds.slice(0, 1));
      const old = await dump(target);
      for (const steps of [1, 2, 3]) {
        const build = target.build('own');
        const reading = source.copy(await openBuild(build));
        const state = await openReading(reading);
        const chunks = await allChunks(reading);
        if (steps > 1) for (const chunk of chunks) await addChunk(build, chunk);
        if (steps > 2) await finishBuild(build, state);
        await hosts[1].restart();
        target = hosts[1].open(UNIT);
        expect(await dump(target)).toEqual(old);
      }
      await copy('own');
      await expectEqual();
    });

    test('twice, the second time over what came first', async () => {
      const folds = someFolds(new FoldMaker(UNIT, { seed: 10 }));
      await fold(source, folds.slice(0, 2));
      await copy('own');
      await fold(source, folds.slice(2));
      await copy('own');
      await expectEqual();
      await hosts[1].restart();
      target = hosts[1].open(UNIT);
      await expectEqual();
    });

    test('whatever they hold and wherever the other stands', async () => {
      const world = fc.record({
        seed: fc.nat(),
        randomIds: fc.boolean(),
        from: fc.constantFrom('own' as const, 'nothing' as const),
        sizes: fc.array(
          fc.record({
            accounts: fc.nat(20),
            transfers: fc.nat(150),
            burnt: fc.nat(3),
          }),
          { minLength: 1, maxLength: 5 },
        ),
        cut: fc.nat(5),
      });
      let unit = UNIT;
      await fc.assert(
        fc.asyncProperty(world, async ({ seed, randomIds, from, sizes, cut }) => {
          unit += 1;
          source = hosts[0].open(unit);
          target = hosts[1].open(unit);
          const maker = new FoldMaker(unit, { seed, randomIds });
          const folds = [{ accounts: 5 }, ...sizes].map((size) => maker.next(size));
          await fold(source, folds);
          await fold(target, folds.slice(0, cut));
          await copy(from);
          await expectEqual();
        }),
        { numRuns: 3 },
      );
    });
  });
}

/** Five, with everything that books hold. */
function someFolds(maker: FoldMaker): Fold[] {
  const slots = Uint16Array.from({ length: SLOT_COUNT }, (_, slot) => slot % 3);
  return [
    { ...maker.next({ accounts: 40, transfers: 300, burnt: 2 }), slots },
    { ...maker.next({ accounts: 10, transfers: 1_900 }), membership: Uint8Array.of(9, 8, 7) },
    maker.next({ transfers: 700, burnt: 3 }),
    maker.next({ accounts: 1, transfers: 1 }),
    maker.next({ transfers: 250 }),
  ];
}

async function expectEmpty(books: Books): Promise<void> {
  expect(books.index()).toBe(0);
  expect((await dump(books)).tables).toEqual(new Map());
}

function at(chunks: readonly BooksChunk[], table: number): number {
  const found = chunks.findIndex((chunk) => chunk.table === table);
  expect(found).toBeGreaterThanOrEqual(0);
  return found;
}

function rowsOfTable(chunks: readonly BooksChunk[], table: number): Uint32Array {
  return chunks[at(chunks, table)]!.rows;
}

/** Calls of a reading and a build as promises. */
function openReading(reading: BooksReading): Promise<BooksState> {
  return new Promise((resolve, reject) =>
    reading.open((error, state) => (error === null ? resolve(state!) : reject(error))),
  );
}

function nextChunk(reading: BooksReading): Promise<BooksChunk | null> {
  return new Promise((resolve, reject) =>
    reading.next((error, chunk) => (error === null ? resolve(chunk) : reject(error))),
  );
}

async function allChunks(reading: BooksReading): Promise<BooksChunk[]> {
  const chunks: BooksChunk[] = [];
  for (;;) {
    const chunk = await nextChunk(reading);
    if (chunk === null) return chunks;
    chunks.push(chunk);
  }
}

function openBuild(build: BooksBuild): Promise<BooksState | null> {
  return new Promise((resolve, reject) =>
    build.open((error, own) => (error === null ? resolve(own) : reject(error))),
  );
}

function addChunk(build: BooksBuild, chunk: BooksChunk): Promise<void> {
  return settled((done) => build.add(chunk, done));
}

function finishBuild(build: BooksBuild, state: BooksState): Promise<void> {
  return settled((done) => build.finish(state, done));
}

function installBuild(build: BooksBuild): Promise<void> {
  return settled((done) => build.install(done));
}

/** All that the books hold: their state and every row by table. */
async function dump(books: Books): Promise<{ state: BooksState; tables: Map<number, number[]> }> {
  const reading = books.copy(null);
  const state = await openReading(reading);
  const tables = new Map<number, number[]>();
  for (const { table, rows } of await allChunks(reading)) {
    const all = tables.get(table) ?? [];
    for (const word of rows) all.push(word);
    tables.set(table, all);
  }
  reading.close();
  return { state, tables };
}

function settled(call: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) =>
    call((error) => (error === null ? resolve() : reject(error))),
  );
}

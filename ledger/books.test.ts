import { describe, expect, it } from 'vitest';
import { asEntryWords, createTransfersSubBatch, EntryBuilder, unitInitSubBatch } from './entry.ts';
import { emptyImage } from './fold.ts';
import { InvariantError } from './invariant.ts';
import {
  BALANCES_WORDS,
  HISTORY_EVERY,
  HISTORY_ROW_WORDS,
  HistoryRowWord,
  Leg,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from './layout.ts';
import { type LookUpResult, Machine } from './machine.ts';
import { TransferStatus } from './status.ts';
import {
  accountOf,
  getWords,
  idWords,
  packTransfers,
  type TransferFields,
  transferOf,
  unpackTransfer,
} from './testing/records.ts';
import { accountIn, dealtSlots } from './testing/slots.ts';
import { UnitUnderTest } from './testing/unit-under-test.ts';

const ACCOUNTS = 300;
const ids = Array.from({ length: ACCOUNTS }, (_, n) => accountIn(1, n));
const far = accountIn(2, 0);

/** A small generator, so that every run is the same. */
function* numbers(seed: number): Generator<number, never> {
  let x = seed;
  for (;;) {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0;
    yield x >>> 8;
  }
}

/** Transfers with ids in no order, among accounts of which the first takes part in every fifth. */
function batchOf(count: number, seed: number): TransferFields[] {
  const random = numbers(seed);
  const next = (below: number) => random.next().value % below;
  return Array.from({ length: count }, (_, i) => {
    const id = (BigInt(next(1 << 24)) << 64n) | BigInt(seed * 100_000 + i + 1);
    const debit = i % 5 === 0 ? 0 : next(ACCOUNTS);
    const credit = (debit + 1 + next(ACCOUNTS - 1)) % ACCOUNTS;
    const isCrossing = i % 9 === 0;
    const amount = BigInt(1 + next(1000));
    return transferOf({ id, debit: ids[debit]!, credit: isCrossing ? far : ids[credit]!, amount });
  });
}

function busyUnit(residentMax: number): UnitUnderTest {
  const unit = new UnitUnderTest(1, residentMax);
  unit.initialise();
  const events = ids.map((id) => accountOf({ id }));
  unit.apply({ kind: 'accounts', events, balances: false });
  return unit;
}

/** Applies a batch and completes what crossed, but for the last few. */
function work(unit: UnitUnderTest, count: number, seed: number): TransferFields[] {
  const events = batchOf(count, seed);
  unit.apply({ kind: 'transfers', events, balances: false });
  const items = unit
    .openCrossings()
    .slice(0, -20)
    .map(({ sequence }) => ({ sequence, status: TransferStatus.created }));
  unit.apply({ kind: 'complete', farUnit: 2, items, balances: false });
  return events;
}

function rowTime(row: Uint32Array): bigint {
  return getWords(row, TransferRowWord.rowTimestamp, 2);
}

/** Word of the row's link for the account, or -1 if it is none of its sides. */
function linkOf(row: Uint32Array, account: bigint): number {
  const [debit, credit] = sidesOf(row);
  if (debit === account) return TransferRowWord.previousDebit;
  return credit === account ? TransferRowWord.previousCredit : -1;
}

function sidesOf(row: Uint32Array): [debit: bigint, credit: bigint] {
  const { debit, credit } = unpackTransfer(row, 0);
  const leg = row[TransferRowWord.leg]! & 0xffff;
  const isClearing = ([Leg.home, Leg.hold] as number[]).includes(leg) && credit === far;
  return [debit, isClearing ? unitClearing : credit];
}

/** Times of each account's rows, newest first. */
function timesByAccount(rows: readonly Uint32Array[]): Map<bigint, bigint[]> {
  const times = new Map<bigint, bigint[]>();
  for (const row of rows.toReversed()) {
    for (const account of sidesOf(row)) {
      times.set(account, [...(times.get(account) ?? []), rowTime(row)]);
    }
  }
  return times;
}
const unitClearing = 2n ** 128n - 2n ** 64n + ((1n << 32n) | (2n << 16n) | 1n);

const ID_FILTER = { bytesMax: 1_024, windowIds: 1_000 };

describe('books fed with folds', () => {
  it('hold the same as memory over thousands of rows, however little memory keeps', () => {
    const unit = busyUnit(500);
    const sent: TransferFields[] = [];
    for (let round = 1; round <= 4; round += 1) {
      sent.push(...work(unit, 3_000, round));
      unit.fold(round % 2 === 0 ? 'once' : 'later');
    }
    unit.restart();
    const again = sent.filter((_, i) => i % 4 === 0);
    const results = unit.apply({ kind: 'transfers', events: again, balances: true });
    const { exists, created } = TransferStatus;
    expect(results.filter(({ status }) => status === exists).length).toBeGreaterThan(2_900);
    expect(results.filter(({ status }) => status === created)).toEqual([]);
  });

  it('chain the rows of every account, newest first, clearing accounts too', () => {
    const unit = busyUnit(10);
    for (let round = 1; round <= 2; round += 1) {
      work(unit, 2_000, round);
      unit.fold('once');
    }
    const rows = unit.books.transfers();
    const byTime = new Map(rows.map((row) => [rowTime(row), row]));
    const expected = timesByAccount(rows);
    for (const account of [...ids, unitClearing]) {
      const handle = unit.forgetful.findAccount(idWords(account), 0);
      const walked: bigint[] = [];
      let at = unit.forgetful.accountLatestTransfer(handle);
      while (at !== 0n) {
        walked.push(at);
        const row = byTime.get(at)!;
        at = getWords(row, linkOf(row, account), 2);
      }
      expect(walked).toEqual(expected.get(account));
    }
  });

  it('get the balances of every 64th row of an account', () => {
    const unit = busyUnit(10);
    const first = ids[0]!;
    const expected: bigint[][] = [];
    let rows = 0;
    for (let i = 0; i < 200; i += 1) {
      const [debit, credit] = i % 3 === 0 ? [ids[(i % 7) + 1]!, first] : [first, ids[(i % 7) + 1]!];
      const events = [transferOf({ id: BigInt(i + 1), debit, credit, amount: 3n })];
      const [result] = unit.apply({ kind: 'transfers', events, balances: true });
      rows += 1;
      const balances = debit === first ? result!.debit! : result!.credit!;
      if (rows % HISTORY_EVERY === 0) expected.push([result!.timestamp, ...balances]);
      if (i % 50 === 0) unit.fold('once');
    }
    unit.fold('once');
    const history = unit.books.history
      .flatMap((words) => splitRows(words, HISTORY_ROW_WORDS))
      .filter((row) => row[HistoryRowWord.handle] === 0)
      .map((row) => [
        getWords(row, HistoryRowWord.rowTimestamp, 2),
        ...splitRows(row.slice(HistoryRowWord.balances), BALANCES_WORDS / 4).map((column) =>
          getWords(column, 0, 4),
        ),
      ]);
    expect(history).toEqual(expected);
    expect(expected).toHaveLength(3);
  });

  it('are completed by the rows that memory has and they lack', () => {
    const unit = busyUnit(10);
    work(unit, 1_000, 1);
    unit.fold('once');
    const held = new Set(unit.books.transfers().map(rowTime));
    expect(unit.forgetful.unfoldedAccountTransfers(idWords(ids[0]!))).toEqual([]);
    work(unit, 1_000, 2);
    // Taken, but the books have not said that they hold it.
    unit.fold('later');
    const rows = unit.books.transfers().filter((row) => !held.has(rowTime(row)));
    for (const account of [ids[0]!, ids[1]!, unitClearing]) {
      const expected = rows.filter((row) => linkOf(row, account) >= 0).toReversed();
      expect(expected.length).toBeGreaterThan(0);
      expect(unit.forgetful.unfoldedAccountTransfers(idWords(account))).toEqual(expected);
    }
    expect(unit.forgetful.unfoldedAccountTransfers(idWords(far))).toEqual([]);
  });
});

function splitRows(words: Uint32Array, rowWords: number): Uint32Array[] {
  const count = words.length / rowWords;
  return Array.from({ length: count }, (_, i) => words.slice(i * rowWords, (i + 1) * rowWords));
}

describe('memory', () => {
  it('weighs what the books do not hold, until they say so', () => {
    const { forgetful } = busyUnit(10);
    const before = forgetful.unfoldedBytes;
    expect(before).toBeGreaterThan(ACCOUNTS * 128);
    const fold = forgetful.takeFold()!;
    expect(forgetful.unfoldedBytes).toBe(before);
    expect(forgetful.takeFold()).toBeNull();
    forgetful.skip(forgetful.index + 1, 1);
    expect(forgetful.unfoldedBytes).toBeGreaterThan(before);
    forgetful.folded(fold.throughIndex);
    expect(forgetful.unfoldedBytes).toBeLessThan(100);
    expect(forgetful.takeFold()).toMatchObject({ afterIndex: 2, throughIndex: 3 });
  });

  it('goes into one fold only, also while an earlier one is on its way', () => {
    const unit = busyUnit(10);
    const rowsOf = () => unit.forgetful.takeFold()!.transfers.length / TRANSFER_ROW_WORDS;
    const send = (id: bigint) => {
      const events = [transferOf({ id, debit: ids[0]!, credit: ids[1]! })];
      unit.apply({ kind: 'transfers', events, balances: false });
    };
    send(1n);
    send(2n);
    expect(rowsOf()).toBe(2);
    send(3n);
    expect(rowsOf()).toBe(1);
    unit.forgetful.folded(4);
    expect(unit.forgetful.unfoldedBytes).toBeGreaterThan(0);
    unit.forgetful.folded(5);
    expect(unit.forgetful.unfoldedBytes).toBe(0);
    expect(() => unit.forgetful.folded(5)).toThrow(InvariantError);
  });

  it('forgets nothing before the books hold it, and then the oldest first', () => {
    const unit = busyUnit(100);
    const events = batchOf(300, 1).map((event, i) => ({
      ...event,
      credit: ids[0]!,
      debit: ids[1 + (i % 9)]!,
    }));
    const first = events[0]!;
    const last = events.at(-1)!;
    unit.apply({ kind: 'transfers', events, balances: false });
    const resident = (event: TransferFields) =>
      unit.forgetful.findResidentTransfer(idWords(event.id), 0);
    expect(resident(first)).toHaveLength(TRANSFER_ROW_WORDS);
    unit.fold('later');
    expect(resident(first)).toHaveLength(TRANSFER_ROW_WORDS);
    unit.fold('once');
    expect(resident(first)).toBeNull();
    expect(resident(last)).toHaveLength(TRANSFER_ROW_WORDS);
    expect(events.filter((event) => resident(event) !== null)).toHaveLength(100);
  });

  it('tells a burnt and an open id apart from none', () => {
    const unit = busyUnit(100);
    const events = [
      transferOf({ id: 1n, debit: accountIn(1, ACCOUNTS + 1), credit: ids[0]! }),
      transferOf({ id: 2n, debit: ids[0]!, credit: far }),
    ];
    unit.apply({ kind: 'transfers', events, balances: false });
    const known = [1n, 2n, 3n].map((id) => unit.plain.findResidentTransfer(idWords(id), 0));
    expect(known).toEqual(['burnt', 'open', null]);
  });
});

describe('a look-up', () => {
  const fresh = () => {
    const image = { ...emptyImage(1), maxTransferId: idWords(1_000n), slots: dealtSlots(3) };
    return Machine.load(
      { unit: 1, residentTransfersMax: 10, hashSeed: 1, idFilter: ID_FILTER },
      image,
    );
  };
  const payload = (...events: TransferFields[]) => {
    const builder = new EntryBuilder();
    builder.add(createTransfersSubBatch(packTransfers(events), events.length));
    return asEntryWords(builder.finish(5n));
  };
  const known = transferOf({ id: 7n, debit: ids[0]!, credit: ids[1]!, timestamp: 3n });
  const row = () => {
    const words = new Uint32Array(TRANSFER_ROW_WORDS);
    words.set(packTransfers([known]));
    return words;
  };
  const event = { ...known, timestamp: 0n };

  it('is asked for ids up to the greatest that left memory, in the order of events', () => {
    const machine = fresh();
    const asked = machine.unsettled(
      payload({ ...event, id: 1_001n }, event, { ...event, id: 1_000n }),
    );
    expect([...asked.ids]).toEqual([7, 0, 0, 0, 1_000, 0, 0, 0]);
  });

  it.each<[string, LookUpResult, number]>([
    ['a row', row(), TransferStatus.exists],
    ['burnt', 'burnt', TransferStatus.id_already_failed],
    ['nothing', null, TransferStatus.debit_account_not_found],
  ])('that finds %s decides', (_what, found, status) => {
    const machine = fresh();
    const words = payload(event);
    machine.unsettled(words);
    expect(machine.apply(1, 1, words, [found], []).words[0]).toBe(status);
  });

  it('left out, or answered with another id, stops the machine', () => {
    const words = payload(event);
    const machine = fresh();
    expect(() => machine.apply(1, 1, words, [], [])).toThrow(InvariantError);
    machine.unsettled(words);
    expect(() => machine.apply(1, 1, words, [], [])).toThrow('0 answers for 1 unsettled keys');
    const other = row();
    other[0] = 8;
    const again = fresh();
    again.unsettled(words);
    expect(() => again.apply(1, 1, words, [other], [])).toThrow('another id');
  });

  it('made before memory forgot more is made again', () => {
    const unit = busyUnit(0);
    const events = [transferOf({ id: 9n, debit: ids[0]!, credit: ids[1]! })];
    unit.apply({ kind: 'transfers', events, balances: false });
    const words = payload(event);
    const machine = unit.forgetful;
    const fold = machine.takeFold()!;
    machine.unsettled(words);
    machine.folded(fold.throughIndex);
    expect(() => machine.apply(machine.index + 1, 1, words, [], [])).toThrow(InvariantError);
  });
});

describe('the log', () => {
  const init = (timestamp: bigint) => {
    const builder = new EntryBuilder();
    builder.add(unitInitSubBatch(1, dealtSlots(3)));
    builder.add(createTransfersSubBatch(packTransfers([transferOf({})]), 1));
    return asEntryWords(builder.finish(timestamp));
  };
  const machine = () =>
    Machine.load(
      { unit: 1, residentTransfersMax: 10, hashSeed: 1, idFilter: ID_FILTER },
      emptyImage(1),
    );
  const apply = (to: Machine, index: number, term: number, timestamp: bigint) => {
    const payload = init(timestamp);
    to.unsettled(payload);
    to.apply(index, term, payload, [], []);
  };

  it('is applied without a gap, and neither term nor time goes back', () => {
    const good = machine();
    apply(good, 1, 2, 10n);
    apply(good, 2, 2, 11n);
    expect([good.index, good.term, good.lastTimestamp]).toEqual([2, 2, 11n]);
    expect(() => apply(good, 4, 2, 20n)).toThrow(InvariantError);
    expect(() => apply(good, 3, 1, 20n)).toThrow(InvariantError);
    expect(() => good.skip(2, 2)).toThrow(InvariantError);
    expect(() => apply(good, 3, 2, 11n)).toThrow('goes back');
  });

  it('that names the slots twice keeps the first', () => {
    const unit = new UnitUnderTest(1, 10);
    unit.initialise();
    const slots = unit.plain.slots!.slice();
    const builder = new EntryBuilder();
    builder.add(unitInitSubBatch(1, new Uint16Array(slots.length).fill(2)));
    const payload = asEntryWords(builder.finish(1n << 62n));
    unit.plain.unsettled(payload);
    unit.plain.apply(2, 1, payload, [], []);
    expect(unit.plain.slots).toEqual(slots);
  });

  it('leaves the same digest on machines that agree, and another where one event differs', () => {
    const digests = [[1n], [1n], [2n], [1n, 2n], []].map((amounts) => {
      const unit = busyUnit(10);
      const events = amounts.map((amount, i) =>
        transferOf({ id: BigInt(i + 1), debit: ids[0]!, credit: ids[1]!, amount }),
      );
      if (events.length > 0) unit.apply({ kind: 'transfers', events, balances: false });
      else unit.skip();
      return unit.plain.digest;
    });
    expect(digests[1]).toBe(digests[0]);
    expect(new Set(digests).size).toBe(4);
  });

  it('is no excuse for books of another unit', () => {
    const options = { unit: 2, residentTransfersMax: 10, hashSeed: 1, idFilter: ID_FILTER };
    expect(() => Machine.load(options, emptyImage(1))).toThrow(InvariantError);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Leg, TransferRowWord, TransferWord } from '../../../ledger/layout.ts';
import { u64At } from '../books-row.ts';
import { flagsOf, legOf, rowTimestampOf } from '../reads/row.ts';
import { models, steps } from '../reads/testing/arbitrary.ts';
import { type Booked, ModelUnit } from '../reads/testing/model.ts';
import { fourOf } from '../reads/testing/query.ts';
import { decodeCursor } from './cursor.ts';
import { EventKind, EventSide, type FeedEvent } from './event.ts';
import { Feed } from './feed.ts';

const UNIT = 3;
const START = { account: 0n, row: 0n };
const LIMITS = { events: 256, walks: 32 };

function takeAll(feed: Feed): FeedEvent[] {
  const events: FeedEvent[] = [];
  while (feed.hasNews) events.push(...feed.next());
  return events;
}

/** What an event must say, by brute force. */
function expected(unit: ModelUnit, { row, debitAfter, creditAfter, resolves }: Booked): object {
  const leg = legOf(row);
  const flags = leg === Leg.expiry ? 0 : flagsOf(row);
  const kind =
    leg === Leg.expiry
      ? EventKind.expired
      : ({ 2: EventKind.pending, 4: EventKind.posted, 8: EventKind.voided }[flags] ??
        EventKind.transfer);
  const resolved = resolves === null ? null : unit.booked[resolves]!.row;
  const states = { [EventKind.posted]: 2, [EventKind.voided]: 3, [EventKind.expired]: 4 };
  return {
    kind,
    timestamp: rowTimestampOf(row),
    transfer: leg === Leg.expiry ? null : [row[TransferWord.id], flags === 2 ? 1 : 0],
    pending: resolved && [resolved[TransferWord.id], states[kind as keyof typeof states]],
    requested: unit.requested.get(rowTimestampOf(row)) ?? null,
    side: leg === Leg.home ? EventSide.debit : leg === Leg.far ? EventSide.credit : EventSide.both,
    debit: debitAfter,
    credit: creditAfter,
  };
}

function plain(event: FeedEvent): object {
  const idAndState = (row: Uint32Array | null) =>
    row && [row[TransferWord.id], row[TransferRowWord.pendingState]];
  return {
    kind: event.kind,
    timestamp: event.timestamp,
    transfer: idAndState(event.transfer),
    pending: idAndState(event.pending),
    requested: event.requested && event.requested[0]!,
    side: event.side,
    debit: event.debitBalances && fourOf(event.debitBalances),
    credit: event.creditBalances && fourOf(event.creditBalances),
  };
}

const isListed = ({ row }: Booked) => legOf(row) <= Leg.far || legOf(row) === Leg.expiry;

describe('a feed', () => {
  it('tells all that happened in order, with exact balances, however little it may remember', () => {
    const limits = fc.record({
      events: fc.integer({ min: 1, max: 20 }),
      walks: fc.integer({ min: 1, max: 4 }),
      accounts: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(models(80), limits, (unit, few) => {
        const events = takeAll(new Feed(UNIT, unit, START, few));
        const transfers = events.filter(({ account }) => account === null);
        expect(transfers.map(plain)).toEqual(
          unit.booked.filter(isListed).map((booked) => expected(unit, booked)),
        );
        expect(events.filter(({ account }) => account !== null)).toHaveLength(4);
      }),
      { numRuns: 100 },
    );
  });

  it('goes on live, and from any cursor as if it had never stopped', () => {
    fc.assert(
      fc.property(models(50), steps(30), fc.nat({ max: 60 }), (unit, later, at) => {
        const feed = new Feed(UNIT, unit, START, LIMITS);
        const events = takeAll(feed);
        expect(feed.hasNews).toBe(false);
        unit.run(later);
        events.push(...takeAll(feed));
        expect(events.map(plain).slice(4)).toEqual(
          unit.booked.filter(isListed).map((booked) => expected(unit, booked)),
        );
        const cut = at % (events.length + 1);
        const cursor = events[cut - 1]?.cursor;
        const from = cursor === undefined ? START : decodeCursor(UNIT, cursor);
        const rest = takeAll(new Feed(UNIT, unit.foldTo(at), from, LIMITS));
        expect(rest).toEqual(events.slice(cut));
      }),
      { numRuns: 100 },
    );
  });

  it('starts after any time', () => {
    fc.assert(
      fc.property(models(60), fc.nat({ max: 130 }), (unit, later) => {
        const after = 10_000n + BigInt(later);
        const events = takeAll(new Feed(UNIT, unit, { account: after, row: after }, LIMITS));
        const wanted = unit.booked.filter(isListed).map((booked) => expected(unit, booked));
        expect(events.map(plain)).toEqual(
          wanted.filter((event) => (event as { timestamp: bigint }).timestamp > after),
        );
      }),
    );
  });

  it('puts accounts where they were created, without balances', () => {
    // Accounts come at 1,000, 1,010, 1,020 and 1,030.
    const unit = new ModelUnit(6n, 1_000n).run(
      Array.from({ length: 4 }, () => {
        return { kind: 'plain' as const, debit: 0, credit: 0, amount: 5, pick: 0 };
      }),
    );
    const events = takeAll(new Feed(UNIT, unit.foldTo(2), START, { events: 3, walks: 2 }));
    const T = EventKind.transfer;
    const A = EventKind.accountCreated;
    expect(events.map(({ kind }) => kind)).toEqual([A, T, A, T, T, A, T, A]);
    expect(events.map(({ timestamp }) => Number(timestamp) - 1_000)).toEqual([
      0, 6, 10, 12, 18, 20, 24, 30,
    ]);
    expect(fourOf(events[0]!.account!, 4)).toEqual([0n, 0n, 0n, 0n]);
    expect(u64At(events[2]!.account!, 30)).toBe(1_010n);
  });

  it('gives few events at once, and looks up the balances of few accounts', () => {
    const unit = new ModelUnit().run(
      Array.from({ length: 40 }, (_, debit) => {
        return { kind: 'plain' as const, debit, credit: 0, amount: 5, pick: 0 };
      }),
    );
    const feed = new Feed(UNIT, unit, { account: 9_999n, row: 0n }, { events: 10, walks: 1 });
    expect(feed.next()).toHaveLength(1);
    expect(feed.next()).toHaveLength(1);
    const warm = new Feed(UNIT, unit, { account: 9_999n, row: 0n }, { events: 10, walks: 8 });
    expect(warm.next()).toHaveLength(10);
  });
});

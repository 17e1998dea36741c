import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Leg,
  type PendingState,
  TRANSFER_ROW_WORDS,
  TransferWord,
} from '../../../ledger/layout.ts';
import { u64At } from '../books-row.ts';
import { packTransferQuery } from './filter.ts';
import { unpackPage } from './page.ts';
import { queryTransfers } from './query-transfers.ts';
import { legOf, rowTimestampOf } from './row.ts';
import { models } from './testing/arbitrary.ts';
import { ALL } from './testing/query.ts';

const options = fc.record({
  reversed: fc.boolean(),
  limit: fc.integer({ min: 1, max: 12 }),
  from: fc.bigInt({ min: 0n, max: 100n }),
  to: fc.bigInt({ min: 0n, max: 200n }),
  userData128: fc.option(fc.constantFrom(0n, 1n << 32n, 2n << 32n), { nil: undefined }),
  userData64: fc.option(fc.bigInt({ min: 0n, max: 4n }), { nil: undefined }),
  userData32: fc.option(fc.nat({ max: 3 }), { nil: undefined }),
  ledger: fc.option(fc.constantFrom(978, 756), { nil: undefined }),
  code: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  amountMin: fc.option(fc.bigInt({ min: 0n, max: 500n }), { nil: undefined }),
  amountMax: fc.option(fc.bigInt({ min: 300n, max: 1_000n }), { nil: undefined }),
  pendingState: fc.option(fc.constantFrom<PendingState>(0, 1, 2, 3, 4), { nil: undefined }),
});

describe('a query of transfers', () => {
  it('gives what meets every condition, in order, from books and memory', () => {
    fc.assert(
      fc.property(models(80), options, (unit, { from, to, ...conditions }) => {
        const set = Object.fromEntries(
          Object.entries(conditions).filter(([, value]) => value !== undefined),
        );
        const query = { ...ALL, fromTimestamp: 10_000n + from, toTimestamp: 10_000n + to, ...set };
        const { userData128, userData64, userData32, ledger, code } = conditions;
        const { amountMin = 0n, amountMax = 1n << 127n, pendingState = 0 } = conditions;
        const wanted = unit.booked.filter(({ row }, position) => {
          const time = rowTimestampOf(row);
          const amount = BigInt(row[TransferWord.amount]!);
          return (
            (legOf(row) === Leg.both || legOf(row) === Leg.home) &&
            time >= query.fromTimestamp &&
            time <= query.toTimestamp &&
            (userData128 ?? u64At(row, TransferWord.userData128)) ===
              u64At(row, TransferWord.userData128) &&
            (userData64 ?? u64At(row, TransferWord.userData64)) ===
              u64At(row, TransferWord.userData64) &&
            (userData32 ?? row[TransferWord.userData32]) === row[TransferWord.userData32] &&
            (ledger ?? row[TransferWord.ledger]) === row[TransferWord.ledger] &&
            (code === undefined || code === (row[TransferWord.codeAndFlags]! & 0xffff)) &&
            amount >= amountMin &&
            amount <= amountMax &&
            (pendingState === 0 || unit.stateOf(position) === pendingState)
          );
        });
        if (query.reversed) wanted.reverse();
        const words = queryTransfers(unit, packTransferQuery(query));
        const page = unpackPage(words, 0, TRANSFER_ROW_WORDS);
        expect(page.rows.map(rowTimestampOf)).toEqual(
          wanted.slice(0, query.limit).map(({ row }) => rowTimestampOf(row)),
        );
        expect(page.more).toBe(wanted.length >= query.limit);
      }),
      { numRuns: 400 },
    );
  });
});

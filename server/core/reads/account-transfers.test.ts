import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RECORD_WORDS, TRANSFER_ROW_WORDS, TransferWord } from '../../../ledger/layout.ts';
import { accountTransfers } from './account-transfers.ts';
import { packAccountTransfers } from './filter.ts';
import { unpackPage } from './page.ts';
import { isTransfer, rowTimestampOf } from './row.ts';
import { models } from './testing/arbitrary.ts';
import { ModelUnit } from './testing/model.ts';
import { ALL, accountIdOf, fourOf } from './testing/query.ts';

const PAIR_WORDS = TRANSFER_ROW_WORDS + 16;

describe('transfers of an account', () => {
  it('are those that meet the filter, each with the balances after it, page after page', () => {
    const options = fc.record({
      handle: fc.nat({ max: 3 }),
      reversed: fc.boolean(),
      limit: fc.integer({ min: 1, max: 9 }),
      side: fc.constantFrom(undefined, 'debits' as const, 'credits' as const),
      code: fc.constantFrom(undefined, 1, 2),
      userData32: fc.constantFrom(undefined, 0, 1),
      from: fc.bigInt({ min: 0n, max: 150n }),
    });
    fc.assert(
      fc.property(models(70), options, (unit, { handle, from, side, code, userData32, ...how }) => {
        const filter = packAccountTransfers({
          ...ALL,
          ...how,
          accountId: accountIdOf(handle),
          fromTimestamp: 10_000n + from,
          balances: true,
          ...(side === undefined ? {} : { side }),
          ...(code === undefined ? {} : { code }),
          ...(userData32 === undefined ? {} : { userData32 }),
        });
        const wanted = unit
          .historyOf(handle)
          .filter(
            ({ row }) =>
              isTransfer(row) &&
              rowTimestampOf(row) >= 10_000n + from &&
              (code === undefined || (row[TransferWord.codeAndFlags]! & 0xffff) === code) &&
              (userData32 === undefined || row[TransferWord.userData32] === userData32) &&
              (side === undefined ||
                (side === 'debits') === (row[TransferWord.debitAccountId] === handle + 1)),
          );
        if (how.reversed) wanted.reverse();
        const page = unpackPage(accountTransfers(unit, filter), RECORD_WORDS, PAIR_WORDS);
        expect(
          page.rows.map((row) => [rowTimestampOf(row), fourOf(row, TRANSFER_ROW_WORDS)]),
        ).toEqual(wanted.slice(0, how.limit).map(({ row, after }) => [rowTimestampOf(row), after]));
        expect(page.more).toBe(wanted.length >= how.limit);
        if (page.more) expect(page.position).toBe(rowTimestampOf(page.rows.at(-1)!));
      }),
      { numRuns: 200 },
    );
  });

  it('come with the account as of now, and are empty if there is none', () => {
    const unit = new ModelUnit().run([{ kind: 'plain', debit: 0, credit: 0, amount: 5, pick: 0 }]);
    const of = (handle: number) =>
      accountTransfers(unit, packAccountTransfers({ ...ALL, accountId: accountIdOf(handle) }));
    expect(of(0).subarray(4, 5)).toEqual(Uint32Array.of(1));
    expect(fourOf(of(0), 4 + 4)).toEqual([0n, 5n, 0n, 0n]);
    expect(of(0)).toHaveLength(4 + RECORD_WORDS + TRANSFER_ROW_WORDS);
    expect(of(9)).toHaveLength(0);
  });
});

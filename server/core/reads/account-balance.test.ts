import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountBalance, BalanceWord } from './account-balance.ts';
import { putU64, rowTimestampOf } from './row.ts';
import { models } from './testing/arbitrary.ts';
import { FIRST_CREATED, ModelUnit } from './testing/model.ts';
import { accountIdOf, fourOf } from './testing/query.ts';

function balance(unit: ModelUnit, handle: number, timestamp: bigint): Uint32Array {
  const query = new Uint32Array(8);
  query.set(accountIdOf(handle));
  putU64(query, 4, timestamp);
  return accountBalance(unit, query);
}

describe('the balance of an account at a time', () => {
  it('is final once the unit has booked something at or after that time', () => {
    fc.assert(
      fc.property(models(40), fc.nat({ max: 3 }), fc.nat({ max: 100 }), (unit, handle, later) => {
        const timestamp = 10_000n + BigInt(later);
        const answer = balance(unit, handle, timestamp);
        const rows = unit.historyOf(handle).filter(({ row }) => rowTimestampOf(row) <= timestamp);
        expect(fourOf(answer)).toEqual(rows.at(-1)?.after ?? [0n, 0n, 0n, 0n]);
        expect(answer[BalanceWord.final]).toBe(timestamp <= unit.machine.lastRowTimestamp ? 1 : 0);
        expect(answer[BalanceWord.ledger]).toBe(handle % 2 === 0 ? 978 : 756);
      }),
    );
  });

  it('is that of now for time 0, which the next transfer may change', () => {
    const unit = new ModelUnit().run([
      { kind: 'pending', debit: 0, credit: 0, amount: 5, pick: 0 },
    ]);
    expect(fourOf(balance(unit, 1, 0n))).toEqual([0n, 0n, 5n, 0n]);
    expect(balance(unit, 1, 0n)[BalanceWord.final]).toBe(0);
  });

  it('is none before the account was created, or without an account', () => {
    const unit = new ModelUnit();
    expect(balance(unit, 0, BigInt(FIRST_CREATED) - 1n)).toHaveLength(0);
    expect(fourOf(balance(unit, 0, BigInt(FIRST_CREATED)))).toEqual([0n, 0n, 0n, 0n]);
    expect(balance(unit, 9, 0n)).toHaveLength(0);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HISTORY_EVERY } from '../../../ledger/layout.ts';
import { AccountHistory } from './account-history.ts';
import { rowTimestampOf } from './row.ts';
import { models, steps } from './testing/arbitrary.ts';
import { ACCOUNTS, ModelUnit } from './testing/model.ts';
import { accountIdOf, fourOf } from './testing/query.ts';

const handles = fc.nat({ max: ACCOUNTS - 1 });

describe('the history of an account', () => {
  it('gives its rows of all legs between any bounds, from books and memory, each once', () => {
    fc.assert(
      fc.property(
        models(60),
        handles,
        fc.nat({ max: 130 }),
        fc.nat({ max: 130 }),
        fc.boolean(),
        fc.nat({ max: 70 }),
        (unit, handle, a, b, reversed, limit) => {
          const from = 10_000n + BigInt(a);
          const to = 10_000n + BigInt(b);
          const history = new AccountHistory(unit, accountIdOf(handle), handle);
          const timestamps = unit.historyOf(handle).map(({ row }) => rowTimestampOf(row));
          if (reversed) timestamps.reverse();
          expect(history.rows(from, to, reversed, limit).map(rowTimestampOf)).toEqual(
            timestamps.filter((time) => time >= from && time <= to).slice(0, limit),
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  it('tells the balances after any of its rows, and between them', () => {
    fc.assert(
      fc.property(models(90), handles, (unit, handle) => {
        const history = new AccountHistory(unit, accountIdOf(handle), handle);
        let before = ['0', '0', '0', '0'];
        for (const { row, after } of unit.historyOf(handle)) {
          const timestamp = rowTimestampOf(row);
          expect(fourOf(history.balancesAt(timestamp - 1n)).map(String)).toEqual(before);
          expect(fourOf(history.balancesAt(timestamp))).toEqual(after);
          before = after.map(String);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('starts from the sparse history, and so reads few rows however old the account is', () => {
    fc.assert(
      fc.property(steps(700), fc.nat({ max: 699 }), (taken, at) => {
        const unit = new ModelUnit().run(taken);
        unit.foldTo(unit.booked.length);
        const rows = unit.historyOf(1);
        const one = rows[at % (rows.length || 1)];
        if (one === undefined) return;
        const history = new AccountHistory(unit, accountIdOf(1), 1);
        unit.rowsRead = 0;
        expect(fourOf(history.balancesAt(rowTimestampOf(one.row)))).toEqual(one.after);
        expect(unit.rowsRead).toBeLessThan(HISTORY_EVERY);
      }),
      { numRuns: 15 },
    );
  });
});

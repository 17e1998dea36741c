import { describe, expect, it } from 'vitest';
import { AccountStatus, InternalStatus, TransferStatus } from './status.ts';
import { accountOf, transferOf } from './testing/records.ts';
import { accountIn, UNITS } from './testing/slots.ts';
import { UnitUnderTest } from './testing/unit-under-test.ts';

const MAX = 2n ** 128n - 1n;
const CLEARING = 2n ** 128n - 2n ** 64n + ((1n << 32n) | (2n << 16n) | 1n);

function units(): UnitUnderTest[] {
  return UNITS.map((number) => {
    const unit = new UnitUnderTest(number, 100);
    unit.initialise();
    return unit;
  });
}

describe('an event', () => {
  it('with a debit id that no account can have is refused by the unit of its slot alone', () => {
    const wrong: [bigint, number][] = [
      [0n, TransferStatus.debit_account_id_must_not_be_zero],
      [MAX, TransferStatus.debit_account_id_must_not_be_int_max],
      [CLEARING, TransferStatus.debit_account_id_must_not_be_int_max],
    ];
    for (const [debit, wanted] of wrong) {
      const events = [transferOf({ debit, credit: 0n })];
      const statuses = units().map(
        (unit) => unit.apply({ kind: 'transfers', events, balances: false })[0]!.status,
      );
      expect(statuses.filter((status) => status === wanted)).toHaveLength(1);
      expect(statuses.filter((status) => status === InternalStatus.wrong_unit)).toHaveLength(2);
    }
  });

  it('with an account id that no account can have is refused by the unit of its slot alone', () => {
    const statuses = [0n, MAX, CLEARING].flatMap((id) =>
      units().map(
        (unit) =>
          unit.apply({ kind: 'accounts', events: [accountOf({ id })], balances: false })[0]!.status,
      ),
    );
    const { id_must_not_be_zero, id_must_not_be_int_max } = AccountStatus;
    const refusals = statuses.filter((status) => status !== InternalStatus.wrong_unit);
    expect(refusals).toEqual([id_must_not_be_zero, id_must_not_be_int_max, id_must_not_be_int_max]);
  });

  it('of a unit without slots is for nobody', () => {
    const unit = new UnitUnderTest(1, 100);
    expect(unit.plain.initialised).toBe(false);
    const events = [accountOf({ id: accountIn(1, 0) })];
    const statuses = unit.bare({ kind: 'accounts', events, balances: false });
    expect(statuses).toEqual([InternalStatus.wrong_unit]);
  });

  it('that is not plain, or is part of a chain, does not cross, and burns nothing', () => {
    const [home] = units() as [UnitUnderTest];
    const debit = accountIn(1, 0);
    const credit = accountIn(2, 0);
    home.apply({ kind: 'accounts', events: [accountOf({ id: debit })], balances: false });
    const flags = [1 << 1, 1 << 4, 1 << 5];
    const events = flags.map((bits, i) =>
      transferOf({ id: BigInt(i + 1), debit, credit, flags: bits }),
    );
    const chain = [
      transferOf({ id: 10n, debit, credit, flags: 1 }),
      transferOf({ id: 11n, debit, credit: accountIn(1, 1) }),
    ];
    const statuses = home
      .apply(
        { kind: 'transfers', events, balances: false },
        { kind: 'transfers', events: chain, balances: false },
      )
      .map(({ status }) => status);
    const { not_across_units, crossing_opened } = InternalStatus;
    const failed = TransferStatus.linked_event_failed;
    expect(statuses).toEqual([...flags.map(() => not_across_units), not_across_units, failed]);
    const again = home.apply({
      kind: 'transfers',
      events: [...events, ...chain].map((event) => ({ ...event, credit, flags: 0 })),
      balances: false,
    });
    expect(new Set(again.map(({ status }) => status))).toEqual(new Set([crossing_opened]));
  });
});

describe('a post or void', () => {
  it('that names the debit account belongs to its unit; else to the credit account, else to anybody', () => {
    const [home, other] = [accountIn(1, 0), accountIn(2, 0)];
    const flags = 1 << 2;
    const asked = [
      { debit: home, credit: 0n },
      { debit: 0n, credit: home },
      { debit: 0n, credit: 0n },
      { debit: other, credit: 0n },
      { debit: 0n, credit: other },
      { debit: other, credit: home },
    ];
    const events = asked.map((accounts, i) =>
      transferOf({ ...accounts, id: BigInt(i + 1), pendingId: 99n, flags }),
    );
    const [unit] = units() as [UnitUnderTest];
    const results = unit.apply({ kind: 'transfers', events, balances: false });
    const missing = TransferStatus.pending_transfer_not_found;
    const { wrong_unit } = InternalStatus;
    expect(results.map(({ status }) => status)).toEqual([
      ...Array(3).fill(missing),
      ...Array(3).fill(wrong_unit),
    ]);
  });
});

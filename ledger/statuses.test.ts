import { describe, expect, it } from 'vitest';
import { AccountFlag } from './layout.ts';
import { AccountStatus, InternalStatus, TransferStatus } from './status.ts';
import {
  type AccountFields,
  accountOf,
  type TransferFields,
  transferOf,
} from './testing/records.ts';
import { accountIn, UnitUnderTest } from './testing/world.ts';

const MAX = 2n ** 128n - 1n;
const CLEARING = 2n ** 128n - 2n ** 64n + ((1n << 32n) | (2n << 16n) | 1n);

/** Accounts of unit 1, by what is special about them, and one of unit 2. */
const [plain, other, ledger2, indebted, paid, limited, limitedCredit, missing, missing2] =
  Array.from({ length: 9 }, (_, n) => accountIn(1, n)) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
const foreign = accountIn(2, 0);
const reserved = accountIn(1, 9);
const unit = () => {
  const machine = new UnitUnderTest(1, 100);
  machine.initialise();
  const accounts = [
    accountOf({ id: plain }),
    accountOf({ id: other }),
    accountOf({ id: ledger2, ledger: 2 }),
    accountOf({ id: indebted }),
    accountOf({ id: paid }),
    accountOf({ id: limited, flags: AccountFlag.debitsMustNotExceedCredits }),
    accountOf({ id: limitedCredit, flags: AccountFlag.creditsMustNotExceedDebits }),
    accountOf({ id: reserved }),
  ];
  machine.apply({ kind: 'accounts', events: accounts, balances: false });
  const transfers = [
    transferOf({ id: 100n, debit: indebted, credit: paid, amount: 5n }),
    transferOf({ id: 101n, debit: reserved, credit: foreign, amount: MAX - 3n }),
  ];
  const results = machine.apply({ kind: 'transfers', events: transfers, balances: false });
  expect(results.map(({ status }) => status)).toEqual([
    TransferStatus.created,
    InternalStatus.crossing_opened,
  ]);
  return machine;
};

type Names<S> = readonly (readonly [keyof S & string, Partial<TransferFields>])[];

const VALID = transferOf({ id: 200n, debit: plain, credit: other });

/** By precedence: what must be wrong with a valid transfer for each status. */
const TRANSFERS: Names<typeof TransferStatus> = [
  ['timestamp_must_be_zero', { timestamp: 1n }],
  ['reserved_flag', { flags: 1 << 9 }],
  ['id_must_not_be_zero', { id: 0n }],
  ['id_must_not_be_int_max', { id: MAX }],
  ['credit_account_id_must_not_be_zero', { credit: 0n }],
  ['credit_account_id_must_not_be_int_max', { credit: CLEARING }],
  ['accounts_must_be_different', { debit: plain, credit: plain }],
  ['pending_id_must_be_zero', { pendingId: 7n }],
  ['timeout_reserved_for_pending_transfer', { timeout: 1 }],
  ['ledger_must_not_be_zero', { ledger: 0 }],
  ['code_must_not_be_zero', { code: 0 }],
  ['debit_account_not_found', { debit: missing }],
  ['credit_account_not_found', { credit: missing2 }],
  ['accounts_must_have_the_same_ledger', { credit: ledger2 }],
  ['transfer_must_have_the_same_ledger_as_accounts', { ledger: 2 }],
  ['overflows_debits_posted', { debit: indebted, amount: MAX }],
  ['overflows_credits_posted', { credit: paid, amount: MAX }],
  ['overflows_debits', { debit: reserved, amount: 4n }],
  ['overflows_credits', { credit: foreign, amount: 4n }],
  ['exceeds_credits', { debit: limited }],
  ['exceeds_debits', { credit: limitedCredit }],
];

describe('create_transfers', () => {
  it.each(TRANSFERS)('%s comes before every later status', (name, wrong) => {
    const machine = unit();
    const at = TRANSFERS.findIndex(([candidate]) => candidate === name);
    const later = TRANSFERS.slice(at).map(([, alsoWrong], i) => ({
      ...VALID,
      id: VALID.id + BigInt(i),
      ...alsoWrong,
      ...wrong,
    }));
    const results = machine.apply({ kind: 'transfers', events: later, balances: true });
    const wanted = TransferStatus[name];
    expect(results.map(({ status }) => status)).toEqual(later.map(() => wanted));
  });

  it('refuses every flag', () => {
    const events = Array.from({ length: 16 }, (_, bit) => ({ ...VALID, flags: 1 << bit }));
    const results = unit().apply({ kind: 'transfers', events, balances: false });
    expect(results.every(({ status }) => status === TransferStatus.reserved_flag)).toBe(true);
  });

  it('debit ids that no unit may hold are refused by the unit of their slot', () => {
    const wrong: [bigint, number][] = [
      [0n, TransferStatus.debit_account_id_must_not_be_zero],
      [MAX, TransferStatus.debit_account_id_must_not_be_int_max],
      [CLEARING, TransferStatus.debit_account_id_must_not_be_int_max],
    ];
    for (const [debit, wanted] of wrong) {
      const statuses = [1, 2, 3].map((number) => {
        const machine = new UnitUnderTest(number, 100);
        machine.initialise();
        const events = [transferOf({ debit, credit: 0n })];
        return machine.apply({ kind: 'transfers', events, balances: false })[0]!.status;
      });
      expect(statuses.filter((status) => status === wanted)).toHaveLength(1);
      expect(statuses.filter((status) => status === InternalStatus.wrong_unit)).toHaveLength(2);
    }
  });

  it('created, then exists, with the original timestamp; a difference is named in order', () => {
    const machine = unit();
    const [created] = machine.apply({ kind: 'transfers', events: [VALID], balances: false });
    const differences: Names<typeof TransferStatus> = [
      ['exists_with_different_pending_id', { pendingId: 1n }],
      ['exists_with_different_timeout', { timeout: 1 }],
      ['exists_with_different_debit_account_id', { debit: other }],
      ['exists_with_different_credit_account_id', { credit: plain }],
      ['exists_with_different_amount', { amount: 11n }],
      ['exists_with_different_user_data_128', { userData128: 1n << 127n }],
      ['exists_with_different_user_data_64', { userData64: 1n << 63n }],
      ['exists_with_different_user_data_32', { userData32: 1 }],
      ['exists_with_different_ledger', { ledger: 0 }],
      ['exists_with_different_code', { code: 0 }],
      ['exists', {}],
    ];
    expect(created!.status).toBe(TransferStatus.created);
    differences.forEach(([name], from) => {
      const changed = differences.slice(from).map(([, change]) => change);
      const event = Object.assign({ ...VALID }, ...changed.toReversed());
      const [alone, withLater] = machine.apply({
        kind: 'transfers',
        events: [{ ...VALID, ...changed[0] }, event],
        balances: false,
      });
      expect([alone!.status, withLater!.status]).toEqual(Array(2).fill(TransferStatus[name]));
      const original = alone!.timestamp === created!.timestamp;
      expect(original).toBe(name === 'exists');
    });
  });

  it('a transient failure burns the id, any other leaves it', () => {
    for (const [name, wrong] of TRANSFERS.slice(4)) {
      const machine = unit();
      const events = [{ ...VALID, ...wrong }, VALID];
      const [, again] = machine.apply({ kind: 'transfers', events, balances: false });
      const burns = /not_found|exceeds/.test(name);
      const wanted = burns ? TransferStatus.id_already_failed : TransferStatus.created;
      expect([name, again!.status]).toEqual([name, wanted]);
    }
  });

  it('a unit without slots owns nothing', () => {
    const machine = new UnitUnderTest(1, 100);
    const account = accountOf({ id: plain });
    expect(machine.plain.initialised).toBe(false);
    const unready = machine.bare({ kind: 'accounts', events: [account], balances: false });
    expect(unready).toEqual([InternalStatus.wrong_unit]);
  });
});

const VALID_ACCOUNT = accountOf({ id: missing });
const ACCOUNTS: readonly (readonly [keyof typeof AccountStatus, Partial<AccountFields>])[] = [
  ['timestamp_must_be_zero', { timestamp: 1n }],
  ['reserved_field', { reserved: 1 }],
  ['reserved_flag', { flags: AccountFlag.history }],
  ['flags_are_mutually_exclusive', { flags: 6 }],
  ['debits_pending_must_be_zero', { debitsPending: 1n }],
  ['debits_posted_must_be_zero', { debitsPosted: 1n }],
  ['credits_pending_must_be_zero', { creditsPending: 1n << 96n }],
  ['credits_posted_must_be_zero', { creditsPosted: 1n }],
  ['ledger_must_not_be_zero', { ledger: 0 }],
  ['code_must_not_be_zero', { code: 0 }],
];

describe('create_accounts', () => {
  it.each(ACCOUNTS)('%s comes before every later status', (name, wrong) => {
    const at = ACCOUNTS.findIndex(([candidate]) => candidate === name);
    const events = ACCOUNTS.slice(at).map(([, alsoWrong]) => ({
      ...VALID_ACCOUNT,
      ...alsoWrong,
      ...wrong,
    }));
    const results = unit().apply({ kind: 'accounts', events, balances: false });
    expect(results.map(({ status }) => status)).toEqual(events.map(() => AccountStatus[name]));
  });

  it('serves the two limits only', () => {
    const events = Array.from({ length: 16 }, (_, bit) => ({ ...VALID_ACCOUNT, flags: 1 << bit }));
    const results = unit().apply({ kind: 'accounts', events, balances: false });
    results.forEach(({ status }, bit) => {
      const differs = bit === 2 ? AccountStatus.exists_with_different_flags : null;
      const wanted = bit === 1 ? AccountStatus.created : (differs ?? AccountStatus.reserved_flag);
      expect([bit, status]).toEqual([bit, wanted]);
    });
  });

  it('refuses ids that are zero or of clearing accounts', () => {
    const statuses = [0n, MAX, CLEARING].flatMap((id) =>
      [1, 2, 3].map((number) => {
        const machine = new UnitUnderTest(number, 100);
        machine.initialise();
        const events = [accountOf({ id })];
        return machine.apply({ kind: 'accounts', events, balances: false })[0]!.status;
      }),
    );
    const { id_must_not_be_zero, id_must_not_be_int_max } = AccountStatus;
    const refusals = statuses.filter((status) => status !== InternalStatus.wrong_unit);
    expect(refusals).toEqual([id_must_not_be_zero, id_must_not_be_int_max, id_must_not_be_int_max]);
  });

  it('created, then exists, with the original timestamp; a difference is named in order', () => {
    const machine = unit();
    const event = { ...VALID_ACCOUNT, flags: AccountFlag.debitsMustNotExceedCredits };
    const [created] = machine.apply({ kind: 'accounts', events: [event], balances: false });
    const differences: readonly (readonly [keyof typeof AccountStatus, Partial<AccountFields>])[] =
      [
        ['exists_with_different_flags', { flags: AccountFlag.creditsMustNotExceedDebits }],
        ['exists_with_different_user_data_128', { userData128: 1n << 127n }],
        ['exists_with_different_user_data_64', { userData64: 1n << 63n }],
        ['exists_with_different_user_data_32', { userData32: 1 }],
        ['exists_with_different_ledger', { ledger: 0 }],
        ['exists_with_different_code', { code: 0 }],
        ['exists', {}],
      ];
    differences.forEach(([name], from) => {
      const changed = differences.slice(from).map(([, change]) => change);
      const all = Object.assign({ ...event, debitsPosted: 1n }, ...changed.toReversed());
      const [result] = machine.apply({ kind: 'accounts', events: [all], balances: false });
      expect(result!.status).toBe(AccountStatus[name]);
      expect(result!.timestamp === created!.timestamp).toBe(name === 'exists');
    });
  });
});

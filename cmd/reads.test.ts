import { describe, expect, it } from 'vitest';
import type { AccountTransfer, LedgerEvent, Transfer } from '../client/index.ts';
import { MisuseError } from './exit.ts';
import { type FilterFlags, filterOf } from './filter.ts';
import { transferFilterOf } from './query.ts';
import { lines, seenBy } from './statement.ts';
import { kindText } from './transfer-text.ts';
import { afterOf, textOf } from './watch.ts';

const LEDGERS = [{ number: 978, currency: 'EUR', scale: 2 }];
const NONE = { debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n, creditsPosted: 0n };
const TRANSFER: Transfer = {
  id: 7n,
  debitAccountId: 1n,
  creditAccountId: 2n,
  amount: 1_250n,
  ledger: 978,
  code: 1,
  pendingId: 0n,
  timeout: 0,
  flags: 0,
  userData128: 0n,
  userData64: 0n,
  userData32: 0,
  timestamp: 1n,
  pendingState: 'none',
  expiresTimestamp: 0n,
};

describe('a filter on the command line', () => {
  it('asks for what its flags say, and no more', () => {
    expect(filterOf({ limit: '100' }, LEDGERS)).toEqual({ limit: 100 });
    const flags: FilterFlags = {
      limit: '5',
      reversed: true,
      userData128: '0xff',
      userData64: '0',
      userData32: '9',
      ledger: 'eur',
      code: '7',
      from: '1970-01-01T00:00:01Z',
      to: '1970-01-01T00:00:05Z',
    };
    expect(filterOf(flags, LEDGERS)).toEqual({
      limit: 5,
      reversed: true,
      userData128: 255n,
      userData64: 0n,
      userData32: 9,
      ledger: 978,
      code: 7,
      from: 1_000_000_000n,
      to: 5_999_999_999n,
    });
  });

  it.each([
    [{ limit: '0' }, '--limit takes a whole number from 1'],
    [{ code: '0' }, '--code takes a whole number from 1'],
    [{ userData64: '18446744073709551616' }, '--user-data-64: '],
    [{ userData32: '4294967296' }, '--user-data-32 takes a whole number'],
    [{ from: 'yesterday' }, "--from: 'yesterday' is neither"],
    [{ ledger: 'XXX' }, 'there is no ledger XXX'],
  ])('is a misuse with %o', (flags, message) => {
    const act = () => filterOf({ limit: '1', ...flags }, LEDGERS);
    expect(act).toThrow(MisuseError);
    expect(act).toThrow(message);
  });

  it("takes amounts in the ledger's form, and so needs the ledger", () => {
    const amounts = { limit: '1', amountMin: '1', amountMax: '12.50', ledger: 'EUR' };
    expect(transferFilterOf({ servers: '', wait: '', ...amounts }, LEDGERS)).toEqual({
      amountMin: 100n,
      amountMax: 1_250n,
    });
    const flags = { servers: '', wait: '', limit: '1' };
    expect(() => transferFilterOf({ ...flags, amountMin: '1' }, LEDGERS)).toThrow('need --ledger');
    expect(() => transferFilterOf({ ...flags, pendingState: 'gone' }, LEDGERS)).toThrow(
      "one of pending, posted, voided, expired, got 'gone'",
    );
  });
});

describe('a transfer in a statement', () => {
  const booked = (fields: Partial<AccountTransfer>): AccountTransfer => ({
    ...TRANSFER,
    bookedTimestamp: 1n,
    balances: { ...NONE, creditsPosted: 50n, debitsPosted: 20n, debitsPending: 4n },
    ...fields,
  });

  it("is told from the account's side", () => {
    expect(seenBy(1n, booked({}))).toEqual({
      isDebit: true,
      change: -1_250n,
      balance: 30n,
      pending: -4n,
    });
    expect(seenBy(2n, booked({}))).toMatchObject({ isDebit: false, change: 1_250n });
  });

  it('changes nothing that is posted while it only reserves or releases', () => {
    expect(seenBy(1n, booked({ flags: 2 })).change).toBe(0n);
    expect(seenBy(1n, booked({ flags: 8 })).change).toBe(0n);
    expect(seenBy(1n, booked({ flags: 4 })).change).toBe(-1_250n);
  });

  it('shows what it posted, and what is reserved after it', async () => {
    async function* of(...transfers: AccountTransfer[]) {
      yield* transfers;
    }
    const reserved = booked({ flags: 2, pendingState: 'pending' });
    const rows = await Array.fromAsync(lines(1n, 978, LEDGERS, of(reserved, booked({ flags: 4 }))));
    expect(rows.map((row) => row.slice(4))).toEqual([
      ['0.00 EUR', '0.30 EUR', '-0.04 EUR'],
      ['-12.50 EUR', '0.30 EUR', '-0.04 EUR'],
    ]);
  });

  it('has a kind that says what became of it', () => {
    expect(kindText(TRANSFER)).toBe('transfer');
    expect(kindText({ ...TRANSFER, flags: 4 })).toBe('post');
    expect(kindText({ ...TRANSFER, flags: 8 })).toBe('void');
    expect(kindText({ ...TRANSFER, flags: 2, pendingState: 'pending' })).toBe('pending');
    expect(kindText({ ...TRANSFER, flags: 2, pendingState: 'expired' })).toBe('pending (expired)');
  });
});

describe('an event on a line', () => {
  const at = { timestamp: 0n, cursor: new Uint8Array(0), side: 'both' as const };
  const balances = { debitAccount: { ...NONE, debitsPosted: 1_250n }, creditAccount: null };

  it('says what happened and what it left, where that is known', () => {
    const transfer: LedgerEvent = {
      ...at,
      ...balances,
      kind: 'transfer',
      side: 'debit',
      transfer: TRANSFER,
      requestedAmount: 1_250n,
      pendingTransfer: null,
    };
    expect(textOf(3, transfer, LEDGERS)).toBe(
      '1970-01-01T00:00:00.000000000Z  unit 3  transfer  7  12.50 EUR  1 (-12.50 EUR) -> 2  debit side',
    );
    const reserved = { ...NONE, debitsPending: 1_250n, creditsPending: 100n };
    expect(textOf(3, { ...transfer, kind: 'pending', debitAccount: reserved }, LEDGERS)).toContain(
      '  1 (0.00 EUR, 12.50 EUR of debits pending, 1.00 EUR of credits pending) -> 2  ',
    );
    const expired: LedgerEvent = { ...at, ...balances, kind: 'expired', pendingTransfer: TRANSFER };
    expect(textOf(3, expired, LEDGERS)).toBe(
      '1970-01-01T00:00:00.000000000Z  unit 3  expired  of 7  12.50 EUR  1 (-12.50 EUR) -> 2',
    );
  });

  it('is asked for from a time on, that time included, or from the beginning', () => {
    expect(afterOf('5')).toBe(4n);
    expect(afterOf('1970-01-01T00:00:01Z')).toBe(999_999_999n);
    expect(afterOf('0')).toBe(0n);
  });
});

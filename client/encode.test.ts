import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeAccounts,
  encodeIds,
  encodeLedger,
  encodeTransfer,
  encodeTransfers,
} from './encode.ts';
import { decode, type Plain } from './testing/schema.ts';

const wide = fc
  .integer({ min: 0, max: 16 })
  .chain((length) => fc.bigInt({ min: 0n, max: 2n ** BigInt(8 * length) - 1n }));
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const u32 = fc.oneof(
  fc.constantFrom(0, 127, 128, 0xffff_ffff),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);
const u16 = fc.integer({ min: 0, max: 0xffff });

const account = fc.record({
  id: wide,
  userData128: wide,
  userData64: u64,
  userData32: u32,
  ledger: u32,
  code: u16,
  flags: u16,
  timestamp: u64,
});
const transfer = fc.record({
  id: wide,
  debitAccountId: wide,
  creditAccountId: wide,
  amount: wide,
  pendingId: wide,
  userData128: wide,
  userData64: u64,
  userData32: u32,
  timeout: u32,
  ledger: u32,
  code: u16,
  flags: u16,
  timestamp: u64,
});

/** As protobufjs gives it: its names, and zeros left out. */
function plain(value: object): Plain {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== 0 && item !== 0n)
      .map(([name, item]) => [name.replace('userData', 'userData_'), item]),
  );
}

describe('requests that protobufjs decodes', () => {
  it('hold the transfers', () => {
    fc.assert(
      fc.property(fc.array(transfer, { minLength: 1, maxLength: 4 }), (transfers) => {
        expect(decode('CreateTransfersRequest', encodeTransfers(transfers, true))).toEqual({
          transfers: transfers.map(plain),
          balances: true,
        });
        const single = encodeTransfer(transfers[0]!, false, 5).subarray(5);
        expect(decode('CreateTransfersRequest', single)).toEqual({
          transfers: [plain(transfers[0]!)],
        });
      }),
    );
  });

  it('hold the accounts and the ids', () => {
    fc.assert(
      fc.property(fc.array(account, { minLength: 1, maxLength: 4 }), (all) => {
        expect(decode('CreateAccountsRequest', encodeAccounts(all))).toEqual({
          accounts: all.map(plain),
        });
        const ids = all.map((one) => one.id);
        expect(decode('LookupAccountsRequest', encodeIds(ids))).toEqual({ ids });
      }),
    );
  });

  it('hold the ledger, its name in any script and as long as it may be', () => {
    for (const currency of ['EUR', '积分', '\u{1f4b0}'.repeat(32)]) {
      const ledger = { number: 0xffff_ffff, currency, scale: 18 };
      expect(decode('CreateLedgerRequest', encodeLedger(ledger))).toEqual(ledger);
    }
  });

  it('leave out what is not given', () => {
    const minimal = {
      id: 1n,
      debitAccountId: 2n,
      creditAccountId: 3n,
      amount: 4n,
      ledger: 5,
      code: 6,
    };
    expect(decode('CreateTransfersRequest', encodeTransfers([minimal], false))).toEqual({
      transfers: [minimal],
    });
  });
});

describe('values that the ledger cannot hold are refused before they are sent', () => {
  const good = { id: 1n, debitAccountId: 2n, creditAccountId: 3n, amount: 4n, ledger: 5, code: 6 };
  it.each([
    [{ amount: -1n }, 'transfers[1].amount: -1, must be a bigint, 0 .. 2^128-1'],
    [{ id: 2n ** 128n }, `transfers[1].id: ${2n ** 128n}, must be a bigint`],
    [{ amount: 5 as unknown as bigint }, 'transfers[1].amount: 5, must be a bigint'],
    [{ userData64: 2n ** 64n }, 'transfers[1].userData64'],
    [{ code: 65_536 }, 'transfers[1].code: 65536, must be an integer, 0 .. 65535'],
    [{ ledger: 1.5 }, 'transfers[1].ledger: 1.5'],
    [{ timeout: Number.NaN }, 'transfers[1].timeout: NaN'],
    [{ userData32: 2 ** 32 }, 'transfers[1].userData32: 4294967296'],
  ])('%o', (bad, message) => {
    expect(() => encodeTransfers([good, { ...good, ...bad }], false)).toThrow(
      `[invalid_argument] ${message}`,
    );
  });

  it('and so are requests of no event or too many', () => {
    expect(() => encodeTransfers([], false)).toThrow('transfers: 0, must be 1 .. 8190');
    expect(() => encodeIds(Array.from({ length: 8_191 }, () => 1n))).toThrow('ids: 8191');
  });
});

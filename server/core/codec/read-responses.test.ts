import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BALANCES_WORDS,
  RECORD_WORDS,
  TRANSFER_ROW_WORDS,
  TransferFlag,
  TransferRowWord,
} from '../../../ledger/layout.ts';
import {
  encodeAccountBalance,
  encodeAccounts,
  encodeAccountTransfers,
  encodeQueriedAccounts,
  encodeQueriedTransfers,
  encodeTransfers,
} from './read-responses.ts';
import { recordFields, unsigned } from './testing/arbitrary.ts';
import { decode, packRecord, putBig, type RecordFields } from './testing/schema.ts';

const NAMES = ['debitsPending', 'debitsPosted', 'creditsPending', 'creditsPosted'];
const token = fc.uint8Array({ maxLength: 200 });
const row = fc.record({
  fields: recordFields,
  bookedTimestamp: unsigned(8),
  balances: fc.array(unsigned(16), { minLength: 4, maxLength: 4 }),
  state: fc.integer({ min: 0, max: 4 }),
});
type Row = Parameters<Parameters<typeof row.map>[0]>[0];

function balancesOf(values: readonly bigint[], from = 0): Record<string, unknown> {
  return Object.fromEntries(NAMES.map((name, i) => [name, values[from + i]!]));
}

function pack(
  rows: readonly Row[],
  stride: number,
  words: Uint32Array<ArrayBuffer>,
  from: number,
): void {
  rows.forEach(({ fields, bookedTimestamp, balances, state }, i) => {
    const base = from + i * stride;
    packRecord(fields, words, base);
    words[base + TransferRowWord.pendingState] = state;
    putBig(words, base + TransferRowWord.rowTimestamp, bookedTimestamp, 2);
    if (stride === TRANSFER_ROW_WORDS) return;
    balances.forEach((value, n) => {
      putBig(words, base + TRANSFER_ROW_WORDS + 4 * n, value, 4);
    });
  });
}

describe('responses of reads that protobufjs decodes', () => {
  it('hold the accounts', () => {
    fc.assert(
      fc.property(fc.array(recordFields, { maxLength: 4 }), token, (accounts, next) => {
        const words = new Uint32Array(accounts.length * RECORD_WORDS);
        accounts.forEach((fields, i) => {
          packRecord({ ...fields, timeout: 0 }, words, i * RECORD_WORDS);
        });
        expect(decode('LookupAccountsResponse', encodeAccounts(words))).toEqual({
          accounts: accounts.map(account),
        });
        expect(decode('QueryAccountsResponse', encodeQueriedAccounts(words, next))).toEqual({
          accounts: accounts.map(account),
          nextPageToken: asNumber(next),
        });
      }),
    );
  });

  it('hold the transfers, and when they were booked', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 4 }), token, (rows, next) => {
        const words = new Uint32Array(rows.length * TRANSFER_ROW_WORDS);
        pack(rows, TRANSFER_ROW_WORDS, words, 0);
        expect(decode('LookupTransfersResponse', encodeTransfers(words))).toEqual({
          transfers: rows.map(transfer),
        });
        expect(decode('QueryTransfersResponse', encodeQueriedTransfers(words, next))).toEqual({
          transfers: rows.map((item) => ({
            transfer: transfer(item),
            bookedTimestamp: item.bookedTimestamp.toString(),
          })),
          nextPageToken: asNumber(next),
        });
      }),
    );
  });

  it('hold an account with its transfers, and the balances after each if asked for', () => {
    fc.assert(
      fc.property(
        recordFields,
        fc.array(row, { maxLength: 4 }),
        fc.boolean(),
        token,
        (owner, rows, balances, next) => {
          const stride = TRANSFER_ROW_WORDS + (balances ? BALANCES_WORDS : 0);
          const words = new Uint32Array(RECORD_WORDS + rows.length * stride);
          packRecord({ ...owner, timeout: 0 }, words, 0);
          pack(rows, stride, words, RECORD_WORDS);
          const bytes = encodeAccountTransfers(words, balances, next);
          expect(decode('GetAccountTransfersResponse', bytes)).toEqual({
            account: account(owner),
            transfers: rows.map((item) => ({
              transfer: transfer(item),
              bookedTimestamp: item.bookedTimestamp.toString(),
              balances: balances ? balancesOf(item.balances) : null,
            })),
            nextPageToken: asNumber(next),
          });
        },
      ),
    );
  });

  it('hold balances, and whether they are final', () => {
    const words = new Uint32Array(20);
    words.set([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0xffff_ffff, 1, 0, 0, 978, 1]);
    expect(decode('GetAccountBalanceResponse', encodeAccountBalance(words))).toEqual({
      balances: balancesOf([1n, 2n, 3n, 0x1_ffff_ffffn]),
      ledger: 978,
      final: true,
    });
  });
});

function asNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function shared(fields: RecordFields): Record<string, unknown> {
  return {
    userData_128: fields.wide[5]!,
    userData_64: fields.userData64.toString(),
    userData_32: fields.userData32,
    ledger: fields.ledger,
    code: fields.code,
    flags: fields.flags,
    timestamp: fields.timestamp.toString(),
  };
}

function account(fields: RecordFields): Record<string, unknown> {
  return { ...shared(fields), id: fields.wide[0]!, ...balancesOf(fields.wide, 1) };
}

function transfer({ fields, state }: Row): Record<string, unknown> {
  const { timestamp, timeout, flags } = fields;
  const expires = (timestamp + BigInt(timeout) * 1_000_000_000n) & 0xffff_ffff_ffff_ffffn;
  const doesExpire = timeout !== 0 && (flags & TransferFlag.pending) !== 0;
  return {
    ...shared(fields),
    id: fields.wide[0]!,
    debitAccountId: fields.wide[1]!,
    creditAccountId: fields.wide[2]!,
    amount: fields.wide[3]!,
    pendingId: fields.wide[4]!,
    timeout,
    pendingState: state,
    expiresTimestamp: doesExpire ? expires.toString() : '0',
  };
}

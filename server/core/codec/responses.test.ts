import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BALANCES_WORDS,
  RECORD_WORDS,
  RESULT_WITH_BALANCES_WORDS,
  RESULT_WORDS,
  ResultFlag,
  ResultWord,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from '../../../ledger/layout.ts';
import { AccountStatus, InternalStatus, TransferStatus } from '../../../ledger/status.ts';
import {
  encodeAccountResults,
  encodeAccounts,
  encodeAccountTransfers,
  encodeTransferResults,
  encodeTransfers,
} from './responses.ts';
import { recordFields, unsigned } from './testing/arbitrary.ts';
import { decode, encode, packRecord, putBig, type RecordFields } from './testing/schema.ts';

const status = fc.constantFrom(...Object.values(TransferStatus));
const sides = fc.integer({ min: 0, max: 3 });
const result = fc.record({
  status,
  timestamp: unsigned(8),
  sides,
  balances: fc.array(unsigned(16), { minLength: 8, maxLength: 8 }),
});
const NAMES = ['debitsPending', 'debitsPosted', 'creditsPending', 'creditsPosted'];

function balances(values: readonly bigint[], from: number): Record<string, unknown> {
  return Object.fromEntries(NAMES.map((name, i) => [name, values[from + i]!]));
}

describe('responses that protobufjs decodes', () => {
  it('hold the results, created being -1', () => {
    fc.assert(
      fc.property(fc.array(result, { minLength: 1, maxLength: 5 }), (results) => {
        const words = new Uint32Array(results.length * RESULT_WORDS);
        results.forEach((item, i) => {
          words[i * RESULT_WORDS + ResultWord.status] = item.status;
          putBig(words, i * RESULT_WORDS + ResultWord.timestamp, item.timestamp, 2);
        });
        const bytes = encodeTransferResults(words, false);
        expect(encodeAccountResults(words)).toEqual(bytes);
        expect(decode('CreateTransfersResponse', bytes)).toEqual({
          results: results.map((item) => ({
            status: item.status | 0,
            timestamp: item.timestamp.toString(),
            debitAccount: null,
            creditAccount: null,
          })),
        });
      }),
    );
  });

  it('hold the balances of the sides that are known', () => {
    fc.assert(
      fc.property(fc.array(result, { minLength: 1, maxLength: 5 }), (results) => {
        const words = new Uint32Array(results.length * RESULT_WITH_BALANCES_WORDS);
        results.forEach((item, i) => {
          const base = i * RESULT_WITH_BALANCES_WORDS;
          words[base + ResultWord.status] = item.status;
          putBig(words, base + ResultWord.timestamp, item.timestamp, 2);
          words[base + ResultWord.flags] = item.sides;
          item.balances.forEach((value, n) => {
            putBig(words, base + RESULT_WORDS + 4 * n, value, 4);
          });
        });
        expect(BALANCES_WORDS).toBe(16);
        const decoded = decode('CreateTransfersResponse', encodeTransferResults(words, true));
        expect(decoded).toEqual({
          results: results.map((item) => ({
            status: item.status | 0,
            timestamp: item.timestamp.toString(),
            debitAccount: item.sides & ResultFlag.debitBalances ? balances(item.balances, 0) : null,
            creditAccount:
              item.sides & ResultFlag.creditBalances ? balances(item.balances, 4) : null,
          })),
        });
      }),
    );
  });

  it('hold the accounts', () => {
    fc.assert(
      fc.property(fc.array(recordFields, { maxLength: 4 }), (accounts) => {
        const words = new Uint32Array(accounts.length * RECORD_WORDS);
        accounts.forEach((fields, i) => {
          packRecord({ ...fields, timeout: 0 }, words, i * RECORD_WORDS);
        });
        expect(decode('LookupAccountsResponse', encodeAccounts(words))).toEqual({
          accounts: accounts.map(account),
        });
      }),
    );
  });

  it('hold the transfers, and with an account also when they were booked', () => {
    const row = fc.record({ fields: recordFields, bookedTimestamp: unsigned(8) });
    fc.assert(
      fc.property(recordFields, fc.array(row, { maxLength: 4 }), (owner, rows) => {
        const words = new Uint32Array(RECORD_WORDS + rows.length * TRANSFER_ROW_WORDS);
        packRecord({ ...owner, timeout: 0 }, words, 0);
        rows.forEach(({ fields, bookedTimestamp }, i) => {
          const base = RECORD_WORDS + i * TRANSFER_ROW_WORDS;
          packRecord(fields, words, base);
          putBig(words, base + TransferRowWord.rowTimestamp, bookedTimestamp, 2);
        });
        expect(decode('GetAccountTransfersResponse', encodeAccountTransfers(words))).toEqual({
          account: account(owner),
          transfers: rows.map(({ fields, bookedTimestamp }) => ({
            transfer: transfer(fields),
            bookedTimestamp: bookedTimestamp.toString(),
          })),
        });
        const bytes = encodeTransfers(words.slice(RECORD_WORDS));
        expect(decode('LookupTransfersResponse', bytes)).toEqual({
          transfers: rows.map(({ fields }) => transfer(fields)),
        });
      }),
    );
  });
});

describe('statuses', () => {
  it.each(Object.entries(InternalStatus))('%s never reaches a client', (_, value) => {
    const words = new Uint32Array(RESULT_WORDS);
    words[ResultWord.status] = value;
    expect(() => encodeTransferResults(words, false)).toThrow('not for clients');
  });

  it('a result that nobody filled in never reaches a client', () => {
    expect(() => encodeAccountResults(new Uint32Array(RESULT_WORDS))).toThrow('not for clients');
  });

  it('created is -1 as any protobuf writes it: eleven bytes with its tag', () => {
    const words = new Uint32Array(RESULT_WORDS);
    words[ResultWord.status] = AccountStatus.created;
    const theirs = encode('CreateAccountsResponse', { results: [{ status: -1 }] });
    expect([...encodeAccountResults(words)]).toEqual([...theirs]);
    expect(theirs).toHaveLength(2 + 11);
  });
});

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
  return { ...shared(fields), id: fields.wide[0]!, ...balances(fields.wide, 1) };
}

function transfer(fields: RecordFields): Record<string, unknown> {
  return {
    ...shared(fields),
    id: fields.wide[0]!,
    debitAccountId: fields.wide[1]!,
    creditAccountId: fields.wide[2]!,
    amount: fields.wide[3]!,
    pendingId: fields.wide[4]!,
    timeout: fields.timeout,
  };
}

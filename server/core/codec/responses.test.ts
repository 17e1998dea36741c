import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BALANCES_WORDS,
  RESULT_WITH_BALANCES_WORDS,
  RESULT_WORDS,
  ResultFlag,
  ResultWord,
} from '../../../ledger/layout.ts';
import { AccountStatus, InternalStatus, TransferStatus } from '../../../ledger/status.ts';
import { encodeAccountResults, encodeTransferResults } from './responses.ts';
import { unsigned } from './testing/arbitrary.ts';
import { decode, encode, putBig } from './testing/schema.ts';

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

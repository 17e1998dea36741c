import { describe, expect, it } from 'vitest';
import {
  AccountWord,
  RECORD_WORDS,
  RESULT_WITH_BALANCES_WORDS,
  RESULT_WORDS,
  ResultFlag,
  ResultWord,
  SUB_BATCH_HEADER_WORDS,
  SubBatchWord,
  TransferWord,
} from '../../../ledger/layout.ts';
import { InternalStatus, TransferStatus } from '../../../ledger/status.ts';
import { ReplyOutcome, RequestKind } from '../messages.ts';
import type { Router, RouterDone } from '../router.ts';
import type { GatewayContext } from './context.ts';
import { EventRequest } from './event-request.ts';

interface Asked {
  readonly unit: number;
  readonly kind: number;
  readonly words: Uint32Array;
  readonly done: RouterDone;
  cancelled: boolean;
}

/** A gateway whose units are the account ids' hundreds, and whose answers the test gives. */
function setUp(
  transfers: readonly { id: number; debit: number; credit: number }[],
  balances = false,
) {
  const asked: Asked[] = [];
  const later: (() => void)[] = [];
  const request = (unit: number, kind: number, words: Uint32Array, done: RouterDone) => {
    const entry: Asked = { unit, kind, words, done, cancelled: false };
    asked.push(entry);
    return {
      cancel: () => {
        entry.cancelled = true;
      },
    };
  };
  const router = {
    request,
    propose: (unit: number, words: Uint32Array, done: RouterDone) =>
      request(unit, RequestKind.propose, words, done),
  };
  const context: GatewayContext = {
    router: router as unknown as Router,
    unitOf: (words, offset) => Math.floor(words[offset]! / 100),
    units: () => [1, 2, 3],
    nowMs: () => 0,
    later: (_dueMs, callback) => later.push(callback),
  };
  const records = new Uint32Array(transfers.length * RECORD_WORDS);
  transfers.forEach(({ id, debit, credit }, i) => {
    records[i * RECORD_WORDS + TransferWord.id] = id;
    records[i * RECORD_WORDS + TransferWord.debitAccountId] = debit;
    records[i * RECORD_WORDS + TransferWord.creditAccountId] = credit;
  });
  const finished: Uint32Array[] = [];
  const handle = new EventRequest(
    context,
    'transfers',
    records,
    transfers.length,
    balances,
    (_error, words) => finished.push(words),
  );
  handle.start();
  return { asked, later, finished, handle };
}

const idsOf = ({ words }: Asked) => {
  const count = words[SubBatchWord.count]!;
  return Array.from(
    { length: count },
    (_, i) => words[SUB_BATCH_HEADER_WORDS + i * RECORD_WORDS + TransferWord.id],
  );
};

/** Results with that status each, and that many words. */
function results(statuses: readonly number[], stride = RESULT_WORDS, flags = 0): Uint32Array {
  const words = new Uint32Array(statuses.length * stride);
  statuses.forEach((status, i) => {
    words[i * stride + ResultWord.status] = status;
    words[i * stride + ResultWord.flags] = flags;
  });
  return words;
}

const statusesOf = (words: Uint32Array, stride = RESULT_WORDS) =>
  Array.from({ length: words.length / stride }, (_, i) => words[i * stride + ResultWord.status]);

describe('a request of transfers', () => {
  const five = [
    { id: 1, debit: 201, credit: 202 },
    { id: 2, debit: 101, credit: 202 },
    { id: 3, debit: 202, credit: 101 },
    { id: 4, debit: 301, credit: 302 },
    { id: 5, debit: 102, credit: 101 },
  ];

  it('goes to each debit account’s unit in one sub-batch, in order, and comes back in request order', () => {
    const { asked, finished } = setUp(five);
    expect(asked.map((entry) => [entry.unit, idsOf(entry)])).toEqual([
      [2, [1, 3]],
      [1, [2, 5]],
      [3, [4]],
    ]);
    asked[1]!.done(ReplyOutcome.done, results([12, 15]));
    asked[2]!.done(ReplyOutcome.done, results([14]));
    expect(finished).toEqual([]);
    asked[0]!.done(ReplyOutcome.done, results([11, 13]));
    expect(finished.map((words) => statusesOf(words))).toEqual([[11, 12, 13, 14, 15]]);
  });

  it('asks again, later, only for what met an open crossing of its id', () => {
    const { asked, later, finished } = setUp(five.slice(0, 3));
    asked[0]!.done(ReplyOutcome.done, results([InternalStatus.in_flight, 13]));
    asked[1]!.done(ReplyOutcome.done, results([InternalStatus.wrong_unit]));
    expect([finished.length, asked.length]).toEqual([0, 2]);
    for (const callback of later) callback();
    expect(asked.slice(2).map((entry) => [entry.unit, idsOf(entry)])).toEqual([
      [2, [1]],
      [1, [2]],
    ]);
    asked[2]!.done(ReplyOutcome.done, results([11]));
    asked[3]!.done(ReplyOutcome.done, results([12]));
    expect(finished.map((words) => statusesOf(words))).toEqual([[11, 12, 13]]);
  });

  it('says nothing and asks nothing more once it is cancelled', () => {
    const { asked, later, finished, handle } = setUp(five.slice(0, 2));
    asked[0]!.done(ReplyOutcome.done, results([InternalStatus.in_flight]));
    handle.cancel();
    expect(asked[1]!.cancelled).toBe(true);
    for (const callback of later) callback();
    asked[1]!.done(ReplyOutcome.done, results([11]));
    expect([finished.length, asked.length]).toEqual([0, 2]);
  });

  it('reads the balances of a side that the home unit doesn’t know, but not of what was refused', () => {
    const stride = RESULT_WITH_BALANCES_WORDS;
    const { asked, finished } = setUp([five[1]!, five[4]!], true);
    const answer = results(
      [TransferStatus.exists, TransferStatus.exceeds_credits],
      stride,
      ResultFlag.debitBalances,
    );
    asked[0]!.done(ReplyOutcome.done, answer);
    expect(finished).toEqual([]);
    const [, lookup] = asked;
    expect([lookup!.unit, lookup!.kind, lookup!.words[0]]).toEqual([
      2,
      RequestKind.lookupAccounts,
      202,
    ]);
    const account = new Uint32Array(RECORD_WORDS);
    account[AccountWord.id] = 202;
    account[AccountWord.creditsPosted] = 77;
    lookup!.done(ReplyOutcome.done, account);
    const [words] = finished;
    const credit = RESULT_WORDS + 16;
    const creditsPosted = AccountWord.creditsPosted - AccountWord.debitsPending;
    expect(words![credit + creditsPosted]).toBe(77);
    expect(words![ResultWord.flags]).toBe(ResultFlag.debitBalances | ResultFlag.creditBalances);
    expect(asked).toHaveLength(2);
  });
});

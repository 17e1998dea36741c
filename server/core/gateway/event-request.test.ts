import { describe, expect, it } from 'vitest';
import {
  AccountFlag,
  AccountWord,
  RECORD_WORDS,
  RESULT_WITH_BALANCES_WORDS,
  RESULT_WORDS,
  ResultFlag,
  ResultWord,
  SUB_BATCH_HEADER_WORDS,
  SubBatchFlag,
  SubBatchWord,
  TransferFlag,
  TransferWord,
} from '../../../ledger/layout.ts';
import { InternalStatus, TransferStatus } from '../../../ledger/status.ts';
import type { EvenkeelError } from '../error.ts';
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

/** Ids below 2^32; 'own' is one of the ledger's own accounts. */
interface TestTransfer {
  readonly id: number;
  readonly debit: number | 'own';
  readonly credit: number;
  readonly flags?: number;
}

/** A gateway whose units are the account ids' hundreds, and whose answers the test gives. */
function setUp(transfers: readonly TestTransfer[], balances = false, units = [1, 2, 3]) {
  const records = new Uint32Array(transfers.length * RECORD_WORDS);
  transfers.forEach(({ id, debit, credit, flags = 0 }, i) => {
    const at = i * RECORD_WORDS;
    records[at + TransferWord.id] = id;
    if (debit === 'own') records.fill(0xffff_ffff, at + TransferWord.debitAccountId, at + 8);
    else records[at + TransferWord.debitAccountId] = debit;
    records[at + TransferWord.creditAccountId] = credit;
    records[at + TransferWord.codeAndFlags] = flags << 16;
  });
  return start('transfers', records, balances, units);
}

function start(
  kind: 'accounts' | 'transfers',
  records: Uint32Array,
  balances: boolean,
  units: readonly number[],
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
    proposeOrFail: (unit: number, words: Uint32Array, done: RouterDone) =>
      request(unit, RequestKind.propose, words, done),
  };
  const context: GatewayContext = {
    router: router as unknown as Router,
    unitOf: (words, offset) => Math.max(1, Math.floor(words[offset]! / 100) % 10),
    units: () => units,
    nowMs: () => 0,
    later: (_dueMs, callback) => later.push(callback),
  };
  const finished: Uint32Array[] = [];
  const errors: EvenkeelError[] = [];
  const handle = new EventRequest(
    context,
    kind,
    records,
    records.length / RECORD_WORDS,
    balances,
    (error, words) => {
      if (error === null) finished.push(words);
      else errors.push(error);
    },
  );
  handle.start();
  const runLater = () => {
    for (const callback of later.splice(0)) callback();
  };
  return { asked, later, runLater, finished, errors, handle };
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

const { linked, pending, postPendingTransfer: post, voidPendingTransfer, imported } = TransferFlag;
const flagsOf = ({ words }: Asked) => words[SubBatchWord.kindAndFlags]! >>> 16;

describe('a request of more than plain transfers', () => {
  it('goes to the unit of the debit account, and of a post or void that names the credit account alone to its', () => {
    const { asked } = setUp([
      { id: 1, debit: 201, credit: 202, flags: pending },
      { id: 2, debit: 301, credit: 0, flags: post },
      { id: 3, debit: 0, credit: 102, flags: voidPendingTransfer },
      { id: 4, debit: 0, credit: 301 },
    ]);
    expect(asked.map((entry) => [entry.unit, idsOf(entry)])).toEqual([
      [2, [1]],
      [3, [2]],
      [1, [3, 4]],
    ]);
  });

  it('is refused whole, before anything is proposed, if one that is not plain would touch two units', () => {
    for (let bit = 0; bit < 9; bit += 1) {
      const { asked, errors, runLater } = setUp([
        { id: 1, debit: 101, credit: 202 },
        { id: 2, debit: 101, credit: 202, flags: 1 << bit },
      ]);
      expect(errors).toEqual([]);
      runLater();
      expect(errors[0]!.code).toBe('not_across_units');
      expect(errors[0]!.message).toContain('transfers[1]');
      expect(asked).toEqual([]);
    }
  });

  it('crosses with flags that do not exist, so that their unit can say so', () => {
    const { asked, errors, runLater } = setUp([{ id: 1, debit: 101, credit: 202, flags: 1 << 9 }]);
    runLater();
    expect([asked.map(({ unit }) => unit), errors]).toEqual([[1], []]);
  });

  it('is refused whole if a chain would be in two units, its last event included', () => {
    const { asked, errors, runLater } = setUp([
      { id: 1, debit: 101, credit: 102, flags: linked },
      { id: 2, debit: 101, credit: 102, flags: linked },
      { id: 3, debit: 201, credit: 202 },
      { id: 4, debit: 101, credit: 202 },
    ]);
    runLater();
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringContaining('transfers[2]') as string,
    ]);
    expect(asked).toEqual([]);
  });

  it('is refused whole if a post or void could be in any of several units, but not if there is one only', () => {
    const resolution = { id: 2, debit: 0, credit: 0, flags: post };
    const several = setUp([resolution]);
    several.runLater();
    expect(several.errors[0]!.message).toContain('transfers[0]: any unit may hold its pending');
    const one = setUp([resolution], false, [1]);
    one.runLater();
    expect([one.errors, one.asked.map(({ unit }) => unit)]).toEqual([[], [1]]);
  });

  it('keeps events that name no account of a client with the chain they are in', () => {
    const { asked, errors, runLater } = setUp([
      { id: 1, debit: 0, credit: 302, flags: linked },
      { id: 2, debit: 'own', credit: 302, flags: linked },
      { id: 3, debit: 302, credit: 303 },
    ]);
    runLater();
    expect(asked.map((entry) => [entry.unit, idsOf(entry)])).toEqual([[3, [1, 2, 3]]]);
    expect(errors).toEqual([]);
  });

  it('asks again for whole chains only, with all else of their unit in the order of the request', () => {
    const { asked, runLater, finished } = setUp([
      { id: 1, debit: 101, credit: 102 },
      { id: 2, debit: 101, credit: 102, flags: linked },
      { id: 3, debit: 101, credit: 102 },
      { id: 4, debit: 101, credit: 102, flags: linked },
      { id: 5, debit: 101, credit: 102 },
      { id: 6, debit: 101, credit: 102 },
    ]);
    const failed = TransferStatus.linked_event_failed;
    const { in_flight: inFlight, wrong_unit: wrongUnit } = InternalStatus;
    asked[0]!.done(ReplyOutcome.done, results([inFlight, failed, inFlight, 14, 15, wrongUnit]));
    runLater();
    expect(idsOf(asked[1]!)).toEqual([1, 2, 3, 6]);
    asked[1]!.done(ReplyOutcome.done, results([11, inFlight, failed, 16]));
    runLater();
    expect(idsOf(asked[2]!)).toEqual([2, 3]);
    expect(finished).toEqual([]);
    asked[2]!.done(ReplyOutcome.done, results([12, 13]));
    expect(finished.map((words) => statusesOf(words))).toEqual([[11, 12, 13, 14, 15, 16]]);
  });

  it('ends with the error if a unit finds that an event would touch two, and asks nothing more', () => {
    const { asked, errors, finished } = setUp([
      { id: 1, debit: 101, credit: 102 },
      { id: 2, debit: 201, credit: 202, flags: pending },
    ]);
    asked[1]!.done(ReplyOutcome.done, results([InternalStatus.not_across_units]));
    expect(errors.map(({ code, message }) => [code, message.includes('transfers[1]')])).toEqual([
      ['not_across_units', true],
    ]);
    expect(asked[0]!.cancelled).toBe(true);
    asked[0]!.done(ReplyOutcome.done, results([11]));
    expect([finished, errors.length]).toEqual([[], 1]);
  });

  it('is an import in every unit, and in every try, if its first event is imported', () => {
    const { asked, runLater } = setUp([
      { id: 1, debit: 101, credit: 102, flags: imported },
      { id: 2, debit: 201, credit: 202 },
    ]);
    expect(asked.map(flagsOf)).toEqual([SubBatchFlag.imported, SubBatchFlag.imported]);
    asked[1]!.done(ReplyOutcome.done, results([InternalStatus.in_flight]));
    runLater();
    expect(flagsOf(asked[2]!)).toBe(SubBatchFlag.imported);
    const other = setUp([
      { id: 1, debit: 101, credit: 102 },
      { id: 2, debit: 201, credit: 202, flags: imported },
    ]);
    expect(other.asked.map(flagsOf)).toEqual([0, 0]);
  });

  it('leaves absent the balances of a side that a post or void does not name', () => {
    const flags = post;
    const { asked, finished } = setUp([{ id: 1, debit: 101, credit: 0, flags }], true);
    const answer = results([TransferStatus.exists], RESULT_WITH_BALANCES_WORDS, 0);
    asked[0]!.done(ReplyOutcome.done, answer);
    expect(asked[1]!.words).toHaveLength(4);
    asked[1]!.done(ReplyOutcome.done, new Uint32Array(0));
    expect(finished[0]![ResultWord.flags]).toBe(0);
  });
});

describe('a request of accounts', () => {
  const accounts = (...events: { id: number; flags?: number }[]) => {
    const records = new Uint32Array(events.length * RECORD_WORDS);
    events.forEach(({ id, flags = 0 }, i) => {
      records[i * RECORD_WORDS + AccountWord.id] = id;
      records[i * RECORD_WORDS + AccountWord.codeAndFlags] = flags << 16;
    });
    return start('accounts', records, false, [1, 2, 3]);
  };

  it('keeps a chain in one unit, and is refused whole if that can’t be', () => {
    const one = accounts({ id: 201, flags: AccountFlag.linked }, { id: 0 }, { id: 101 });
    expect(one.asked.map(({ unit, words }) => [unit, words[SubBatchWord.count]])).toEqual([
      [2, 2],
      [1, 1],
    ]);
    const two = accounts({ id: 201, flags: AccountFlag.linked }, { id: 101 });
    two.runLater();
    expect(two.errors[0]!.message).toContain('not_across_units: accounts[1]');
    expect(two.asked).toEqual([]);
  });

  it('is an import if its first event is imported', () => {
    const { asked } = accounts({ id: 201, flags: AccountFlag.imported }, { id: 101 });
    expect(asked.map(flagsOf)).toEqual([SubBatchFlag.imported, SubBatchFlag.imported]);
  });
});

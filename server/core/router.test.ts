import { describe, expect, it } from 'vitest';
import { ENTRY_BYTES_MAX, SUB_BATCH_HEADER_WORDS, SubBatchWord } from '../../ledger/layout.ts';
import {
  ANSWER_MS_AT_FIRST,
  LEADER_SILENT_MS_MAX,
  LEADERLESS_MS_MAX,
  RESEND_ANSWER_TIMES,
  RESEND_MS_MIN,
} from './limits.ts';
import { type ReplyMessage, ReplyOutcome, RequestKind, type RequestMessage } from './messages.ts';
import { splitSubBatches } from './proposals.ts';
import { asWords, joinWords, Router } from './router.ts';

const SELF = 1;
const EPOCH = 77;

/** A router with a clock, leaders and a network that the test moves by hand. */
function setUp() {
  const state = { nowMs: 0, leader: 2, sent: [] as { to: number; message: RequestMessage }[] };
  const router = new Router({
    self: SELF,
    epoch: EPOCH,
    nowMs: () => state.nowMs,
    leaderOf: () => state.leader,
    send: (to, message) => state.sent.push({ to, message }),
    receive: (to, message) => state.sent.push({ to, message }),
  });
  const answers: { name: string; words: number[] }[] = [];
  const propose = (name: string, words = subBatch(1)) =>
    router.propose(1, words, (_outcome, results) => answers.push({ name, words: [...results] }));
  const reply = (message: RequestMessage, fields: Partial<ReplyMessage>, words: number[] = []) =>
    router.reply(
      2,
      {
        type: 'reply',
        unit: message.unit,
        epoch: message.epoch,
        ref: message.ref,
        count: 1,
        outcome: ReplyOutcome.done,
        leader: 0,
        body: new Uint8Array(0),
        ...fields,
      },
      Uint32Array.from(words),
    );
  const later = (ms: number) => {
    state.nowMs += ms;
    router.flush();
  };
  return { state, router, answers, propose, reply, later };
}

function subBatch(mark: number, bodyWords = 1): Uint32Array {
  const words = new Uint32Array(SUB_BATCH_HEADER_WORDS + bodyWords);
  words[SubBatchWord.bodyWords] = bodyWords;
  words[SUB_BATCH_HEADER_WORDS] = mark;
  return words;
}

describe('Router', () => {
  it('sends the proposals of one turn to the leader in one message and tells their answers apart', () => {
    const { state, router, answers, propose, reply } = setUp();
    propose('a', subBatch(10));
    propose('b', subBatch(20));
    router.flush();
    expect(state.sent).toHaveLength(1);
    const { to, message } = state.sent[0]!;
    expect(to).toBe(2);
    expect(splitSubBatches(asWords(message.body)).map((words) => words.at(-1))).toEqual([10, 20]);
    reply(message, { ref: message.ref + 1 }, [2]);
    reply(message, {}, [1]);
    expect(answers).toEqual([
      { name: 'b', words: [2] },
      { name: 'a', words: [1] },
    ]);
    expect(router.unanswered).toBe(0);
  });

  it('never makes a message larger than an entry', () => {
    const { state, router, propose } = setUp();
    const bodyWords = ENTRY_BYTES_MAX / 8;
    for (let i = 0; i < 5; i += 1) propose(`${i}`, subBatch(i, bodyWords));
    router.flush();
    expect(state.sent.length).toBe(5);
    for (const { message } of state.sent) {
      expect(message.body.byteLength).toBeLessThanOrEqual(ENTRY_BYTES_MAX);
    }
    const refs = state.sent.map(({ message }) => message.ref);
    expect(new Set(refs).size).toBe(5);
  });

  it('follows the leader that a refusal names at once', () => {
    const { state, router, propose, reply, answers } = setUp();
    propose('a');
    router.flush();
    state.leader = 0; // our own replica knows none
    reply(state.sent[0]!.message, { outcome: ReplyOutcome.notLeader, leader: 3 });
    router.flush();
    expect(state.sent[1]!.to).toBe(3);
    reply(state.sent[1]!.message, {}, [5]);
    expect(answers).toHaveLength(1);
  });

  it('waits a little before it asks again when it was refused without a hint', () => {
    const { state, router, propose, reply, later } = setUp();
    propose('a');
    router.flush();
    reply(state.sent[0]!.message, { outcome: ReplyOutcome.overloaded });
    router.flush();
    expect(state.sent).toHaveLength(1);
    later(100);
    expect(state.sent).toHaveLength(2);
  });

  it('asks again when leadership was lost with the outcome unknown', () => {
    const { state, router, propose, reply, later, answers } = setUp();
    propose('a');
    router.flush();
    reply(state.sent[0]!.message, { outcome: ReplyOutcome.unknown });
    later(100);
    reply(state.sent[1]!.message, {}, [1]);
    expect(answers).toHaveLength(1);
  });

  it('sends everything unanswered to a new leader at once', () => {
    const { state, router, propose, later } = setUp();
    propose('a');
    router.flush();
    later(10);
    state.leader = 3;
    later(10);
    expect(state.sent.map(({ to }) => to)).toEqual([2, 3]);
  });

  it('asks again when no answer comes, and takes only one of two late answers', () => {
    const { state, router, propose, reply, later, answers } = setUp();
    propose('a');
    router.flush();
    later(RESEND_ANSWER_TIMES * ANSWER_MS_AT_FIRST);
    expect(state.sent).toHaveLength(2);
    reply(state.sent[1]!.message, {}, [1]);
    reply(state.sent[0]!.message, {}, [1]);
    expect(answers).toHaveLength(1);
  });

  it('waits for a slow unit as it has come to know it, and less for a quick one', () => {
    const { state, router, propose, reply, later } = setUp();
    const answerAfter = (ms: number) => {
      propose('known');
      router.flush();
      later(ms);
      reply(state.sent.at(-1)!.message, {}, [1]);
    };
    for (let i = 0; i < 100; i += 1) answerAfter(1_000);
    propose('slow');
    router.flush();
    const sent = state.sent.length;
    later(4_000);
    expect(state.sent.length).toBe(sent);
    later(1_000);
    expect(state.sent.length).toBe(sent + 1);
    reply(state.sent.at(-1)!.message, {}, [1]);
    for (let i = 0; i < 100; i += 1) answerAfter(10);
    propose('quick');
    router.flush();
    later(RESEND_MS_MIN);
    expect(state.sent.length).toBe(sent + 1 + 100 + 2); // resent, known, quick twice
  });

  it('asks again when the server that was asked has died', () => {
    const { state, router, propose } = setUp();
    propose('a');
    router.flush();
    state.leader = 0;
    router.serverDown(2);
    router.flush();
    expect(state.sent).toHaveLength(1); // nobody leads
    state.leader = 1;
    state.nowMs += 10;
    router.flush();
    expect(state.sent[1]!.to).toBe(1);
  });

  it('ignores answers to an earlier process', () => {
    const { state, router, propose, reply, answers } = setUp();
    propose('a');
    router.flush();
    reply(state.sent[0]!.message, { epoch: EPOCH - 1 }, [1]);
    expect(answers).toEqual([]);
  });

  it('forgets a cancelled request, sent or not', () => {
    const { state, router, propose, reply, answers } = setUp();
    const first = propose('a');
    router.flush();
    first.cancel();
    propose('b').cancel();
    router.flush();
    expect(state.sent).toHaveLength(1);
    reply(state.sent[0]!.message, {}, [1]);
    expect(answers).toEqual([]);
    expect(router.unanswered).toBe(0);
  });

  it('sends each read as a message of its own', () => {
    const { state, router } = setUp();
    router.request(1, RequestKind.lookupAccounts, new Uint32Array(4), () => {});
    router.request(1, RequestKind.lookupTransfers, new Uint32Array(4), () => {});
    router.flush();
    expect(state.sent.map(({ message }) => message.kind)).toEqual([
      RequestKind.lookupAccounts,
      RequestKind.lookupTransfers,
    ]);
  });
});

describe('words and bytes', () => {
  it('joins and views without losing a word, whatever the alignment', () => {
    const joined = joinWords([Uint32Array.of(1, 2), Uint32Array.of(3)]);
    const shifted = new Uint8Array(joined.length + 1);
    shifted.set(joined, 1);
    expect([...asWords(shifted.subarray(1))]).toEqual([1, 2, 3]);
    expect(() => asWords(new Uint8Array(5))).toThrow(RangeError);
  });

  it('refuses a sub-batch that runs past the end', () => {
    expect(() => splitSubBatches(subBatch(1, 3).subarray(0, 5))).toThrow(/past the end/);
    expect(() => splitSubBatches(Uint32Array.of(1, 2))).toThrow(/past the end/);
  });
});

describe('a router that may be cut off', () => {
  it('says so once a unit that is asked for has had no leader for long', () => {
    const { router, state, propose, reply, later } = setUp();
    propose('before');
    later(5);
    reply(state.sent[0]!.message, {});
    state.leader = 0;
    later(5);
    later(10_000);
    expect(router.isCutOff).toBe(false); // nobody asks
    propose('a');
    later(5);
    expect(router.isCutOff).toBe(true);
    state.leader = 3;
    later(5);
    expect(router.isCutOff).toBe(false);
  });

  it('waits for an election to end', () => {
    const { router, state, propose, later } = setUp();
    later(5);
    state.leader = 0;
    propose('a');
    later(5);
    later(LEADERLESS_MS_MAX - 1);
    expect(router.isCutOff).toBe(false);
    later(5);
    expect(router.isCutOff).toBe(true);
  });

  it('says so once a leader has left everything unanswered for long, however often it was asked', () => {
    const { router, propose, later } = setUp();
    later(10_000);
    propose('a');
    later(1);
    for (let ms = 0; ms + 100 < LEADER_SILENT_MS_MAX; ms += 100) {
      expect(router.isCutOff).toBe(false);
      later(100);
    }
    later(100);
    expect(router.isCutOff).toBe(true);
  });

  it('is patient with a leader that is slow and still answers', () => {
    const { router, state, propose, reply, later } = setUp();
    propose('slow');
    later(1);
    for (let n = 0; n < 40; n += 1) {
      propose(`quick ${n}`);
      later(100);
      reply(state.sent.at(-1)!.message, {});
      expect(router.isCutOff).toBe(false);
    }
  });
});

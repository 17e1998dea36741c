import { completeSubBatch } from '../../ledger/entry.ts';
import {
  BALANCES_WORDS,
  DECIDE_HEADER_WORDS,
  DECIDE_ITEM_WORDS,
  OPEN_ROW_WORDS,
  OpenRowWord,
  RECORD_WORDS,
  RESULT_WORDS,
  ResultFlag,
  ResultWord,
  SUB_BATCH_HEADER_WORDS,
  SubBatchFlag,
  SubBatchKind,
  SubBatchWord,
} from '../../ledger/layout.ts';
import type { Machine, Results } from '../../ledger/machine.ts';
import { InternalStatus } from '../../ledger/status.ts';
import { DECIDE_ITEMS_MAX, DECIDES_IN_FLIGHT_MAX } from './limits.ts';
import { ReplyOutcome } from './messages.ts';
import { type Proposals, u64 } from './proposals.ts';
import type { Router, SentRequest } from './router.ts';

/** One channel's work of the home leader. */
interface Channel {
  readonly farUnit: number;
  /** Open rows not sent yet, in sequence order. */
  toSend: Uint32Array[];
  /** Decide sub-batches sent and unanswered. */
  readonly sent: Set<SentRequest>;
}

/**
 * The home leader's drive of its open crossings: Reserve applied -> Decide in the far unit -> Complete
 * here. It holds nothing that the machine's state doesn't: a successor starts from the open crossings.
 * No time-out decides anything; a Decide is repeated until the far unit has answered.
 */
export class Crossings {
  readonly #unit: number;
  readonly #machine: Machine;
  readonly #proposals: Proposals;
  readonly #router: Router;
  /** Ascending by far unit. */
  #channels: Channel[] = [];
  /** Credit balances of decisions whose Complete is under way; only looked up by key. */
  #creditBalances = new Map<string, Uint32Array>();
  #driving = false;
  readonly #onDecided: () => void;

  /** `onDecided`: the unit has something to propose, or to send. */
  constructor(
    unit: number,
    machine: Machine,
    proposals: Proposals,
    router: Router,
    onDecided: () => void,
  ) {
    this.#onDecided = onDecided;
    this.#unit = unit;
    this.#machine = machine;
    this.#proposals = proposals;
    this.#router = router;
  }

  /** This server leads the unit now: drive on whatever is open. */
  start(): void {
    this.#driving = true;
    const open = this.#machine.openCrossings();
    for (let at = 0; at < open.length; at += OPEN_ROW_WORDS) {
      this.#queue(open.slice(at, at + OPEN_ROW_WORDS));
    }
  }

  stop(): void {
    this.#driving = false;
    for (const channel of this.#channels) {
      for (const sent of channel.sent) sent.cancel();
    }
    this.#channels = [];
    this.#creditBalances = new Map();
  }

  /** Looks through an applied entry's results for crossings it opened or completed. */
  applied(results: Results): void {
    if (!this.#driving) return;
    for (const { kind, offset, count, stride } of results.subBatches) {
      for (let i = 0, at = offset; i < count; i += 1, at += stride) {
        if (kind === SubBatchKind.createTransfers) this.#opened(results.words, at);
        else if (kind === SubBatchKind.complete) this.#completed(results.words, at, stride);
      }
    }
  }

  get hasWork(): boolean {
    return this.#channels.some(
      ({ toSend, sent }) => toSend.length > 0 && sent.size < DECIDES_IN_FLIGHT_MAX,
    );
  }

  /** Sends what has come together, in whole sub-batches. */
  flush(): void {
    for (const channel of this.#channels) {
      while (channel.toSend.length > 0 && channel.sent.size < DECIDES_IN_FLIGHT_MAX) {
        this.#send(channel, channel.toSend.splice(0, DECIDE_ITEMS_MAX));
      }
    }
  }

  #opened(words: Uint32Array, at: number): void {
    if (words[at + ResultWord.status] !== InternalStatus.crossing_opened) return;
    const farUnit = words[at + ResultWord.unit]!;
    const row = this.#machine.openCrossing(
      farUnit,
      words[at + ResultWord.sequence]!,
      words[at + ResultWord.sequence + 1]!,
    );
    if (row === null) throw new Error(`unit ${this.#unit}: a crossing was opened but is not open`);
    this.#queue(row);
  }

  #completed(words: Uint32Array, at: number, stride: number): void {
    if (words[at + ResultWord.status] === InternalStatus.already_complete) return;
    const farUnit = words[at + ResultWord.unit]!;
    const sequence = u64(words, at + ResultWord.sequence);
    const key = `${farUnit}/${sequence}`;
    const credit = this.#creditBalances.get(key) ?? null;
    this.#creditBalances.delete(key);
    this.#proposals.crossingDone(farUnit, sequence, words.slice(at, at + stride), credit);
  }

  #queue(row: Uint32Array): void {
    const farUnit = row[OpenRowWord.farUnit]!;
    let channel = this.#channels.find((candidate) => candidate.farUnit === farUnit);
    if (channel === undefined) {
      channel = { farUnit, toSend: [], sent: new Set() };
      this.#channels.push(channel);
      this.#channels.sort((a, b) => a.farUnit - b.farUnit);
    }
    channel.toSend.push(row);
  }

  #send(channel: Channel, rows: readonly Uint32Array[]): void {
    const balances = rows.some((row) => row[OpenRowWord.wantsBalances] === 1);
    const flags = balances ? SubBatchFlag.balances : 0;
    const words = this.#decideSubBatch(channel.farUnit, rows, flags);
    const sent = this.#router.propose(channel.farUnit, words, (outcome, results) => {
      channel.sent.delete(sent);
      if (outcome !== ReplyOutcome.done) {
        throw new Error(`a decide without a deadline ended with outcome ${outcome}`);
      }
      this.#decided(channel.farUnit, results, results.length / rows.length, flags);
      this.#onDecided();
    });
    channel.sent.add(sent);
  }

  #decideSubBatch(farUnit: number, rows: readonly Uint32Array[], flags: number): Uint32Array {
    const bodyWords = DECIDE_HEADER_WORDS + rows.length * DECIDE_ITEM_WORDS;
    const words = new Uint32Array(SUB_BATCH_HEADER_WORDS + bodyWords);
    words[SubBatchWord.kindAndFlags] = (flags << 16) | SubBatchKind.decide;
    words[SubBatchWord.count] = rows.length;
    words[SubBatchWord.bodyWords] = bodyWords;
    words[SubBatchWord.unit] = this.#unit;
    const [finishedLo, finishedHi] = this.#machine.finishedThrough(farUnit);
    let at = SUB_BATCH_HEADER_WORDS;
    words[at] = finishedLo;
    words[at + 1] = finishedHi;
    at += DECIDE_HEADER_WORDS;
    for (const row of rows) {
      words[at] = row[OpenRowWord.sequence]!;
      words[at + 1] = row[OpenRowWord.sequence + 1]!;
      words.set(row.subarray(OpenRowWord.record, OpenRowWord.record + RECORD_WORDS), at + 4);
      at += DECIDE_ITEM_WORDS;
    }
    return words;
  }

  /** The far unit's answers go into our own log. */
  #decided(farUnit: number, results: Uint32Array, stride: number, flags: number): void {
    const items: { sequenceLo: number; sequenceHi: number; status: number }[] = [];
    for (let at = 0; at < results.length; at += stride) {
      const status = results[at + ResultWord.status]!;
      // Forgotten means that we have completed it before: nothing is left to do.
      if (status === InternalStatus.decision_forgotten) continue;
      const sequenceLo = results[at + ResultWord.sequence]!;
      const sequenceHi = results[at + ResultWord.sequence + 1]!;
      items.push({ sequenceLo, sequenceHi, status });
      if ((results[at + ResultWord.flags]! & ResultFlag.creditBalances) === 0) continue;
      const from = at + RESULT_WORDS + BALANCES_WORDS;
      this.#creditBalances.set(
        `${farUnit}/${u64(results, at + ResultWord.sequence)}`,
        results.slice(from, from + BALANCES_WORDS),
      );
    }
    if (items.length === 0) return;
    this.#proposals.add(completeSubBatch(farUnit, items, flags), () => {
      // Done, or leadership was lost and the next leader drives on: nobody waits for this one.
    });
  }
}

import {
  BALANCES_WORDS,
  ENTRY_BYTES_MAX,
  ENTRY_HEADER_WORDS,
  RESULT_WITH_BALANCES_WORDS,
  RESULT_WORDS,
  ResultFlag,
  ResultWord,
  SUB_BATCH_HEADER_WORDS,
  SubBatchWord,
  WORD_BYTES,
} from '../../ledger/layout.ts';
import type { Results } from '../../ledger/machine.ts';
import { InternalStatus } from '../../ledger/status.ts';
import { ReplyOutcome } from './messages.ts';

/** Who proposed a sub-batch. Called once, with its results, or with why there are none. */
export type ProposalDone = (outcome: number, results: Uint32Array) => void;

/** A sub-batch on its way through the unit's log. */
interface Proposal {
  readonly words: Uint32Array;
  readonly done: ProposalDone;
}

interface ProposedEntry {
  readonly index: number;
  readonly term: number;
  readonly proposals: readonly Proposal[];
}

/** A sub-batch that is applied, but some of its transfers wait for the far unit. */
interface PartialResults {
  readonly words: Uint32Array;
  readonly stride: number;
  readonly done: ProposalDone;
  missing: number;
}

const NO_RESULTS = new Uint32Array(0);

/**
 * A leader's book of what it has been asked to propose: waiting, in the log, or waiting for crossings.
 * All of it is lost with leadership, and every asker is told.
 */
export class Proposals {
  #waiting: Proposal[] = [];
  #waitingBytes = 0;
  #entries: ProposedEntry[] = [];
  /** By far unit, then sequence. Only looked up, never walked but to tell all that leadership is lost. */
  #crossings = new Map<number, { partial: PartialResults; event: number }>();

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Entries proposed and not applied yet. */
  get entriesInFlight(): number {
    return this.#entries.length;
  }

  add(words: Uint32Array, done: ProposalDone): void {
    this.#waiting.push({ words, done });
    this.#waitingBytes += words.byteLength;
  }

  /** The next entry's sub-batches: at least one if any waits, and never more than an entry may hold. */
  take(): readonly Proposal[] {
    let bytes = ENTRY_HEADER_WORDS * WORD_BYTES;
    let count = 0;
    for (const proposal of this.#waiting) {
      if (count > 0 && bytes + proposal.words.byteLength > ENTRY_BYTES_MAX) break;
      bytes += proposal.words.byteLength;
      count += 1;
    }
    const taken = this.#waiting.splice(0, count);
    for (const proposal of taken) this.#waitingBytes -= proposal.words.byteLength;
    return taken;
  }

  /** The entry could not be proposed after all: its sub-batches wait again, before all others. */
  putBack(proposals: readonly Proposal[]): void {
    this.#waiting.unshift(...proposals);
    for (const proposal of proposals) this.#waitingBytes += proposal.words.byteLength;
  }

  proposed(index: number, term: number, proposals: readonly Proposal[]): void {
    this.#entries.push({ index, term, proposals });
  }

  /** An entry was applied. If it is ours its askers get their results, or wait for their crossings. */
  applied(index: number, term: number, results: Results): void {
    const entry = this.#entries[0];
    if (entry === undefined || entry.index > index) return;
    if (entry.index !== index || entry.term !== term) {
      throw new Error(
        `entry ${entry.index} of term ${entry.term} was overtaken by ${index} of ${term}`,
      );
    }
    this.#entries.shift();
    if (results.subBatches.length !== entry.proposals.length) {
      throw new Error(
        `entry ${index}: ${entry.proposals.length} sub-batches proposed, ${results.subBatches.length} applied`,
      );
    }
    entry.proposals.forEach((proposal, i) => {
      const { offset, count, stride } = results.subBatches[i]!;
      this.#settle(proposal, results.words.slice(offset, offset + count * stride), stride);
    });
  }

  /** A crossing has its outcome: `complete` is the Complete's result, `credit` the far unit's balances or null. */
  crossingDone(
    farUnit: number,
    sequence: number,
    complete: Uint32Array,
    credit: Uint32Array | null,
  ): void {
    const key = crossingKey(farUnit, sequence);
    const waiter = this.#crossings.get(key);
    if (waiter === undefined) return; // opened under an earlier leader: its asker was told "unknown"
    this.#crossings.delete(key);
    const { partial, event } = waiter;
    const at = event * partial.stride;
    partial.words.set(complete.subarray(0, RESULT_WORDS), at);
    if (partial.stride === RESULT_WITH_BALANCES_WORDS) {
      partial.words.set(
        complete.subarray(RESULT_WORDS, RESULT_WITH_BALANCES_WORDS),
        at + RESULT_WORDS,
      );
      if (credit !== null) {
        partial.words.set(credit, at + RESULT_WORDS + BALANCES_WORDS);
        partial.words[at + ResultWord.flags]! |= ResultFlag.creditBalances;
      }
    }
    partial.missing -= 1;
    if (partial.missing === 0) partial.done(ReplyOutcome.done, partial.words);
  }

  /** Leadership is lost: what waits was not done; what is in the log, or open, may or may not be. */
  fail(): void {
    const waiting = this.#waiting;
    const entries = this.#entries;
    const partials = new Set<PartialResults>();
    for (const { partial } of this.#crossings.values()) partials.add(partial);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#entries = [];
    this.#crossings = new Map();
    for (const proposal of waiting) proposal.done(ReplyOutcome.notLeader, NO_RESULTS);
    for (const entry of entries) {
      for (const proposal of entry.proposals) proposal.done(ReplyOutcome.unknown, NO_RESULTS);
    }
    for (const partial of partials) partial.done(ReplyOutcome.unknown, NO_RESULTS);
  }

  #settle(proposal: Proposal, words: Uint32Array, stride: number): void {
    const partial: PartialResults = { words, stride, done: proposal.done, missing: 0 };
    for (let at = 0, event = 0; at < words.length; at += stride, event += 1) {
      if (words[at + ResultWord.status] !== InternalStatus.crossing_opened) continue;
      partial.missing += 1;
      const sequence = u64(words, at + ResultWord.sequence);
      this.#crossings.set(crossingKey(words[at + ResultWord.unit]!, sequence), { partial, event });
    }
    if (partial.missing === 0) proposal.done(ReplyOutcome.done, words);
  }
}

/** Sequences stay far below 2^37, units below 2^16: both fit one safe integer. */
function crossingKey(farUnit: number, sequence: number): number {
  return sequence * 0x1_0000 + farUnit;
}

/** A u64 that is known to be a safe integer, as sequences are. */
export function u64(words: Uint32Array, offset: number): number {
  return words[offset + 1]! * 0x1_0000_0000 + words[offset]!;
}

/** Sub-batches one after the other, as views of `words`. Throws RangeError where they don't fit. */
export function splitSubBatches(words: Uint32Array): Uint32Array[] {
  const subBatches: Uint32Array[] = [];
  let offset = 0;
  while (offset < words.length) {
    const body = words[offset + SubBatchWord.bodyWords];
    const end = offset + SUB_BATCH_HEADER_WORDS + (body ?? Number.POSITIVE_INFINITY);
    if (end > words.length) throw new RangeError(`sub-batch at word ${offset} runs past the end`);
    subBatches.push(words.subarray(offset, end));
    offset = end;
  }
  return subBatches;
}

import { HotWord } from './account-store.ts';
import {
  BALANCES_WORDS,
  RESULT_WITH_BALANCES_WORDS,
  RESULT_WORDS,
  ResultFlag,
  ResultWord,
} from './layout.ts';
import { NO_ACCOUNT } from './outcome.ts';
import type { LedgerState } from './state.ts';
import { copyWords, writeSafeU64 } from './words.ts';

export interface SubBatchResults {
  readonly kind: number;
  /** Where its first result starts in the words. */
  readonly offset: number;
  readonly count: number;
  /** RESULT_WORDS, or RESULT_WITH_BALANCES_WORDS if balances were asked for. */
  readonly stride: number;
}

/** One result an event, sub-batch by sub-batch. Reused: valid until the next apply. */
export interface Results {
  readonly words: Uint32Array;
  readonly subBatches: readonly SubBatchResults[];
}

export class ResultWriter implements Results {
  words = new Uint32Array(1024 * RESULT_WORDS);
  subBatches: SubBatchResults[] = [];
  /** Results of the sub-batch in hand so far. */
  count = 0;
  #begin = 0;
  #end = 0;
  #stride = RESULT_WORDS;

  begin(): void {
    this.subBatches = [];
    this.#end = 0;
  }

  beginSubBatch(kind: number, count: number, balances: boolean): void {
    const stride = balances ? RESULT_WITH_BALANCES_WORDS : RESULT_WORDS;
    const end = this.#end + count * stride;
    if (end > this.words.length) {
      const grown = new Uint32Array(Math.max(end, this.words.length * 2));
      grown.set(this.words.subarray(0, this.#end));
      this.words = grown;
    }
    this.subBatches.push({ kind, offset: this.#end, count, stride });
    this.#begin = this.#end;
    this.#stride = stride;
    this.count = 0;
  }

  /** The next event's result. */
  put(state: LedgerState, status: number): void {
    const { outcome } = state;
    const { words } = this;
    const at = this.#end;
    words[at + ResultWord.status] = status;
    words[at + ResultWord.timestamp] = outcome.timestampLo;
    words[at + ResultWord.timestamp + 1] = outcome.timestampHi;
    words[at + ResultWord.unit] = outcome.unit;
    words[at + ResultWord.sequence] = 0;
    words[at + ResultWord.sequence + 1] = 0;
    if (outcome.unit !== 0) writeSafeU64(words, at + ResultWord.sequence, outcome.sequence);
    words[at + ResultWord.flags] = 0;
    words[at + ResultWord.flags + 1] = 0;
    if (this.#stride === RESULT_WITH_BALANCES_WORDS) {
      const debitAt = at + RESULT_WORDS;
      let flags = 0;
      if (this.#putBalances(state, outcome.debit, debitAt)) flags |= ResultFlag.debitBalances;
      if (this.#putBalances(state, outcome.credit, debitAt + BALANCES_WORDS)) {
        flags |= ResultFlag.creditBalances;
      }
      words[at + ResultWord.flags] = flags;
    }
    this.#end = at + this.#stride;
    this.count += 1;
  }

  /** Takes back what an earlier result of the sub-batch said: it has this status, and nothing else. */
  fail(result: number, status: number, timestampLo: number, timestampHi: number): void {
    const at = this.#begin + result * this.#stride;
    this.words.fill(0, at, at + this.#stride);
    this.words[at + ResultWord.status] = status;
    this.words[at + ResultWord.timestamp] = timestampLo;
    this.words[at + ResultWord.timestamp + 1] = timestampHi;
  }

  #putBalances(state: LedgerState, handle: number, at: number): boolean {
    const known = handle !== NO_ACCOUNT;
    const page = known ? state.accounts.pageOf(handle) : state.zeroAccount;
    const row = known ? state.accounts.offsetOf(handle) : 0;
    copyWords(page, row + HotWord.debitsPending, this.words, at, BALANCES_WORDS);
    return known;
  }
}

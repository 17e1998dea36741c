import {
  AccountRowWord,
  AccountWord,
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
    this.#stride = stride;
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
    writeSafeU64(words, at + ResultWord.sequence, outcome.sequence);
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
  }

  #putBalances(state: LedgerState, handle: number, at: number): boolean {
    const known = handle !== NO_ACCOUNT;
    const page = known ? state.accounts.pageOf(handle) : state.zeroRow;
    const row = known ? state.accounts.offsetOf(handle) : AccountRowWord.record;
    copyWords(page, row + AccountWord.debitsPending, this.words, at, BALANCES_WORDS);
    return known;
  }
}

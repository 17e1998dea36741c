import { RECORD_WORDS, TransferWord } from './layout.ts';
import type { LedgerState } from './state.ts';

/** Events looked ahead at together: all that they touch fits in a core's own cache. */
export const LOOK_AHEAD_EVENTS = 256;

/**
 * Finds the accounts of the next events and the hashes of their ids, one short loop a step, so that the
 * processor waits for the memory of many events side by side: one after the other, this waiting is
 * most of what a transfer takes. No transfer creates an account that another could name.
 */
export class LookAhead {
  /** Of event i: handles[2 * i] is the debit account, or -1, and handles[2 * i + 1] the credit account. */
  readonly handles = new Int32Array(2 * LOOK_AHEAD_EVENTS);
  /** Of the transfers' ids. */
  readonly hashes = new Int32Array(LOOK_AHEAD_EVENTS);
  readonly #accountHashes = new Int32Array(2 * LOOK_AHEAD_EVENTS);
  /** Keeps reads alive that are made only to bring a line into the cache. */
  touched = 0;

  /** `count` events from the record at `from` on. */
  fill(state: LedgerState, words: Uint32Array, from: number, count: number): void {
    this.#hash(state, words, from, count);
    this.#touchSlots(state, count);
    this.#findCandidates(state, count);
    this.#touchAccounts(state, count);
    this.#checkIds(state, words, from, count);
  }

  #hash({ accounts, ids }: LedgerState, words: Uint32Array, from: number, count: number): void {
    const { hashes } = this;
    const accountHashes = this.#accountHashes;
    for (let i = 0, at = from; i < count; i += 1, at += RECORD_WORDS) {
      accountHashes[2 * i] = accounts.hashOf(words, at + TransferWord.debitAccountId);
      accountHashes[2 * i + 1] = accounts.hashOf(words, at + TransferWord.creditAccountId);
      hashes[i] = ids.hashOf(words, at + TransferWord.id);
    }
  }

  /** Reads only. A branch on what is read, taken wrongly, would wait for that read and start all others anew. */
  #touchSlots({ accounts, ids }: LedgerState, count: number): void {
    const { hashes } = this;
    const accountHashes = this.#accountHashes;
    let touched = 0;
    for (let i = 0; i < 2 * count; i += 1) touched ^= accounts.touchSlot(accountHashes[i]!);
    for (let i = 0; i < count; i += 1) touched ^= ids.touchSlot(hashes[i]!);
    this.touched = touched;
  }

  #findCandidates({ accounts }: LedgerState, count: number): void {
    const { handles } = this;
    const accountHashes = this.#accountHashes;
    for (let i = 0; i < 2 * count; i += 1) handles[i] = accounts.candidate(accountHashes[i]!);
  }

  #touchAccounts({ accounts }: LedgerState, count: number): void {
    const { handles } = this;
    let touched = 0;
    for (let i = 0; i < 2 * count; i += 1) {
      const handle = handles[i]!;
      if (handle >= 0) touched ^= accounts.touch(handle);
    }
    this.touched = touched;
  }

  #checkIds({ accounts }: LedgerState, words: Uint32Array, from: number, count: number): void {
    const { handles } = this;
    for (let i = 0, at = from; i < count; i += 1, at += RECORD_WORDS) {
      const debitAt = at + TransferWord.debitAccountId;
      const creditAt = at + TransferWord.creditAccountId;
      const debit = handles[2 * i]!;
      const credit = handles[2 * i + 1]!;
      if (debit >= 0 && !accounts.hasId(debit, words, debitAt)) {
        handles[2 * i] = accounts.find(words, debitAt);
      }
      if (credit >= 0 && !accounts.hasId(credit, words, creditAt)) {
        handles[2 * i + 1] = accounts.find(words, creditAt);
      }
    }
  }
}

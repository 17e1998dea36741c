import { IdIndex, NONE } from './id-index.ts';
import { InvariantError, invariant } from './invariant.ts';
import { ACCOUNT_ROW_WORDS, AccountRowWord, AccountWord } from './layout.ts';
import { copy, equal } from './u128.ts';
import { WordBuffer } from './words.ts';

const PAGE_SHIFT = 12;
const PAGE_ROWS = 1 << PAGE_SHIFT;
const PAGE_MASK = PAGE_ROWS - 1;

/**
 * Word offsets inside an account in memory, 128 bytes: what a transfer reads and writes lies together,
 * in two lines of the cache, and what it does not lies elsewhere (user_data_128) or last.
 */
const HOT_WORDS = 32;
export const HotWord = {
  id: 0,
  ledger: 4,
  /** code in the low, flags in the high 16 bits. */
  codeAndFlags: 5,
  latestTransfer: 6,
  transferCount: 8,
  timestamp: 9,
  /** 1 if the account has changed since the changes were taken last. */
  changed: 11,
  /** Four columns of four words, in the order of BALANCES_WORDS. */
  debitsPending: 12,
  debitsPosted: 16,
  creditsPending: 20,
  creditsPosted: 24,
  userData64: 28,
  userData32: 30,
} as const;
const COLD_WORDS = 4;

/** All accounts of a unit, in memory for good. A handle is an account's number in creation order. */
export class AccountStore {
  readonly #index: IdIndex;
  readonly #pages: Uint32Array[] = [];
  /** user_data_128 */
  readonly #coldPages: Uint32Array[] = [];
  readonly #changed = new WordBuffer();
  #count = 0;

  constructor(hashSeed: number) {
    this.#index = new IdIndex(hashSeed);
  }

  get count(): number {
    return this.#count;
  }

  get changedCount(): number {
    return this.#changed.length;
  }

  get bytes(): number {
    const rowBytes = (HOT_WORDS + COLD_WORDS) * Uint32Array.BYTES_PER_ELEMENT;
    return this.#index.bytes + this.#pages.length * PAGE_ROWS * rowBytes;
  }

  /** Handle of the account, or -1. */
  find(words: Uint32Array, at: number): number {
    const index = this.#index;
    const hash = index.hashOf(words, at);
    for (let slot = index.first(hash); slot !== NONE; slot = index.next(hash, slot)) {
      const handle = index.valueAt(slot) - 1;
      if (this.hasId(handle, words, at)) return handle;
    }
    return -1;
  }

  hashOf(words: Uint32Array, at: number): number {
    return this.#index.hashOf(words, at);
  }

  /** Handle of an account whose id has this hash, nearly always the one that is meant, or -1. */
  candidate(hash: number): number {
    const slot = this.#index.first(hash);
    return slot === NONE ? -1 : this.#index.valueAt(slot) - 1;
  }

  hasId(handle: number, words: Uint32Array, at: number): boolean {
    const page = this.#pages[handle >>> PAGE_SHIFT]!;
    const row = (handle & PAGE_MASK) * HOT_WORDS;
    return (
      page[row] === words[at] &&
      page[row + 1] === words[at + 1] &&
      page[row + 2] === words[at + 2] &&
      page[row + 3] === words[at + 3]
    );
  }

  /** These two read, so that what they read is in the cache when it is needed. */
  touchSlot(hash: number): number {
    return this.#index.touch(hash);
  }

  touch(handle: number): number {
    const page = this.#pages[handle >>> PAGE_SHIFT]!;
    const row = (handle & PAGE_MASK) * HOT_WORDS;
    return page[row]! ^ page[row + HotWord.creditsPosted]!;
  }

  /** Where an account lies: pageOf(handle)[offsetOf(handle) + HotWord...]. */
  pageOf(handle: number): Uint32Array {
    return this.#pages[handle >>> PAGE_SHIFT]!;
  }

  offsetOf(handle: number): number {
    return (handle & PAGE_MASK) * HOT_WORDS;
  }

  /** Creates an account from a record whose id is new; its balances are zero. */
  create(record: Uint32Array, at: number, timestampLo: number, timestampHi: number): number {
    const handle = this.#append(record, at);
    const page = this.pageOf(handle);
    const row = this.offsetOf(handle);
    page.fill(0, row + HotWord.debitsPending, row + HotWord.userData64);
    page[row + HotWord.timestamp] = timestampLo;
    page[row + HotWord.timestamp + 1] = timestampHi;
    page[row + HotWord.latestTransfer] = 0;
    page[row + HotWord.latestTransfer + 1] = 0;
    page[row + HotWord.transferCount] = 0;
    this.markChanged(handle);
    return handle;
  }

  /** Takes the accounts from this handle on away again: nothing ever knew them but the chain that is undone. */
  removeFrom(count: number, changedCount: number): void {
    while (this.#count > count) {
      this.#count -= 1;
      const handle = this.#count;
      this.#index.removeAt(this.#slotOf(handle));
      this.pageOf(handle)[this.offsetOf(handle) + HotWord.changed] = 0;
    }
    this.#changed.truncate(changedCount);
  }

  /** Every event that writes to an account says so, or the books never learn of it. */
  markChanged(handle: number): void {
    const page = this.#pages[handle >>> PAGE_SHIFT]!;
    const at = (handle & PAGE_MASK) * HOT_WORDS + HotWord.changed;
    if (page[at] !== 0) return;
    page[at] = 1;
    this.#changed.push(handle);
  }

  /** The account's record (RECORD_WORDS), or with `whole` its row (ACCOUNT_ROW_WORDS). */
  copyOut(handle: number, out: Uint32Array, to: number, whole: boolean): void {
    const page = this.pageOf(handle);
    const row = this.offsetOf(handle);
    copy(page, row + HotWord.id, out, to + AccountWord.id);
    for (let word = 0; word < 16; word += 1) {
      out[to + AccountWord.debitsPending + word] = page[row + HotWord.debitsPending + word]!;
    }
    const cold = this.#coldPages[handle >>> PAGE_SHIFT]!;
    copy(cold, (handle & PAGE_MASK) * COLD_WORDS, out, to + AccountWord.userData128);
    out[to + AccountWord.userData64] = page[row + HotWord.userData64]!;
    out[to + AccountWord.userData64 + 1] = page[row + HotWord.userData64 + 1]!;
    out[to + AccountWord.userData32] = page[row + HotWord.userData32]!;
    out[to + AccountWord.reserved] = 0;
    out[to + AccountWord.ledger] = page[row + HotWord.ledger]!;
    out[to + AccountWord.codeAndFlags] = page[row + HotWord.codeAndFlags]!;
    out[to + AccountWord.timestamp] = page[row + HotWord.timestamp]!;
    out[to + AccountWord.timestamp + 1] = page[row + HotWord.timestamp + 1]!;
    if (!whole) return;
    out[to + AccountRowWord.latestTransfer] = page[row + HotWord.latestTransfer]!;
    out[to + AccountRowWord.latestTransfer + 1] = page[row + HotWord.latestTransfer + 1]!;
    out[to + AccountRowWord.transferCount] = page[row + HotWord.transferCount]!;
    out[to + AccountRowWord.handle] = handle;
  }

  /** user_data_128 of the account equals the words. */
  hasUserData128(handle: number, words: Uint32Array, at: number): boolean {
    const cold = this.#coldPages[handle >>> PAGE_SHIFT]!;
    return equal(cold, (handle & PAGE_MASK) * COLD_WORDS, words, at);
  }

  /** Handle of the first account created at or after that time: they ascend. */
  firstFrom(lo: number, hi: number): number {
    let from = 0;
    let end = this.#count;
    while (from < end) {
      const middle = from + ((end - from) >>> 1);
      const page = this.pageOf(middle);
      const at = this.offsetOf(middle) + HotWord.timestamp;
      if (page[at + 1]! < hi || (page[at + 1] === hi && page[at]! < lo)) from = middle + 1;
      else end = middle;
    }
    return from;
  }

  /** Rows changed since the last call, ascending by handle, copied. */
  takeChanged(): Uint32Array {
    const handles = this.#changed.take().sort();
    const rows = new Uint32Array(handles.length * ACCOUNT_ROW_WORDS);
    let to = 0;
    for (const handle of handles) {
      this.copyOut(handle, rows, to, true);
      this.pageOf(handle)[this.offsetOf(handle) + HotWord.changed] = 0;
      to += ACCOUNT_ROW_WORDS;
    }
    return rows;
  }

  /** Takes in an account of the books. They come in handle order. */
  load(rows: Uint32Array, at: number): void {
    const stored = rows[at + AccountRowWord.handle];
    if (stored !== this.#count) {
      throw new InvariantError(`account ${stored} of the books stands at ${this.#count}`);
    }
    const handle = this.#append(rows, at);
    const page = this.pageOf(handle);
    const row = this.offsetOf(handle);
    for (let word = 0; word < 16; word += 1) {
      page[row + HotWord.debitsPending + word] = rows[at + AccountWord.debitsPending + word]!;
    }
    page[row + HotWord.timestamp] = rows[at + AccountWord.timestamp]!;
    page[row + HotWord.timestamp + 1] = rows[at + AccountWord.timestamp + 1]!;
    page[row + HotWord.latestTransfer] = rows[at + AccountRowWord.latestTransfer]!;
    page[row + HotWord.latestTransfer + 1] = rows[at + AccountRowWord.latestTransfer + 1]!;
    page[row + HotWord.transferCount] = rows[at + AccountRowWord.transferCount]!;
  }

  #slotOf(handle: number): number {
    const index = this.#index;
    const hash = index.hashOf(this.pageOf(handle), this.offsetOf(handle) + HotWord.id);
    let slot = index.first(hash);
    while (slot !== NONE && index.valueAt(slot) !== handle + 1) slot = index.next(hash, slot);
    return slot;
  }

  /** What the client gave; balances, times and links are the caller's to set. */
  #append(record: Uint32Array, at: number): number {
    const handle = this.#count;
    if (handle >>> PAGE_SHIFT === this.#pages.length) {
      this.#pages.push(new Uint32Array(PAGE_ROWS * HOT_WORDS));
      this.#coldPages.push(new Uint32Array(PAGE_ROWS * COLD_WORDS));
    }
    invariant(this.find(record, at) < 0, 'two accounts have one id');
    this.#index.add(this.#index.hashOf(record, at), handle + 1);
    const page = this.pageOf(handle);
    const row = this.offsetOf(handle);
    copy(record, at + AccountWord.id, page, row + HotWord.id);
    const cold = this.#coldPages[handle >>> PAGE_SHIFT]!;
    copy(record, at + AccountWord.userData128, cold, (handle & PAGE_MASK) * COLD_WORDS);
    page[row + HotWord.userData64] = record[at + AccountWord.userData64]!;
    page[row + HotWord.userData64 + 1] = record[at + AccountWord.userData64 + 1]!;
    page[row + HotWord.userData32] = record[at + AccountWord.userData32]!;
    page[row + HotWord.ledger] = record[at + AccountWord.ledger]!;
    page[row + HotWord.codeAndFlags] = record[at + AccountWord.codeAndFlags]!;
    this.#count = handle + 1;
    return handle;
  }
}

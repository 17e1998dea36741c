import { type IdHolder, IdIndex } from './id-index.ts';
import { InvariantError, invariant } from './invariant.ts';
import { ACCOUNT_ROW_WORDS, AccountRowWord, AccountWord, RECORD_WORDS } from './layout.ts';
import { equal } from './u128.ts';
import { copyWords, WordBuffer } from './words.ts';

const PAGE_SHIFT = 12;
const PAGE_ROWS = 1 << PAGE_SHIFT;
const PAGE_MASK = PAGE_ROWS - 1;

/** All accounts of a unit, in memory for good. A handle is an account's number in creation order. */
export class AccountStore implements IdHolder {
  readonly #index: IdIndex;
  readonly #pages: Uint32Array[] = [];
  /** 1 for an account that changed since the changes were taken last. */
  readonly #changedFlags: Uint8Array[] = [];
  readonly #changed = new WordBuffer();
  #count = 0;

  constructor(hashSeed: number) {
    this.#index = new IdIndex(hashSeed, this);
  }

  get count(): number {
    return this.#count;
  }

  get changedCount(): number {
    return this.#changed.length;
  }

  get bytes(): number {
    const pageBytes = PAGE_ROWS * (ACCOUNT_ROW_WORDS * Uint32Array.BYTES_PER_ELEMENT + 1);
    return this.#index.bytes + this.#pages.length * pageBytes;
  }

  holdsId(value: number, words: Uint32Array, at: number): boolean {
    const handle = value - 1;
    return equal(this.pageOf(handle), this.offsetOf(handle) + AccountWord.id, words, at);
  }

  /** Handle of the account, or -1. */
  find(words: Uint32Array, at: number): number {
    return this.#index.find(words, at) - 1;
  }

  /** Where an account's row lies: pageOf(handle)[offsetOf(handle) + AccountRowWord...]. */
  pageOf(handle: number): Uint32Array {
    return this.#pages[handle >>> PAGE_SHIFT]!;
  }

  offsetOf(handle: number): number {
    return (handle & PAGE_MASK) * ACCOUNT_ROW_WORDS;
  }

  /** Creates an account from a record whose id is new. */
  create(record: Uint32Array, at: number, timestampLo: number, timestampHi: number): number {
    const handle = this.#append(record, at, RECORD_WORDS);
    const page = this.pageOf(handle);
    const row = this.offsetOf(handle);
    page[row + AccountWord.timestamp] = timestampLo;
    page[row + AccountWord.timestamp + 1] = timestampHi;
    page[row + AccountRowWord.handle] = handle;
    this.markChanged(handle);
    return handle;
  }

  /** Every event that writes to an account's row says so, or the books never learn of it. */
  markChanged(handle: number): void {
    const flags = this.#changedFlags[handle >>> PAGE_SHIFT]!;
    if (flags[handle & PAGE_MASK] !== 0) return;
    flags[handle & PAGE_MASK] = 1;
    this.#changed.push(handle);
  }

  /** Rows changed since the last call, ascending by handle, copied. */
  takeChanged(): Uint32Array {
    const handles = this.#changed.take().sort();
    const rows = new Uint32Array(handles.length * ACCOUNT_ROW_WORDS);
    let to = 0;
    for (const handle of handles) {
      const from = this.offsetOf(handle);
      copyWords(this.pageOf(handle), from, rows, to, ACCOUNT_ROW_WORDS);
      this.#changedFlags[handle >>> PAGE_SHIFT]![handle & PAGE_MASK] = 0;
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
    this.#append(rows, at, ACCOUNT_ROW_WORDS);
  }

  #append(words: Uint32Array, at: number, count: number): number {
    const handle = this.#count;
    if (handle >>> PAGE_SHIFT === this.#pages.length) {
      this.#pages.push(new Uint32Array(PAGE_ROWS * ACCOUNT_ROW_WORDS));
      this.#changedFlags.push(new Uint8Array(PAGE_ROWS));
    }
    invariant(this.#index.find(words, at) === 0, 'two accounts have one id');
    this.#index.add(words, at, handle + 1);
    copyWords(words, at, this.pageOf(handle), this.offsetOf(handle), count);
    this.#count = handle + 1;
    return handle;
  }
}

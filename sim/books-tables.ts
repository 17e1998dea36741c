import { type BooksImage, CLOSED_ROW_WORDS, EMPTY_DIGEST, type Fold } from '../ledger/fold.ts';
import {
  ACCOUNT_ROW_WORDS,
  AccountRowWord,
  BURNT_ROW_WORDS,
  CHANNEL_ROW_WORDS,
  ChannelRowWord,
  DECISION_ROW_WORDS,
  DecisionRowWord,
  OPEN_ROW_WORDS,
  OpenRowWord,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from '../ledger/layout.ts';
import type { AccountTransfersQuery, LookUp } from '../server/core/books.ts';
import { assertDenseHandles, assertFold, wrongIndex } from '../server/core/books-fold.ts';
import { sameId, sideOf, u64At } from '../server/core/books-row.ts';
import { IdIndex, RowStore } from './books-rows.ts';

const PIECE_WORDS = 16_384 * ACCOUNT_ROW_WORDS;

/** The tables of SimulatedBooks: what is durable. A fold goes in whole, or throws and changes nothing. */
export class BooksTables {
  readonly #unit: number;
  #index = 0;
  #term = 0;
  #lastTimestamp = 0n;
  #digest = EMPTY_DIGEST;
  #slots: Uint16Array | null = null;
  #maxTransferId: Uint32Array = new Uint32Array(4);
  /** By handle, with room to grow. */
  #accounts = new Uint32Array(1_024 * ACCOUNT_ROW_WORDS);
  /** By handle, as created: their ids never change, all else here is out of date. */
  readonly #accountIdRows = new RowStore(ACCOUNT_ROW_WORDS);
  readonly #accountIds = new IdIndex(this.#accountIdRows);
  /** Ascending by row timestamp. */
  readonly #transfers = new RowStore(TRANSFER_ROW_WORDS);
  readonly #transferIds = new IdIndex(this.#transfers);
  readonly #burnt = new RowStore(BURNT_ROW_WORDS);
  readonly #burntIds = new IdIndex(this.#burnt);
  readonly #opened = new Map<string, Uint32Array>();
  readonly #decisions = new Map<string, Uint32Array>();
  readonly #channels = new Map<string, Uint32Array>();

  constructor(unit: number) {
    this.#unit = unit;
  }

  get index(): number {
    return this.#index;
  }

  fold(fold: Fold): void {
    assertFold(fold, this.#unit);
    if (fold.afterIndex !== this.#index) throw wrongIndex(fold, this.#index);
    assertDenseHandles(fold, this.#accountIdRows.count);
    this.#assertAccounts(fold.accounts);
    this.#assertNewTimestamps(fold.transfers);
    this.#assertNewIds(fold);
    this.#assertCrossings(fold);
    this.#putAccounts(fold.accounts);
    this.#transfers.append(fold.transfers);
    this.#transferIds.extend();
    this.#burnt.append(fold.burnt);
    this.#burntIds.extend();
    this.#raiseMaxTransferId(fold.transfers, TRANSFER_ROW_WORDS);
    this.#raiseMaxTransferId(fold.burnt, BURNT_ROW_WORDS);
    this.#putCrossings(fold);
    this.#index = fold.throughIndex;
    this.#term = fold.throughTerm;
    this.#lastTimestamp = fold.lastTimestamp;
    this.#digest = fold.digest;
    if (fold.slots !== null) this.#slots = fold.slots;
  }

  image(): BooksImage {
    return {
      unit: this.#unit,
      index: this.#index,
      term: this.#term,
      lastTimestamp: this.#lastTimestamp,
      digest: this.#digest,
      slots: this.#slots?.slice() ?? null,
      accounts: this.#accountPieces(this.#index),
      opened: rowsByKey(this.#opened, OPEN_ROW_WORDS),
      decisions: rowsByKey(this.#decisions, DECISION_ROW_WORDS),
      channels: rowsByKey(this.#channels, CHANNEL_ROW_WORDS),
      maxTransferId: this.#maxTransferId.slice(),
      transferCount: this.#transfers.count,
    };
  }

  lookUp(ids: Uint32Array): LookUp[] {
    const results: LookUp[] = [];
    for (let at = 0; at < ids.length; at += 4) {
      const ordinal = this.#transferIds.find(ids, at);
      if (ordinal >= 0) results.push(this.#transfers.row(ordinal).slice());
      else results.push(this.#burntIds.find(ids, at) >= 0 ? 'burnt' : null);
    }
    return results;
  }

  /** Looks at every row in the range: plain, and independent of the links. */
  accountTransfers(query: AccountTransfersQuery): Uint32Array[] {
    const { accountId, newestRowTimestamp, fromTimestamp, toTimestamp, reversed, limit } = query;
    if (newestRowTimestamp === 0n) return [];
    const newest = this.#ordinalFrom(newestRowTimestamp);
    if (
      newest === this.#transfers.count ||
      sideOf(this.#transfers.row(newest), accountId) === null
    ) {
      throw new Error(`row ${newestRowTimestamp} is not in the books, or not the account's`);
    }
    const first = this.#ordinalFrom(fromTimestamp);
    const end = Math.min(newest + 1, this.#ordinalFrom(toTimestamp + 1n));
    const rows: Uint32Array[] = [];
    for (let step = 0; step < end - first && rows.length < limit; step++) {
      const row = this.#transfers.row(reversed ? end - 1 - step : first + step);
      if (sideOf(row, accountId) !== null) rows.push(row.slice());
    }
    return rows;
  }

  /** Ordinal of the first transfer at or after the row timestamp; their count if there is none. */
  #ordinalFrom(timestamp: bigint): number {
    let low = 0;
    let high = this.#transfers.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = u64At(this.#transfers.row(middle), TransferRowWord.rowTimestamp);
      if (at < timestamp) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #assertNewTimestamps(transfers: Uint32Array): void {
    if (transfers.length === 0) return;
    const first = u64At(transfers, TransferRowWord.rowTimestamp);
    if (this.#ordinalFrom(first) < this.#transfers.count) {
      throw new Error(`a transfer's timestamp ${first} is not above those in the books`);
    }
  }

  #assertNewIds({ transfers, burnt }: Fold): void {
    const known = [this.#transferIds, this.#burntIds];
    known.push(assertNewIds(transfers, TRANSFER_ROW_WORDS, known));
    assertNewIds(burnt, BURNT_ROW_WORDS, known);
  }

  #assertAccounts(rows: Uint32Array): void {
    for (let at = 0; at < rows.length; at += ACCOUNT_ROW_WORDS) {
      const handle = rows[at + AccountRowWord.handle]!;
      if (
        handle < this.#accountIdRows.count &&
        !sameId(this.#accountIdRows.row(handle), 0, rows, at)
      ) {
        throw new Error('an account changed its id');
      }
    }
    const added = this.#addedAccounts(rows);
    assertNewIds(added, ACCOUNT_ROW_WORDS, [this.#accountIds]);
  }

  /** Handles ascend, so the new ones are the last. */
  #addedAccounts(rows: Uint32Array): Uint32Array {
    let from = rows.length;
    const before = (at: number): number => rows[at - ACCOUNT_ROW_WORDS + AccountRowWord.handle]!;
    while (from > 0 && before(from) >= this.#accountIdRows.count) from -= ACCOUNT_ROW_WORDS;
    return rows.subarray(from);
  }

  #assertCrossings({ opened, closed, decisions }: Fold): void {
    for (let at = 0; at < closed.length; at += CLOSED_ROW_WORDS) {
      if (!this.#opened.has(openKey(closed, at))) throw new Error('no such crossing is open');
    }
    for (let at = 0; at < opened.length; at += OPEN_ROW_WORDS) {
      if (this.#opened.has(openKey(opened, at))) throw new Error('a crossing is open already');
    }
    for (let at = 0; at < decisions.length; at += DECISION_ROW_WORDS) {
      if (this.#decisions.has(decisionKey(decisions, at)))
        throw new Error('a decision is made twice');
    }
  }

  #putAccounts(rows: Uint32Array): void {
    this.#accountIdRows.append(this.#addedAccounts(rows));
    this.#accountIds.extend();
    while (this.#accountIdRows.count * ACCOUNT_ROW_WORDS > this.#accounts.length) {
      const larger = new Uint32Array(this.#accounts.length * 2);
      larger.set(this.#accounts);
      this.#accounts = larger;
    }
    for (let at = 0; at < rows.length; at += ACCOUNT_ROW_WORDS) {
      const row = rows.subarray(at, at + ACCOUNT_ROW_WORDS);
      this.#accounts.set(row, row[AccountRowWord.handle]! * ACCOUNT_ROW_WORDS);
    }
  }

  *#accountPieces(index: number): Generator<Uint32Array> {
    const end = this.#accountIdRows.count * ACCOUNT_ROW_WORDS;
    for (let at = 0; at < end; at += PIECE_WORDS) {
      if (this.#index !== index) throw new Error('a commit came before all accounts were loaded');
      yield this.#accounts.slice(at, Math.min(end, at + PIECE_WORDS));
    }
  }

  #raiseMaxTransferId(rows: Uint32Array, rowWords: number): void {
    for (let at = 0; at < rows.length; at += rowWords) {
      let word = 3;
      while (word > 0 && rows[at + word] === this.#maxTransferId[word]) word -= 1;
      if (rows[at + word]! > this.#maxTransferId[word]!) {
        this.#maxTransferId = rows.slice(at, at + 4);
      }
    }
  }

  #putCrossings({ opened, closed, decisions, channels }: Fold): void {
    for (let at = 0; at < closed.length; at += CLOSED_ROW_WORDS) {
      this.#opened.delete(openKey(closed, at));
    }
    for (let at = 0; at < opened.length; at += OPEN_ROW_WORDS) {
      this.#opened.set(openKey(opened, at), opened.slice(at, at + OPEN_ROW_WORDS));
    }
    for (let at = 0; at < decisions.length; at += DECISION_ROW_WORDS) {
      this.#decisions.set(decisionKey(decisions, at), decisions.slice(at, at + DECISION_ROW_WORDS));
    }
    for (let at = 0; at < channels.length; at += CHANNEL_ROW_WORDS) {
      const otherUnit = channels[at + ChannelRowWord.otherUnit]!;
      this.#channels.set(keyOf(otherUnit, 0n), channels.slice(at, at + CHANNEL_ROW_WORDS));
      this.#forget(otherUnit, u64At(channels, at + ChannelRowWord.forgottenThrough));
    }
  }

  #forget(homeUnit: number, throughSequence: bigint): void {
    const first = keyOf(homeUnit, 0n);
    const last = keyOf(homeUnit, throughSequence);
    for (const key of this.#decisions.keys()) {
      if (key >= first && key <= last) this.#decisions.delete(key);
    }
  }
}

/** Throws if an id at word 0 of a row is known, or comes twice; gives the index of these rows. */
function assertNewIds(rows: Uint32Array, rowWords: number, known: readonly IdIndex[]): IdIndex {
  const store = new RowStore(rowWords);
  store.append(rows);
  for (let at = 0; at < rows.length; at += rowWords) {
    if (known.some((ids) => ids.find(rows, at) >= 0)) throw new Error('an id is taken already');
  }
  const added = new IdIndex(store);
  added.extend();
  return added;
}

function openKey(rows: Uint32Array, at: number): string {
  return keyOf(rows[at + OpenRowWord.farUnit]!, u64At(rows, at + OpenRowWord.sequence));
}

function decisionKey(rows: Uint32Array, at: number): string {
  return keyOf(rows[at + DecisionRowWord.homeUnit]!, u64At(rows, at + DecisionRowWord.sequence));
}

/** Fixed width, so that the order of keys is that of (unit, sequence). */
function keyOf(unit: number, sequence: bigint): string {
  return `${String(unit).padStart(5, '0')}/${String(sequence).padStart(20, '0')}`;
}

function rowsByKey(rows: Map<string, Uint32Array>, rowWords: number): Uint32Array {
  const all = new Uint32Array(rows.size * rowWords);
  const ascending = [...rows.keys()].sort();
  for (const [position, key] of ascending.entries()) all.set(rows.get(key)!, position * rowWords);
  return all;
}

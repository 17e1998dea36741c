import { type BooksImage, EMPTY_DIGEST, type Fold } from '../ledger/fold.ts';
import {
  ACCOUNT_ROW_WORDS,
  AccountRowWord,
  BURNT_ROW_WORDS,
  DECISION_ROW_WORDS,
  PendingState,
  REQUESTED_ROW_WORDS,
  RequestedRowWord,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from '../ledger/layout.ts';
import type {
  AccountTransfersQuery,
  HistoryBalances,
  LookUp,
  ScanQuery,
} from '../server/core/books.ts';
import {
  type BooksChunk,
  type BooksState,
  CopyTable,
  chunksOf,
} from '../server/core/books-copy.ts';
import { assertDenseHandles, assertFold, wrongIndex } from '../server/core/books-fold.ts';
import { isPendingTransfer, isTransfer, sameId, sideOf, u64At } from '../server/core/books-row.ts';
import { assertScan, isInScan } from '../server/core/books-scan.ts';
import { addFold, NO_ROW_SUMS } from '../server/core/books-sum.ts';
import { CrossingTables } from './books-crossings.ts';
import { HistoryTable } from './books-history.ts';
import { PendingTable } from './books-pendings.ts';
import { IdIndex, RowStore } from './books-rows.ts';

const PIECE_WORDS = 16_384 * ACCOUNT_ROW_WORDS;

/** The tables of SimulatedBooks: what is durable. A fold goes in whole, or throws and changes nothing. */
export class BooksTables {
  readonly #unit: number;
  #index = 0;
  #term = 0;
  #lastTimestamp = 0n;
  #digest = EMPTY_DIGEST;
  #membership: Uint8Array | null = null;
  #slots: Uint16Array | null = null;
  #sums = NO_ROW_SUMS;
  #maxTransferId: Uint32Array = new Uint32Array(4);
  /** By handle, with room to grow. */
  #accounts = new Uint32Array(1_024 * ACCOUNT_ROW_WORDS);
  /** By handle, as created: their ids never change, all else here is out of date. */
  readonly #accountIdRows = new RowStore(ACCOUNT_ROW_WORDS);
  readonly #accountIds = new IdIndex(this.#accountIdRows);
  /** Ascending by row timestamp. */
  readonly #transfers = new RowStore(TRANSFER_ROW_WORDS);
  readonly #transferIds = new IdIndex(this.#transfers, (row) => isTransfer(row));
  readonly #pendings = new PendingTable();
  /** Amounts by row timestamp. */
  readonly #requested = new Map<bigint, Uint32Array>();
  readonly #history = new HistoryTable();
  readonly #burnt = new RowStore(BURNT_ROW_WORDS);
  readonly #burntIds = new IdIndex(this.#burnt);
  readonly #crossings = new CrossingTables();

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
    this.#crossings.assert(fold);
    this.#pendings.assert(fold.pendings);
    this.#assertRequested(fold.requested);
    this.#history.assert(fold.history);
    this.#putAccounts(fold.accounts);
    this.#transfers.append(fold.transfers);
    this.#transferIds.extend();
    this.#burnt.append(fold.burnt);
    this.#burntIds.extend();
    this.#raiseMaxTransferId(fold.transfers, TRANSFER_ROW_WORDS);
    this.#raiseMaxTransferId(fold.burnt, BURNT_ROW_WORDS);
    this.#pendings.put(fold.pendings);
    for (const [timestamp, amount] of requestedOf(fold.requested)) {
      this.#requested.set(timestamp, amount);
    }
    this.#history.put(fold.history);
    this.#crossings.put(fold);
    this.#index = fold.throughIndex;
    this.#term = fold.throughTerm;
    this.#lastTimestamp = fold.lastTimestamp;
    this.#digest = fold.digest;
    if (fold.membership !== null) this.#membership = fold.membership;
    if (fold.slots !== null) this.#slots = fold.slots;
    this.#sums = addFold(this.#sums, fold);
  }

  image(): BooksImage {
    return {
      unit: this.#unit,
      index: this.#index,
      term: this.#term,
      lastTimestamp: this.#lastTimestamp,
      digest: this.#digest,
      membership: this.#membership,
      slots: this.#slots?.slice() ?? null,
      accounts: this.#accountPieces(this.#index),
      ...this.#crossings.image(),
      maxTransferId: this.#maxTransferId.slice(),
      timeouts: this.#timeoutPieces(this.#index),
      lastRowTimestamp: this.#lastRowTimestamp(),
      transferCount: this.#transfers.count,
    };
  }

  state(): BooksState {
    return {
      unit: this.#unit,
      index: this.#index,
      term: this.#term,
      lastTimestamp: this.#lastTimestamp,
      digest: this.#digest,
      lastRowTimestamp: this.#lastRowTimestamp(),
      transferCount: this.#transfers.count,
      requestedCount: this.#requested.size,
      burntCount: this.#burnt.count,
      decisionCount: this.#crossings.image().decisions.length / DECISION_ROW_WORDS,
      ...this.#sums,
      membership: this.#membership,
      slots: this.#slots?.slice() ?? null,
    };
  }

  /** All that a copy needs whose source has the rows up to that time, as it stands now. */
  copyOut(after: bigint): BooksChunk[] {
    const { opened, decisions, channels } = this.#crossings.image();
    const requested = [...this.#requested].filter(([timestamp]) => timestamp > after);
    const tables: [number, Uint32Array][] = [
      [CopyTable.accounts, this.#accounts.slice(0, this.#accountIdRows.count * ACCOUNT_ROW_WORDS)],
      [CopyTable.transfers, rowsOf(this.#transfers, this.#ordinalFrom(after + 1n))],
      [CopyTable.pendings, this.#pendings.rows()],
      [CopyTable.requested, requestedRows(requested)],
      [CopyTable.history, this.#history.rows(after)],
      [CopyTable.burnt, rowsOf(this.#burnt, 0)],
      [CopyTable.opened, opened],
      [CopyTable.decisions, decisions],
      [CopyTable.channels, channels],
    ];
    return tables.flatMap(([table, rows]) => [...chunksOf(table, rows)]);
  }

  /** Into new tables. */
  copyIn({ table, rows }: BooksChunk): void {
    const none = new Uint32Array(0);
    const crossings = { opened: none, closed: none, decisions: none, channels: none };
    switch (table) {
      case CopyTable.accounts:
        this.#putAccounts(rows);
        break;
      case CopyTable.transfers:
        this.#transfers.append(rows);
        this.#transferIds.extend();
        this.#raiseMaxTransferId(rows, TRANSFER_ROW_WORDS);
        break;
      case CopyTable.pendings:
        this.#pendings.put(rows);
        break;
      case CopyTable.requested:
        for (const [timestamp, amount] of requestedOf(rows)) this.#requested.set(timestamp, amount);
        break;
      case CopyTable.history:
        this.#history.put(rows);
        break;
      case CopyTable.burnt:
        this.#burnt.append(rows);
        this.#burntIds.extend();
        this.#raiseMaxTransferId(rows, BURNT_ROW_WORDS);
        break;
      case CopyTable.opened:
        this.#crossings.put({ ...crossings, opened: rows });
        break;
      case CopyTable.decisions:
        this.#crossings.put({ ...crossings, decisions: rows });
        break;
      case CopyTable.channels:
        this.#crossings.put({ ...crossings, channels: rows });
        break;
    }
  }

  /** After all chunks. */
  copied(state: BooksState): void {
    this.#index = state.index;
    this.#term = state.term;
    this.#lastTimestamp = state.lastTimestamp;
    this.#digest = state.digest;
    this.#membership = state.membership;
    this.#slots = state.slots;
    this.#sums = { rowSum: state.rowSum, burntSum: state.burntSum };
  }

  lookUp(ids: Uint32Array): LookUp[] {
    const results: LookUp[] = [];
    for (let at = 0; at < ids.length; at += 4) {
      const ordinal = this.#transferIds.find(ids, at);
      if (ordinal >= 0) results.push(this.#withState(this.#transfers.row(ordinal)));
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
      if (sideOf(row, accountId) !== null) rows.push(this.#withState(row));
    }
    return rows;
  }

  rowsAt(timestamps: Uint32Array): (Uint32Array | null)[] {
    return eachTimestamp(timestamps, (timestamp) => {
      const ordinal = this.#ordinalFrom(timestamp);
      if (ordinal === this.#transfers.count) return null;
      const row = this.#transfers.row(ordinal);
      return u64At(row, TransferRowWord.rowTimestamp) === timestamp ? this.#withState(row) : null;
    });
  }

  /** Looks at every row in the range, without an index. */
  scan(query: ScanQuery): Uint32Array[] {
    assertScan(query);
    const { source, fromTimestamp, toTimestamp, reversed, limit } = query;
    const first = this.#ordinalFrom(fromTimestamp);
    const end = this.#ordinalFrom(toTimestamp + 1n);
    const rows: Uint32Array[] = [];
    for (let step = 0; step < end - first && rows.length < limit; step++) {
      const row = this.#withState(this.#transfers.row(reversed ? end - 1 - step : first + step));
      if (isInScan(row, source)) rows.push(row);
    }
    return rows;
  }

  balancesAt(handle: number, timestamp: bigint): HistoryBalances | null {
    return this.#history.balancesAt(handle, timestamp);
  }

  requestedAt(timestamps: Uint32Array): (Uint32Array | null)[] {
    return eachTimestamp(
      timestamps,
      (timestamp) => this.#requested.get(timestamp)?.slice() ?? null,
    );
  }

  idsAfter(id: Uint32Array | null, limit: number): Uint32Array {
    const ids: Uint32Array[] = [];
    for (const store of [this.#transfers, this.#burnt]) {
      for (let ordinal = 0; ordinal < store.count; ordinal++) {
        const row = store.row(ordinal);
        if (store === this.#transfers && !isTransfer(row)) continue;
        if (id === null || compareIds(row, id) > 0) ids.push(row.subarray(0, 4));
      }
    }
    return Uint32Array.from(
      ids
        .sort(compareIds)
        .slice(0, limit)
        .flatMap((words) => [...words]),
    );
  }

  #withState(row: Uint32Array): Uint32Array {
    const copy = row.slice();
    copy[TransferRowWord.pendingState] = isPendingTransfer(row)
      ? this.#pendings.stateOf(u64At(row, TransferRowWord.rowTimestamp))
      : PendingState.none;
    return copy;
  }

  #lastRowTimestamp(): bigint {
    const { count } = this.#transfers;
    return count === 0 ? 0n : u64At(this.#transfers.row(count - 1), TransferRowWord.rowTimestamp);
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
    known.push(assertNewIds(transfers, TRANSFER_ROW_WORDS, known, isTransfer));
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

  *#timeoutPieces(index: number): Generator<Uint32Array> {
    if (this.#index !== index) throw new Error('a commit came before all timeouts were loaded');
    const all = this.#pendings.timeouts();
    if (all.length > 0) yield all;
  }

  #raiseMaxTransferId(rows: Uint32Array, rowWords: number): void {
    for (let at = 0; at < rows.length; at += rowWords) {
      const row = rows.subarray(at, at + rowWords);
      if (rowWords === TRANSFER_ROW_WORDS && !isTransfer(row)) continue;
      if (compareIds(row, this.#maxTransferId) > 0) this.#maxTransferId = row.slice(0, 4);
    }
  }

  #assertRequested(rows: Uint32Array): void {
    for (const [timestamp] of requestedOf(rows)) {
      if (this.#requested.has(timestamp)) throw new Error('a row asked for two amounts');
    }
  }
}

/** Throws if an id at word 0 of a row is known, or comes twice; gives the index of these rows. */
function assertNewIds(
  rows: Uint32Array,
  rowWords: number,
  known: readonly IdIndex[],
  hasId: (row: Uint32Array) => boolean = () => true,
): IdIndex {
  const store = new RowStore(rowWords);
  store.append(rows);
  for (let at = 0; at < rows.length; at += rowWords) {
    if (!hasId(rows.subarray(at, at + rowWords))) continue;
    if (known.some((ids) => ids.find(rows, at) >= 0)) throw new Error('an id is taken already');
  }
  const added = new IdIndex(store, hasId);
  added.extend();
  return added;
}

function eachTimestamp(
  timestamps: Uint32Array,
  find: (timestamp: bigint) => Uint32Array | null,
): (Uint32Array | null)[] {
  return Array.from({ length: timestamps.length / 2 }, (_, i) => find(u64At(timestamps, i * 2)));
}

function rowsOf(store: RowStore, from: number): Uint32Array {
  const rows = new Uint32Array((store.count - from) * store.rowWords);
  for (let ordinal = from; ordinal < store.count; ordinal++) {
    rows.set(store.row(ordinal), (ordinal - from) * store.rowWords);
  }
  return rows;
}

function requestedRows(amounts: readonly [timestamp: bigint, amount: Uint32Array][]): Uint32Array {
  const rows = new Uint32Array(amounts.length * REQUESTED_ROW_WORDS);
  for (const [position, [timestamp, amount]] of amounts.entries()) {
    const at = position * REQUESTED_ROW_WORDS;
    rows[at + RequestedRowWord.timestamp] = Number(timestamp & 0xffff_ffffn);
    rows[at + RequestedRowWord.timestamp + 1] = Number(timestamp >> 32n);
    rows.set(amount, at + RequestedRowWord.amount);
  }
  return rows;
}

function* requestedOf(rows: Uint32Array): Generator<[timestamp: bigint, amount: Uint32Array]> {
  for (let at = 0; at < rows.length; at += REQUESTED_ROW_WORDS) {
    const amount = rows.slice(at + RequestedRowWord.amount, at + REQUESTED_ROW_WORDS);
    yield [u64At(rows, at + RequestedRowWord.timestamp), amount];
  }
}

/** Of the ids at word 0 of both. */
function compareIds(a: Uint32Array, b: Uint32Array): number {
  for (let word = 3; word >= 0; word--) {
    if (a[word] !== b[word]) return a[word]! - b[word]!;
  }
  return 0;
}

import { HotWord } from './account-store.ts';
import { applyEntry } from './apply.ts';
import { finishedThrough } from './channels.ts';
import { type Entry, readEntry } from './entry.ts';
import type { BooksImage, Fold } from './fold.ts';
import { Folds } from './folds.ts';
import { InvariantError, invariant } from './invariant.ts';
import { Known } from './known-ids.ts';
import { type PendingState, TRANSFER_ROW_WORDS, TransferRowWord } from './layout.ts';
import { loadState } from './load.ts';
import type { LookUpResult, Unsettled } from './look-up.ts';
import { type Results, ResultWriter } from './results.ts';
import { LedgerState, type MachineOptions } from './state.ts';
import {
  pendingStateOf,
  unfoldedAccountRows,
  unfoldedRequested,
  unfoldedRows,
} from './unfolded-rows.ts';
import { unsettledOf } from './unsettled.ts';
import { readSafeU64, readU64, writeSafeU64 } from './words.ts';

export type { LookUpResult, Unsettled } from './look-up.ts';
export type { Results, SubBatchResults } from './results.ts';
export type { MachineOptions } from './state.ts';

/**
 * The double-entry machine of one unit: apply committed entries in log order, one call each, and read
 * the state between. The caller's duties, in order: load once; for each index either skip it or look
 * up what `unsettled` lists and apply; take folds and report with `folded` when the books hold them.
 * Any error thrown means that memory can't be trusted: the process must stop.
 */
export class Machine {
  readonly unit: number;
  readonly #state: LedgerState;
  readonly #folds: Folds;
  readonly #results = new ResultWriter();
  #index: number;
  #term: number;
  #lastTimestamp: bigint;
  /** The payload that `unsettled` has read, until it is applied. */
  #readPayload: Uint32Array | null = null;
  #readEntry: Entry | null = null;

  static load(options: MachineOptions, image: BooksImage): Machine {
    return new Machine(options, image);
  }

  private constructor(options: MachineOptions, image: BooksImage) {
    this.unit = options.unit;
    this.#state = new LedgerState(options);
    loadState(this.#state, image);
    this.#folds = new Folds(this.#state, image.index);
    this.#index = image.index;
    this.#term = image.term;
    this.#lastTimestamp = image.lastTimestamp;
  }

  // --- the log ---

  /** The entry that gave the unit its slots is applied. */
  get initialised(): boolean {
    return this.#state.slots !== null;
  }

  get index(): number {
    return this.#index;
  }

  get term(): number {
    return this.#term;
  }

  /** The last timestamp used, ns; the next entry's must be greater. */
  get lastTimestamp(): bigint {
    return this.#lastTimestamp;
  }

  /** Equal on all replicas at the same index; see Digest. */
  get digest(): string {
    return this.#state.digest.toString();
  }

  /**
   * What apply of this payload must know and neither memory nor the order of ids settles: nearly always
   * nothing. Call it right before apply of the same payload, and look it up in the books.
   */
  unsettled(payload: Uint32Array): Unsettled {
    const entry = readEntry(payload);
    this.#readPayload = payload;
    this.#readEntry = entry;
    return unsettledOf(this.#state, entry, payload);
  }

  /**
   * Applies one committed command; `found` answers the unsettled ids and `rows` the unsettled row
   * timestamps, in order. Results stay valid until the next call.
   */
  apply(
    index: number,
    term: number,
    payload: Uint32Array,
    found: readonly LookUpResult[],
    rows: readonly (Uint32Array | null)[],
  ): Results {
    const state = this.#state;
    const entry = this.#readPayload === payload ? this.#readEntry : null;
    if (entry === null)
      throw new InvariantError('apply needs unsettled() of the same payload first');
    this.#readPayload = null;
    this.#readEntry = null;
    this.#advance(index, term);
    const first = (BigInt(entry.timestampHi) << 32n) | BigInt(entry.timestampLo);
    if (first <= this.#lastTimestamp) {
      throw new InvariantError(`entry ${index} goes back from ${this.#lastTimestamp} to ${first}`);
    }
    state.ids.lookUps.answer(found, rows);
    applyEntry(state, entry, payload, this.#results);
    if (entry.eventCount > 0) this.#lastTimestamp = first + BigInt(entry.eventCount) - 1n;
    return this.#results;
  }

  /** An empty entry: only index and term move. */
  skip(index: number, term: number): void {
    this.#advance(index, term);
  }

  #advance(index: number, term: number): void {
    if (index !== this.#index + 1 || term < this.#term) {
      const at = `entry ${this.#index} of term ${this.#term}`;
      throw new InvariantError(`entry ${index} of term ${term} does not follow ${at}`);
    }
    this.#index = index;
    this.#term = term;
    this.#state.digest.index(index);
  }

  // --- accounts ---

  get accountCount(): number {
    return this.#state.accounts.count;
  }

  /** Handle of the account with the id at `offset`, or -1. */
  findAccount(words: Uint32Array, offset: number): number {
    return this.#state.accounts.find(words, offset);
  }

  /** Writes the account's record, balances included. */
  readAccount(handle: number, out: Uint32Array, offset: number): void {
    invariant(handle >= 0 && handle < this.accountCount, 'there is no account with this handle');
    this.#state.accounts.copyOut(handle, out, offset, false);
  }

  /** Handle of the first account created at or after that time; accountCount if there is none. Handles ascend with time. */
  firstAccountFrom(timestamp: bigint): number {
    const [lo, hi] = [Number(timestamp & 0xffff_ffffn), Number(timestamp >> 32n)];
    return this.#state.accounts.firstFrom(lo, hi);
  }

  /** Row timestamp of the account's newest row in this unit; 0 = none. */
  accountLatestTransfer(handle: number): bigint {
    const at = this.#state.accounts.offsetOf(handle) + HotWord.latestTransfer;
    return readU64(this.#state.accounts.pageOf(handle), at);
  }

  // --- transfers ---

  /** What memory knows of a transfer id: a copy of its row with its PendingState, that it is burnt or crossing, or null. */
  findResidentTransfer(words: Uint32Array, offset: number): Uint32Array | 'burnt' | 'open' | null {
    const { ids } = this.#state;
    switch (ids.locateResident(words, offset)) {
      case Known.row: {
        const row = ids.foundWords.slice(ids.foundAt, ids.foundAt + TRANSFER_ROW_WORDS);
        row[TransferRowWord.pendingState] = pendingStateOf(this.#state, row);
        return row;
      }
      case Known.burnt:
        return 'burnt';
      case Known.open:
        return 'open';
      default:
        return null;
    }
  }

  /**
   * State of the transfer of a row that comes from the books or from here: what has resolved it since the
   * books were written counts. PendingState.none unless it is a pending transfer.
   */
  pendingStateOf(row: Uint32Array): PendingState {
    return pendingStateOf(this.#state, row);
  }

  /** Row timestamp of the newest row of any leg; 0n = none. */
  get lastRowTimestamp(): bigint {
    const { lastRowLo, lastRowHi } = this.#state;
    return (BigInt(lastRowHi) << 32n) | BigInt(lastRowLo >>> 0);
  }

  /**
   * Copies of the rows of all legs that the books do not hold yet, by row timestamp within these bounds
   * (inclusive), each with its PendingState. All other rows are older, and in the books.
   */
  unfoldedRows(from: bigint, to: bigint, reversed: boolean, limit: number): Uint32Array[] {
    return unfoldedRows(this.#state, this.#folds.firstRowNotHeld, from, to, reversed, limit);
  }

  /** Amount that was asked for (four words), of a row that unfoldedRows gives; null if it is the row's own. */
  unfoldedRequested(rowTimestamp: bigint): Uint32Array | null {
    return unfoldedRequested(this.#state, rowTimestamp);
  }

  /**
   * Copies of the account's rows of all legs that the books do not hold yet, newest first, each with its
   * PendingState.
   */
  unfoldedAccountTransfers(accountId: Uint32Array): Uint32Array[] {
    return unfoldedAccountRows(this.#state, accountId, this.#folds.firstRowNotHeld);
  }

  // --- expiry ---

  /** Deadline of the pending transfer that is next to expire, ns; null if none is. Resolved ones don't count. */
  get nextDeadline(): bigint | null {
    return this.#state.timeouts.nextDeadline;
  }

  /** Items (EXPIRE_ITEM_WORDS) for an expire sub-batch: what is due at that time, at most `max`, in order. */
  dueTimeouts(now: bigint, max: number): Uint32Array {
    return this.#state.timeouts.due(Number(now & 0xffff_ffffn), Number(now >> 32n), max);
  }

  // --- crossings ---

  /** All OPEN rows, copied, ascending by (far unit, sequence). */
  openCrossings(): Uint32Array {
    return this.#state.channels.copyOpen(false);
  }

  openCrossing(farUnit: number, sequenceLo: number, sequenceHi: number): Uint32Array | null {
    const { channels } = this.#state;
    const channel = channels.find(farUnit);
    if (channel === undefined) return null;
    const place = channels.findOpen(
      channel,
      readSafeU64(Uint32Array.of(sequenceLo, sequenceHi), 0),
    );
    return place < 0 ? null : channels.pool.copyOf(place);
  }

  /** All sequences of the channel up to this one (low and high word) are complete. */
  finishedThrough(farUnit: number): [lo: number, hi: number] {
    const channel = this.#state.channels.find(farUnit);
    const words = new Uint32Array(2);
    if (channel !== undefined) writeSafeU64(words, 0, finishedThrough(channel));
    return [words[0]!, words[1]!];
  }

  // --- slots ---

  get slots(): Uint16Array | null {
    return this.#state.slots;
  }

  owns(slot: number): boolean {
    return this.ownerOf(slot) === this.unit;
  }

  /** Unit that owns the slot; -1 before the unit is initialised. */
  ownerOf(slot: number): number {
    return this.#state.slots?.[slot] ?? -1;
  }

  // --- books ---

  /** Everything since the last fold taken; null if no index was applied since. */
  takeFold(): Fold | null {
    return this.#folds.take(this);
  }

  /** The books hold everything up to the end of a fold taken, and readers see it: rows may leave memory. */
  folded(throughIndex: number): void {
    this.#folds.held(throughIndex);
  }

  /** What the books don't hold yet, be it taken or not. */
  get unfoldedBytes(): number {
    return this.#folds.unfoldedBytes(this.#index);
  }

  /** True while the filter of ids wants ids of the books: those after `idsFilledTo`. */
  get wantsIds(): boolean {
    return this.#state.ids.left.isFilling;
  }

  get idsFilledTo(): Uint32Array | null {
    return this.#state.ids.left.filledTo;
  }

  /** The next ids of the books, ascending, four words each; none: that was all. */
  takeIds(ids: Uint32Array): void {
    this.#state.ids.left.fill(ids);
  }

  get residentBytes(): number {
    const { accounts, ids, channels, timeouts, requested } = this.#state;
    return accounts.bytes + ids.bytes + channels.bytes + timeouts.bytes + requested.bytes;
  }
}

import { IdIndex, NONE } from './id-index.ts';
import { InvariantError, invariant } from './invariant.ts';
import {
  BURNT_ROW_WORDS,
  BurntRowWord,
  Leg,
  OpenRowWord,
  PendingState,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from './layout.ts';
import { type IdFilterOptions, LeftIds } from './left-ids.ts';
import { type LookUpResult, LookUpRole, LookUps } from './look-up.ts';
import type { OpenPool } from './open-pool.ts';
import { ResolvedIds } from './resolved-ids.ts';
import { RowRing } from './row-ring.ts';
import { findRow } from './row-search.ts';
import { copy, equal } from './u128.ts';

/** What this unit knows of a transfer id. */
export const Known = { none: 0, row: 1, burnt: 2, open: 3 } as const;
export type Known = (typeof Known)[keyof typeof Known];

const KIND_SHIFT = 30;
const PLACE_MASK = (1 << KIND_SHIFT) - 1;

/**
 * Transfer ids and the rows behind them. Rows and burnt ids stay in memory until the books hold them
 * and there are too many; open crossings as long as they are open. An id that isn't here is new if it
 * is greater than every id that ever left; else the caller of apply has looked it up in the books.
 */
export class KnownIds {
  readonly rows = new RowRing(TRANSFER_ROW_WORDS);
  readonly burnt = new RowRing(BURNT_ROW_WORDS);
  readonly lookUps = new LookUps();
  readonly resolved: ResolvedIds;
  readonly #index: IdIndex;
  readonly #open: OpenPool;
  readonly #residentMax: number;
  /** What left memory for the books. */
  readonly left: LeftIds;

  /** Set by `locate` for a row or an open crossing: where the record lies. */
  foundWords: Uint32Array = new Uint32Array(0);
  foundAt = 0;
  /** Set by `locate`: the hash of the id, for `addRow`. */
  hash = 0;

  constructor(hashSeed: number, residentMax: number, filter: IdFilterOptions, open: OpenPool) {
    this.left = new LeftIds(hashSeed, filter);
    this.#index = new IdIndex(hashSeed);
    this.resolved = new ResolvedIds(hashSeed, this.rows);
    this.#open = open;
    this.#residentMax = residentMax;
  }

  get bytes(): number {
    const { rows, burnt, resolved, left } = this;
    return this.#index.bytes + resolved.bytes + rows.bytes + burnt.bytes + left.bytes;
  }

  hashOf(words: Uint32Array, at: number): number {
    return this.#index.hashOf(words, at);
  }

  /**
   * False if memory and the order of ids settle what is known of the id. An open crossing does not: the
   * entry may first complete it, and so forget its id, and then use the id again.
   */
  needsLookUp(words: Uint32Array, at: number): boolean {
    const mayHaveLeft = this.left.mayHold(words, at);
    this.left.note(mayHaveLeft);
    if (!mayHaveLeft) return false;
    const known = this.locateResident(words, at);
    return known === Known.none || known === Known.open;
  }

  /** The row with this timestamp (two words), if there is one, has left memory. */
  needsRow(words: Uint32Array, at: number): boolean {
    const { rows } = this;
    if (!this.left.some || rows.count === 0) return this.left.some;
    const oldest = rows.wordsOf(rows.begin);
    const oldestAt = rows.offsetOf(rows.begin) + TransferRowWord.rowTimestamp;
    const hi = words[at + 1]!;
    return (
      hi < oldest[oldestAt + 1]! || (hi === oldest[oldestAt + 1] && words[at]! < oldest[oldestAt]!)
    );
  }

  /** Reads where an id with this hash would stand, so that it is in the cache when it is needed. */
  touchSlot(hash: number): number {
    return this.#index.touch(hash);
  }

  /** What is known of the id of the entry's event number `event`, its hash at hand. */
  locate(hash: number, words: Uint32Array, at: number, event: number): Known {
    this.hash = hash;
    const known = this.#locateResident(hash, words, at);
    if (known !== Known.none || !this.left.mayHold(words, at)) return known;
    return this.#locateInBooks(this.lookUps.id(event, LookUpRole.own), words, at);
  }

  /** The same of the pending transfer that the event names. */
  locatePending(words: Uint32Array, at: number, event: number): Known {
    const known = this.locateResident(words, at);
    if (known !== Known.none || !this.left.mayHold(words, at)) return known;
    return this.#locateInBooks(this.lookUps.id(event, LookUpRole.pending), words, at);
  }

  /** The row with this timestamp, found or not; see needsRow. */
  locateRow(words: Uint32Array, at: number, event: number): boolean {
    if (this.needsRow(words, at)) {
      const row = this.lookUps.row(event);
      if (row === null) return false;
      this.foundWords = row;
      this.foundAt = 0;
      return true;
    }
    const { rows } = this;
    const timestamp = TransferRowWord.rowTimestamp;
    const serial = findRow(rows, rows.begin, timestamp, words[at]!, words[at + 1]!);
    if (serial < 0) return false;
    this.foundWords = rows.wordsOf(serial);
    this.foundAt = rows.offsetOf(serial);
    return true;
  }

  locateResident(words: Uint32Array, at: number): Known {
    return this.#locateResident(this.#index.hashOf(words, at), words, at);
  }

  /** What became of the pending transfer of a row: of memory's rows, or with a state of its own from the books. */
  stateOf(row: Uint32Array, at: number): PendingState {
    const resolved = this.resolved.stateOf(row, at + TransferRowWord.record);
    if (resolved !== PendingState.none) return resolved;
    const own = row[at + TransferRowWord.pendingState]!;
    return own === PendingState.none ? PendingState.pending : (own as PendingState);
  }

  /** A row whose id is new, with the id's hash. The caller writes all of it at once. */
  addRow(hash: number): number {
    const serial = this.rows.append();
    this.#index.add(hash, indexValue(Known.row, serial));
    return serial;
  }

  /** Takes the newest rows away again, from this serial on: their chain is undone. */
  undoRows(serial: number): void {
    for (let undone = this.rows.end - 1; undone >= serial; undone -= 1) {
      this.#forget(this.rows.wordsOf(undone), this.rows.offsetOf(undone));
    }
    this.rows.truncate(serial);
  }

  burn(id: Uint32Array, at: number, timestampLo: number, timestampHi: number): void {
    const serial = this.burnt.append();
    const words = this.burnt.wordsOf(serial);
    const row = this.burnt.offsetOf(serial);
    copy(id, at, words, row + BurntRowWord.id);
    words[row + BurntRowWord.timestamp] = timestampLo;
    words[row + BurntRowWord.timestamp + 1] = timestampHi;
    words[row + BurntRowWord.timestamp + 2] = 0;
    words[row + BurntRowWord.timestamp + 3] = 0;
    this.#index.add(this.#index.hashOf(id, at), indexValue(Known.burnt, serial));
  }

  addOpen(record: Uint32Array, at: number, place: number): void {
    this.#index.add(this.#index.hashOf(record, at), indexValue(Known.open, place));
  }

  /** The crossing of this id has its outcome; unless that adds the id again, it may be tried again. */
  removeOpen(record: Uint32Array, at: number): void {
    this.#remove(record, at);
  }

  /** Drops the oldest of what the books hold, up to these serials, while there are too many. */
  evict(rowsFolded: number, burntFolded: number): void {
    while (this.rows.count + this.burnt.count > this.#residentMax) {
      const mayDropRow = this.rows.begin < rowsFolded;
      const mayDropBurnt = this.burnt.begin < burntFolded;
      if (!mayDropRow && !mayDropBurnt) return;
      if (mayDropRow && (!mayDropBurnt || this.#rowIsOlder())) this.#dropRow();
      else this.#dropBurnt();
    }
  }

  #locateResident(hash: number, words: Uint32Array, at: number): Known {
    const slot = this.#slotOf(hash, words, at);
    return slot === NONE ? Known.none : ((this.#index.valueAt(slot) >>> KIND_SHIFT) as Known);
  }

  #remove(words: Uint32Array, at: number): void {
    this.#index.removeAt(this.#slotOf(this.#index.hashOf(words, at), words, at));
  }

  /** Leaves foundWords and foundAt at what the slot leads to. */
  #slotOf(hash: number, words: Uint32Array, at: number): number {
    const index = this.#index;
    let slot = index.first(hash);
    while (slot !== NONE) {
      this.#resolve(index.valueAt(slot));
      if (equal(this.foundWords, this.foundAt, words, at)) break;
      slot = index.next(hash, slot);
    }
    return slot;
  }

  /** Where the id behind an index value lies: at the start of a transfer record or of a burnt row. */
  #resolve(value: number): void {
    const place = value & PLACE_MASK;
    const kind = value >>> KIND_SHIFT;
    if (kind === Known.open) {
      this.foundWords = this.#open.pageOf(place);
      this.foundAt = this.#open.offsetOf(place) + OpenRowWord.record;
      return;
    }
    const ring = kind === Known.row ? this.rows : this.burnt;
    const serial = ring.begin + ((place - ring.begin) & PLACE_MASK);
    this.foundWords = ring.wordsOf(serial);
    this.foundAt = ring.offsetOf(serial);
  }

  #rowIsOlder(): boolean {
    const row = this.rows.wordsOf(this.rows.begin);
    const rowAt = this.rows.offsetOf(this.rows.begin) + TransferRowWord.rowTimestamp;
    const burnt = this.burnt.wordsOf(this.burnt.begin);
    const burntAt = this.burnt.offsetOf(this.burnt.begin) + BurntRowWord.timestamp;
    const rowHi = row[rowAt + 1]!;
    const burntHi = burnt[burntAt + 1]!;
    return rowHi < burntHi || (rowHi === burntHi && row[rowAt]! < burnt[burntAt]!);
  }

  #dropRow(): void {
    const words = this.rows.wordsOf(this.rows.begin);
    const at = this.rows.offsetOf(this.rows.begin);
    this.#forget(words, at);
    if (hasOwnId(words, at)) this.left.add(words, at);
    else this.left.addNone();
    this.rows.dropOldest();
  }

  #dropBurnt(): void {
    const words = this.burnt.wordsOf(this.burnt.begin);
    const at = this.burnt.offsetOf(this.burnt.begin) + BurntRowWord.id;
    this.#remove(words, at);
    this.left.add(words, at);
    this.burnt.dropOldest();
  }

  /** The row's id, and the id of what it resolved, lead to it no longer. */
  #forget(row: Uint32Array, at: number): void {
    this.resolved.forget(row, at);
    if (hasOwnId(row, at)) this.#remove(row, at);
  }

  #locateInBooks(result: LookUpResult, words: Uint32Array, at: number): Known {
    if (result === null) return Known.none;
    if (result === 'burnt') return Known.burnt;
    for (let word = 0; word < 4; word += 1) {
      if (result[word] !== words[at + word]) throw new InvariantError('the books found another id');
    }
    invariant(result.length === TRANSFER_ROW_WORDS, 'the books found a row of another width');
    this.foundWords = result;
    this.foundAt = TransferRowWord.record;
    return Known.row;
  }
}

/** Rows that are transfers have one; see Leg. */
function hasOwnId(row: Uint32Array, at: number): boolean {
  return (row[at + TransferRowWord.leg]! & 0xffff) <= Leg.far;
}

function indexValue(kind: Known, place: number): number {
  return (kind << KIND_SHIFT) | (place & PLACE_MASK);
}

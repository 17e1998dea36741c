import { IdIndex } from './id-index.ts';
import { InvariantError, invariant } from './invariant.ts';
import {
  BURNT_ROW_WORDS,
  BurntRowWord,
  OpenRowWord,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from './layout.ts';
import type { LookUpResult } from './look-up.ts';
import { LookUps } from './look-up.ts';
import type { OpenPool } from './open-pool.ts';
import { RowRing } from './row-ring.ts';
import { copy, greater } from './u128.ts';

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
  readonly #index: IdIndex;
  readonly #open: OpenPool;
  readonly #residentMax: number;
  /** Largest id that ever left memory. */
  readonly #leftMax = new Uint32Array(4);
  #someLeft = false;

  /** Set by `locate` for a row or an open crossing: where the record lies. */
  foundWords: Uint32Array = this.#leftMax;
  foundAt = 0;

  constructor(hashSeed: number, residentMax: number, open: OpenPool) {
    this.#index = new IdIndex(hashSeed);
    this.#open = open;
    this.#residentMax = residentMax;
  }

  get bytes(): number {
    return this.#index.bytes + this.rows.bytes + this.burnt.bytes;
  }

  /** The books hold ids up to this one that memory does not. */
  loadLeftMax(id: Uint32Array): void {
    copy(id, 0, this.#leftMax, 0);
    this.#someLeft = true;
  }

  get someLeft(): boolean {
    return this.#someLeft;
  }

  /**
   * False if memory and the order of ids settle what is known of the id. An open crossing does not: the
   * entry may first complete it, and so forget its id, and then use the id again.
   */
  needsLookUp(words: Uint32Array, at: number): boolean {
    if (!this.#mayHaveLeft(words, at)) return false;
    const kind = this.#index.find(words, at) >>> KIND_SHIFT;
    return kind === Known.none || kind === Known.open;
  }

  /** What is known of the id of the entry's event number `event`. */
  locate(words: Uint32Array, at: number, event: number): Known {
    const known = this.locateResident(words, at);
    if (known !== Known.none || !this.#mayHaveLeft(words, at)) return known;
    return this.#locateInBooks(this.lookUps.resultOf(event), words, at);
  }

  locateResident(words: Uint32Array, at: number): Known {
    const value = this.#index.find(words, at);
    const place = value & PLACE_MASK;
    switch (value >>> KIND_SHIFT) {
      case Known.none:
        return Known.none;
      case Known.row: {
        const serial = this.rows.begin + ((place - this.rows.begin) & PLACE_MASK);
        this.foundWords = this.rows.wordsOf(serial);
        this.foundAt = this.rows.offsetOf(serial);
        return Known.row;
      }
      case Known.burnt:
        return Known.burnt;
      default:
        this.foundWords = this.#open.pageOf(place);
        this.foundAt = this.#open.offsetOf(place) + OpenRowWord.record;
        return Known.open;
    }
  }

  /** A new transfer row for this id, with its record in place; the caller writes the other words. */
  addRow(record: Uint32Array, at: number): number {
    const serial = this.rows.append();
    this.#index.put(record, at, ((Known.row << KIND_SHIFT) | (serial & PLACE_MASK)) >>> 0);
    return serial;
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
    this.#index.put(id, at, ((Known.burnt << KIND_SHIFT) | (serial & PLACE_MASK)) >>> 0);
  }

  addOpen(record: Uint32Array, at: number, place: number): void {
    this.#index.put(record, at, ((Known.open << KIND_SHIFT) | place) >>> 0);
  }

  /** The crossing of this id was refused and may be tried again. */
  removeOpen(record: Uint32Array, at: number): void {
    invariant(this.#index.remove(record, at), 'an open crossing was not among the known ids');
  }

  /** Drops the oldest of what the books hold, up to these serials, while there are too many. */
  evict(rowsFolded: number, burntFolded: number): void {
    while (this.rows.count + this.burnt.count > this.#residentMax) {
      const mayDropRow = this.rows.begin < rowsFolded;
      const mayDropBurnt = this.burnt.begin < burntFolded;
      if (!mayDropRow && !mayDropBurnt) return;
      if (mayDropRow && (!mayDropBurnt || this.#rowIsOlder())) {
        this.#drop(this.rows, TransferRowWord.record);
      } else {
        this.#drop(this.burnt, BurntRowWord.id);
      }
    }
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

  #drop(ring: RowRing, idWord: number): void {
    const words = ring.wordsOf(ring.begin);
    const at = ring.offsetOf(ring.begin) + idWord;
    invariant(this.#index.remove(words, at), 'a row was not among the known ids');
    if (!this.#someLeft || greater(words, at, this.#leftMax, 0)) copy(words, at, this.#leftMax, 0);
    this.#someLeft = true;
    ring.dropOldest();
  }

  #mayHaveLeft(words: Uint32Array, at: number): boolean {
    return this.#someLeft && !greater(words, at, this.#leftMax, 0);
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

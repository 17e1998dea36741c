import { IdIndex, NONE } from './id-index.ts';
import { invariant } from './invariant.ts';
import { Leg, PendingState, TransferFlag, TransferRowWord, TransferWord } from './layout.ts';
import type { RowRing } from './row-ring.ts';
import { equal } from './u128.ts';

/** Serials are counted past 2^32 but an index holds words; fewer rows than this are ever resident. */
const PLACE_END = 0x4000_0000;

/**
 * From a pending transfer's id to the row that resolved it, as long as that row is in memory. What left
 * memory is in the books, and there the pending transfer's own row says what became of it.
 */
export class ResolvedIds {
  readonly #rows: RowRing;
  readonly #index: IdIndex;

  constructor(hashSeed: number, rows: RowRing) {
    this.#rows = rows;
    this.#index = new IdIndex(hashSeed);
  }

  get bytes(): number {
    return this.#index.bytes;
  }

  /** PendingState.none if nothing in memory has resolved it. */
  stateOf(id: Uint32Array, at: number): PendingState {
    const slot = this.#slotOf(id, at);
    if (slot === NONE) return PendingState.none;
    const serial = this.#serialOf(this.#index.valueAt(slot));
    return resolution(this.#rows.wordsOf(serial), this.#rows.offsetOf(serial));
  }

  /** The row resolves a pending transfer. */
  add(serial: number): void {
    const row = this.#rows.wordsOf(serial);
    const at = this.#rows.offsetOf(serial);
    const hash = this.#index.hashOf(row, at + resolvedIdWord(row, at));
    this.#index.add(hash, 1 + (serial % PLACE_END));
  }

  /** The row, if it resolved anything, leaves memory. */
  forget(row: Uint32Array, at: number): void {
    if (resolution(row, at) === PendingState.none) return;
    this.#index.removeAt(this.#slotOf(row, at + resolvedIdWord(row, at)));
  }

  #slotOf(id: Uint32Array, at: number): number {
    const index = this.#index;
    const hash = index.hashOf(id, at);
    let slot = index.first(hash);
    while (slot !== NONE && !this.#resolves(index.valueAt(slot), id, at)) {
      slot = index.next(hash, slot);
    }
    return slot;
  }

  #resolves(value: number, id: Uint32Array, at: number): boolean {
    const serial = this.#serialOf(value);
    const row = this.#rows.wordsOf(serial);
    const rowAt = this.#rows.offsetOf(serial);
    return equal(row, rowAt + resolvedIdWord(row, rowAt), id, at);
  }

  #serialOf(value: number): number {
    const begin = this.#rows.begin;
    const ahead = (value - 1 - (begin % PLACE_END) + PLACE_END) % PLACE_END;
    const serial = begin + ahead;
    invariant(serial < this.#rows.end, 'a resolved id leads to a row that is gone');
    return serial;
  }
}

/** How the row resolves the pending transfer it names; PendingState.none if it doesn't. */
function resolution(row: Uint32Array, at: number): PendingState {
  const leg = row[at + TransferRowWord.leg]! & 0xffff;
  if (leg === Leg.expiry) return PendingState.expired;
  if (leg !== Leg.both) return PendingState.none;
  const flags = row[at + TransferWord.codeAndFlags]! >>> 16;
  if ((flags & TransferFlag.postPendingTransfer) !== 0) return PendingState.posted;
  return (flags & TransferFlag.voidPendingTransfer) !== 0 ? PendingState.voided : PendingState.none;
}

/** An expiry's record is the pending transfer's own. */
function resolvedIdWord(row: Uint32Array, at: number): number {
  const isExpiry = (row[at + TransferRowWord.leg]! & 0xffff) === Leg.expiry;
  return isExpiry ? TransferWord.id : TransferWord.pendingId;
}

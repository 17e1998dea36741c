import { BALANCES_WORDS, Leg, TransferWord } from '../../../ledger/layout.ts';
import { FEED_ACCOUNTS_MAX } from '../limits.ts';
import { AccountHistory } from '../reads/account-history.ts';
import { applyEffect } from '../reads/effects.ts';
import { legOf, rowTimestampOf, type Side } from '../reads/row.ts';
import type { Source } from '../reads/source.ts';

/** What a look-up costs besides the rows that it reads, counted in rows. */
const LOOK_UP_ROWS = 4;

/** Accounts of a row that live in this unit, so that clients know them. */
export function sidesOf(row: Uint32Array): readonly Side[] {
  switch (legOf(row)) {
    case Leg.both:
    case Leg.expiry:
      return ['debit', 'credit'];
    case Leg.far:
      return ['credit'];
    default:
      return ['debit'];
  }
}

/**
 * Balances of accounts that a feed has met, as they were after the row that it passed last: a table of fixed
 * size in which an account has one place, by its handle. One that isn't there is looked up as of the row in
 * hand: that is exact too, and costs a walk through up to 64 rows.
 */
export class RunningBalances {
  readonly #source: Source;
  readonly #places: number;
  /** Handle + 1 of the account in each place; 0 = none. */
  readonly #holders: Uint32Array;
  readonly #balances: Uint32Array;
  /** Rows read from the books so far, to know when to let others have a turn. */
  rowsRead = 0;

  constructor(source: Source, places = FEED_ACCOUNTS_MAX) {
    this.#source = source;
    this.#places = places;
    this.#holders = new Uint32Array(places);
    this.#balances = new Uint32Array(places * BALANCES_WORDS);
  }

  /** Balances of a side after this row, which follows those passed before; the caller's own. */
  pass(row: Uint32Array, side: Side, resolved: Uint32Array | null): Uint32Array | null {
    const handle = this.#handleOf(row, side);
    if (handle < 0) return null;
    const at = (handle % this.#places) * BALANCES_WORDS;
    const known = this.#balances.subarray(at, at + BALANCES_WORDS);
    if (this.#holders[handle % this.#places] === handle + 1) {
      applyEffect(known, row, 0, side, resolved);
    } else {
      known.set(this.#lookUp(row, side, handle));
      this.#holders[handle % this.#places] = handle + 1;
    }
    return known.slice();
  }

  /** Past a row that makes no event: an account that isn't known stays so. */
  roll(row: Uint32Array, side: Side, resolved: Uint32Array | null): void {
    const handle = this.#handleOf(row, side);
    if (handle < 0 || this.#holders[handle % this.#places] !== handle + 1) return;
    const at = (handle % this.#places) * BALANCES_WORDS;
    applyEffect(this.#balances.subarray(at, at + BALANCES_WORDS), row, 0, side, resolved);
  }

  #lookUp(row: Uint32Array, side: Side, handle: number): Uint32Array {
    const at = wordOf(side);
    const history = new AccountHistory(this.#source, row.slice(at, at + 4), handle);
    const balances = history.balancesAt(rowTimestampOf(row));
    this.rowsRead += LOOK_UP_ROWS + history.rowsRead;
    return balances;
  }

  #handleOf(row: Uint32Array, side: Side): number {
    return this.#source.machine.findAccount(row, wordOf(side));
  }
}

function wordOf(side: Side): number {
  return side === 'debit' ? TransferWord.debitAccountId : TransferWord.creditAccountId;
}

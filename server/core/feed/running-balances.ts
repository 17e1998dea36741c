import { Leg, TransferWord } from '../../../ledger/layout.ts';
import { FEED_ACCOUNTS_MAX } from '../limits.ts';
import { AccountHistory } from '../reads/account-history.ts';
import { applyEffect } from '../reads/effects.ts';
import { legOf, rowTimestampOf, type Side } from '../reads/row.ts';
import type { Source } from '../reads/source.ts';

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
 * Balances of the accounts that a feed has met lately, as they were after the row that it passed last. An
 * account that it doesn't know it looks up as of that row: that is exact, and costs a walk.
 */
export class RunningBalances {
  readonly #source: Source;
  readonly #max: number;
  /** In the order of their last use. */
  readonly #known = new Map<string, Uint32Array>();

  constructor(source: Source, max = FEED_ACCOUNTS_MAX) {
    this.#source = source;
    this.#max = max;
  }

  /** How many walks `pass` of this row would take. */
  unknown(row: Uint32Array): number {
    return sidesOf(row).filter((side) => !this.#known.has(keyOf(row, side))).length;
  }

  /** Balances of a side after this row, which follows those passed before; the caller's own. */
  pass(row: Uint32Array, side: Side, resolved: Uint32Array | null): Uint32Array | null {
    const balances = this.roll(row, side, resolved) ?? this.#lookUp(row, side);
    if (balances === null) return null;
    const key = keyOf(row, side);
    this.#known.delete(key);
    this.#known.set(key, balances);
    if (this.#known.size > this.#max) this.#known.delete(this.#known.keys().next().value!);
    return balances.slice();
  }

  /** The same for a row that makes no event: an account that isn't known stays so. */
  roll(row: Uint32Array, side: Side, resolved: Uint32Array | null): Uint32Array | null {
    const balances = this.#known.get(keyOf(row, side));
    if (balances === undefined) return null;
    applyEffect(balances, row, side, resolved);
    return balances;
  }

  #lookUp(row: Uint32Array, side: Side): Uint32Array | null {
    const at = wordOf(side);
    const accountId = row.slice(at, at + 4);
    const handle = this.#source.machine.findAccount(accountId, 0);
    if (handle < 0) return null;
    return new AccountHistory(this.#source, accountId, handle).balancesAt(rowTimestampOf(row));
  }
}

function wordOf(side: Side): number {
  return side === 'debit' ? TransferWord.debitAccountId : TransferWord.creditAccountId;
}

function keyOf(row: Uint32Array, side: Side): string {
  const at = wordOf(side);
  return `${row[at]},${row[at + 1]},${row[at + 2]},${row[at + 3]}`;
}

import { Leg, TransferFlag, TransferWord } from '../../../ledger/layout.ts';
import { add, subtract } from '../../../ledger/u128.ts';
import { flagsOf, legOf, type Side } from './row.ts';

/** Word offsets inside balances (BALANCES_WORDS). */
const COLUMNS = {
  debit: { pending: 0, posted: 4 },
  credit: { pending: 8, posted: 12 },
} as const;

type Step = (balances: Uint32Array, at: number, amount: Uint32Array, amountAt: number) => void;

/**
 * Balances of an account before a row become those after it. `resolved`: the row of the pending transfer
 * that the row posts or voids, else null.
 */
export function applyEffect(
  balances: Uint32Array,
  row: Uint32Array,
  side: Side,
  resolved: Uint32Array | null,
): void {
  move(balances, row, side, resolved, add, subtract);
}

/** And back. */
export function undoEffect(
  balances: Uint32Array,
  row: Uint32Array,
  side: Side,
  resolved: Uint32Array | null,
): void {
  move(balances, row, side, resolved, subtract, add);
}

function move(
  balances: Uint32Array,
  row: Uint32Array,
  side: Side,
  resolved: Uint32Array | null,
  give: Step,
  take: Step,
): void {
  const { pending, posted } = COLUMNS[side];
  const amount = TransferWord.amount;
  switch (legOf(row)) {
    case Leg.far:
      give(balances, posted, row, amount);
      return;
    case Leg.hold:
      give(balances, pending, row, amount);
      return;
    case Leg.home:
      take(balances, pending, row, amount);
      give(balances, posted, row, amount);
      return;
    case Leg.release:
    case Leg.expiry:
      take(balances, pending, row, amount);
      return;
    default:
  }
  const flags = flagsOf(row);
  if (resolved !== null) take(balances, pending, resolved, amount);
  if ((flags & TransferFlag.pending) !== 0) give(balances, pending, row, amount);
  else if ((flags & TransferFlag.voidPendingTransfer) === 0) give(balances, posted, row, amount);
}

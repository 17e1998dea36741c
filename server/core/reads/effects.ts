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
 * Balances of an account before a row become those after it. The row lies in `words` at `at`. `resolved`: the
 * row of the pending transfer that it posts or voids, else null.
 */
export function applyEffect(
  balances: Uint32Array,
  words: Uint32Array,
  at: number,
  side: Side,
  resolved: Uint32Array | null,
): void {
  move(balances, words, at, side, resolved, add, subtract);
}

/** And back. */
export function undoEffect(
  balances: Uint32Array,
  words: Uint32Array,
  at: number,
  side: Side,
  resolved: Uint32Array | null,
): void {
  move(balances, words, at, side, resolved, subtract, add);
}

function move(
  balances: Uint32Array,
  words: Uint32Array,
  at: number,
  side: Side,
  resolved: Uint32Array | null,
  give: Step,
  take: Step,
): void {
  const { pending, posted } = COLUMNS[side];
  const amount = at + TransferWord.amount;
  switch (legOf(words, at)) {
    case Leg.far:
      give(balances, posted, words, amount);
      return;
    case Leg.hold:
      give(balances, pending, words, amount);
      return;
    case Leg.home:
      take(balances, pending, words, amount);
      give(balances, posted, words, amount);
      return;
    case Leg.release:
    case Leg.expiry:
      take(balances, pending, words, amount);
      return;
    default:
  }
  const flags = flagsOf(words, at);
  if (resolved !== null) take(balances, pending, resolved, TransferWord.amount);
  if ((flags & TransferFlag.pending) !== 0) give(balances, pending, words, amount);
  else if ((flags & TransferFlag.voidPendingTransfer) === 0) give(balances, posted, words, amount);
}

import { Leg, TransferFlag, TransferRowWord } from '../../../ledger/layout.ts';
import { concat, flagsOf, legOf, rowTimestampOf } from '../reads/row.ts';
import type { Source } from '../reads/source.ts';

/** Transfers that may book another amount than was asked for. */
const ADJUSTED =
  TransferFlag.postPendingTransfer |
  TransferFlag.voidPendingTransfer |
  TransferFlag.balancingDebit |
  TransferFlag.balancingCredit;

/** The amounts that were asked for, where others were booked, by row timestamp. */
export function requestedAmounts(
  { machine, books }: Source,
  rows: readonly Uint32Array[],
): ReadonlyMap<bigint, Uint32Array> {
  const amounts = new Map<bigint, Uint32Array>();
  const others: Uint32Array[] = [];
  for (const row of rows) {
    if (legOf(row) !== Leg.both || (flagsOf(row) & ADJUSTED) === 0) continue;
    const amount = machine.unfoldedRequested(rowTimestampOf(row));
    if (amount === null) others.push(row);
    else amounts.set(rowTimestampOf(row), amount);
  }
  if (others.length === 0) return amounts;
  const { rowTimestamp } = TransferRowWord;
  const found = books.requestedAt(
    concat(others.map((row) => row.subarray(rowTimestamp, rowTimestamp + 2))),
  );
  others.forEach((row, i) => {
    const amount = found[i];
    if (amount != null) amounts.set(rowTimestampOf(row), amount);
  });
  return amounts;
}

import { Leg, TransferFlag, TransferRowWord, TransferWord } from '../../ledger/layout.ts';

/** The Leg of the row at `at`. */
export function legOf(rows: Uint32Array, at = 0): number {
  return rows[at + TransferRowWord.leg]! & 0xffff;
}

/** The row is a transfer, found by its id; those of the other legs only move pending amounts. */
export function isTransfer(rows: Uint32Array, at = 0): boolean {
  return legOf(rows, at) <= Leg.far;
}

/** The row books a pending transfer, which has a PendingState. */
export function isPendingTransfer(rows: Uint32Array, at = 0): boolean {
  const flags = rows[at + TransferWord.codeAndFlags]! >>> 16;
  return (flags & TransferFlag.pending) !== 0 && isTransfer(rows, at);
}

/** The u64 at `offset`. */
export function u64At(words: Uint32Array, offset: number): bigint {
  return (BigInt(words[offset + 1]!) << 32n) | BigInt(words[offset]!);
}

export function sameId(a: Uint32Array, aOffset: number, b: Uint32Array, bOffset: number): boolean {
  return (
    a[aOffset] === b[bOffset] &&
    a[aOffset + 1] === b[bOffset + 1] &&
    a[aOffset + 2] === b[bOffset + 2] &&
    a[aOffset + 3] === b[bOffset + 3]
  );
}

/**
 * Which account of this unit the row's side names: the record's, but for a crossing's leg the
 * clearing account stands in for the account that lives elsewhere: debit of a far leg, credit of the
 * home unit's legs.
 */
export function sideOf(row: Uint32Array, accountId: Uint32Array): 'debit' | 'credit' | null {
  const leg = legOf(row);
  const debit =
    leg === Leg.far
      ? isClearingAccount(row, accountId)
      : sameId(row, TransferWord.debitAccountId, accountId, 0);
  if (debit) return 'debit';
  const credit =
    leg === Leg.home || leg === Leg.hold || leg === Leg.release
      ? isClearingAccount(row, accountId)
      : sameId(row, TransferWord.creditAccountId, accountId, 0);
  return credit ? 'credit' : null;
}

/** Clearing account of the row: 2^128 - 2^64 + (ledger << 32 | other unit << 16 | 1). */
function isClearingAccount(row: Uint32Array, accountId: Uint32Array): boolean {
  const otherUnit = row[TransferRowWord.leg]! >>> 16;
  return (
    accountId[0] === ((otherUnit << 16) | 1) >>> 0 &&
    accountId[1] === row[TransferWord.ledger] &&
    accountId[2] === 0xffff_ffff &&
    accountId[3] === 0xffff_ffff
  );
}

import { Leg, TransferRowWord, TransferWord } from '../../ledger/layout.ts';

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
 * clearing account stands in for the account that lives elsewhere: credit of a home leg, debit of a
 * far leg.
 */
export function sideOf(row: Uint32Array, accountId: Uint32Array): 'debit' | 'credit' | null {
  const leg = row[TransferRowWord.leg]! & 0xffff;
  const debit =
    leg === Leg.far
      ? isClearingAccount(row, accountId)
      : sameId(row, TransferWord.debitAccountId, accountId, 0);
  if (debit) return 'debit';
  const credit =
    leg === Leg.home
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

import { Leg, TransferRowWord, TransferWord } from '../../../ledger/layout.ts';
import { sideOf, u64At } from '../books-row.ts';
import type { MachineReads } from './source.ts';

export type Side = 'debit' | 'credit';

export function legOf(row: Uint32Array): number {
  return row[TransferRowWord.leg]! & 0xffff;
}

export function flagsOf(row: Uint32Array): number {
  return row[TransferWord.codeAndFlags]! >>> 16;
}

export function rowTimestampOf(row: Uint32Array): bigint {
  return u64At(row, TransferRowWord.rowTimestamp);
}

/** Rows of other legs move pending amounts only: they are no transfers, and never listed. */
export function isTransfer(row: Uint32Array): boolean {
  return legOf(row) <= Leg.far;
}

/** The account must be one of the row's sides. */
export function sideOfAccount(row: Uint32Array, accountId: Uint32Array): Side {
  const side = sideOf(row, accountId);
  if (side === null) {
    throw new Error(
      `row ${rowTimestampOf(row)} is in the history of an account that it doesn't name`,
    );
  }
  return side;
}

/** Row timestamp of the account's row before this one, 0 = none. */
export function previousOf(row: Uint32Array, accountId: Uint32Array): bigint {
  const debit = sideOfAccount(row, accountId) === 'debit';
  return u64At(row, debit ? TransferRowWord.previousDebit : TransferRowWord.previousCredit);
}

/** Rows of the books with what memory knows of them since. */
export function withPendingState(machine: MachineReads, rows: Uint32Array[]): Uint32Array[] {
  for (const row of rows) row[TransferRowWord.pendingState] = machine.pendingStateOf(row);
  return rows;
}

export function putU64(words: Uint32Array, offset: number, value: bigint): void {
  words[offset] = Number(value & 0xffff_ffffn);
  words[offset + 1] = Number(value >> 32n);
}

export function concat(parts: readonly Uint32Array[]): Uint32Array {
  const words = new Uint32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    words.set(part, at);
    at += part.length;
  }
  return words;
}

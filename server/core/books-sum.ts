import { crc32 } from 'node:zlib';
import type { Fold } from '../../ledger/fold.ts';
import {
  BURNT_ROW_WORDS,
  BurntRowWord,
  HISTORY_ROW_WORDS,
  REQUESTED_ROW_WORDS,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
  WORD_BYTES,
} from '../../ledger/layout.ts';

/** Sums stay below this, so that adding a CRC to one is exact in a double. */
const SUM_END = 2 ** 48;

/** Words of each row that its CRC-32 covers, as the books store it. */
const TRANSFER_CRC_WORDS = TransferRowWord.crc;
const BURNT_CRC_WORDS = BurntRowWord.timestamp + 2;

/**
 * What tells whether two books have the same rows of the kinds that never change: the sum of their CRC-32s.
 * It doesn't depend on how the rows were split into folds, so that a replica which lacks the newest rows
 * can prove, from what it gets, that all the older ones are the same.
 */
export interface RowSums {
  /** Transfers, requested amounts and history. */
  readonly rowSum: number;
  readonly burntSum: number;
}

export const NO_ROW_SUMS: RowSums = { rowSum: 0, burntSum: 0 };

/** With the rows of a fold too. */
export function addFold(sums: RowSums, fold: Fold): RowSums {
  return {
    rowSum: addSums(
      sums.rowSum,
      transfersSum(fold.transfers),
      requestedSum(fold.requested),
      historySum(fold.history),
    ),
    burntSum: addSums(sums.burntSum, burntSum(fold.burnt)),
  };
}

export function addSums(sum: number, a: number, b = 0, c = 0): number {
  return (((sum + a) % SUM_END) + b + c) % SUM_END;
}

export function transfersSum(rows: Uint32Array): number {
  return sumOf(rows, TRANSFER_ROW_WORDS, TRANSFER_CRC_WORDS);
}

export function requestedSum(rows: Uint32Array): number {
  return sumOf(rows, REQUESTED_ROW_WORDS, REQUESTED_ROW_WORDS);
}

export function historySum(rows: Uint32Array): number {
  return sumOf(rows, HISTORY_ROW_WORDS, HISTORY_ROW_WORDS);
}

export function burntSum(rows: Uint32Array): number {
  return sumOf(rows, BURNT_ROW_WORDS, BURNT_CRC_WORDS);
}

function sumOf(rows: Uint32Array, rowWords: number, crcWords: number): number {
  const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
  let sum = 0;
  for (let at = 0; at < rows.length; at += rowWords) {
    const from = at * WORD_BYTES;
    sum = (sum + crc32(bytes.subarray(from, from + crcWords * WORD_BYTES))) % SUM_END;
  }
  return sum;
}

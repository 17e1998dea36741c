import { PendingState, TransferRowWord, TransferWord } from '../../ledger/layout.ts';
import type { ScanQuery } from './books.ts';
import { isTransfer } from './books-row.ts';

const USER_DATA_WORD = {
  32: TransferWord.userData32,
  64: TransferWord.userData64,
  128: TransferWord.userData128,
} as const;

/** No books have an index of zeros: such a scan would find nothing, where there is much. */
export function assertScan({ source }: ScanQuery): void {
  if (source.kind !== 'userData') return;
  const { value, bits } = source;
  if (value <= 0n || value >= 2n ** BigInt(bits)) {
    throw new RangeError(`user_data_${bits} is indexed from 1 up, not ${value}`);
  }
}

/** Whether a row, with its pending state, is of that source. */
export function isInScan(row: Uint32Array, source: ScanQuery['source']): boolean {
  switch (source.kind) {
    case 'all':
      return true;
    case 'userData':
      return isTransfer(row) && userData(row, source.bits) === source.value;
    case 'pending':
      return row[TransferRowWord.pendingState] === PendingState.pending;
  }
}

function userData(row: Uint32Array, bits: 32 | 64 | 128): bigint {
  let value = 0n;
  for (let word = bits / 32 - 1; word >= 0; word--) {
    value = (value << 32n) | BigInt(row[USER_DATA_WORD[bits] + word]!);
  }
  return value;
}

import { Leg, PendingState } from '../../../ledger/layout.ts';
import { isZero } from '../../../ledger/u128.ts';
import type { ScanQuery } from '../books.ts';
import { u64At } from '../books-row.ts';
import { boundsOf, FilterBit, FilterWord, has, meetsTransfer } from './filter.ts';
import { collectPage, packPage } from './page.ts';
import { legOf, rowTimestampOf } from './row.ts';
import type { Source } from './source.ts';
import { TimeRows } from './time-rows.ts';

/**
 * A page of the unit's transfers: page header, rows. A transfer between units is listed by the unit of its
 * debit account, once it is booked there.
 */
export function queryTransfers(source: Source, filter: Uint32Array): Uint32Array {
  const rows = new TimeRows(source, scanSource(filter), {
    ...boundsOf(filter),
    reversed: has(filter, FilterBit.reversed),
  });
  const page = collectPage({
    limit: filter[FilterWord.limit]!,
    next: (max) => rows.next(max),
    pick: (row) => (legOf(row) < Leg.far && meetsTransfer(filter, row) ? row : null),
    timestampOf: rowTimestampOf,
  });
  return packPage(page);
}

/** The narrowest of the books' scans that misses nothing. */
function scanSource(filter: Uint32Array): ScanQuery['source'] {
  const { userData128, userData64, userData32 } = FilterWord;
  if (has(filter, FilterBit.userData128) && !isZero(filter, userData128)) {
    const value = (u64At(filter, userData128 + 2) << 64n) | u64At(filter, userData128);
    return { kind: 'userData', bits: 128, value };
  }
  if (has(filter, FilterBit.userData64) && u64At(filter, userData64) !== 0n) {
    return { kind: 'userData', bits: 64, value: u64At(filter, userData64) };
  }
  if (has(filter, FilterBit.userData32) && filter[userData32] !== 0) {
    return { kind: 'userData', bits: 32, value: BigInt(filter[userData32]!) };
  }
  // The books may call pending what has been resolved since, never the other way round.
  if (filter[FilterWord.pendingState] === PendingState.pending) return { kind: 'pending' };
  return { kind: 'all' };
}

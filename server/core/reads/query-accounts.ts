import { AccountWord, RECORD_WORDS } from '../../../ledger/layout.ts';
import { isHighHalfMax } from '../../../ledger/u128.ts';
import { u64At } from '../books-row.ts';
import { READ_SCAN_ACCOUNTS_MAX } from '../limits.ts';
import { boundsOf, FilterBit, FilterWord, has, meetsShared } from './filter.ts';
import { collectPage, packPage } from './page.ts';
import type { MachineReads } from './source.ts';

/**
 * A page of the unit's accounts: page header, records. Clearing accounts are left out: their ids say only
 * within a unit which they are.
 */
export function queryAccounts(machine: MachineReads, filter: Uint32Array): Uint32Array {
  const reversed = has(filter, FilterBit.reversed);
  const { from, to } = boundsOf(filter);
  let first = machine.firstAccountFrom(from);
  let end = machine.firstAccountFrom(to + 1n);
  const page = collectPage(
    {
      limit: filter[FilterWord.limit]!,
      next: (max) => {
        const count = Math.min(max, end - first);
        const records = Array.from({ length: count }, (_, i) =>
          recordOf(machine, reversed ? end - 1 - i : first + i),
        );
        if (reversed) end -= count;
        else first += count;
        return records;
      },
      pick: (record) =>
        !isHighHalfMax(record, AccountWord.id) && meetsShared(filter, record) ? record : null,
      timestampOf: (record) => u64At(record, AccountWord.timestamp),
    },
    READ_SCAN_ACCOUNTS_MAX,
  );
  return packPage(page);
}

function recordOf(machine: MachineReads, handle: number): Uint32Array {
  const record = new Uint32Array(RECORD_WORDS);
  machine.readAccount(handle, record, 0);
  return record;
}

import { describe, expect, it } from 'vitest';
import { RECORD_WORDS } from '../../../ledger/layout.ts';
import type { AccountQuery } from '../gateway/api.ts';
import { packAccountQuery } from './filter.ts';
import { unpackPage } from './page.ts';
import { queryAccounts } from './query-accounts.ts';
import { FIRST_CREATED, ModelUnit } from './testing/model.ts';
import { ALL } from './testing/query.ts';

function found(query: Partial<AccountQuery>, unit = new ModelUnit()): number[] {
  const words = queryAccounts(unit.machine, packAccountQuery({ ...ALL, ...query }));
  return unpackPage(words, 0, RECORD_WORDS).rows.map((record) => record[0]!);
}

describe('a query of accounts', () => {
  it('gives what meets every condition, in order of creation or newest first', () => {
    expect(found({})).toEqual([1, 2, 3, 4]);
    expect(found({ reversed: true })).toEqual([4, 3, 2, 1]);
    expect(found({ ledger: 756 })).toEqual([2, 4]);
    expect(found({ userData32: 0, code: 3 })).toEqual([3]);
    expect(found({ userData64: 0n, reversed: true, limit: 2 })).toEqual([4, 3]);
    expect(found({ userData128: 1n })).toEqual([]);
  });

  it('keeps to the bounds of time, both included', () => {
    const at = (n: number) => BigInt(FIRST_CREATED + n * 10);
    expect(found({ fromTimestamp: at(1), toTimestamp: at(2) })).toEqual([2, 3]);
    expect(found({ fromTimestamp: at(1) + 1n })).toEqual([3, 4]);
    expect(found({ toTimestamp: at(1) - 1n, reversed: true })).toEqual([1]);
    expect(found({ fromTimestamp: at(4) })).toEqual([]);
  });

  it('leaves out the clearing accounts', () => {
    const unit = new ModelUnit();
    const { readAccount } = unit.machine;
    const machine = {
      ...unit.machine,
      readAccount: (handle: number, out: Uint32Array, at: number) => {
        readAccount(handle, out, at);
        if (handle === 1) out.fill(0xffff_ffff, at + 2, at + 4);
      },
    };
    const words = queryAccounts(machine, packAccountQuery(ALL));
    const { rows } = unpackPage(words, 0, RECORD_WORDS);
    expect(rows.map((record) => record[0])).toEqual([1, 3, 4]);
  });
});

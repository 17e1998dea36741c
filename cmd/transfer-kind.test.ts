import { describe, expect, it } from 'vitest';
import { TransferFlag } from '../client/index.ts';
import { MisuseError } from './exit.ts';
import { type KindFlags, kindOf } from './transfer-kind.ts';

const F = TransferFlag;

describe('the kind of a transfer', () => {
  it.each<[KindFlags, number]>([
    [{}, 0],
    [{ pending: true }, F.pending],
    [{ balancingDebit: true, balancingCredit: true }, F.balancingDebit | F.balancingCredit],
    [{ pending: true, closingDebit: true }, F.pending | F.closingDebit],
    [{ pending: true, closingCredit: true }, F.pending | F.closingCredit],
  ])('with %j', (options, flags) => {
    expect(kindOf(options)).toEqual({ kind: 'new', flags, timeout: 0, timestamp: 0n });
  });

  it('may have a time-out, or a time of its own', () => {
    expect(kindOf({ pending: true, timeout: '60' })).toMatchObject({ timeout: 60 });
    expect(kindOf({ importedAt: '1970-01-01T00:00:01Z' })).toMatchObject({
      flags: F.imported,
      timestamp: 1_000_000_000n,
    });
  });

  it('may be the post or void of a pending one', () => {
    const pendingId = 0x10n;
    expect(kindOf({ post: '0x10' })).toEqual({
      kind: 'resolution',
      flags: F.postPendingTransfer,
      pendingId,
    });
    expect(kindOf({ void: '16' })).toEqual({
      kind: 'resolution',
      flags: F.voidPendingTransfer,
      pendingId,
    });
  });

  it.each<[KindFlags, string]>([
    [{ timeout: '5' }, '--timeout needs --pending'],
    [{ closingDebit: true }, '--closing-debit needs --pending'],
    [{ closingCredit: true }, '--closing-credit needs --pending'],
    [{ pending: true, timeout: '0' }, '--timeout takes a whole number from 1'],
    [{ pending: true, timeout: '5', importedAt: '5' }, '--timeout and --imported-at'],
    [{ post: '1', void: '2' }, '--post and --void exclude each other'],
    [{ post: '1', pending: true }, '--post and --pending exclude each other'],
    [{ void: '1', timeout: '5' }, '--void and --timeout exclude each other'],
    [{ void: '1', importedAt: '5' }, '--void and --imported-at exclude each other'],
    [{ post: '1', ledger: 'EUR' }, '--post and --ledger exclude each other'],
    [{ void: '1', code: '7' }, '--void and --code exclude each other'],
    [{ post: 'x' }, "--post: 'x' is no whole number"],
  ])('is refused as a misuse with %j', (options, message) => {
    expect(() => kindOf(options)).toThrow(MisuseError);
    expect(() => kindOf(options)).toThrow(message);
  });
});

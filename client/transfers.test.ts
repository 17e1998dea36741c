import { describe, expect, it } from 'vitest';
import { AMOUNT_ALL, chain, isChainDone, pending, post, voidOf } from './transfers.ts';
import { AccountFlag, TransferFlag } from './types.ts';

const transfer = {
  id: 1n,
  debitAccountId: 2n,
  creditAccountId: 3n,
  amount: 4n,
  ledger: 978,
  code: 6,
};
const { linked, pending: pendingFlag, postPendingTransfer, voidPendingTransfer } = TransferFlag;

describe('a chain', () => {
  it('is linked up to its last event, whatever that one was before', () => {
    const events = [{ flags: pendingFlag }, {}, { flags: linked | pendingFlag }];
    const linkedEvents = chain(events).map(({ flags }) => flags);
    expect(linkedEvents).toEqual([linked | pendingFlag, linked, pendingFlag]);
    expect(chain([{ flags: AccountFlag.linked }])).toEqual([{ flags: 0 }]);
  });

  it.each([
    [['created', 'created', 'created'], true],
    [['created'], true],
    [['exists', 'linked_event_failed', 'linked_event_failed'], true],
    [['exists'], true],
    [['linked_event_failed', 'exists', 'linked_event_failed'], false],
    [['linked_event_failed', 'exceeds_credits'], false],
    [['exceeds_credits', 'linked_event_failed'], false],
    [['id_already_failed'], false],
    [[], false],
  ])('of which the results are %j is done: %s', (statuses, done) => {
    expect(isChainDone(statuses.map((status) => ({ status })))).toBe(done);
  });

  it('is never empty', () => {
    expect(() => chain([])).toThrow('[invalid_argument] chain: no events');
  });
});

describe('two-phase transfers', () => {
  it('reserve, for a time or for ever', () => {
    const flags = pendingFlag | linked;
    expect(pending({ ...transfer, flags: linked }, 60)).toEqual({
      ...transfer,
      flags,
      timeout: 60,
    });
    expect(pending(transfer).timeout).toBe(0);
  });

  it('are posted or voided under an id of their own, naming the accounts, and inherit the rest', () => {
    const resolution = {
      id: 9n,
      pendingId: 1n,
      debitAccountId: 2n,
      creditAccountId: 3n,
      ledger: 0,
      code: 0,
    };
    expect(post(transfer, { id: 9n })).toEqual({
      ...resolution,
      amount: AMOUNT_ALL,
      flags: postPendingTransfer,
    });
    expect(post(transfer, { id: 9n, amount: 0n }).amount).toBe(0n);
    expect(voidOf(transfer, { id: 9n })).toEqual({
      ...resolution,
      amount: 0n,
      flags: voidPendingTransfer,
    });
  });
});

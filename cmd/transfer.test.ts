import { describe, expect, it } from 'vitest';
import { ClientError, pending, post, type Transfer, TransferFlag } from '../client/index.ts';
import { bookedAmount } from './transfer.ts';

const TRANSFER = {
  id: 7n,
  debitAccountId: 1n,
  creditAccountId: 2n,
  amount: 100n,
  ledger: 978,
  code: 1,
};
const booked = { lookupTransfers: () => Promise.resolve([{ amount: 30n } as Transfer]) };
const silent = {
  lookupTransfers: () => Promise.reject(new ClientError('unavailable', 'no server answers')),
};

describe('what a transfer booked', () => {
  it('is what was asked for', async () => {
    expect(await bookedAmount(silent, TRANSFER)).toBe(100n);
    expect(await bookedAmount(silent, pending(TRANSFER, 5))).toBe(100n);
  });

  it('is looked up where it may be less', async () => {
    const balancing = { ...TRANSFER, flags: TransferFlag.balancingDebit };
    expect(await bookedAmount(booked, balancing)).toBe(30n);
    expect(await bookedAmount(booked, post(TRANSFER, { id: 8n }))).toBe(30n);
  });

  it('is not known if no server answers, and then the transfer is done all the same', async () => {
    expect(await bookedAmount(silent, { ...TRANSFER, flags: TransferFlag.balancingCredit })).toBe(
      undefined,
    );
  });
});

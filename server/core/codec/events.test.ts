import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransferRowWord } from '../../../ledger/layout.ts';
import { EventKind, EventSide, type FeedEvent } from '../feed/event.ts';
import { encodeEvents } from './events.ts';
import { recordFields, unsigned } from './testing/arbitrary.ts';
import { decode, packRecord, putBig, type RecordFields, schema } from './testing/schema.ts';

const event = fc.record({
  kind: fc.constantFrom(...Object.values(EventKind)),
  timestamp: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  cursor: fc.uint8Array({ minLength: 19, maxLength: 19 }),
  account: fc.option(recordFields),
  transfer: fc.option(recordFields),
  requested: fc.option(unsigned(16)),
  pending: fc.option(recordFields),
  side: fc.constantFrom(...Object.values(EventSide)),
  debit: fc.option(fc.array(unsigned(16), { minLength: 4, maxLength: 4 })),
  credit: fc.option(fc.array(unsigned(16), { minLength: 4, maxLength: 4 })),
});

function words(count: number, fields: RecordFields | null): Uint32Array | null {
  return fields && packRecord(fields, new Uint32Array(count));
}

function wide(values: readonly bigint[] | null): Uint32Array | null {
  if (values === null) return null;
  const packed = new Uint32Array(values.length * 4);
  values.forEach((value, i) => {
    putBig(packed, i * 4, value, 4);
  });
  return packed;
}

describe('events that protobufjs decodes', () => {
  it('hold what they were made of, and say what they do not hold', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 4 }), (events) => {
        const packed = events.map((one): FeedEvent => {
          const transfer = words(40, one.transfer);
          if (transfer !== null) transfer[TransferRowWord.pendingState] = 1;
          return {
            ...one,
            transfer,
            account: words(32, one.account && { ...one.account, timeout: 0 }),
            pending: words(40, one.pending),
            requested: wide(one.requested === null ? null : [one.requested]),
            debitBalances: wide(one.debit),
            creditBalances: wide(one.credit),
          };
        });
        const decoded = decode('WatchEventsResponse', encodeEvents(packed));
        (decoded.events as Record<string, unknown>[]).forEach((found, i) => {
          const one = events[i]!;
          const { account, transfer, pendingTransfer, debitAccount, creditAccount } = found;
          expect(found).toMatchObject({ kind: one.kind, side: one.side });
          expect(found.timestamp).toBe(one.timestamp.toString());
          const cursor = one.cursor.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
          expect(found.cursor).toBe(cursor);
          expect(found.requestedAmount ?? null).toBe(one.requested);
          expect(idOf(account)).toBe(one.account?.wide[0]);
          expect(idOf(transfer)).toBe(one.transfer?.wide[0]);
          expect(idOf(pendingTransfer)).toBe(one.pending?.wide[0]);
          if (transfer) expect(transfer).toMatchObject({ pendingState: 1 });
          expect(balancesOf(debitAccount)).toEqual(one.debit);
          expect(balancesOf(creditAccount)).toEqual(one.credit);
        });
      }),
    );
  });

  it('have the names of the .proto file', () => {
    const names = (of: string, prefix: string) =>
      Object.entries(schema.lookupEnum(`evenkeel.v1.${of}`).values).map(([name, value]) => [
        name.replace(prefix, '').toLowerCase(),
        value,
      ]);
    const ours = (values: Record<string, number>) =>
      Object.entries(values).map(([name, value]) => [
        name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
        value,
      ]);
    expect(names('EventKind', 'EVENT_KIND_').slice(1)).toEqual(ours(EventKind));
    expect(names('EventSide', 'EVENT_SIDE_')).toEqual(ours(EventSide));
  });
});

function idOf(message: unknown): bigint | undefined {
  return (message as { id: bigint } | null)?.id;
}

function balancesOf(message: unknown): bigint[] | null {
  return message ? Object.values(message) : null;
}

import { CURSOR_BYTES } from '../feed/cursor.ts';
import type { FeedEvent } from '../feed/event.ts';
import { putU64 } from '../reads/row.ts';
import {
  ACCOUNT_BYTES_MAX,
  BALANCES_BYTES_MAX,
  TRANSFER_BYTES_MAX,
  writeAccount,
  writeBalances,
  writeTransfer,
} from './records.ts';
import { Writer } from './writer.ts';

const EVENT_BYTES_MAX =
  3 +
  2 +
  9 +
  (2 + CURSOR_BYTES) +
  ACCOUNT_BYTES_MAX +
  2 * TRANSFER_BYTES_MAX +
  18 +
  2 +
  2 * BALANCES_BYTES_MAX;

const Tag = {
  kind: 0x08,
  timestamp: 0x11,
  cursor: 0x1a,
  account: 0x22,
  transfer: 0x2a,
  requestedAmount: 0x32,
  pendingTransfer: 0x3a,
  side: 0x40,
  debitAccount: 0x4a,
  creditAccount: 0x52,
} as const;

/** WatchEventsResponse. */
export function encodeEvents(events: readonly FeedEvent[]): Buffer {
  const writer = new Writer(events.length * EVENT_BYTES_MAX);
  const timestamp = new Uint32Array(2);
  for (const event of events) {
    const start = writer.open(0x0a);
    putU64(timestamp, 0, event.timestamp);
    writer.uint32(Tag.kind, event.kind);
    writer.fixed64(Tag.timestamp, timestamp, 0);
    writer.bytesField(Tag.cursor, event.cursor);
    if (event.account !== null) writeAccount(writer, Tag.account, event.account, 0);
    if (event.transfer !== null) writeTransfer(writer, Tag.transfer, event.transfer, 0);
    if (event.requested !== null) writer.u128Set(Tag.requestedAmount, event.requested, 0);
    if (event.pending !== null) writeTransfer(writer, Tag.pendingTransfer, event.pending, 0);
    writer.uint32(Tag.side, event.side);
    writeSide(writer, Tag.debitAccount, event.debitBalances);
    writeSide(writer, Tag.creditAccount, event.creditBalances);
    writer.close(start);
  }
  return writer.finish();
}

/** Balances of 0 are there; those of a side that is elsewhere are not. */
function writeSide(writer: Writer, tag: number, balances: Uint32Array | null): void {
  if (balances !== null) writeBalances(writer, tag, balances, 0);
}

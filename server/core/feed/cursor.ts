import { EvenkeelError } from '../error.ts';
import { TIMESTAMP_MAX } from '../reads/source.ts';

/**
 * How far a feed has come in its unit: timestamps of the last account and of the last row that it has passed.
 * Each ascends by itself; between the two kinds imported ones may go back.
 */
export interface FeedPosition {
  readonly account: bigint;
  readonly row: bigint;
}

/** Version, unit, both timestamps. */
const VERSION = 1;
export const CURSOR_BYTES = 1 + 2 + 8 + 8;

export function encodeCursor(unit: number, { account, row }: FeedPosition): Uint8Array {
  const bytes = new Uint8Array(CURSOR_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  view.setUint16(1, unit);
  view.setBigUint64(3, account);
  view.setBigUint64(11, row);
  return bytes;
}

/** Throws EvenkeelError if it is no cursor of this unit. */
export function decodeCursor(unit: number, bytes: Uint8Array): FeedPosition {
  if (bytes.length !== CURSOR_BYTES || bytes[0] !== VERSION)
    throw refused('not one of this release');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint16(1) !== unit) throw refused(`of unit ${view.getUint16(1)}`);
  const [account, row] = [view.getBigUint64(3), view.getBigUint64(11)];
  if (account > TIMESTAMP_MAX || row > TIMESTAMP_MAX) throw refused('damaged');
  return { account, row };
}

function refused(why: string): EvenkeelError {
  return new EvenkeelError('invalid_request', `cursor: ${why}`);
}

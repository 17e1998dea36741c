import { EvenkeelError } from '../error.ts';
import { FilterWord } from './filter.ts';
import { TIMESTAMP_MAX } from './source.ts';

/** How far a read that pages has come in one unit. */
export interface Cursor {
  readonly unit: number;
  /** Timestamp up to which all is given; the next page goes on after it, or before it if reversed. 0 = none is. */
  readonly position: bigint;
  /** Reversed reads only: the unit has nothing more. */
  readonly ended: boolean;
}

/**
 * Page tokens: version, kind of read, hash of the filter, then a cursor for each unit. Whoever forges one
 * reads no more than without it: it only says where to go on.
 */
const VERSION = 1;
const HEADER_BYTES = 2 + 8;
const CURSOR_BYTES = 2 + 8 + 1;

/** `kind`: of the request; `filter`: as packed for the first page. */
export function encodeToken(
  kind: number,
  filter: Uint32Array,
  cursors: readonly Cursor[],
): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + cursors.length * CURSOR_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes[1] = kind;
  view.setBigUint64(2, hashOf(filter));
  cursors.forEach(({ unit, position, ended }, i) => {
    const at = HEADER_BYTES + i * CURSOR_BYTES;
    view.setUint16(at, unit);
    view.setBigUint64(at + 2, position);
    bytes[at + 10] = ended ? 1 : 0;
  });
  return bytes;
}

/** Cursors for these units, in their order. An empty token is the first page's. */
export function decodeToken(
  token: Uint8Array,
  kind: number,
  filter: Uint32Array,
  units: readonly number[],
): Cursor[] {
  if (token.length === 0) return units.map((unit) => ({ unit, position: 0n, ended: false }));
  if (token[0] !== VERSION) throw refused('not one of this release');
  const view = new DataView(token.buffer, token.byteOffset, token.byteLength);
  if (token.length < HEADER_BYTES || token[1] !== kind) throw refused('of another kind of request');
  if (view.getBigUint64(2) !== hashOf(filter)) {
    throw refused('of a request with other conditions; only the limit may change between pages');
  }
  if (token.length !== HEADER_BYTES + units.length * CURSOR_BYTES) throw refused('damaged');
  return units.map((unit, i) => {
    const at = HEADER_BYTES + i * CURSOR_BYTES;
    const position = view.getBigUint64(at + 2);
    const ended = token[at + 10]!;
    if (view.getUint16(at) !== unit || position > TIMESTAMP_MAX || ended > 1) {
      throw refused('damaged');
    }
    return { unit, position, ended: ended === 1 };
  });
}

function refused(why: string): EvenkeelError {
  return new EvenkeelError('invalid_request', `page_token: ${why}`);
}

/** FNV-1a, 64 bits, without the limit: it may change from page to page. */
function hashOf(filter: Uint32Array): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  filter.forEach((word, i) => {
    const value = i === FilterWord.limit ? 0n : BigInt(word);
    hash = ((hash ^ value) * 0x0000_0100_0000_01b3n) & 0xffff_ffff_ffff_ffffn;
  });
  return hash;
}

import { crc32 } from 'node:zlib';
import { getU53, PAYLOAD_BYTES_MAX, setU53 } from './format.ts';

/**
 * A record: crc u32, payload bytes u32, unit u32, kind u16, type u8, flags u8, term u53, index u53, payload,
 * zeros to a multiple of 8. The CRC covers all after it, the zeros too, and is seeded with that of the record before.
 */
export const RECORD_HEADER_BYTES = 32;

/** Log format: never reuse a number. 0 is not a record, so that zeros are none. */
export const RecordType = {
  entry: 1,
  /** `index` is the commit; payload: vote u32, zero u32. */
  hardState: 2,
  /** The unit's entries up to `index`, of `term`, are in its books; payload: the membership in force there. */
  compacted: 3,
  /** The unit's log is empty and starts after `index`, for its books were replaced; else as `compacted`. */
  reset: 4,
  /** An entry that the unit has, written again so that its first place may go. */
  copied: 5,
  /** How the unit stands as a segment begins (unit-state.ts). `index`, `term`: of its last entry. */
  state: 6,
} as const;

const LAST_TYPE = RecordType.state;

export interface RecordFields {
  readonly type: number;
  readonly unit: number;
  readonly kind: number;
  readonly term: number;
  readonly index: number;
}

export interface RecordHead extends RecordFields {
  readonly payloadBytes: number;
  /** Seeds the next record. */
  readonly crc: number;
}

export function recordBytes(payloadBytes: number): number {
  return RECORD_HEADER_BYTES + ((payloadBytes + 7) & ~7);
}

/** Writes a record at `at` and returns its CRC. */
export function encodeRecord(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  fields: RecordFields,
  payload: Uint8Array,
  seed: number,
): number {
  const end = at + recordBytes(payload.length);
  view.setUint32(at + 4, payload.length, true);
  view.setUint32(at + 8, fields.unit, true);
  view.setUint16(at + 12, fields.kind, true);
  view.setUint16(at + 14, fields.type, true);
  setU53(view, at + 16, fields.term);
  setU53(view, at + 24, fields.index);
  bytes.set(payload, at + RECORD_HEADER_BYTES);
  bytes.fill(0, at + RECORD_HEADER_BYTES + payload.length, end);
  const crc = crc32(bytes.subarray(at + 4, end), seed);
  view.setUint32(at, crc, true);
  return crc;
}

/** The record at `at`, if there is a whole one that follows `seed`; else null. */
export function decodeRecord(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  seed: number,
): RecordHead | null {
  if (at + RECORD_HEADER_BYTES > bytes.length) return null;
  // Type and flags at once: a flag set is a format that this version does not know.
  const type = view.getUint16(at + 14, true);
  if (type < RecordType.entry || type > LAST_TYPE) return null;
  const payloadBytes = view.getUint32(at + 4, true);
  if (payloadBytes > PAYLOAD_BYTES_MAX) return null;
  const end = at + recordBytes(payloadBytes);
  if (end > bytes.length) return null;
  const crc = view.getUint32(at, true);
  if (crc32(bytes.subarray(at + 4, end), seed) !== crc) return null;
  return {
    type,
    unit: view.getUint32(at + 8, true),
    kind: view.getUint16(at + 12, true),
    term: getU53(view, at + 16),
    index: getU53(view, at + 24),
    payloadBytes,
    crc,
  };
}

/**
 * The log on disk. All numbers little-endian; u53 is a u64 below 2^53.
 *
 * A segment file:
 *
 *     0      header block (header.ts)
 *     4096   mark slot 0  (mark.ts)
 *     8192   mark slot 1
 *     12288  records (record.ts), each a multiple of 8 bytes, then zeros
 *
 * Each flush begins at a new block, so that no write ever touches a block that holds durable records: a sector that
 * a power loss tears can spoil nothing but the flush it belongs to.
 *
 * Each record's CRC-32 is seeded with the one before it; the first record of a segment with the CRC of the
 * segment's header, which holds the end and the last CRC of the segment before. So the log is one chain: a
 * record that was moved, lost or left over from another time does not fit.
 *
 * A segment begins with notes of how all units stand (unit-state.ts): it can be read without those before, which go
 * once nobody needs their entries. Terms and votes are in a file of their own too (votes.ts).
 *
 * Room left: record types from 7, record flags (bit 0: payload is lz4), mark flags from bit 1. Whatever this version does not know, it refuses. Compression
 * is not used: on packed 128-byte records lz4 saves 70 to 77 % of the bytes for 0.25 us a transfer on
 * every replica's one logic core, more than applying it costs, while the log lives only until the books have it.
 */
export interface LogIdentity {
  /** 32 hexadecimal digits. */
  readonly clusterId: string;
  readonly server: number;
  readonly zone: string;
  readonly formatVersion: number;
}

export const LOG_FORMAT_VERSION = 2;

/** Written in one piece by disks of today; what must not tear each other apart lies in different blocks. */
export const BLOCK_BYTES = 4096;
export const MARK_OFFSETS = [BLOCK_BYTES, 2 * BLOCK_BYTES] as const;
export const RECORDS_OFFSET = 3 * BLOCK_BYTES;

/** Larger than any entry by far: a length above it is damage, not data. */
export const PAYLOAD_BYTES_MAX = 16 << 20;

/**
 * A flush of at most SMALL_FLUSH_BYTES that needs more room writes zeros up to the next multiple of
 * ZERO_FILL_BYTES along with it, so that the ones after it change no file size: a sync is a third faster then. For large
 * flushes the zeros would cost more than they save.
 */
export const SMALL_FLUSH_BYTES = 64 << 10;
export const ZERO_FILL_BYTES = 512 << 10;

/** One read of neighbouring entries fetches at most this much, unless one record is larger. */
export const READ_SPAN_BYTES = 1 << 20;
/** Neighbours further apart than this are read by themselves. */
export const READ_GAP_BYTES = 16 << 10;

export function segmentName(segment: number): string {
  return `log-${String(segment).padStart(8, '0')}.seg`;
}

/** Null if the file is not a segment. */
export function segmentOfName(name: string): number | null {
  const match = /^log-(\d{8,})\.seg$/.exec(name);
  return match ? Number(match[1]) : null;
}

/** Where a log or a segment ends: the next record goes to `offset`, seeded with `chain`. */
export interface LogEnd {
  /** 0: there is no segment yet. */
  readonly segment: number;
  readonly offset: number;
  readonly chain: number;
}

/** Where a flush begins that follows the record that ends at `offset`. */
export function nextBlock(offset: number): number {
  return Math.ceil(offset / BLOCK_BYTES) * BLOCK_BYTES;
}

export function setU53(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

/** Above 2^53 the result is not exact: read only below a checksum that holds. */
export function getU53(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

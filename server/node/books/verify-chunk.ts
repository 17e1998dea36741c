import type { Statement } from 'better-sqlite3';
import {
  Leg,
  RECORD_WORDS,
  TRANSFER_ROW_STORED_WORDS,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
  TransferWord,
  WORD_BYTES,
} from '../../../ledger/layout.ts';
import { legOf, u64At } from '../../core/books-row.ts';
import type { CheckedFile } from './checked-file.ts';
import { crc32OfWords } from './crc32.ts';
import { differ } from './verify-difference.ts';
import { hexWord } from './verify-words.ts';

/** Rows at a time: enough that their ids, in order, meet each page of the id table once. */
const CHUNK_ROWS = 65_536;
const STORED_BYTES = TRANSFER_ROW_STORED_WORDS * WORD_BYTES;

/** A run of transfer rows in the order of time. */
export interface RowChunk {
  readonly rows: Uint32Array;
  /** By the offset in `rows` of a post or a void: the row of the pending transfer that it resolves. */
  readonly resolves: Map<number, Uint32Array>;
}

/** All transfer rows in the order of time, each sound in itself. */
export function* rowChunks(file: CheckedFile): Generator<RowChunk> {
  const next = file.database
    .prepare(
      `SELECT timestamp & 0xffffffff, timestamp >> 32, row FROM transfer_row
       WHERE timestamp > ? ORDER BY timestamp LIMIT ${CHUNK_ROWS}`,
    )
    .raw();
  // Below every integer key, so that a row at a time that can't be is seen as well.
  let last = -(2n ** 63n);
  for (;;) {
    const rows = readChunk(file, next, last);
    if (rows.length === 0) return;
    yield { rows, resolves: new Map() };
    last = BigInt.asIntN(
      64,
      u64At(rows, rows.length - TRANSFER_ROW_WORDS + TransferRowWord.rowTimestamp),
    );
  }
}

function readChunk(file: CheckedFile, next: Statement, last: bigint): Uint32Array {
  const all = file.reading('transfer_row', () => next.all(last)) as [number, number, Uint8Array][];
  const rows = new Uint32Array(all.length * TRANSFER_ROW_WORDS);
  const bytes = new Uint8Array(rows.buffer);
  for (const [position, [lo, hi, blob]] of all.entries()) {
    const at = position * TRANSFER_ROW_WORDS;
    rows[at + TransferRowWord.rowTimestamp] = lo;
    rows[at + TransferRowWord.rowTimestamp + 1] = hi;
    if (blob.byteLength !== STORED_BYTES) {
      differ('transfer_row', `${rowName(rows, at)} length`, STORED_BYTES, blob.byteLength);
    }
    bytes.set(blob, at * WORD_BYTES);
    checkRow(rows, at);
  }
  return rows;
}

/** Names are made for a difference alone: to make one costs more than the row. */
function checkRow(rows: Uint32Array, at: number): void {
  const crc = crc32OfWords(rows, at, TransferRowWord.crc);
  const stored = rows[at + TransferRowWord.crc]!;
  if (crc !== stored) {
    differ('transfer_row', `${rowName(rows, at)} CRC-32`, hexWord(crc), hexWord(stored));
  }
  const leg = legOf(rows, at);
  if (leg !== Leg.both && leg !== Leg.hold) return;
  const own = at + TransferWord.timestamp;
  const key = at + TransferRowWord.rowTimestamp;
  if (rows[own] === rows[key] && rows[own + 1] === rows[key + 1]) return;
  const name = `${rowName(rows, at)} timestamp`;
  differ('transfer_row', name, u64At(rows, own), u64At(rows, key));
}

export function rowName(rows: Uint32Array, at: number): string {
  return `row ${BigInt.asIntN(64, u64At(rows, at + TransferRowWord.rowTimestamp))}`;
}

/** Offsets of the rows that are wanted. */
export function offsetsOf(
  { rows }: RowChunk,
  wanted: (rows: Uint32Array, at: number) => boolean,
): number[] {
  const offsets: number[] = [];
  for (let at = 0; at < rows.length; at += TRANSFER_ROW_WORDS) {
    if (wanted(rows, at)) offsets.push(at);
  }
  return offsets;
}

export function recordOf(rows: Uint32Array, at: number): Uint32Array {
  return rows.subarray(at, at + RECORD_WORDS);
}

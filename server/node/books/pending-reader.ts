import type { Statement } from 'better-sqlite3';
import {
  PENDING_ROW_WORDS,
  PendingRowWord,
  PendingState,
  TIMEOUT_ROW_WORDS,
  TimeoutRowWord,
  TransferRowWord,
} from '../../../ledger/layout.ts';
import { u64At } from '../../core/books-row.ts';
import type { CheckedFile } from './checked-file.ts';
import { crc32OfWords } from './crc32.ts';

/** Numbers of 64 bits come in halves, for a number of JavaScript has but 53. */
const COLUMNS = `timestamp & 0xffffffff, timestamp >> 32, state, deadline & 0xffffffff,
  deadline >> 32, resolved & 0xffffffff, resolved >> 32, crc`;

type Stored = [number, number, number, number, number, number, number, crc: number];

/** Timeouts a piece of an image holds: 256 KiB. */
const PIECE_ROWS = 16_384;

/** Reads the states of pending transfers. */
export class PendingReader {
  readonly #file: CheckedFile;
  readonly #at: Statement;
  readonly #unresolved: Statement;

  constructor(file: CheckedFile) {
    this.#file = file;
    const { database } = file;
    this.#at = database.prepare(`SELECT ${COLUMNS} FROM pending_row WHERE timestamp = ?`).raw();
    this.#unresolved = database
      .prepare(
        `SELECT ${COLUMNS} FROM pending_row INDEXED BY pending_unresolved
         WHERE state = ${PendingState.pending} AND timestamp > ? AND deadline > 0
         ORDER BY timestamp LIMIT ${PIECE_ROWS}`,
      )
      .raw();
  }

  /** State of the pending transfer whose row this is; its absence is damage. */
  stateOf(row: Uint32Array): number {
    const timestamp = u64At(row, TransferRowWord.rowTimestamp);
    const pending = this.rowAt(timestamp);
    if (pending !== null) return pending[PendingRowWord.state]!;
    throw this.#file.damage('pending_row', `row ${timestamp} is missing`);
  }

  /** The PENDING row of the pending transfer with that row timestamp, or null. */
  rowAt(timestamp: bigint): Uint32Array | null {
    const stored = this.#file.reading('pending_row', () => this.#at.get(timestamp));
    return stored === undefined ? null : this.#check(stored as Stored);
  }

  /** Unresolved ones with a deadline, in pieces. `assertIndex` runs after each is read. */
  *timeouts(assertIndex: () => void): Generator<Uint32Array> {
    let last = 0n;
    for (;;) {
      const all = this.#file.reading('pending_row', () => this.#unresolved.all(last)) as Stored[];
      assertIndex();
      if (all.length === 0) return;
      const piece = new Uint32Array(all.length * TIMEOUT_ROW_WORDS);
      for (const [row, stored] of all.entries()) {
        const { timestamp, deadline } = PendingRowWord;
        const words = this.#check(stored);
        const at = row * TIMEOUT_ROW_WORDS;
        piece.set(words.subarray(timestamp, timestamp + 2), at + TimeoutRowWord.timestamp);
        piece.set(words.subarray(deadline, deadline + 2), at + TimeoutRowWord.deadline);
      }
      yield piece;
      last = u64At(piece, piece.length - TIMEOUT_ROW_WORDS + TimeoutRowWord.timestamp);
    }
  }

  /** All, in pieces. */
  *all(pieceRows: number): Generator<Uint32Array> {
    const sql = `SELECT ${COLUMNS} FROM pending_row WHERE timestamp > ? ORDER BY timestamp LIMIT ?`;
    const next = this.#file.database.prepare(sql).raw();
    let last = -1n;
    for (;;) {
      const all = this.#file.reading('pending_row', () => next.all(last, pieceRows)) as Stored[];
      if (all.length === 0) return;
      const piece = new Uint32Array(all.length * PENDING_ROW_WORDS);
      for (const [row, stored] of all.entries()) {
        piece.set(this.#check(stored), row * PENDING_ROW_WORDS);
      }
      // Before: a piece that was given may be gone to another thread.
      last = u64At(piece, piece.length - PENDING_ROW_WORDS + PendingRowWord.timestamp);
      yield piece;
    }
  }

  #check(stored: Stored): Uint32Array {
    const words = new Uint32Array(PENDING_ROW_WORDS);
    const [lo, hi, state, deadlineLo, deadlineHi, resolvedLo, resolvedHi, crc] = stored;
    words.set([lo, hi, state, 0, deadlineLo, deadlineHi, resolvedLo, resolvedHi]);
    // Words would cut off what a damaged number has beyond 32 bits.
    if (
      words[PendingRowWord.state] !== state ||
      crc32OfWords(words, 0, PENDING_ROW_WORDS) !== crc
    ) {
      const timestamp = u64At(words, PendingRowWord.timestamp);
      throw this.#file.damage('pending_row', `row ${timestamp} fails its CRC-32`);
    }
    return words;
  }
}

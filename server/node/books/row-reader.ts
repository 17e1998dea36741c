import type { Statement } from 'better-sqlite3';
import {
  BURNT_ROW_WORDS,
  BurntRowWord,
  PendingState,
  REQUESTED_ROW_WORDS,
  RequestedRowWord,
  TRANSFER_ROW_STORED_WORDS,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
  WORD_BYTES,
} from '../../../ledger/layout.ts';
import type { LookUp } from '../../core/books.ts';
import { isPendingTransfer, isTransfer, sameId } from '../../core/books-row.ts';
import type { CheckedFile } from './checked-file.ts';
import { chunks, idAt, NUMBER_BYTES, numberAt, putId, slice, u64Column } from './columns.ts';
import { NUMBERS } from './connection.ts';
import { crc32OfWords } from './crc32.ts';
import { PendingReader } from './pending-reader.ts';
import { burntSeal, unsealRow } from './sealed.ts';

/** One row an id that is known. A timestamp comes in two halves, for a number has but 53 bits. */
const LOOK_UP = `SELECT i, burnt, transfer_id.timestamp & 0xffffffff, transfer_id.timestamp >> 32, row
  FROM temp.numbers
  CROSS JOIN transfer_id ON id = ${idAt('ids')}
  LEFT JOIN transfer_row ON NOT burnt AND transfer_row.timestamp = transfer_id.timestamp
  WHERE i < :count`;

const ROWS_AT = `SELECT i, row FROM temp.numbers
  CROSS JOIN transfer_row ON timestamp = ${numberAt('timestamps')} WHERE i < :count`;

const REQUESTED_AT = `SELECT i, amount FROM temp.numbers
  CROSS JOIN requested_row ON timestamp = ${numberAt('timestamps')} WHERE i < :count`;

type Found = [i: number, burnt: number, lo: number, hi: number, row: Uint8Array | null];

const NUMBER_WORDS = NUMBER_BYTES / WORD_BYTES;

/** Reads transfer rows, by id and by row timestamp, each with its pending state. */
export class RowReader {
  readonly pendings: PendingReader;
  readonly #file: CheckedFile;
  readonly #lookUp: Statement;
  readonly #rowAt: Statement;
  readonly #rowsAt: Statement;
  readonly #requestedAt: Statement;

  constructor(file: CheckedFile) {
    this.pendings = new PendingReader(file);
    this.#file = file;
    const { database } = file;
    this.#lookUp = database.prepare(LOOK_UP).raw();
    this.#rowAt = database.prepare('SELECT row FROM transfer_row WHERE timestamp = ?').pluck();
    this.#rowsAt = database.prepare(ROWS_AT).raw();
    this.#requestedAt = database.prepare(REQUESTED_AT).raw();
  }

  lookUp(ids: Uint32Array): LookUp[] {
    const results: LookUp[] = new Array(ids.length / 4).fill(null);
    for (const [from, count] of chunks(results.length, NUMBERS)) {
      const column = new Uint32Array(count * 4);
      for (let i = 0; i < count; i++) putId(column, i, ids, (from + i) * 4);
      const all = this.#file.reading('transfer_id', () => this.#lookUp.all({ ids: column, count }));
      for (const found of all as Found[]) {
        results[from + found[0]] = this.#known(found, ids, (from + found[0]) * 4);
      }
    }
    return results;
  }

  /** The row booked at this timestamp; its absence is damage. */
  transferAt(timestamp: bigint): Uint32Array {
    const blob = this.#file.reading('transfer_row', () => this.#rowAt.get(timestamp));
    const lo = Number(timestamp & 0xffff_ffffn);
    return this.transfer((blob ?? null) as Uint8Array | null, lo, Number(timestamp >> 32n));
  }

  rowsAt(timestamps: Uint32Array): (Uint32Array | null)[] {
    return this.#at(this.#rowsAt, 'transfer_row', timestamps, (blob, lo, hi) =>
      this.transfer(blob, lo, hi),
    );
  }

  requestedAt(timestamps: Uint32Array): (Uint32Array | null)[] {
    return this.#at(this.#requestedAt, 'requested_row', timestamps, (blob, lo, hi) => {
      const sealed = new Uint8Array((REQUESTED_ROW_WORDS + 1) * WORD_BYTES);
      new Uint32Array(sealed.buffer).set([lo, hi], RequestedRowWord.timestamp);
      const amountAt = RequestedRowWord.amount * WORD_BYTES;
      const whole = blob.byteLength === sealed.byteLength - amountAt;
      if (whole) sealed.set(blob, amountAt);
      const row = whole ? unsealRow(sealed, REQUESTED_ROW_WORDS) : null;
      if (row === null) {
        throw this.#file.damage('requested_row', `row ${timestampOf(lo, hi)} fails its CRC-32`);
      }
      return row.slice(RequestedRowWord.amount);
    });
  }

  /** The row of this stored form and timestamp, checked, with its pending state. */
  transfer(blob: Uint8Array | null, lo: number, hi: number): Uint32Array {
    const row = new Uint32Array(TRANSFER_ROW_WORDS);
    if (blob?.byteLength !== TRANSFER_ROW_STORED_WORDS * WORD_BYTES) {
      const text = `row ${timestampOf(lo, hi)} is missing or short`;
      throw this.#file.damage('transfer_row', text);
    }
    new Uint8Array(row.buffer).set(blob);
    if (crc32OfWords(row, 0, TransferRowWord.crc) !== row[TransferRowWord.crc]) {
      throw this.#file.damage('transfer_row', `row ${timestampOf(lo, hi)} fails its CRC-32`);
    }
    row[TransferRowWord.rowTimestamp] = lo;
    row[TransferRowWord.rowTimestamp + 1] = hi;
    const pending = isPendingTransfer(row);
    row[TransferRowWord.pendingState] = pending ? this.pendings.stateOf(row) : PendingState.none;
    return row;
  }

  #known([, burnt, lo, hi, blob]: Found, ids: Uint32Array, at: number): Uint32Array | 'burnt' {
    if (burnt !== 0) {
      const sealed = new Uint32Array(BURNT_ROW_WORDS);
      sealed.set(ids.subarray(at, at + 4), BurntRowWord.id);
      sealed.set([lo, hi], BurntRowWord.timestamp);
      if (burntSeal(sealed, 0) === burnt) return 'burnt';
      throw this.#file.damage('transfer_id', `burnt id of ${timestampOf(lo, hi)} fails its CRC-32`);
    }
    const row = this.transfer(blob, lo, hi);
    if (!sameId(row, 0, ids, at) || !isTransfer(row)) {
      throw this.#file.damage('transfer_id', `its row ${timestampOf(lo, hi)} has another id`);
    }
    return row;
  }

  #at(
    statement: Statement,
    table: string,
    timestamps: Uint32Array,
    decode: (blob: Uint8Array, lo: number, hi: number) => Uint32Array,
  ): (Uint32Array | null)[] {
    const results: (Uint32Array | null)[] = new Array(timestamps.length / 2).fill(null);
    const column = u64Column(timestamps, 2, 0);
    for (const [from, count] of chunks(results.length, NUMBERS)) {
      const part = slice(column, NUMBER_WORDS, from, count);
      const all = this.#file.reading(table, () => statement.all({ timestamps: part, count }));
      for (const [i, blob] of all as [number, Uint8Array][]) {
        const at = (from + i) * 2;
        results[from + i] = decode(blob, timestamps[at]!, timestamps[at + 1]!);
      }
    }
    return results;
  }
}

function timestampOf(lo: number, hi: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo);
}

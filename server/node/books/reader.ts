import type { Database, Statement } from 'better-sqlite3';
import type { BooksImage } from '../../../ledger/fold.ts';
import {
  ACCOUNT_ROW_WORDS,
  AccountRowWord,
  CHANNEL_ROW_WORDS,
  DECISION_ROW_WORDS,
  OPEN_ROW_WORDS,
  TRANSFER_ROW_STORED_WORDS,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
  WORD_BYTES,
} from '../../../ledger/layout.ts';
import type { LookUp } from '../../core/books.ts';
import { sameId } from '../../core/books-row.ts';
import { ID_BYTES, putId } from './columns.ts';
import { addNumbers, NUMBERS, openToRead } from './connection.ts';
import { crc32OfWords } from './crc32.ts';
import { readMeta } from './schema.ts';
import { unsealRow, wordsOf } from './sealed.ts';

/** Accounts a piece of an image holds: 2.25 MiB. */
const PIECE_ROWS = 16_384;

/** CAST and group_concat join blobs without looking at them: one value for a whole piece. */
const ACCOUNT_PIECE = `SELECT CAST(group_concat(row, '') AS BLOB) FROM
  (SELECT row FROM account_row WHERE rowid > ? AND rowid <= ? ORDER BY rowid)`;

/** One row an id that is known. A timestamp comes in two halves, for a number has but 53 bits. */
const LOOK_UP = `SELECT i, burnt, transfer_id.timestamp & 0xffffffff, transfer_id.timestamp >> 32, row
  FROM temp.numbers
  CROSS JOIN transfer_id ON id = substr(:ids, i * ${ID_BYTES} + 1, ${ID_BYTES})
  LEFT JOIN transfer_row ON NOT burnt AND transfer_row.timestamp = transfer_id.timestamp
  WHERE i < :count`;

type Found = [i: number, burnt: number, lo: number, hi: number, row: Uint8Array | null];

const TIMESTAMP_MAX = 2n ** 63n - 1n;

/** Reads one unit's file over a connection of its own. Everything read is checked. */
export class BooksReader {
  readonly file: string;
  readonly #database: Database;
  readonly #index: Statement;
  readonly #lookUp: Statement;
  readonly #rowAt: Statement;
  readonly #rowidOf: Statement;
  readonly #anchors: Statement;

  constructor(file: string) {
    this.file = file;
    const database = openToRead(file);
    this.#database = database;
    addNumbers(database);
    this.#index = database.prepare('SELECT applied_index FROM meta').pluck();
    this.#lookUp = database.prepare(LOOK_UP).raw();
    this.#rowAt = database.prepare('SELECT row FROM transfer_row WHERE timestamp = ?').pluck();
    this.#rowidOf = database.prepare('SELECT rowid FROM account_row WHERE id = ?').pluck();
    this.#anchors = database
      .prepare(
        `SELECT timestamp FROM history WHERE account = ? AND timestamp >= ?
         ORDER BY timestamp LIMIT 1 OFFSET ?`,
      )
      .pluck()
      .safeIntegers();
  }

  index(): number {
    return this.#reading('meta', () => this.#index.get() as number);
  }

  image(): BooksImage {
    const read = this.#database.transaction(() => {
      const { unit, index, term, lastTimestamp, digest, transferCount, slots } = readMeta(
        this.#database,
      );
      return {
        unit,
        index,
        term,
        lastTimestamp,
        digest,
        transferCount,
        slots: slots ? new Uint16Array(new Uint8Array(slots).buffer) : null,
        opened: this.#sealedRows('opened', 'far_unit, sequence', OPEN_ROW_WORDS),
        decisions: this.#sealedRows('decision', 'home_unit, sequence', DECISION_ROW_WORDS),
        channels: this.#sealedRows('channel', 'other_unit', CHANNEL_ROW_WORDS),
        maxTransferId: this.#maxTransferId(),
        accounts: this.#accounts(index),
      };
    });
    return this.#reading('meta', read);
  }

  lookUp(ids: Uint32Array): LookUp[] {
    const results: LookUp[] = new Array(ids.length / 4).fill(null);
    for (let from = 0; from < results.length; from += NUMBERS) {
      const count = Math.min(NUMBERS, results.length - from);
      const column = new Uint32Array(count * 4);
      for (let i = 0; i < count; i++) putId(column, i, ids, (from + i) * 4);
      const found = this.#reading('transfer_id', () => this.#lookUp.all({ ids: column, count }));
      for (const [i, burnt, lo, hi, blob] of found as Found[]) {
        results[from + i] = burnt ? 'burnt' : this.#transfer(blob, lo, hi);
        const row = results[from + i];
        if (row instanceof Uint32Array && !sameId(row, 0, ids, (from + i) * 4)) {
          throw this.#damage('transfer_id', `its row ${timestampOf(lo, hi)} has another id`);
        }
      }
    }
    return results;
  }

  /** The transfer booked at this timestamp; its absence is damage. */
  transferAt(timestamp: bigint): Uint32Array {
    const blob = this.#reading('transfer_row', () => this.#rowAt.get(timestamp));
    const lo = Number(timestamp & 0xffff_ffffn);
    return this.#transfer((blob ?? null) as Uint8Array | null, lo, Number(timestamp >> 32n));
  }

  /**
   * Timestamp of an entry of the account's sparse history: the first at or after `from`, then
   * `skip` further on. null if there are not so many.
   */
  historyTimestamp(accountId: Uint32Array, from: bigint, skip: number): bigint | null {
    return this.#reading('history', () => {
      if (from > TIMESTAMP_MAX) return null;
      const id = new Uint32Array(4);
      putId(id, 0, accountId, 0);
      const rowid = this.#rowidOf.get(id) as number | undefined;
      if (rowid === undefined) return null;
      return (this.#anchors.get(rowid - 1, from, skip) as bigint | undefined) ?? null;
    });
  }

  close(): void {
    this.#database.close();
  }

  *#accounts(index: number): Generator<Uint32Array> {
    const last = this.#database.prepare('SELECT max(rowid) FROM account_row').pluck();
    const piece = this.#database.prepare(ACCOUNT_PIECE).pluck();
    const total = this.#reading('account_row', () => last.get() as number | null) ?? 0;
    for (let from = 0; from < total; from += PIECE_ROWS) {
      const to = Math.min(total, from + PIECE_ROWS);
      const blob = this.#reading('account_row', () => piece.get(from, to) as Uint8Array | null);
      if (this.index() !== index) {
        throw new Error(`${this.file}: a commit came before all accounts were loaded`);
      }
      if (blob?.byteLength !== (to - from) * ACCOUNT_ROW_WORDS * WORD_BYTES) {
        throw this.#damage('account_row', `rows are missing between ${from + 1} and ${to}`);
      }
      yield this.#checkAccounts(wordsOf(blob), from);
    }
  }

  /** Puts each handle back where the CRC was. */
  #checkAccounts(rows: Uint32Array, firstHandle: number): Uint32Array {
    let handle = firstHandle;
    for (let at = 0; at < rows.length; at += ACCOUNT_ROW_WORDS) {
      const crc = rows[at + AccountRowWord.handle];
      rows[at + AccountRowWord.handle] = handle;
      if (crc32OfWords(rows, at, ACCOUNT_ROW_WORDS) !== crc) {
        throw this.#damage('account_row', `row ${handle + 1} fails its CRC-32`);
      }
      handle += 1;
    }
    return rows;
  }

  #transfer(blob: Uint8Array | null, lo: number, hi: number): Uint32Array {
    const row = new Uint32Array(TRANSFER_ROW_WORDS);
    if (blob?.byteLength !== TRANSFER_ROW_STORED_WORDS * WORD_BYTES) {
      throw this.#damage('transfer_row', `row ${timestampOf(lo, hi)} is missing or short`);
    }
    new Uint8Array(row.buffer).set(blob);
    if (crc32OfWords(row, 0, TransferRowWord.crc) !== row[TransferRowWord.crc]) {
      throw this.#damage('transfer_row', `row ${timestampOf(lo, hi)} fails its CRC-32`);
    }
    row[TransferRowWord.crc] = 0;
    row[TransferRowWord.rowTimestamp] = lo;
    row[TransferRowWord.rowTimestamp + 1] = hi;
    return row;
  }

  #sealedRows(table: string, key: string, rowWords: number): Uint32Array {
    const sql = `SELECT row FROM ${table} ORDER BY ${key}`;
    const blobs = this.#reading(table, () => this.#database.prepare(sql).pluck().all());
    const rows = new Uint32Array(blobs.length * rowWords);
    for (const [position, blob] of blobs.entries()) {
      const row = unsealRow(blob as Uint8Array, rowWords);
      if (row === null) throw this.#damage(table, `row ${position + 1} by key fails its CRC-32`);
      rows.set(row, position * rowWords);
    }
    return rows;
  }

  #maxTransferId(): Uint32Array {
    const sql = 'SELECT id FROM transfer_id ORDER BY id DESC LIMIT 1';
    const id = new Uint32Array(4);
    const blob = this.#reading('transfer_id', () => this.#database.prepare(sql).pluck().get());
    if (blob === undefined) return id;
    const bigEndian = new Uint32Array(4);
    new Uint8Array(bigEndian.buffer).set(blob as Uint8Array);
    // Turning all bytes round is its own inverse.
    putId(id, 0, bigEndian, 0);
    return id;
  }

  /** Names the file and the table in an error that SQLite gives. */
  #reading<T>(table: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Error) || error.message.startsWith(this.file)) throw error;
      throw this.#damage(table, error.message, error);
    }
  }

  #damage(table: string, text: string, cause?: unknown): Error {
    return new Error(`${this.file}: table ${table}: ${text}`, { cause });
  }
}

function timestampOf(lo: number, hi: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo);
}

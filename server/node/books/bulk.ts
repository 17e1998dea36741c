import type { Database, Statement } from 'better-sqlite3';
import {
  ACCOUNT_ROW_WORDS,
  AccountRowWord,
  HISTORY_ROW_WORDS,
  HistoryRowWord,
  TRANSFER_ROW_STORED_WORDS,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
  WORD_BYTES,
} from '../../../ledger/layout.ts';
import { ID_BYTES, ID_ORDER_ROWS_MAX, idOrder, NUMBER_BYTES, putId, putNumber } from './columns.ts';
import { NUMBERS } from './connection.ts';
import { crc32OfWords } from './crc32.ts';

const ACCOUNT_BYTES = ACCOUNT_ROW_WORDS * WORD_BYTES;
const TRANSFER_BYTES = TRANSFER_ROW_WORDS * WORD_BYTES;
const STORED_BYTES = TRANSFER_ROW_STORED_WORDS * WORD_BYTES;
const SEALED_HISTORY_WORDS = HISTORY_ROW_WORDS + 1;
const SEALED_HISTORY_BYTES = SEALED_HISTORY_WORDS * WORD_BYTES;
const BALANCES_AT = HistoryRowWord.balances * WORD_BYTES;

const NUMBER = `CAST(substr(:numbers, i * ${NUMBER_BYTES} + 1, ${NUMBER_BYTES}) AS INTEGER)`;
const SECOND_NUMBER = NUMBER.replace(':numbers', ':second');
const ID = `substr(:ids, i * ${ID_BYTES} + 1, ${ID_BYTES})`;

const INSERT_TRANSFERS = `INSERT INTO transfer_row (timestamp, row)
  SELECT ${NUMBER}, substr(:rows, i * ${TRANSFER_BYTES} + 1, ${STORED_BYTES})
  FROM temp.numbers WHERE i < :count`;

const INSERT_IDS = `INSERT INTO transfer_id (id, timestamp, burnt)
  SELECT ${ID}, ${NUMBER}, :burnt FROM temp.numbers WHERE i < :count`;

/** A handle keeps its id for ever: a row that says otherwise changes nothing, which is noticed. */
const PUT_ACCOUNTS = `INSERT INTO account_row (rowid, id, row)
  SELECT ${NUMBER} + 1, ${ID}, substr(:rows, i * ${ACCOUNT_BYTES} + 1, ${ACCOUNT_BYTES})
  FROM temp.numbers WHERE i < :count
  ON CONFLICT (rowid) DO UPDATE SET row = excluded.row WHERE id = excluded.id`;

const INSERT_HISTORY = `INSERT INTO history (account, timestamp, balances)
  SELECT ${NUMBER}, ${SECOND_NUMBER},
    substr(:rows, i * ${SEALED_HISTORY_BYTES} + 1 + ${BALANCES_AT}, ${SEALED_HISTORY_BYTES - BALANCES_AT})
  FROM temp.numbers WHERE i < :count`;

/** The tables that take many rows a commit: each statement splits one blob into thousands. */
export class BulkTables {
  readonly #transfers: Statement;
  readonly #ids: Statement;
  readonly #accounts: Statement;
  readonly #history: Statement;
  /** Scratch columns, NUMBERS rows each. */
  readonly #numbers = new Uint32Array((NUMBERS * NUMBER_BYTES) / WORD_BYTES);
  readonly #second = new Uint32Array((NUMBERS * NUMBER_BYTES) / WORD_BYTES);
  readonly #idColumn = new Uint32Array((NUMBERS * ID_BYTES) / WORD_BYTES);

  constructor(database: Database) {
    this.#transfers = database.prepare(INSERT_TRANSFERS);
    this.#ids = database.prepare(INSERT_IDS);
    this.#accounts = database.prepare(PUT_ACCOUNTS);
    this.#history = database.prepare(INSERT_HISTORY);
  }

  /** Writes each row's CRC into the given rows. */
  insertTransfers(rows: Uint32Array): void {
    for (const [from, count] of chunks(rows.length / TRANSFER_ROW_WORDS, NUMBERS)) {
      for (let i = 0; i < count; i++) {
        const at = (from + i) * TRANSFER_ROW_WORDS;
        rows[at + TransferRowWord.crc] = crc32OfWords(rows, at, TransferRowWord.crc);
        const key = at + TransferRowWord.rowTimestamp;
        putNumber(this.#numbers, i, rows[key]!, rows[key + 1]!);
      }
      const blob = bytes(rows, from * TRANSFER_ROW_WORDS, count * TRANSFER_ROW_WORDS);
      this.#transfers.run({ numbers: this.#numbers, rows: blob, count });
    }
    this.insertIds(rows, TRANSFER_ROW_WORDS, TransferRowWord.rowTimestamp, 0);
  }

  /** Rows have their id at word 0 and their timestamp at `timestampWord`. */
  insertIds(rows: Uint32Array, rowWords: number, timestampWord: number, burnt: 0 | 1): void {
    for (const [from, total] of chunks(rows.length / rowWords, ID_ORDER_ROWS_MAX)) {
      const part = rows.subarray(from * rowWords, (from + total) * rowWords);
      const order = idOrder(part, rowWords, total);
      for (const [first, count] of chunks(total, NUMBERS)) {
        for (let i = 0; i < count; i++) {
          const at = order[first + i]! * rowWords;
          putId(this.#idColumn, i, part, at);
          putNumber(this.#numbers, i, part[at + timestampWord]!, part[at + timestampWord + 1]!);
        }
        this.#ids.run({ ids: this.#idColumn, numbers: this.#numbers, burnt, count });
      }
    }
  }

  /** Replaces each row's handle, which its key repeats, by the row's CRC. */
  putAccounts(rows: Uint32Array): void {
    for (const [from, count] of chunks(rows.length / ACCOUNT_ROW_WORDS, NUMBERS)) {
      for (let i = 0; i < count; i++) {
        const at = (from + i) * ACCOUNT_ROW_WORDS;
        putId(this.#idColumn, i, rows, at);
        putNumber(this.#numbers, i, rows[at + AccountRowWord.handle]!, 0);
        rows[at + AccountRowWord.handle] = crc32OfWords(rows, at, ACCOUNT_ROW_WORDS);
      }
      const blob = bytes(rows, from * ACCOUNT_ROW_WORDS, count * ACCOUNT_ROW_WORDS);
      const parameters = { ids: this.#idColumn, numbers: this.#numbers, rows: blob, count };
      const { changes } = this.#accounts.run(parameters);
      if (changes !== count) throw new Error('an account changed its id');
    }
  }

  insertHistory(rows: Uint32Array): void {
    for (const [from, count] of chunks(rows.length / HISTORY_ROW_WORDS, NUMBERS)) {
      const sealed = new Uint32Array(count * SEALED_HISTORY_WORDS);
      for (let i = 0; i < count; i++) {
        const at = (from + i) * HISTORY_ROW_WORDS;
        const to = i * SEALED_HISTORY_WORDS;
        sealed.set(rows.subarray(at, at + HISTORY_ROW_WORDS), to);
        sealed[to + HISTORY_ROW_WORDS] = crc32OfWords(rows, at, HISTORY_ROW_WORDS);
        putNumber(this.#numbers, i, rows[at + HistoryRowWord.handle]!, 0);
        const key = at + HistoryRowWord.rowTimestamp;
        putNumber(this.#second, i, rows[key]!, rows[key + 1]!);
      }
      const rowBytes = bytes(sealed, 0, sealed.length);
      this.#history.run({ numbers: this.#numbers, second: this.#second, rows: rowBytes, count });
    }
  }
}

function* chunks(total: number, size: number): Generator<[from: number, count: number]> {
  for (let from = 0; from < total; from += size) yield [from, Math.min(size, total - from)];
}

function bytes(words: Uint32Array, from: number, count: number): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset + from * WORD_BYTES, count * WORD_BYTES);
}

import type { Database, Statement } from 'better-sqlite3';
import {
  ACCOUNT_ROW_WORDS,
  AccountRowWord,
  BURNT_ROW_WORDS,
  BurntRowWord,
  HISTORY_ROW_WORDS,
  HistoryRowWord,
  TRANSFER_ROW_STORED_WORDS,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
  WORD_BYTES,
} from '../../../ledger/layout.ts';
import { isTransfer } from '../../core/books-row.ts';
import { addSums } from '../../core/books-sum.ts';
import {
  chunks,
  copyNumber,
  ID_BYTES,
  ID_ORDER_ROWS_MAX,
  idAt,
  idOrder,
  NUMBER_BYTES,
  numberAt,
  putId,
  putNumber,
  slice,
  u32Column,
  u64Column,
} from './columns.ts';
import { NUMBERS } from './connection.ts';
import { crc32OfWords } from './crc32.ts';
import { burntSeal, sealRows } from './sealed.ts';

const ACCOUNT_BYTES = ACCOUNT_ROW_WORDS * WORD_BYTES;
const TRANSFER_BYTES = TRANSFER_ROW_WORDS * WORD_BYTES;
const STORED_BYTES = TRANSFER_ROW_STORED_WORDS * WORD_BYTES;
const SEALED_HISTORY_BYTES = (HISTORY_ROW_WORDS + 1) * WORD_BYTES;
const ID_WORDS = ID_BYTES / WORD_BYTES;
const NUMBER_WORDS = NUMBER_BYTES / WORD_BYTES;
const BALANCES_AT = HistoryRowWord.balances * WORD_BYTES;

const INSERT_TRANSFERS = `INSERT INTO transfer_row (timestamp, row)
  SELECT ${numberAt('numbers')}, substr(:rows, i * ${TRANSFER_BYTES} + 1, ${STORED_BYTES})
  FROM temp.numbers WHERE i < :count`;

const INSERT_IDS = `INSERT INTO transfer_id (id, timestamp, burnt)
  SELECT ${idAt('ids')}, ${numberAt('numbers')}, 0 FROM temp.numbers WHERE i < :count`;

const INSERT_BURNT = `INSERT INTO transfer_id (id, timestamp, burnt)
  SELECT ${idAt('ids')}, ${numberAt('numbers')}, ${numberAt('seals')}
  FROM temp.numbers WHERE i < :count`;

/** A handle keeps its id for ever: a row that says otherwise changes nothing, which is noticed. */
const PUT_ACCOUNTS = `INSERT INTO account_row (rowid, id, row)
  SELECT ${numberAt('numbers')} + 1, ${idAt('ids')}, substr(:rows, i * ${ACCOUNT_BYTES} + 1, ${ACCOUNT_BYTES})
  FROM temp.numbers WHERE i < :count
  ON CONFLICT (rowid) DO UPDATE SET row = excluded.row WHERE id = excluded.id`;

const INSERT_HISTORY = `INSERT INTO history (account, timestamp, balances)
  SELECT ${numberAt('numbers')}, ${numberAt('second')},
    substr(:rows, i * ${SEALED_HISTORY_BYTES} + 1 + ${BALANCES_AT}, ${SEALED_HISTORY_BYTES - BALANCES_AT})
  FROM temp.numbers WHERE i < :count`;

/** The tables that take many rows a commit: each statement splits one blob into thousands. */
export class BulkTables {
  readonly #transfers: Statement;
  readonly #ids: Statement;
  readonly #burnt: Statement;
  readonly #accounts: Statement;
  readonly #history: Statement;

  constructor(database: Database) {
    this.#transfers = database.prepare(INSERT_TRANSFERS);
    this.#ids = database.prepare(INSERT_IDS);
    this.#burnt = database.prepare(INSERT_BURNT);
    this.#accounts = database.prepare(PUT_ACCOUNTS);
    this.#history = database.prepare(INSERT_HISTORY);
  }

  /** Writes each row's CRC into the given rows; gives the sum of them, see RowSums. */
  insertTransfers(rows: Uint32Array): number {
    const crc = TransferRowWord.crc;
    let sum = 0;
    for (let at = 0; at < rows.length; at += TRANSFER_ROW_WORDS) {
      rows[at + crc] = crc32OfWords(rows, at, crc);
      sum = addSums(sum, rows[at + crc]!);
    }
    const timestamps = u64Column(rows, TRANSFER_ROW_WORDS, TransferRowWord.rowTimestamp);
    for (const [from, count] of chunks(rows.length / TRANSFER_ROW_WORDS, NUMBERS)) {
      const numbers = slice(timestamps, NUMBER_WORDS, from, count);
      this.#transfers.run({ numbers, rows: slice(rows, TRANSFER_ROW_WORDS, from, count), count });
    }
    this.#insertIds(rows, timestamps);
    return sum;
  }

  insertBurnt(rows: Uint32Array): void {
    const timestamps = u64Column(rows, BURNT_ROW_WORDS, BurntRowWord.timestamp);
    const total = rows.length / BURNT_ROW_WORDS;
    const ids = new Uint32Array(total * ID_WORDS);
    const seals = new Uint32Array(total * NUMBER_WORDS);
    for (let row = 0; row < total; row++) {
      const at = row * BURNT_ROW_WORDS;
      putId(ids, row, rows, at);
      const seal = burntSeal(rows, at);
      putNumber(seals, row, seal >>> 0, Math.floor(seal / 2 ** 32));
    }
    for (const [from, count] of chunks(total, NUMBERS)) {
      this.#burnt.run({
        ids: slice(ids, ID_WORDS, from, count),
        numbers: slice(timestamps, NUMBER_WORDS, from, count),
        seals: slice(seals, NUMBER_WORDS, from, count),
        count,
      });
    }
  }

  /** Replaces each row's handle, which its key repeats, by the row's CRC. */
  putAccounts(rows: Uint32Array): void {
    const total = rows.length / ACCOUNT_ROW_WORDS;
    const handles = u32Column(rows, ACCOUNT_ROW_WORDS, AccountRowWord.handle);
    const ids = new Uint32Array(total * ID_WORDS);
    for (let row = 0; row < total; row++) {
      const at = row * ACCOUNT_ROW_WORDS;
      putId(ids, row, rows, at);
      rows[at + AccountRowWord.handle] = crc32OfWords(rows, at, ACCOUNT_ROW_WORDS);
    }
    for (const [from, count] of chunks(total, NUMBERS)) {
      const { changes } = this.#accounts.run({
        ids: slice(ids, ID_WORDS, from, count),
        numbers: slice(handles, NUMBER_WORDS, from, count),
        rows: slice(rows, ACCOUNT_ROW_WORDS, from, count),
        count,
      });
      if (changes !== count) throw new Error('an account changed its id');
    }
  }

  insertHistory(rows: Uint32Array): void {
    const total = rows.length / HISTORY_ROW_WORDS;
    const handles = u32Column(rows, HISTORY_ROW_WORDS, HistoryRowWord.handle);
    const timestamps = u64Column(rows, HISTORY_ROW_WORDS, HistoryRowWord.rowTimestamp);
    const sealed = sealRows(rows, HISTORY_ROW_WORDS);
    for (const [from, count] of chunks(total, NUMBERS)) {
      this.#history.run({
        numbers: slice(handles, NUMBER_WORDS, from, count),
        second: slice(timestamps, NUMBER_WORDS, from, count),
        rows: slice(sealed, HISTORY_ROW_WORDS + 1, from, count),
        count,
      });
    }
  }

  /** Of the rows that are transfers. */
  #insertIds(rows: Uint32Array, timestamps: Uint32Array): void {
    const ids = new Uint32Array(NUMBERS * ID_WORDS);
    const numbers = new Uint32Array(NUMBERS * NUMBER_WORDS);
    for (const [start, total] of chunks(rows.length / TRANSFER_ROW_WORDS, ID_ORDER_ROWS_MAX)) {
      const order = idOrder(
        slice(rows, TRANSFER_ROW_WORDS, start, total),
        TRANSFER_ROW_WORDS,
        total,
      );
      let count = 0;
      for (const position of order) {
        const row = start + position;
        if (!isTransfer(rows, row * TRANSFER_ROW_WORDS)) continue;
        putId(ids, count, rows, row * TRANSFER_ROW_WORDS);
        copyNumber(numbers, count, timestamps, row);
        count += 1;
        if (count < NUMBERS) continue;
        this.#ids.run({ ids, numbers, count });
        count = 0;
      }
      if (count > 0) this.#ids.run({ ids, numbers, count });
    }
  }
}

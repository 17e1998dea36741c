import type { Database, Statement } from 'better-sqlite3';
import {
  TRANSFER_ROW_WORDS,
  TransferRowWord,
  TransferWord,
  WORD_BYTES,
} from '../../../ledger/layout.ts';
import { isTransfer } from '../../core/books-row.ts';
import {
  copyNumber,
  ID_BYTES,
  ID_ORDER_ROWS_MAX,
  idOrder,
  NUMBER_BYTES,
  numberAt,
  putId,
  putNumber,
} from './columns.ts';
import { NUMBERS } from './connection.ts';

const ID_WORDS = ID_BYTES / WORD_BYTES;
const NUMBER_WORDS = NUMBER_BYTES / WORD_BYTES;

/** The fields of user data, as user_data.bits names them, and where a transfer has them. */
export const USER_DATA_FIELDS = [
  { bits: 128, word: TransferWord.userData128 },
  { bits: 64, word: TransferWord.userData64 },
  { bits: 32, word: TransferWord.userData32 },
] as const;

/** All of them lie side by side. */
const FIRST_WORD = TransferWord.userData128;
const WORDS = TransferWord.userData32 + 1 - FIRST_WORD;

/** SQL for value i. They come as wide as ids; the narrow ones stand at the front. */
export function valueAt(parameter: string): string {
  return `substr(:${parameter}, i * ${ID_BYTES} + 1, :bits / 8)`;
}

const INSERT = `INSERT INTO user_data (bits, value, timestamp)
  SELECT :bits, ${valueAt('values')}, ${numberAt('timestamps')}
  FROM temp.numbers WHERE i < :count`;

/** The sparse index of user data: transfers without any cost it nothing. */
export class BulkUserData {
  readonly #insert: Statement;

  constructor(database: Database) {
    this.#insert = database.prepare(INSERT);
  }

  /** Takes transfer rows of all legs. */
  insert(rows: Uint32Array): void {
    for (let from = 0; from < rows.length; from += ID_ORDER_ROWS_MAX * TRANSFER_ROW_WORDS) {
      const part = rows.subarray(from, from + ID_ORDER_ROWS_MAX * TRANSFER_ROW_WORDS);
      const offsets = rowsWithUserData(part);
      if (offsets.length === 0) continue;
      for (const { bits, word } of USER_DATA_FIELDS) this.#insertField(part, offsets, bits, word);
    }
  }

  #insertField(rows: Uint32Array, offsets: readonly number[], bits: number, word: number): void {
    const { values, timestamps, total } = userDataColumns(rows, offsets, bits, word);
    // Sorted by value as ids are, for the same reason.
    const order = idOrder(values, ID_WORDS, total);
    const ids = new Uint32Array(Math.min(total, NUMBERS) * ID_WORDS);
    const numbers = new Uint32Array(Math.min(total, NUMBERS) * NUMBER_WORDS);
    for (let from = 0; from < total; from += NUMBERS) {
      const count = Math.min(NUMBERS, total - from);
      for (let i = 0; i < count; i++) {
        putId(ids, i, values, order[from + i]! * ID_WORDS);
        copyNumber(numbers, i, timestamps, order[from + i]!);
      }
      this.#insert.run({ bits, values: ids, timestamps: numbers, count });
    }
  }
}

/** What a field's entries are made of: `values` are four words each, the value in the highest of them. */
export interface UserDataColumns {
  readonly total: number;
  readonly values: Uint32Array;
  /** As putNumber writes them. */
  readonly timestamps: Uint32Array;
  /** Offset of each one's row. */
  readonly offsets: readonly number[];
}

/** Offsets of the rows that are transfers and have any. One look at each row, for most have none. */
export function rowsWithUserData(rows: Uint32Array): number[] {
  const found: number[] = [];
  for (let at = 0; at < rows.length; at += TRANSFER_ROW_WORDS) {
    if (isZero(rows, at + FIRST_WORD, WORDS) || !isTransfer(rows, at)) continue;
    found.push(at);
  }
  return found;
}

/** The field's values that are not zero, of the rows at these offsets. */
export function userDataColumns(
  rows: Uint32Array,
  offsets: readonly number[],
  bits: number,
  word: number,
): UserDataColumns {
  const width = bits / 32;
  const found = offsets.filter((at) => !isZero(rows, at + word, width));
  const values = new Uint32Array(found.length * ID_WORDS);
  const timestamps = new Uint32Array(found.length * NUMBER_WORDS);
  for (const [row, at] of found.entries()) {
    const value = rows.subarray(at + word, at + word + width);
    values.set(value, (row + 1) * ID_WORDS - width);
    const timestamp = at + TransferRowWord.rowTimestamp;
    putNumber(timestamps, row, rows[timestamp]!, rows[timestamp + 1]!);
  }
  return { values, timestamps, total: found.length, offsets: found };
}

function isZero(words: Uint32Array, at: number, count: number): boolean {
  for (let word = at; word < at + count; word++) if (words[word] !== 0) return false;
  return true;
}

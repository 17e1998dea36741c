import type { Statement } from 'better-sqlite3';
import { TRANSFER_ROW_WORDS, WORD_BYTES } from '../../../ledger/layout.ts';
import { isTransfer } from '../../core/books-row.ts';
import {
  rowsWithUserData,
  USER_DATA_FIELDS,
  type UserDataColumns,
  userDataColumns,
  valueAt,
} from './bulk-user-data.ts';
import type { CheckedFile } from './checked-file.ts';
import { chunks, copyNumber, ID_BYTES, idOrder, NUMBER_BYTES, numberAt, putId } from './columns.ts';
import { NUMBERS } from './connection.ts';
import { type RowChunk, rowName } from './verify-chunk.ts';
import { differ, mustEqual } from './verify-difference.ts';

const TABLE = 'user_data';

const FIND = `SELECT i FROM temp.numbers CROSS JOIN user_data
  ON bits = :bits AND value = ${valueAt('values')} AND timestamp = ${numberAt('timestamps')}
  WHERE i < :count`;

/** In the order of the key. Bits come first, so a few never hide among many. */
const ALL = `SELECT bits, value, user_data.timestamp, row FROM user_data
  LEFT JOIN transfer_row ON transfer_row.timestamp = user_data.timestamp
  WHERE (bits, value, user_data.timestamp) > (?, ?, ?)
  ORDER BY bits, value, user_data.timestamp LIMIT ${NUMBERS}`;

type Entry = [bits: bigint, value: Uint8Array, timestamp: bigint, row: Uint8Array | null];

/** Every transfer with user data is found by it, and nothing else is. */
export class UserDataCheck {
  readonly #file: CheckedFile;
  readonly #find: Statement;
  #expected = 0;

  constructor(file: CheckedFile) {
    this.#file = file;
    this.#find = file.database.prepare(FIND).pluck();
  }

  check({ rows }: RowChunk): void {
    const offsets = rowsWithUserData(rows);
    if (offsets.length === 0) return;
    for (const { bits, word } of USER_DATA_FIELDS) {
      const columns = userDataColumns(rows, offsets, bits, word);
      const order = idOrder(columns.values, ID_BYTES / WORD_BYTES, columns.total);
      for (const [from, count] of chunks(columns.total, NUMBERS)) {
        this.#checkSome(rows, bits, columns, order.subarray(from, from + count));
      }
      this.#expected += columns.total;
    }
  }

  finish(): void {
    const count = this.#file.database.prepare('SELECT count(*) FROM user_data').pluck();
    const found = this.#file.reading(TABLE, () => count.get() as number);
    if (found !== this.#expected) this.#nameLost();
    mustEqual(TABLE, 'number of entries', this.#expected, found);
  }

  #checkSome(rows: Uint32Array, bits: number, columns: UserDataColumns, order: Float64Array): void {
    const count = order.length;
    const values = new Uint32Array((count * ID_BYTES) / WORD_BYTES);
    const timestamps = new Uint32Array((count * NUMBER_BYTES) / WORD_BYTES);
    for (const [i, entry] of order.entries()) {
      putId(values, i, columns.values, (entry * ID_BYTES) / WORD_BYTES);
      copyNumber(timestamps, i, columns.timestamps, entry);
    }
    const bound = { bits, values, timestamps, count };
    const found = this.#file.reading(TABLE, () => this.#find.all(bound)) as number[];
    if (found.length === count) return;
    const known = new Set(found);
    const missing = order.find((_, i) => !known.has(i))!;
    const value = Buffer.from(values.buffer, order.indexOf(missing) * ID_BYTES, bits / 8);
    const key = `user_data_${bits} ${value.toString('hex')}`;
    differ(TABLE, key, `an entry for ${rowName(rows, columns.offsets[missing]!)}`, 'no entry');
  }

  /** There are more entries than there is user data: the first that no row has. */
  #nameLost(): void {
    const next = this.#file.database.prepare(ALL).raw().safeIntegers();
    let last: readonly [bigint, Uint8Array, bigint] = [-(2n ** 63n), new Uint8Array(0), 0n];
    for (;;) {
      const all = this.#file.reading(TABLE, () => next.all(...last)) as Entry[];
      if (all.length === 0) return;
      for (const [bits, value, timestamp, row] of all) {
        if (!isOf(Number(bits), value, row)) {
          const key = `user_data_${bits} ${Buffer.from(value).toString('hex')}`;
          differ(TABLE, key, `no entry for row ${timestamp}`, 'an entry');
        }
        last = [bits, value, timestamp];
      }
    }
  }
}

function isOf(bits: number, value: Uint8Array, blob: Uint8Array | null): boolean {
  const field = USER_DATA_FIELDS.find((each) => each.bits === bits);
  if (field === undefined || blob === null) return false;
  const row = new Uint32Array(TRANSFER_ROW_WORDS);
  new Uint8Array(row.buffer).set(blob);
  if (!isTransfer(row)) return false;
  const from = field.word * WORD_BYTES;
  const own = new Uint8Array(row.buffer).slice(from, from + bits / 8).reverse();
  return Buffer.from(own).equals(value);
}

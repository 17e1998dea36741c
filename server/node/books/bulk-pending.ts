import type { Database, Statement } from 'better-sqlite3';
import {
  PENDING_ROW_WORDS,
  PendingRowWord,
  PendingState,
  REQUESTED_ROW_WORDS,
  RequestedRowWord,
  WORD_BYTES,
} from '../../../ledger/layout.ts';
import {
  chunks,
  NUMBER_BYTES,
  numberAt,
  putNumber,
  slice,
  u32Column,
  u64Column,
} from './columns.ts';
import { NUMBERS } from './connection.ts';
import { crc32OfWords } from './crc32.ts';
import { sealRows } from './sealed.ts';

const NUMBER_WORDS = NUMBER_BYTES / WORD_BYTES;
const SEALED_REQUESTED_BYTES = (REQUESTED_ROW_WORDS + 1) * WORD_BYTES;
const AMOUNT_AT = RequestedRowWord.amount * WORD_BYTES;

const VALUES = `${numberAt('timestamps')}, ${numberAt('states')}, ${numberAt('deadlines')},
  ${numberAt('resolved')}, ${numberAt('crcs')}`;

const BOOK = `INSERT INTO pending_row (timestamp, state, deadline, resolved, crc)
  SELECT ${VALUES} FROM temp.numbers WHERE i < :count`;

/** A pending transfer is resolved once, and keeps its deadline: a row that says otherwise changes nothing. */
const RESOLVE = `INSERT INTO pending_row (timestamp, state, deadline, resolved, crc)
  SELECT ${VALUES} FROM temp.numbers
  CROSS JOIN pending_row AS known ON known.timestamp = ${numberAt('timestamps')}
  WHERE i < :count
  ON CONFLICT (timestamp) DO UPDATE
    SET state = excluded.state, resolved = excluded.resolved, crc = excluded.crc
    WHERE pending_row.state = ${PendingState.pending} AND pending_row.deadline = excluded.deadline`;

const INSERT_REQUESTED = `INSERT INTO requested_row (timestamp, amount)
  SELECT ${numberAt('timestamps')},
    substr(:rows, i * ${SEALED_REQUESTED_BYTES} + 1 + ${AMOUNT_AT}, ${SEALED_REQUESTED_BYTES - AMOUNT_AT})
  FROM temp.numbers WHERE i < :count`;

/** What is kept beside some rows: the state of pending transfers, and the amounts that were asked for. */
export class BulkPending {
  readonly #book: Statement;
  readonly #resolve: Statement;
  readonly #requested: Statement;

  constructor(database: Database) {
    this.#book = database.prepare(BOOK);
    this.#resolve = database.prepare(RESOLVE);
    this.#requested = database.prepare(INSERT_REQUESTED);
  }

  /** Each is booked before it is resolved, so all that are booked may go first. */
  putPendings(rows: Uint32Array): void {
    const booked = rows.slice();
    const resolved = rows.slice();
    let bookedEnd = 0;
    let resolvedEnd = 0;
    for (let at = 0; at < rows.length; at += PENDING_ROW_WORDS) {
      const row = rows.subarray(at, at + PENDING_ROW_WORDS);
      if (row[PendingRowWord.state] === PendingState.pending) {
        booked.set(row, bookedEnd);
        bookedEnd += PENDING_ROW_WORDS;
      } else {
        resolved.set(row, resolvedEnd);
        resolvedEnd += PENDING_ROW_WORDS;
      }
    }
    put(this.#book, booked.subarray(0, bookedEnd));
    put(this.#resolve, resolved.subarray(0, resolvedEnd));
  }

  /** Each as it stands, into books that have none of them. */
  insertPendings(rows: Uint32Array): void {
    put(this.#book, rows);
  }

  insertRequested(rows: Uint32Array): void {
    const timestamps = u64Column(rows, REQUESTED_ROW_WORDS, RequestedRowWord.timestamp);
    const sealed = sealRows(rows, REQUESTED_ROW_WORDS);
    for (const [from, count] of chunks(rows.length / REQUESTED_ROW_WORDS, NUMBERS)) {
      this.#requested.run({
        timestamps: slice(timestamps, NUMBER_WORDS, from, count),
        rows: slice(sealed, REQUESTED_ROW_WORDS + 1, from, count),
        count,
      });
    }
  }
}

function put(statement: Statement, all: Uint32Array): void {
  for (const [from, count] of chunks(all.length / PENDING_ROW_WORDS, NUMBERS)) {
    const rows = slice(all, PENDING_ROW_WORDS, from, count);
    const { changes } = statement.run({
      timestamps: u64Column(rows, PENDING_ROW_WORDS, PendingRowWord.timestamp),
      states: u32Column(rows, PENDING_ROW_WORDS, PendingRowWord.state),
      deadlines: u64Column(rows, PENDING_ROW_WORDS, PendingRowWord.deadline),
      resolved: u64Column(rows, PENDING_ROW_WORDS, PendingRowWord.resolved),
      crcs: crcColumn(rows),
      count,
    });
    if (changes !== count) throw new Error('a pending transfer is unknown, or resolved twice');
  }
}

function crcColumn(rows: Uint32Array): Uint32Array {
  const count = rows.length / PENDING_ROW_WORDS;
  const column = new Uint32Array(count * NUMBER_WORDS);
  for (let row = 0; row < count; row++) {
    putNumber(column, row, crc32OfWords(rows, row * PENDING_ROW_WORDS, PENDING_ROW_WORDS), 0);
  }
  return column;
}

import {
  BURNT_ROW_WORDS,
  BurntRowWord,
  CHANNEL_ROW_WORDS,
  DECISION_ROW_WORDS,
  OPEN_ROW_WORDS,
  REQUESTED_ROW_WORDS,
  RequestedRowWord,
  TRANSFER_ROW_STORED_WORDS,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
  WORD_BYTES,
} from '../../../ledger/layout.ts';
import {
  type BooksChunk,
  type BooksState,
  CopyTable,
  chunksOf,
  copyRowsMax,
} from '../../core/books-copy.ts';
import { u64At } from '../../core/books-row.ts';
import { CheckedFile } from './checked-file.ts';
import { putId } from './columns.ts';
import { crc32OfWords } from './crc32.ts';
import { historyRow } from './history-reader.ts';
import { readAccounts, readLastRowTimestamp, readSealed } from './image-reader.ts';
import { PendingReader } from './pending-reader.ts';
import { readMeta } from './schema.ts';
import { burntSeal, unsealRow } from './sealed.ts';

const TRANSFERS = `SELECT timestamp & 0xffffffff, timestamp >> 32, row FROM transfer_row
  WHERE timestamp > ? ORDER BY timestamp LIMIT ${copyRowsMax(CopyTable.transfers)}`;

const REQUESTED = `SELECT timestamp & 0xffffffff, timestamp >> 32, amount FROM requested_row
  WHERE timestamp > ? ORDER BY timestamp`;

/** Its key begins with the account, so that the newer entries are found by looking at all; they are sparse. */
const HISTORY = `SELECT account, timestamp & 0xffffffff, timestamp >> 32, balances FROM history
  WHERE timestamp > ? ORDER BY account, timestamp`;

const BURNT = `SELECT id, burnt, timestamp & 0xffffffff, timestamp >> 32 FROM transfer_id
  WHERE burnt <> 0 ORDER BY id`;

/** Reads one state of a unit's file for a copy, under one read transaction: the writer goes on meanwhile. */
export class CopyReader {
  readonly state: BooksState;
  readonly #file: CheckedFile;

  constructor(path: string) {
    const file = new CheckedFile(path);
    this.#file = file;
    file.database.exec('BEGIN');
    this.state = readState(file);
  }

  *chunks(have: BooksState | null): Generator<BooksChunk> {
    const after = have?.lastRowTimestamp ?? 0n;
    const file = this.#file;
    for (const rows of readAccounts(file, () => {})) yield* chunksOf(CopyTable.accounts, rows);
    yield* this.#transfers(after);
    for (const rows of new PendingReader(file).all(copyRowsMax(CopyTable.pendings))) {
      yield { table: CopyTable.pendings, rows };
    }
    yield* this.#rows('requested_row', CopyTable.requested, REQUESTED, [after], requestedRow);
    yield* this.#rows('history', CopyTable.history, HISTORY, [after], historyOf);
    yield* this.#rows('transfer_id', CopyTable.burnt, BURNT, [], burntRow);
    const small = [
      [CopyTable.opened, 'opened', 'far_unit, sequence', OPEN_ROW_WORDS],
      [CopyTable.decisions, 'decision', 'home_unit, sequence', DECISION_ROW_WORDS],
      [CopyTable.channels, 'channel', 'other_unit', CHANNEL_ROW_WORDS],
    ] as const;
    for (const [table, name, key, words] of small) {
      yield* chunksOf(table, readSealed(file, name, key, words));
    }
  }

  close(): void {
    this.#file.database.close();
  }

  *#transfers(after: bigint): Generator<BooksChunk> {
    const next = this.#file.database.prepare(TRANSFERS).raw();
    let last = after;
    for (;;) {
      const all = this.#file.reading('transfer_row', () => next.all(last)) as [
        number,
        number,
        Uint8Array,
      ][];
      if (all.length === 0) return;
      const rows = new Uint32Array(all.length * TRANSFER_ROW_WORDS);
      const bytes = new Uint8Array(rows.buffer);
      for (const [position, [lo, hi, blob]] of all.entries()) {
        const at = position * TRANSFER_ROW_WORDS;
        bytes.set(blob.subarray(0, TRANSFER_ROW_STORED_WORDS * WORD_BYTES), at * WORD_BYTES);
        rows[at + TransferRowWord.rowTimestamp] = lo;
        rows[at + TransferRowWord.rowTimestamp + 1] = hi;
        const crc = at + TransferRowWord.crc;
        if (crc32OfWords(rows, at, TransferRowWord.crc) !== rows[crc]) {
          const timestamp = u64At(rows, at + TransferRowWord.rowTimestamp);
          throw this.#file.damage('transfer_row', `row ${timestamp} fails its CRC-32`);
        }
        rows[crc] = 0;
      }
      last = u64At(rows, rows.length - TRANSFER_ROW_WORDS + TransferRowWord.rowTimestamp);
      yield { table: CopyTable.transfers, rows };
    }
  }

  /** Rows of a statement that `decode` turns into packed ones; null from it is damage. */
  *#rows<Columns extends unknown[]>(
    name: string,
    table: number,
    sql: string,
    bound: readonly bigint[],
    decode: (columns: Columns) => Uint32Array | null,
  ): Generator<BooksChunk> {
    const statement = this.#file.database.prepare(sql).raw();
    const max = copyRowsMax(table);
    let rows: Uint32Array[] = [];
    for (const columns of statement.iterate(...bound) as IterableIterator<Columns>) {
      const row = decode(columns);
      if (row === null) throw this.#file.damage(name, `row ${columns.join(' ')} fails its CRC-32`);
      rows.push(row);
      if (rows.length < max) continue;
      yield { table, rows: concat(rows) };
      rows = [];
    }
    if (rows.length > 0) yield { table, rows: concat(rows) };
  }
}

/** What the file is of; the first read of a transaction fixes it. */
export function readState(file: CheckedFile): BooksState {
  const meta = file.reading('meta', () => readMeta(file.database));
  const { membership, slots } = meta;
  return {
    unit: meta.unit,
    index: meta.index,
    term: meta.term,
    lastTimestamp: meta.lastTimestamp,
    digest: meta.digest,
    lastRowTimestamp: readLastRowTimestamp(file),
    transferCount: meta.transferCount,
    requestedCount: meta.requestedCount,
    burntCount: meta.burntCount,
    decisionCount: meta.decisionCount,
    rowSum: meta.rowSum,
    burntSum: meta.burntSum,
    membership: membership && new Uint8Array(membership),
    slots: slots && new Uint16Array(new Uint8Array(slots).buffer),
  };
}

function requestedRow([lo, hi, amount]: [number, number, Uint8Array]): Uint32Array | null {
  const sealed = new Uint8Array((REQUESTED_ROW_WORDS + 1) * WORD_BYTES);
  const amountAt = RequestedRowWord.amount * WORD_BYTES;
  if (amount.byteLength !== sealed.byteLength - amountAt) return null;
  new Uint32Array(sealed.buffer).set([lo, hi], RequestedRowWord.timestamp);
  sealed.set(amount, amountAt);
  return unsealRow(sealed, REQUESTED_ROW_WORDS);
}

function historyOf([account, lo, hi, balances]: [
  number,
  number,
  number,
  Uint8Array,
]): Uint32Array | null {
  return historyRow(account, lo, hi, balances);
}

function burntRow([id, burnt, lo, hi]: [Uint8Array, number, number, number]): Uint32Array | null {
  const row = new Uint32Array(BURNT_ROW_WORDS);
  const bigEndian = new Uint32Array(4);
  new Uint8Array(bigEndian.buffer).set(id.subarray(0, 16));
  // Turning all bytes round is its own inverse.
  putId(row, 0, bigEndian, 0);
  row.set([lo, hi], BurntRowWord.timestamp);
  return burntSeal(row, 0) === burnt ? row : null;
}

function concat(rows: readonly Uint32Array[]): Uint32Array {
  const words = rows[0]!.length;
  const all = new Uint32Array(rows.length * words);
  for (const [position, row] of rows.entries()) all.set(row, position * words);
  return all;
}

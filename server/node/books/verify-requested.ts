import {
  REQUESTED_ROW_WORDS,
  RequestedRowWord,
  TransferFlag,
  TransferRowWord,
  TransferWord,
} from '../../../ledger/layout.ts';
import { isTransfer } from '../../core/books-row.ts';
import { addSums, requestedSum } from '../../core/books-sum.ts';
import type { CheckedFile } from './checked-file.ts';
import { RowReader } from './row-reader.ts';
import { offsetsOf, type RowChunk, rowName } from './verify-chunk.ts';
import { differ, mustEqual } from './verify-difference.ts';
import { u128At } from './verify-words.ts';

const TABLE = 'requested_row';
const ASKS_FOR_ANOTHER =
  TransferFlag.balancingDebit |
  TransferFlag.balancingCredit |
  TransferFlag.postPendingTransfer |
  TransferFlag.voidPendingTransfer;
const ALL = 2n ** 128n - 1n;

/** Amounts that were asked for stand beside rows that may have booked another. The rows don't tell which. */
export class RequestedCheck {
  readonly #file: CheckedFile;
  readonly #rows: RowReader;
  #found = 0;
  /** Of the rows, see RowSums. */
  sum = 0;

  constructor(file: CheckedFile) {
    this.#file = file;
    this.#rows = new RowReader(file);
  }

  check(chunk: RowChunk): void {
    const { rows } = chunk;
    const offsets = offsetsOf(chunk, mayDiffer);
    const timestamps = new Uint32Array(offsets.length * 2);
    for (const [i, at] of offsets.entries()) {
      const timestamp = at + TransferRowWord.rowTimestamp;
      timestamps.set(rows.subarray(timestamp, timestamp + 2), i * 2);
    }
    for (const [i, amount] of this.#rows.requestedAt(timestamps).entries()) {
      if (amount === null) continue;
      this.#found += 1;
      const row = new Uint32Array(REQUESTED_ROW_WORDS);
      row.set(timestamps.subarray(i * 2, i * 2 + 2), RequestedRowWord.timestamp);
      row.set(amount, RequestedRowWord.amount);
      this.sum = addSums(this.sum, requestedSum(row));
      checkAmount(rows, offsets[i]!, u128At(amount, 0));
    }
  }

  finish(metaCount: number): void {
    const count = this.#file.database.prepare('SELECT count(*) FROM requested_row').pluck();
    const rows = this.#file.reading(TABLE, () => count.get() as number);
    if (rows !== this.#found) this.#nameLost();
    mustEqual(TABLE, 'number of rows', this.#found, rows);
    mustEqual('meta', 'requested_count', rows, metaCount);
  }

  /** There are more amounts than rows that may have one: the first that none has. */
  #nameLost(): void {
    const all = this.#file.database
      .prepare(
        'SELECT timestamp & 0xffffffff, timestamp >> 32 FROM requested_row ORDER BY timestamp',
      )
      .raw();
    const found = this.#file.reading(TABLE, () => all.all()) as [number, number][];
    for (const [lo, hi] of found) {
      const timestamp = Uint32Array.of(lo, hi);
      this.#rows.requestedAt(timestamp);
      const [row] = this.#rows.rowsAt(timestamp);
      if (row !== undefined && row !== null && mayDiffer(row, 0)) continue;
      const name = `row ${(BigInt(hi) << 32n) | BigInt(lo)}`;
      differ(TABLE, name, 'no row', 'an amount for no such transfer');
    }
  }
}

function mayDiffer(rows: Uint32Array, at: number): boolean {
  const flags = rows[at + TransferWord.codeAndFlags]! >>> 16;
  return isTransfer(rows, at) && (flags & ASKS_FOR_ANOTHER) !== 0;
}

/** A balancing transfer asked for more, a post for all, a void for none: other amounts are booked as they are. */
function checkAmount(rows: Uint32Array, at: number, requested: bigint): void {
  const name = `${rowName(rows, at)} amount`;
  const flags = rows[at + TransferWord.codeAndFlags]! >>> 16;
  const booked = u128At(rows, at + TransferWord.amount);
  if ((flags & TransferFlag.postPendingTransfer) !== 0) mustEqual(TABLE, name, ALL, requested);
  else if ((flags & TransferFlag.voidPendingTransfer) !== 0) mustEqual(TABLE, name, 0n, requested);
  else if (requested <= booked) differ(TABLE, name, `more than ${booked}`, requested);
}

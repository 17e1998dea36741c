import type { Statement } from 'better-sqlite3';
import {
  BURNT_ROW_WORDS,
  BurntRowWord,
  TransferRowWord,
  WORD_BYTES,
} from '../../../ledger/layout.ts';
import { isTransfer, sameId } from '../../core/books-row.ts';
import { addSums, burntSum } from '../../core/books-sum.ts';
import type { CheckedFile } from './checked-file.ts';
import { chunks, ID_BYTES, idAt, idOrder, putId } from './columns.ts';
import { NUMBERS } from './connection.ts';
import { burntSeal } from './sealed.ts';
import { offsetsOf, type RowChunk, rowName } from './verify-chunk.ts';
import { differ, mustEqual } from './verify-difference.ts';
import { idText } from './verify-words.ts';

const ID_WORDS = ID_BYTES / WORD_BYTES;
const TABLE = 'transfer_id';

const FIND = `SELECT i, burnt, timestamp & 0xffffffff, timestamp >> 32 FROM temp.numbers
  CROSS JOIN transfer_id ON id = ${idAt('ids')} WHERE i < :count`;

/** Entries that no transfer has; few, or there is damage. */
const BURNT = `SELECT id, burnt, timestamp & 0xffffffff, timestamp >> 32 FROM transfer_id
  WHERE burnt <> 0 AND id > ? ORDER BY id LIMIT ${NUMBERS}`;

const LOST = `SELECT id, transfer_id.timestamp & 0xffffffff, transfer_id.timestamp >> 32, row
  FROM transfer_id LEFT JOIN transfer_row ON transfer_row.timestamp = transfer_id.timestamp
  WHERE burnt = 0 AND id > ? ORDER BY id LIMIT ${NUMBERS}`;

type Found = [i: number, burnt: number, lo: number, hi: number];

/** Every transfer is found by its id, and every id that is taken has a transfer or is burnt. */
export class IdCheck {
  readonly #file: CheckedFile;
  readonly #find: Statement;
  #expected = 0;
  /** Of the burnt ids, see RowSums; after `finish`. */
  burntSum = 0;

  constructor(file: CheckedFile) {
    this.#file = file;
    this.#find = file.database.prepare(FIND).raw();
  }

  check(chunk: RowChunk): void {
    const { rows } = chunk;
    const offsets = offsetsOf(chunk, isTransfer);
    const ids = new Uint32Array(offsets.length * ID_WORDS);
    for (const [i, at] of offsets.entries()) ids.set(rows.subarray(at, at + 4), i * ID_WORDS);
    const order = idOrder(ids, ID_WORDS, offsets.length);
    for (const [from, count] of chunks(offsets.length, NUMBERS)) {
      const asked = order.subarray(from, from + count);
      this.#checkSome(
        rows,
        Array.from(asked, (i) => offsets[i]!),
      );
    }
    this.#expected += offsets.length;
  }

  finish(burntCount: number): void {
    const count = this.#file.database.prepare('SELECT count(*) FROM transfer_id WHERE burnt = 0');
    const found = this.#file.reading(TABLE, () => count.pluck().get() as number);
    if (found !== this.#expected) this.#nameLost();
    mustEqual(TABLE, 'number of transfers', this.#expected, found);
    this.#checkBurnt(burntCount);
  }

  #checkSome(rows: Uint32Array, offsets: readonly number[]): void {
    const ids = new Uint32Array(offsets.length * ID_WORDS);
    for (const [i, at] of offsets.entries()) putId(ids, i, rows, at);
    const bound = { ids, count: offsets.length };
    const all = this.#file.reading(TABLE, () => this.#find.all(bound)) as Found[];
    const found = new Map(all.map((entry) => [entry[0], entry]));
    const timestamp = TransferRowWord.rowTimestamp;
    for (const [i, at] of offsets.entries()) {
      const entry = found.get(i);
      const same =
        entry?.[1] === 0 &&
        entry[2] === rows[at + timestamp] &&
        entry[3] === rows[at + timestamp + 1];
      if (same) continue;
      const text = entry === undefined ? 'no entry' : entryText(entry);
      differ(TABLE, `id ${idText(rows, at)}`, `the transfer of ${rowName(rows, at)}`, text);
    }
  }

  #checkBurnt(burntCount: number): void {
    const next = this.#file.database.prepare(BURNT).raw();
    const sealed = new Uint32Array(BURNT_ROW_WORDS);
    let count = 0;
    let last: Uint8Array = new Uint8Array(0);
    for (;;) {
      const all = this.#file.reading(TABLE, () => next.all(last)) as [
        Uint8Array,
        number,
        number,
        number,
      ][];
      if (all.length === 0) break;
      for (const [id, burnt, lo, hi] of all) {
        sealed.set(idWords(id), BurntRowWord.id);
        sealed.set([lo, hi], BurntRowWord.timestamp);
        mustEqual(
          TABLE,
          `burnt id ${Buffer.from(id).toString('hex')} CRC-32`,
          burntSeal(sealed, 0),
          burnt,
        );
        this.burntSum = addSums(this.burntSum, burntSum(sealed));
        last = id;
      }
      count += all.length;
    }
    mustEqual('meta', 'burnt_count', count, burntCount);
  }

  /** There are more entries than transfers, each of which has one: the first that none has. */
  #nameLost(): void {
    const next = this.#file.database.prepare(LOST).raw();
    let last: Uint8Array = new Uint8Array(0);
    for (;;) {
      const all = this.#file.reading(TABLE, () => next.all(last));
      if (all.length === 0) return;
      for (const [id, lo, hi, blob] of all as [Uint8Array, number, number, Uint8Array | null][]) {
        const timestamp = (BigInt(hi) << 32n) | BigInt(lo);
        const row = blob === null ? null : new Uint32Array(new Uint8Array(blob).buffer);
        if (row === null || !sameId(row, 0, idWords(id), 0) || !isTransfer(row)) {
          const key = `id ${Buffer.from(id).toString('hex')}`;
          differ(TABLE, key, 'no entry', `the transfer of row ${timestamp}`);
        }
        last = id;
      }
    }
  }
}

function entryText([, burnt, lo, hi]: Found): string {
  const row = (BigInt(hi) << 32n) | BigInt(lo);
  return burnt === 0 ? `the transfer of row ${row}` : `burnt ${burnt}`;
}

function idWords(bigEndian: Uint8Array): Uint32Array {
  const words = new Uint32Array(ID_WORDS);
  new Uint8Array(words.buffer).set(bigEndian.subarray(0, ID_BYTES));
  const turned = new Uint32Array(ID_WORDS);
  putId(turned, 0, words, 0);
  return turned;
}

import type { Statement } from 'better-sqlite3';
import type { BooksImage } from '../../../ledger/fold.ts';
import type { HistoryBalances, LookUp, ScanQuery } from '../../core/books.ts';
import { CheckedFile } from './checked-file.ts';
import { putId } from './columns.ts';
import { HistoryReader } from './history-reader.ts';
import { readImage } from './image-reader.ts';
import { RowReader } from './row-reader.ts';
import { ScanReader } from './scan-reader.ts';
import { wordsOf } from './sealed.ts';

const IDS_AFTER = `SELECT CAST(group_concat(id, '') AS BLOB) FROM
  (SELECT id FROM transfer_id WHERE id > ? ORDER BY id LIMIT ?)`;

/** Reads one unit's file over a connection of its own. Everything read is checked. */
export class BooksReader {
  readonly #file: CheckedFile;
  readonly #rows: RowReader;
  readonly #scans: ScanReader;
  readonly #history: HistoryReader;
  readonly #index: Statement;
  readonly #idsAfter: Statement;

  constructor(file: string) {
    this.#file = new CheckedFile(file);
    this.#rows = new RowReader(this.#file);
    this.#scans = new ScanReader(this.#file, this.#rows);
    this.#history = new HistoryReader(this.#file);
    const { database } = this.#file;
    this.#index = database.prepare('SELECT applied_index FROM meta').pluck();
    this.#idsAfter = database.prepare(IDS_AFTER).pluck();
  }

  get file(): string {
    return this.#file.file;
  }

  index(): number {
    return this.#file.reading('meta', () => this.#index.get() as number);
  }

  image(): BooksImage {
    return readImage(this.#file, this.#rows.pendings, () => this.index());
  }

  lookUp(ids: Uint32Array): LookUp[] {
    return this.#rows.lookUp(ids);
  }

  rowsAt(timestamps: Uint32Array): (Uint32Array | null)[] {
    return this.#rows.rowsAt(timestamps);
  }

  requestedAt(timestamps: Uint32Array): (Uint32Array | null)[] {
    return this.#rows.requestedAt(timestamps);
  }

  scan(query: ScanQuery): Uint32Array[] {
    return this.#scans.scan(query);
  }

  transferAt(timestamp: bigint): Uint32Array {
    return this.#rows.transferAt(timestamp);
  }

  historyTimestamp(accountId: Uint32Array, from: bigint, rows: number): bigint | null {
    return this.#history.timestampFrom(accountId, from, rows);
  }

  balancesAt(handle: number, timestamp: bigint): HistoryBalances | null {
    return this.#history.balancesAt(handle, timestamp);
  }

  idsAfter(id: Uint32Array | null, limit: number): Uint32Array {
    const after = new Uint32Array(4);
    if (id !== null) putId(after, 0, id, 0);
    const bound = id === null ? new Uint8Array(0) : after;
    const blob = this.#file.reading('transfer_id', () => this.#idsAfter.get(bound, limit));
    const ids = wordsOf((blob ?? new Uint8Array(0)) as Uint8Array);
    const turned = new Uint32Array(ids.length);
    // Turning all bytes round is its own inverse.
    for (let row = 0; row * 4 < ids.length; row++) putId(turned, row, ids, row * 4);
    return turned;
  }

  close(): void {
    this.#file.database.close();
  }
}

import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import {
  CHANNEL_ROW_WORDS,
  ChannelRowWord,
  DECISION_ROW_WORDS,
  DecisionRowWord,
  OPEN_ROW_WORDS,
  OpenRowWord,
  TRANSFER_ROW_WORDS,
} from '../../../ledger/layout.ts';
import { type BooksChunk, type BooksState, CopyTable, CopyTotals } from '../../core/books-copy.ts';
import { u64At } from '../../core/books-row.ts';
import { BulkTables } from './bulk.ts';
import { BulkPending } from './bulk-pending.ts';
import { BulkUserData } from './bulk-user-data.ts';
import { CheckedFile } from './checked-file.ts';
import { addNumbers, openToBuild } from './connection.ts';
import { readState } from './copy-reader.ts';
import { createSchema, FORMAT_VERSION, writeMeta } from './schema.ts';
import { sealRows } from './sealed.ts';

/** Pages that a copy of the file in force takes in one go. */
const BACKUP_PAGES = 8_192;
/** Rows that are written together: in order of their ids they meet each page of the index but once. */
const TRANSFERS_TOGETHER = 32_768;

/**
 * Writes a new generation of a unit's books. Without a journal and without syncs: should it break off,
 * the file is thrown away. `finish` makes all of it durable at once.
 */
export class CopyWriter {
  readonly #file: string;
  readonly #unit: number;
  readonly #clusterId: string;
  readonly #database: Database;
  readonly #totals: CopyTotals;
  readonly #bulk: BulkTables;
  readonly #pending: BulkPending;
  readonly #userData: BulkUserData;
  #transfers: Uint32Array[] = [];
  #transferRows = 0;

  /** What it starts from. */
  readonly own: BooksState | null;

  /** `own`: the file in force, or null. */
  static async begin(
    file: string,
    unit: number,
    clusterId: string,
    own: string | null,
  ): Promise<CopyWriter> {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true });
    const state = own === null ? null : await backUp(own, file);
    return new CopyWriter(file, unit, clusterId, state);
  }

  private constructor(file: string, unit: number, clusterId: string, own: BooksState | null) {
    this.#file = file;
    this.#unit = unit;
    this.#clusterId = clusterId;
    this.own = own;
    this.#totals = new CopyTotals(own);
    const database = openToBuild(file);
    this.#database = database;
    if (own === null) createSchema(database, unit, clusterId);
    addNumbers(database);
    this.#bulk = new BulkTables(database);
    this.#pending = new BulkPending(database);
    this.#userData = new BulkUserData(database);
    database.exec('BEGIN');
    if (own !== null) this.#dropMutable();
  }

  add(chunk: BooksChunk): void {
    this.#totals.add(chunk);
    const { table, rows } = chunk;
    switch (table) {
      case CopyTable.accounts:
        this.#bulk.putAccounts(rows);
        break;
      case CopyTable.transfers:
        this.#transfers.push(rows);
        this.#transferRows += rows.length / TRANSFER_ROW_WORDS;
        if (this.#transferRows >= TRANSFERS_TOGETHER) this.#insertTransfers();
        break;
      case CopyTable.pendings:
        this.#pending.insertPendings(rows);
        break;
      case CopyTable.requested:
        this.#pending.insertRequested(rows);
        break;
      case CopyTable.history:
        this.#bulk.insertHistory(rows);
        break;
      case CopyTable.burnt:
        this.#bulk.insertBurnt(rows);
        break;
      case CopyTable.opened:
        this.#insertSealed(
          'opened',
          rows,
          OPEN_ROW_WORDS,
          OpenRowWord.farUnit,
          OpenRowWord.sequence,
        );
        break;
      case CopyTable.decisions: {
        const { homeUnit, sequence } = DecisionRowWord;
        this.#insertSealed('decision', rows, DECISION_ROW_WORDS, homeUnit, sequence);
        break;
      }
      case CopyTable.channels:
        this.#insertSealed('channel', rows, CHANNEL_ROW_WORDS, ChannelRowWord.otherUnit, null);
        break;
    }
  }

  finish(state: BooksState): void {
    this.#insertTransfers();
    this.#totals.finish(state);
    const { lastRowTimestamp: _, slots, ...meta } = state;
    writeMeta(this.#database, {
      ...meta,
      unit: this.#unit,
      clusterId: this.#clusterId,
      formatVersion: FORMAT_VERSION,
      slots: slots && new Uint8Array(slots.buffer, slots.byteOffset, slots.byteLength),
    });
    this.#database.exec('COMMIT');
    this.#database.pragma('journal_mode = WAL');
    this.close();
    const handle = openSync(this.#file, 'r+');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  }

  close(): void {
    this.#database.close();
  }

  /** These come whole, so nothing of one's own may stay. Accounts never go: each is overwritten. */
  #dropMutable(): void {
    for (const table of ['pending_row', 'opened', 'decision', 'channel']) {
      this.#database.exec(`DELETE FROM ${table}`);
    }
    this.#database.exec('DELETE FROM transfer_id WHERE burnt <> 0');
  }

  #insertTransfers(): void {
    const rows = new Uint32Array(this.#transferRows * TRANSFER_ROW_WORDS);
    let at = 0;
    for (const piece of this.#transfers) {
      rows.set(piece, at);
      at += piece.length;
    }
    this.#transfers = [];
    this.#transferRows = 0;
    this.#bulk.insertTransfers(rows);
    this.#userData.insert(rows);
  }

  /** Tables of whole rows behind a key of one or two words. */
  #insertSealed(
    table: string,
    rows: Uint32Array,
    rowWords: number,
    unitWord: number,
    sequenceWord: number | null,
  ): void {
    const marks = sequenceWord === null ? '?, ?' : '?, ?, ?';
    const insert = this.#database.prepare(`INSERT INTO ${table} VALUES (${marks})`);
    for (let at = 0; at < rows.length; at += rowWords) {
      const key: (number | bigint)[] = [rows[at + unitWord]!];
      if (sequenceWord !== null) key.push(u64At(rows, at + sequenceWord));
      insert.run(...key, sealRows(rows.subarray(at, at + rowWords), rowWords));
    }
  }
}

/** Copies the books in force page by page, as of one moment. */
async function backUp(own: string, file: string): Promise<BooksState> {
  const source = new CheckedFile(own);
  try {
    // The copy is taken under this transaction, so that commits that come meanwhile change nothing.
    source.database.exec('BEGIN');
    const state = readState(source);
    await source.database.backup(file, { progress: () => BACKUP_PAGES });
    return state;
  } finally {
    source.database.close();
  }
}

import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { syncFolder } from './generation.ts';
import { assertIdentity, createSchema, hasSchema, readMeta } from './schema.ts';

/** A page is what the file system and the disk write whole, and what one random id dirties. */
const PAGE_BYTES = 8_192;
/** Interior pages and the hot ends of the tables of one unit, in KiB; of many units each gets a share of the total. */
const WRITER_CACHE_KIB = 32 * 1_024;
const WRITER_CACHES_KIB_MAX = 512 * 1_024;
const READER_CACHE_KIB = 8 * 1_024;
/** What a WAL that grew under a long read is cut back to. */
const WAL_BYTES_KEPT = 64 * 1_024 * 1_024;

export function booksFile(folder: string, unit: number): string {
  return join(folder, `unit-${unit}.sqlite`);
}

/**
 * Makes the file if there is none, and refuses one that is not the books of this unit in this
 * cluster. Runs before the storage thread gets the file.
 */
export function prepareFile(file: string, unit: number, clusterId: string): void {
  const database = openToWrite(file);
  try {
    if (!hasSchema(database)) createSchema(database, unit, clusterId);
    assertIdentity(readMeta(database), file, unit, clusterId);
  } finally {
    database.close();
  }
  syncFolder(dirname(file));
}

/**
 * WAL with synchronous=NORMAL: it syncs at checkpoints alone. A power cut may take whole commits back,
 * never parts, and the server's log, which keeps every entry, plays them again. Syncing each commit
 * would make every transfer wait behind it on the same disk (docs/decisions.md). Checkpoints are made
 * by hand (checkpointIfDue), for the automatic ones swallow a failed sync. No mmap: there an I/O error would be a signal and not an exception that says where.
 */
export function openToWrite(file: string): Database {
  const database = open(file, false);
  database.pragma(`page_size = ${PAGE_BYTES}`);
  const journal = database.pragma('journal_mode = WAL', { simple: true });
  if (journal !== 'wal')
    throw new Error(`${file}: no WAL on this file system, got ${String(journal)}`);
  database.pragma('synchronous = NORMAL');
  // macOS: a plain fsync leaves the data in the drive's cache. Elsewhere without effect.
  database.pragma('fullfsync = ON');
  database.pragma('checkpoint_fullfsync = ON');
  database.pragma('wal_autocheckpoint = 0');
  database.pragma(`journal_size_limit = ${WAL_BYTES_KEPT}`);
  database.pragma(`cache_size = -${WRITER_CACHE_KIB}`);
  return database;
}

/** Cache of each of so many open writers. */
export function limitWriterCache(database: Database, writers: number): void {
  const share = Math.floor(WRITER_CACHES_KIB_MAX / writers);
  database.pragma(`cache_size = -${Math.min(WRITER_CACHE_KIB, share)}`);
}

/** For a new file, or one that was just copied, that is thrown away should its making break off. */
export function openToBuild(file: string): Database {
  const database = open(file, false);
  database.pragma('locking_mode = EXCLUSIVE');
  database.pragma(`page_size = ${PAGE_BYTES}`);
  database.pragma('journal_mode = DELETE');
  database.pragma('journal_mode = OFF');
  database.pragma('synchronous = OFF');
  database.pragma(`cache_size = -${WRITER_CACHE_KIB}`);
  return database;
}

export function openToRead(file: string): Database {
  const database = open(file, true);
  database.pragma(`cache_size = -${READER_CACHE_KIB}`);
  return database;
}

function open(file: string, readonly: boolean): Database {
  const database = new Sqlite(file, { readonly });
  database.pragma('temp_store = MEMORY');
  return database;
}

/** Rows a statement over `numbers` takes. */
export const NUMBERS = 8_192;

/** Gives the connection a table of the numbers 0 .. NUMBERS-1; not in the file. */
export function addNumbers(database: Database): void {
  database.exec('CREATE TEMP TABLE numbers (i INTEGER PRIMARY KEY)');
  const sql = `WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    INSERT INTO temp.numbers SELECT i FROM n`;
  database.prepare(sql).run(NUMBERS - 1);
}

/** A WAL this long is copied into the file. Longer ones save few writes and cost reads and a restart. */
const CHECKPOINT_BYTES = 32 * 1_024 * 1_024;

/** Throws if the file can't be written or synced: then the process must stop. */
export function checkpointIfDue(database: Database): void {
  const [state] = database.pragma('wal_checkpoint(NOOP)') as WalState[];
  if (state === undefined) throw new Error(`${database.name}: no answer about its WAL`);
  if ((state.log - state.checkpointed) * PAGE_BYTES < CHECKPOINT_BYTES) return;
  database.pragma('wal_checkpoint(PASSIVE)');
}

/** Pages in the WAL, and those of them that are in the file already. */
interface WalState {
  readonly log: number;
  readonly checkpointed: number;
}

/**
 * Held as long as someone writes the books: a lock of the operating system on a file beside them, so
 * that it goes with the process and leaves readers alone.
 */
export function lockToWrite(file: string): Database {
  mkdirSync(dirname(file), { recursive: true });
  const lock = new Sqlite(`${file}.lock`, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    throw new Error(`${file} has another writer`, { cause: error });
  }
}

import { crc32 } from 'node:zlib';
import type { Database } from 'better-sqlite3';
import { EMPTY_DIGEST } from '../../../ledger/fold.ts';
import { NO_ROW_SUMS, type RowSums } from '../../core/books-sum.ts';
import { EvenkeelError } from '../../core/error.ts';
import { accountView, expiryView, pendingView, transferView } from './views.ts';

/** Of the tables and the rows in them. Books of another version are refused, never converted. */
export const FORMAT_VERSION = 3;

/**
 * Ids are stored big-endian, so that the order of blobs is the order of numbers. Rows are the packed
 * forms of ledger/layout.ts:
 * - transfer_row.row: TRANSFER_ROW_STORED_WORDS, the last of them the CRC-32 of the others. Rows of all
 *   legs; transfer_id has those that are transfers.
 * - transfer_id.burnt: 0 of a transfer; of a burnt id 2^32 + the CRC-32 of (id, timestamp), for nothing
 *   else in the books could tell what it was.
 * - account_row.row: ACCOUNT_ROW_WORDS; the handle's word holds the CRC-32 of the row with its handle,
 *   which is rowid - 1.
 * - pending_row: columns, for an index needs them; the CRC-32 is that of the packed row.
 * - user_data: the user data of transfers that is not zero; value is as wide as the field has bits.
 * - opened, decision, channel: the whole row, then its CRC-32.
 * - history.balances and requested_row.amount: the last words of the row, then the CRC-32 of the whole row.
 */
const TABLES = `
  CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    unit INTEGER NOT NULL,
    cluster_id TEXT NOT NULL,
    format_version INTEGER NOT NULL,
    applied_index INTEGER NOT NULL,
    term INTEGER NOT NULL,
    last_timestamp INTEGER NOT NULL,
    digest TEXT NOT NULL,
    transfer_count INTEGER NOT NULL,
    requested_count INTEGER NOT NULL,
    burnt_count INTEGER NOT NULL,
    decision_count INTEGER NOT NULL,
    row_sum INTEGER NOT NULL,
    burnt_sum INTEGER NOT NULL,
    membership BLOB,
    slots BLOB,
    crc INTEGER NOT NULL
  );
  CREATE TABLE account_row (
    rowid INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    row BLOB NOT NULL
  );
  CREATE TABLE transfer_row (
    timestamp INTEGER PRIMARY KEY,
    row BLOB NOT NULL
  );
  CREATE TABLE transfer_id (
    id BLOB PRIMARY KEY,
    timestamp INTEGER NOT NULL,
    burnt INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE pending_row (
    timestamp INTEGER PRIMARY KEY,
    state INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    resolved INTEGER NOT NULL,
    crc INTEGER NOT NULL
  );
  CREATE INDEX pending_unresolved ON pending_row (timestamp) WHERE state = 1;
  CREATE TABLE requested_row (
    timestamp INTEGER PRIMARY KEY,
    amount BLOB NOT NULL
  );
  CREATE TABLE user_data (
    bits INTEGER NOT NULL,
    value BLOB NOT NULL,
    timestamp INTEGER NOT NULL,
    PRIMARY KEY (bits, value, timestamp)
  ) WITHOUT ROWID;
  CREATE TABLE history (
    account INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    balances BLOB NOT NULL,
    PRIMARY KEY (account, timestamp)
  ) WITHOUT ROWID;
  CREATE TABLE opened (
    far_unit INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    row BLOB NOT NULL,
    PRIMARY KEY (far_unit, sequence)
  ) WITHOUT ROWID;
  CREATE TABLE decision (
    home_unit INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    row BLOB NOT NULL,
    PRIMARY KEY (home_unit, sequence)
  ) WITHOUT ROWID;
  CREATE TABLE channel (
    other_unit INTEGER PRIMARY KEY,
    row BLOB NOT NULL
  );
`;

/** The one row of meta. u64s are BigInts, for they pass 2^53. */
export interface Meta extends RowSums {
  unit: number;
  clusterId: string;
  formatVersion: number;
  index: number;
  term: number;
  lastTimestamp: bigint;
  digest: string;
  transferCount: number;
  /** Rows of these tables can't be told from others, so that a lost one shows here alone. */
  requestedCount: number;
  burntCount: number;
  decisionCount: number;
  membership: Uint8Array | null;
  slots: Uint8Array | null;
}

/** Makes the tables of empty books, all or nothing. */
export function createSchema(database: Database, unit: number, clusterId: string): void {
  const create = database.transaction(() => {
    database.exec(TABLES);
    for (const view of [accountView(), transferView(), pendingView(), expiryView()]) {
      database.exec(view);
    }
    writeMeta(database, {
      unit,
      clusterId,
      formatVersion: FORMAT_VERSION,
      index: 0,
      term: 0,
      lastTimestamp: 0n,
      digest: EMPTY_DIGEST,
      transferCount: 0,
      requestedCount: 0,
      burntCount: 0,
      decisionCount: 0,
      ...NO_ROW_SUMS,
      membership: null,
      slots: null,
    });
  });
  create.immediate();
}

/** Throws unless the file is these very books. */
export function assertIdentity(meta: Meta, file: string, unit: number, clusterId: string): void {
  if (meta.clusterId !== clusterId) {
    throw foreign(`${file} belongs to cluster ${meta.clusterId}, not to cluster ${clusterId}`);
  }
  if (meta.unit !== unit) {
    throw foreign(`${file} holds the books of unit ${meta.unit}, not of unit ${unit}`);
  }
}

export function hasSchema(database: Database): boolean {
  const tables = database.prepare('SELECT name FROM sqlite_schema').pluck().all();
  if (tables.length > 0 && !tables.includes('meta')) {
    throw foreign(`${database.name} is a database, but not the books of a unit`);
  }
  return tables.length > 0;
}

const META_COLUMNS = `unit, cluster_id AS clusterId, format_version AS formatVersion,
  applied_index AS "index", term, last_timestamp AS lastTimestamp, digest,
  transfer_count AS transferCount, requested_count AS requestedCount, burnt_count AS burntCount,
  decision_count AS decisionCount, row_sum AS rowSum, burnt_sum AS burntSum, membership, slots, crc`;

export function readMeta(database: Database): Meta {
  const row = database.prepare(`SELECT ${META_COLUMNS} FROM meta`).safeIntegers().get() as
    | MetaRow
    | undefined;
  if (row === undefined) throw rotten(`${database.name}: table meta is empty`);
  const meta = metaOf(row);
  // First: another format may have its checksum over other fields.
  if (meta.formatVersion !== FORMAT_VERSION) {
    // One that was this format's before a bit turned over fits its checksum as such.
    if (Number(row.crc) === metaCrc({ ...meta, formatVersion: FORMAT_VERSION })) {
      throw rotten(`${database.name}: the format in table meta fails its CRC-32`);
    }
    throw foreign(
      `${database.name} has books of format ${meta.formatVersion}, this release reads format ${FORMAT_VERSION}`,
    );
  }
  if (Number(row.crc) !== metaCrc(meta)) {
    throw rotten(`${database.name}: the row of table meta fails its CRC-32`);
  }
  return meta;
}

type MetaRow = Record<keyof Meta | 'crc', bigint | string | Uint8Array | null>;

function metaOf(row: MetaRow): Meta {
  return {
    unit: Number(row.unit),
    clusterId: String(row.clusterId),
    formatVersion: Number(row.formatVersion),
    index: Number(row.index),
    term: Number(row.term),
    lastTimestamp: BigInt(row.lastTimestamp as bigint),
    digest: String(row.digest),
    transferCount: Number(row.transferCount),
    requestedCount: Number(row.requestedCount),
    burntCount: Number(row.burntCount),
    decisionCount: Number(row.decisionCount),
    rowSum: Number(row.rowSum),
    burntSum: Number(row.burntSum),
    membership: row.membership as Uint8Array | null,
    slots: row.slots as Uint8Array | null,
  };
}

function foreign(message: string): EvenkeelError {
  return new EvenkeelError('books_foreign', message);
}

function rotten(message: string): EvenkeelError {
  return new EvenkeelError('books_rotten', message);
}

export function writeMeta(database: Database, meta: Meta): void {
  const sql = `INSERT OR REPLACE INTO meta VALUES (1, :unit, :clusterId, :formatVersion, :index,
    :term, :lastTimestamp, :digest, :transferCount, :requestedCount, :burntCount, :decisionCount,
    :rowSum, :burntSum, :membership, :slots, :crc)`;
  database.prepare(sql).run({ ...meta, crc: metaCrc(meta) });
}

function metaCrc(meta: Meta): number {
  const { slots, membership, ...rest } = meta;
  // In an order of their own: two objects of the same fields need not list them alike.
  const text = Object.entries(rest)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name} ${value}`)
    .join('\n');
  const nothing = new Uint8Array(0);
  return crc32(slots ?? nothing, crc32(membership ?? nothing, crc32(text)));
}

import type { BooksImage } from '../../../ledger/fold.ts';
import {
  ACCOUNT_ROW_WORDS,
  AccountRowWord,
  CHANNEL_ROW_WORDS,
  DECISION_ROW_WORDS,
  OPEN_ROW_WORDS,
  WORD_BYTES,
} from '../../../ledger/layout.ts';
import type { CheckedFile } from './checked-file.ts';
import { putId } from './columns.ts';
import { crc32OfWords } from './crc32.ts';
import type { PendingReader } from './pending-reader.ts';
import { readMeta } from './schema.ts';
import { unsealRow, wordsOf } from './sealed.ts';

/** Accounts a piece of an image holds: 2.25 MiB. */
const PIECE_ROWS = 16_384;

/** CAST and group_concat join blobs without looking at them: one value for a whole piece. */
const ACCOUNT_PIECE = `SELECT CAST(group_concat(row, '') AS BLOB) FROM
  (SELECT row FROM account_row WHERE rowid > ? AND rowid <= ? ORDER BY rowid)`;

/** All that a machine starts from. `indexNow` tells whether a commit came in between. */
export function readImage(
  file: CheckedFile,
  pendings: PendingReader,
  indexNow: () => number,
): BooksImage {
  const read = file.database.transaction(() => {
    const meta = readMeta(file.database);
    const { unit, index, term, lastTimestamp, digest, transferCount, membership, slots } = meta;
    const assertIndex = (what: string): void => {
      if (indexNow() !== index) {
        throw new Error(`${file.file}: a commit came before all ${what} were loaded`);
      }
    };
    return {
      unit,
      index,
      term,
      lastTimestamp,
      digest,
      transferCount,
      membership: membership && new Uint8Array(membership),
      slots: slots ? new Uint16Array(new Uint8Array(slots).buffer) : null,
      opened: readSealed(file, 'opened', 'far_unit, sequence', OPEN_ROW_WORDS),
      decisions: readSealed(file, 'decision', 'home_unit, sequence', DECISION_ROW_WORDS),
      channels: readSealed(file, 'channel', 'other_unit', CHANNEL_ROW_WORDS),
      maxTransferId: readMaxTransferId(file),
      lastRowTimestamp: readLastRowTimestamp(file),
      accounts: readAccounts(file, () => assertIndex('accounts')),
      timeouts: pendings.timeouts(() => assertIndex('timeouts')),
    };
  });
  return file.reading('meta', read);
}

export function* readAccounts(file: CheckedFile, assertIndex: () => void): Generator<Uint32Array> {
  const last = file.database.prepare('SELECT max(rowid) FROM account_row').pluck();
  const piece = file.database.prepare(ACCOUNT_PIECE).pluck();
  const total = file.reading('account_row', () => last.get() as number | null) ?? 0;
  for (let from = 0; from < total; from += PIECE_ROWS) {
    const to = Math.min(total, from + PIECE_ROWS);
    const blob = file.reading('account_row', () => piece.get(from, to) as Uint8Array | null);
    assertIndex();
    if (blob?.byteLength !== (to - from) * ACCOUNT_ROW_WORDS * WORD_BYTES) {
      throw file.damage('account_row', `rows are missing between ${from + 1} and ${to}`);
    }
    yield checkAccounts(file, wordsOf(blob), from);
  }
}

/** Puts each handle back where the CRC was. */
function checkAccounts(file: CheckedFile, rows: Uint32Array, firstHandle: number): Uint32Array {
  let handle = firstHandle;
  for (let at = 0; at < rows.length; at += ACCOUNT_ROW_WORDS) {
    const crc = rows[at + AccountRowWord.handle];
    rows[at + AccountRowWord.handle] = handle;
    if (crc32OfWords(rows, at, ACCOUNT_ROW_WORDS) !== crc) {
      throw file.damage('account_row', `row ${handle + 1} fails its CRC-32`);
    }
    handle += 1;
  }
  return rows;
}

/** All rows of one of the small tables, in the order of their key. */
export function readSealed(
  file: CheckedFile,
  table: string,
  key: string,
  rowWords: number,
): Uint32Array {
  const sql = `SELECT row FROM ${table} ORDER BY ${key}`;
  const blobs = file.reading(table, () => file.database.prepare(sql).pluck().all());
  const rows = new Uint32Array(blobs.length * rowWords);
  for (const [position, blob] of blobs.entries()) {
    const row = unsealRow(blob as Uint8Array, rowWords);
    if (row === null) throw file.damage(table, `row ${position + 1} by key fails its CRC-32`);
    rows.set(row, position * rowWords);
  }
  return rows;
}

function readMaxTransferId(file: CheckedFile): Uint32Array {
  const sql = 'SELECT id FROM transfer_id ORDER BY id DESC LIMIT 1';
  const id = new Uint32Array(4);
  const blob = file.reading('transfer_id', () => file.database.prepare(sql).pluck().get());
  if (blob === undefined) return id;
  const bigEndian = new Uint32Array(4);
  new Uint8Array(bigEndian.buffer).set(blob as Uint8Array);
  // Turning all bytes round is its own inverse.
  putId(id, 0, bigEndian, 0);
  return id;
}

export function readLastRowTimestamp(file: CheckedFile): bigint {
  const last = file.database.prepare('SELECT max(timestamp) FROM transfer_row').pluck();
  const timestamp = file.reading('transfer_row', () => last.safeIntegers().get());
  return (timestamp as bigint | null) ?? 0n;
}

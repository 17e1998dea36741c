import {
  ACCOUNT_ROW_WORDS,
  AccountRowWord,
  AccountWord,
  WORD_BYTES,
} from '../../../ledger/layout.ts';
import { u64At } from '../../core/books-row.ts';
import type { CheckedFile } from './checked-file.ts';
import { putId } from './columns.ts';
import { crc32OfWords } from './crc32.ts';
import { VerifiedAccounts } from './verify-accounts.ts';
import { differ } from './verify-difference.ts';
import { hexWord } from './verify-words.ts';

const CHUNK_ROWS = 16_384;
const ROW_BYTES = ACCOUNT_ROW_WORDS * WORD_BYTES;
const TABLE = 'account_row';
/** The id of the row in hand, as the table has it. */
const OWN_ID = new Uint32Array(4);
const OWN_ID_BYTES = Buffer.from(OWN_ID.buffer);

/** Reads all accounts: their ids and flags, as the rows will need them. Balances start at zero. */
export function loadAccounts(file: CheckedFile, onChunk: (done: number) => void): VerifiedAccounts {
  const count = file.database.prepare('SELECT count(*) FROM account_row').pluck();
  const accounts = new VerifiedAccounts(file.reading(TABLE, () => count.get() as number));
  let lastTimestamp = 0n;
  for (const rows of accountChunks(file)) {
    for (let at = 0; at < rows.length; at += ACCOUNT_ROW_WORDS) {
      const timestamp = u64At(rows, at + AccountWord.timestamp);
      if (timestamp <= lastTimestamp) {
        const name = `row ${accounts.count + 1} timestamp`;
        differ(TABLE, name, `one after ${lastTimestamp}`, timestamp);
      }
      lastTimestamp = timestamp;
      accounts.add(rows, at);
    }
    onChunk(accounts.count);
  }
  return accounts;
}

/** The balances and links that the rows give against those that the accounts have. */
export function compareAccounts(
  file: CheckedFile,
  accounts: VerifiedAccounts,
  onChunk: (done: number) => void,
): void {
  let handle = 0;
  for (const rows of accountChunks(file)) {
    for (let at = 0; at < rows.length; at += ACCOUNT_ROW_WORDS) {
      accounts.compare(handle, rows, at);
      handle += 1;
    }
    onChunk(handle);
  }
}

/** Account rows in handle order, each sound in itself. */
function* accountChunks(file: CheckedFile): Generator<Uint32Array> {
  const next = file.database
    .prepare(
      `SELECT rowid, id, row FROM account_row WHERE rowid > ? ORDER BY rowid LIMIT ${CHUNK_ROWS}`,
    )
    .raw()
    .safeIntegers();
  let last = -(2n ** 63n);
  let expected = 1n;
  for (;;) {
    const all = file.reading(TABLE, () => next.all(last)) as [bigint, Uint8Array, Uint8Array][];
    if (all.length === 0) return;
    const rows = new Uint32Array(all.length * ACCOUNT_ROW_WORDS);
    for (const [position, [rowid, id, blob]] of all.entries()) {
      if (rowid !== expected) differ(TABLE, `row ${expected}`, 'an account', `row ${rowid} next`);
      if (blob.byteLength !== ROW_BYTES) {
        differ(TABLE, `row ${rowid} length`, ROW_BYTES, blob.byteLength);
      }
      const at = position * ACCOUNT_ROW_WORDS;
      new Uint8Array(rows.buffer).set(blob, at * WORD_BYTES);
      checkRow(rows, at, Number(rowid) - 1, id);
      expected += 1n;
    }
    yield rows;
    last = expected - 1n;
  }
}

/** Puts the handle back where the CRC was. */
function checkRow(rows: Uint32Array, at: number, handle: number, id: Uint8Array): void {
  const crc = rows[at + AccountRowWord.handle]!;
  rows[at + AccountRowWord.handle] = handle;
  const expected = crc32OfWords(rows, at, ACCOUNT_ROW_WORDS);
  if (crc !== expected) {
    differ(TABLE, `row ${handle + 1} CRC-32`, hexWord(expected), hexWord(crc));
  }
  putId(OWN_ID, 0, rows, at + AccountWord.id);
  if (OWN_ID_BYTES.equals(id)) return;
  const own = OWN_ID_BYTES.toString('hex');
  differ(TABLE, `row ${handle + 1} id`, own, Buffer.from(id).toString('hex'));
}

import Sqlite from 'better-sqlite3';
import { SLOT_COUNT, TRANSFER_ROW_WORDS, TransferRowWord } from '../../../ledger/layout.ts';
import { u64At } from '../../core/books-row.ts';
import { addSums, transfersSum } from '../../core/books-sum.ts';
import { EvenkeelError } from '../../core/error.ts';
import { BooksDamage, CheckedFile } from './checked-file.ts';
import { hasSchema, type Meta, readMeta } from './schema.ts';
import { compareAccounts, loadAccounts } from './verify-account-rows.ts';
import { rowChunks } from './verify-chunk.ts';
import { CrossingCheck } from './verify-crossings.ts';
import { type Difference, DifferenceError, differ, mustEqual } from './verify-difference.ts';
import { checkSchema, checkStructure } from './verify-file.ts';
import { HistoryCheck } from './verify-history.ts';
import { IdCheck } from './verify-ids.ts';
import { PendingCheck } from './verify-pendings.ts';
import { Replay } from './verify-replay.ts';
import { RequestedCheck } from './verify-requested.ts';
import { UserDataCheck } from './verify-user-data.ts';

export type { Difference } from './verify-difference.ts';

/** What is under way, and how far it is; `total` is 0 where that can't be told. */
export type OnProgress = (step: VerifyStep, done: number, total: number) => void;
export type VerifyStep = 'structure' | 'accounts' | 'rows' | 'balances' | 'tables';

export interface Verified {
  readonly file: string;
  /** Of the books, as far as they could be read; else 0. */
  readonly unit: number;
  readonly index: number;
  readonly accounts: number;
  /** Rows of all legs. */
  readonly rows: number;
  /** null: all holds. */
  readonly difference: Difference | null;
}

const FILE = 'file';
/** For the pages of ids, which are met all over. */
const CACHE_KIB = 64 * 1_024;

/**
 * Works everything out anew from the transfer rows alone, and compares it with what the books say: up
 * to the first difference. Reads one state of the file, also under a server that writes it. Throws
 * `books_foreign` if the file is not books of this format.
 */
export function verifyBooks(path: string, onProgress: OnProgress): Verified {
  const opened = open(path);
  if (!(opened instanceof CheckedFile)) return { ...NOTHING_SEEN, file: path, difference: opened };
  try {
    return verifyFile(opened, onProgress);
  } finally {
    opened.database.close();
  }
}

function open(path: string): CheckedFile | Difference {
  try {
    return new CheckedFile(path);
  } catch (error) {
    return differenceOf(error);
  }
}

/** The same over a connection that stays open. */
export function verifyFile(file: CheckedFile, onProgress: OnProgress): Verified {
  const seen = { ...NOTHING_SEEN };
  let difference: Difference | null = null;
  try {
    file.database.pragma(`cache_size = -${CACHE_KIB}`);
    file.database.exec('BEGIN');
    verify(file, seen, onProgress);
  } catch (error) {
    difference = differenceOf(error);
  } finally {
    if (file.database.inTransaction) file.database.exec('ROLLBACK');
  }
  return { ...seen, file: file.file, difference };
}

const NOTHING_SEEN = { unit: 0, index: 0, accounts: 0, rows: 0 };

function verify(
  file: CheckedFile,
  seen: { -readonly [K in keyof typeof NOTHING_SEEN]: number },
  onProgress: OnProgress,
): void {
  onProgress('structure', 0, 0);
  if (!hasSchema(file.database)) {
    throw new EvenkeelError('books_foreign', `${file.file} is empty: it holds no books`);
  }
  const meta = readMeta(file.database);
  seen.unit = meta.unit;
  seen.index = meta.index;
  checkStructure(file);
  checkSchema(file);
  checkMeta(file, meta);
  const accounts = loadAccounts(file, (done) => onProgress('accounts', done, 0));
  seen.accounts = accounts.count;
  const history = new HistoryCheck(file, accounts);
  const crossings = new CrossingCheck(file);
  const replay = new Replay(accounts, history, crossings);
  const ids = new IdCheck(file);
  const userData = new UserDataCheck(file);
  const pendings = new PendingCheck(file);
  const requested = new RequestedCheck(file);
  let lastTimestamp = 0n;
  let rowSum = 0;
  for (const chunk of rowChunks(file)) {
    ids.check(chunk);
    userData.check(chunk);
    pendings.check(chunk);
    requested.check(chunk);
    replay.play(chunk);
    const { rows } = chunk;
    rowSum = addSums(rowSum, transfersSum(rows));
    seen.rows += rows.length / TRANSFER_ROW_WORDS;
    lastTimestamp = u64At(rows, rows.length - TRANSFER_ROW_WORDS + TransferRowWord.rowTimestamp);
    onProgress('rows', seen.rows, meta.transferCount);
  }
  compareAccounts(file, accounts, (done) => onProgress('balances', done, accounts.count));
  mustEqual('meta', 'transfer_count', seen.rows, meta.transferCount);
  if (lastTimestamp > meta.lastTimestamp) {
    differ('meta', 'last_timestamp', `at least ${lastTimestamp}`, meta.lastTimestamp);
  }
  onProgress('tables', 0, 0);
  ids.finish(meta.burntCount);
  userData.finish();
  pendings.finish();
  requested.finish(meta.requestedCount);
  history.finish();
  crossings.finish(meta.decisionCount);
  mustEqual('meta', 'row_sum', addSums(rowSum, requested.sum, history.sum), meta.rowSum);
  mustEqual('meta', 'burnt_sum', ids.burntSum, meta.burntSum);
}

/** The one row, beyond its CRC. */
function checkMeta(file: CheckedFile, { slots }: Meta): void {
  const ids = file.database.prepare('SELECT id FROM meta').pluck().all();
  mustEqual('meta', 'id', '1', ids.join());
  if (slots !== null) mustEqual('meta', 'slots', SLOT_COUNT * 2, slots.byteLength);
}

/** What an error on the way says of the books; rethrown if it says nothing of them. */
function differenceOf(error: unknown): Difference {
  if (error instanceof DifferenceError) return error.difference;
  if (error instanceof BooksDamage) {
    return { table: error.table, row: '', expected: 'sound rows', found: error.text };
  }
  if (error instanceof EvenkeelError && error.code === 'books_rotten') {
    return { table: 'meta', row: '', expected: 'a row that fits its CRC-32', found: error.message };
  }
  if (error instanceof Sqlite.SqliteError && error.code !== 'SQLITE_CANTOPEN') {
    const found = `${error.code}: ${error.message}`;
    return { table: FILE, row: '', expected: 'a file that SQLite can read', found };
  }
  throw error;
}

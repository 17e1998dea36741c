import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { FoldMaker } from '../../core/books.fixture.ts';
import { CheckedFile } from './checked-file.ts';
import { booksFile, prepareFile } from './connection.ts';
import { verifyFile } from './verify.ts';
import { BooksWriter } from './writer.ts';

// Turns single bits over in any column of any row, through SQL so that SQLite itself finds nothing wrong,
// and sees each one named. With EVENKEEL_EXHAUSTIVE set every bit of a few rows of each table, else some.
const EXHAUSTIVE = process.env.EVENKEEL_EXHAUSTIVE !== undefined;

const UNIT = 2;
const folder = mkdtempSync(join(tmpdir(), 'evenkeel-flips-'));
const file = booksFile(folder, UNIT);
let database: Database;
let checked: CheckedFile;
beforeAll(() => {
  prepareFile(file, UNIT, 'c');
  const writer = new BooksWriter(file, UNIT);
  const maker = new FoldMaker(UNIT, { seed: 6 });
  for (const size of [{ accounts: 6, transfers: 40, burnt: 2 }, { transfers: 30 }]) {
    writer.commit(maker.next(size));
  }
  writer.close();
  database = new Sqlite(file);
  database.pragma('journal_mode = MEMORY');
  database.pragma('synchronous = OFF');
  checked = new CheckedFile(file);
});
vi.setConfig({ testTimeout: EXHAUSTIVE ? 3_600_000 : 60_000 });
afterAll(() => {
  checked.database.close();
  database.close();
  rmSync(folder, { recursive: true });
});

/** Tables and the columns that name a row. */
const KEYS: Record<string, readonly string[]> = {
  meta: ['id'],
  account_row: ['rowid'],
  transfer_row: ['timestamp'],
  transfer_id: ['id'],
  pending_row: ['timestamp'],
  requested_row: ['timestamp'],
  user_data: ['bits', 'value', 'timestamp'],
  history: ['account', 'timestamp'],
  opened: ['far_unit', 'sequence'],
  decision: ['home_unit', 'sequence'],
  channel: ['other_unit'],
};
const ROWS_MAX = EXHAUSTIVE ? 5 : 3;

type Value = bigint | string | Uint8Array | null;

test('all tables are tried', () => {
  const sql = `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'`;
  const tables = database.prepare(sql).pluck().all() as string[];
  expect(new Set(tables)).toEqual(new Set(Object.keys(KEYS)));
  for (const table of tables) {
    expect(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()).toBeGreaterThan(0);
  }
});

describe.each(Object.entries(KEYS))('a bit turned over in %s', (table, keys) => {
  const columns = (): string[] => {
    const all = database.prepare(`SELECT name FROM pragma_table_info(?)`).pluck().all(table);
    return all as string[];
  };

  test('is named, whatever the row and the column', () => {
    let tried = 0;
    const rows = database.prepare(`SELECT * FROM ${table} LIMIT ${ROWS_MAX}`).safeIntegers();
    for (const [position, row] of (rows.all() as Record<string, Value>[]).entries()) {
      for (const column of columns()) {
        for (const [bit, flipped] of flips(row[column]!, position)) {
          const change = set(table, keys, row, column, flipped);
          if (change === null) continue;
          const { difference } = verifyFile(checked, () => {});
          change.undo();
          const what = `bit ${bit} of ${column} in row ${position}`;
          expect(difference, what).not.toBe(null);
          if (!keys.includes(column)) expect(difference?.table, what).toBe(table);
          tried += 1;
        }
      }
    }
    expect(tried).toBeGreaterThan(50);
    expect(verifyFile(checked, () => {}).difference).toBe(null);
  });
});

/** The value with one bit turned over, for each bit that is tried: of the first row more than of others. */
function* flips(value: Value, position: number): Generator<[bit: number, flipped: Value]> {
  if (value === null) return;
  const numberStep = EXHAUSTIVE || position === 0 ? 1 : 9;
  const step = EXHAUSTIVE ? 1 : position === 0 ? 8 : 53;
  if (typeof value === 'bigint') {
    for (let bit = position % numberStep; bit < 64; bit += numberStep) {
      yield [bit, BigInt.asIntN(64, value ^ (1n << BigInt(bit)))];
    }
    return;
  }
  const bytes = Buffer.from(value);
  for (let from = 0; from < bytes.length * 8; from += step) {
    // Not always the same bit of a byte.
    const bit = EXHAUSTIVE
      ? from
      : Math.min(from + ((from / step + position) % 8), bytes.length * 8 - 1);
    const byte = bit >> 3;
    const flipped = Buffer.from(bytes);
    flipped[byte]! ^= 1 << (bit % 8);
    // What is not UTF-8 any more can't be bound as text.
    if (typeof value !== 'string') yield [bit, flipped];
    else if (flipped[byte]! < 0x80) yield [bit, flipped.toString()];
  }
}

/** Changes one column of one row. null if SQLite itself refuses what it would become. */
function set(
  table: string,
  keys: readonly string[],
  row: Record<string, Value>,
  column: string,
  value: Value,
): { undo(): void } | null {
  const where = (from: Record<string, Value>): Value[] => keys.map((key) => from[key]!);
  const sql = `UPDATE ${table} SET ${column} = ? WHERE ${keys.map((key) => `${key} = ?`).join(' AND ')}`;
  const update = database.prepare(sql);
  try {
    expect(update.run(value, ...where(row)).changes).toBe(1);
  } catch (error) {
    if (String((error as { code?: string }).code).startsWith('SQLITE_CONSTRAINT')) return null;
    throw error;
  }
  const undo = (): void => {
    const changed = { ...row, [column]: value };
    expect(update.run(row[column]!, ...where(changed)).changes).toBe(1);
  };
  return { undo };
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Fold } from '../../../ledger/fold.ts';
import { ACCOUNT_ROW_WORDS, TRANSFER_ROW_WORDS } from '../../../ledger/layout.ts';
import { emptyFold } from '../../core/books.fixture.ts';
import { prepareFile } from './connection.ts';
import { BooksWriter } from './writer.ts';

// Every row here is laid out by hand, byte by byte, from the documented format: neither our encoder
// nor our decoder takes part.

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-views-'));
const file = join(folder, 'unit-1.sqlite');

beforeAll(() => {
  prepareFile(file, 1, 'c');
  const writer = new BooksWriter(file, 1);
  writer.commit({ ...emptyFold(1, 0, 1), accounts: accounts(), transfers: transfers() } as Fold);
  writer.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

function accounts(): Uint32Array {
  const rows = new Uint32Array(2 * ACCOUNT_ROW_WORDS);
  const first = new DataView(rows.buffer);
  for (let byte = 0; byte < 16; byte++) first.setUint8(byte, 0x10 + byte);
  first.setBigUint64(16, 5n, true);
  first.setBigUint64(32, 2n ** 63n - 1n, true);
  first.setBigUint64(48, 2n ** 63n, true);
  first.setBigUint64(64, 7n, true);
  first.setBigUint64(72, 1n, true);
  first.setBigUint64(80, 0xfedc_ba98_7654_3210n, true);
  first.setBigUint64(96, 2n ** 64n - 1n, true);
  first.setUint32(104, 0xffff_ffff, true);
  first.setUint32(112, 0x8000_0001, true);
  first.setUint16(116, 0xfffe, true);
  first.setUint16(118, 0x8003, true);
  first.setBigUint64(120, 1_800_000_000_123_456_789n, true);
  rows[ACCOUNT_ROW_WORDS] = 1;
  rows[2 * ACCOUNT_ROW_WORDS - 1] = 1;
  return rows;
}

function transfers(): Uint32Array {
  const rows = new Uint32Array(TRANSFER_ROW_WORDS);
  const row = new DataView(rows.buffer);
  for (let byte = 0; byte < 48; byte++) row.setUint8(byte, 0xff - byte);
  row.setBigUint64(48, 12_345n, true);
  row.setUint8(64, 1);
  row.setUint8(95, 2);
  row.setBigUint64(96, 2n ** 62n, true);
  row.setUint32(104, 3, true);
  row.setUint32(108, 86_400, true);
  row.setUint32(112, 978, true);
  row.setUint16(116, 20, true);
  row.setUint16(118, 258, true);
  row.setBigUint64(120, 1_800_000_000_000_000_001n, true);
  row.setUint16(144, 2, true);
  row.setUint16(146, 65_535, true);
  row.setBigUint64(152, 1_800_000_000_000_000_002n, true);
  return rows;
}

const ACCOUNT = {
  id: '1f1e1d1c1b1a19181716151413121110',
  debits_pending: 5n,
  debits_posted: 9_223_372_036_854_775_807n,
  credits_pending: '0x00000000000000008000000000000000',
  credits_posted: '0x00000000000000010000000000000007',
  user_data_128: '0000000000000000fedcba9876543210',
  user_data_64: '0xffffffffffffffff',
  user_data_32: 4_294_967_295n,
  ledger: 2_147_483_649n,
  code: 65_534n,
  flags: 32_771n,
  timestamp: 1_800_000_000_123_456_789n,
  handle: 0n,
};

const TRANSFER = {
  id: 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff',
  debit_account_id: 'e0e1e2e3e4e5e6e7e8e9eaebecedeeef',
  credit_account_id: 'd0d1d2d3d4d5d6d7d8d9dadbdcdddedf',
  amount: 12_345n,
  pending_id: '00000000000000000000000000000001',
  user_data_128: '02000000000000000000000000000000',
  user_data_64: 2n ** 62n,
  user_data_32: 3n,
  timeout: 86_400n,
  ledger: 978n,
  code: 20n,
  flags: 258n,
  timestamp: 1_800_000_000_000_000_001n,
  leg: 2n,
  other_unit: 65_535n,
  row_timestamp: 1_800_000_000_000_000_002n,
};

test('the view of accounts shows plain columns, big amounts as hexadecimal text', () => {
  const rows = read('SELECT * FROM account ORDER BY handle');
  expect(rows[0]).toEqual(ACCOUNT);
  expect(rows[1]).toMatchObject({ id: `${'0'.repeat(31)}1`, debits_posted: 0n, handle: 1n });
});

test('the view of transfers shows plain columns', () => {
  expect(read('SELECT * FROM transfer')).toEqual([TRANSFER]);
});

test('the views find rows by their timestamp without a scan', () => {
  const sql = 'EXPLAIN QUERY PLAN SELECT amount FROM transfer WHERE row_timestamp = 5';
  const steps = read(sql).map((row) => row.detail);
  expect(steps.join()).toContain('SEARCH transfer_row USING INTEGER PRIMARY KEY');
});

test('a sqlite3 shell older than our library reads the same, where there is one', (context) => {
  let output: string;
  try {
    output = execFileSync('sqlite3', ['-readonly', '-json', file, 'SELECT * FROM transfer'], {
      encoding: 'utf8',
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return context.skip('no sqlite3 shell');
    throw error;
  }
  const expected = Object.entries(TRANSFER).map(([column, value]) =>
    typeof value === 'string' ? `"${column}":"${value}"` : `"${column}":${value}`,
  );
  expect(output.trim()).toBe(`[{${expected.join(',')}}]`);
});

function read(sql: string): Record<string, unknown>[] {
  const database = new Sqlite(file, { readonly: true });
  try {
    return database.prepare(sql).safeIntegers().all() as Record<string, unknown>[];
  } finally {
    database.close();
  }
}

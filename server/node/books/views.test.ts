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
  const rows = { accounts: accounts(), transfers: transfers(), pendings: pendings() };
  writer.commit({ ...emptyFold(1, 0, 1), ...rows } as Fold);
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
  const all = new Uint32Array(6 * TRANSFER_ROW_WORDS);
  all.set(rows);
  // Then a hold, a pending transfer, its expiry, a pending one without a deadline, a release.
  for (const [position, [id, leg, ofRecord]] of [
    [0xaa, 3, 3],
    [0xbb, 0, 4],
    [0xbb, 5, 4],
    [0xcc, 0, 6],
    [0xaa, 4, 3],
  ].entries()) {
    const at = (position + 1) * 160;
    const other = new DataView(all.buffer, at, 160);
    other.setUint8(0, id!);
    other.setUint8(16, 1);
    other.setUint8(32, 2);
    other.setBigUint64(48, BigInt(100 + position), true);
    other.setBigUint64(120, 1_800_000_000_000_000_000n + BigInt(ofRecord!), true);
    other.setUint16(144, leg!, true);
    other.setBigUint64(152, 1_800_000_000_000_000_003n + BigInt(position), true);
  }
  return all;
}

function pendings(): Uint32Array {
  const first = 1_800_000_000_000_000_004n;
  const rows = new DataView(new ArrayBuffer(3 * 32));
  for (const [position, [timestamp, state, deadline, resolved]] of [
    [first, 1n, first + 1n, 0n],
    [first + 2n, 1n, 0n, 0n],
    [first, 4n, first + 1n, first + 1n],
  ].entries()) {
    rows.setBigUint64(position * 32, timestamp!, true);
    rows.setUint32(position * 32 + 8, Number(state), true);
    rows.setBigUint64(position * 32 + 16, deadline!, true);
    rows.setBigUint64(position * 32 + 24, resolved!, true);
  }
  return new Uint32Array(rows.buffer);
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
  pending_state: null,
  row_timestamp: 1_800_000_000_000_000_002n,
};

test('the view of accounts shows plain columns, big amounts as hexadecimal text', () => {
  const rows = read('SELECT * FROM account ORDER BY handle');
  expect(rows[0]).toEqual(ACCOUNT);
  expect(rows[1]).toMatchObject({ id: `${'0'.repeat(31)}1`, debits_posted: 0n, handle: 1n });
});

const hex = (end: string): string => end.padStart(32, '0');
const SIDES = { debit_account_id: hex('1'), credit_account_id: hex('2') };
const EXPIRED = { id: hex('bb'), ...SIDES, amount: 101n };

test('the view of transfers shows plain columns', () => {
  expect(read('SELECT * FROM transfer WHERE leg = 2')).toEqual([TRANSFER]);
});

test('the view of transfers leaves out what only moves pending amounts', () => {
  expect(read('SELECT id, leg, pending_state FROM transfer ORDER BY row_timestamp')).toEqual([
    { id: TRANSFER.id, leg: 2n, pending_state: null },
    { id: hex('bb'), leg: 0n, pending_state: 'expired' },
    { id: hex('cc'), leg: 0n, pending_state: 'pending' },
  ]);
});

test('the view of pending transfers tells what became of each', () => {
  const timestamp = 1_800_000_000_000_000_004n;
  const pending = { state: 'pending', timestamp: timestamp + 2n, deadline: null };
  expect(read('SELECT * FROM pending ORDER BY timestamp')).toEqual([
    {
      ...EXPIRED,
      state: 'expired',
      timestamp,
      deadline: timestamp + 1n,
      resolved_timestamp: timestamp + 1n,
    },
    { id: hex('cc'), ...SIDES, amount: 103n, ...pending, resolved_timestamp: null },
  ]);
});

test('the view of expiries names the pending transfer', () => {
  const pending_timestamp = 1_800_000_000_000_000_004n;
  expect(read('SELECT * FROM expiry')).toEqual([
    { timestamp: pending_timestamp + 1n, ...EXPIRED, amount: 102n, pending_timestamp },
  ]);
});

test('the views find rows by their timestamp without a scan', () => {
  const sql = 'EXPLAIN QUERY PLAN SELECT amount FROM transfer WHERE row_timestamp = 5';
  const steps = read(sql).map((row) => row.detail);
  expect(steps.join()).toContain('SEARCH transfer_row USING INTEGER PRIMARY KEY');
});

test('a sqlite3 shell older than our library reads the same, where there is one', (context) => {
  let output: string;
  try {
    output = execFileSync(
      'sqlite3',
      ['-readonly', '-json', file, 'SELECT * FROM transfer WHERE leg = 2'],
      {
        encoding: 'utf8',
      },
    );
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

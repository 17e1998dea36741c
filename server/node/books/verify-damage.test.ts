import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Fold } from '../../../ledger/fold.ts';
import {
  AccountRowWord,
  AccountWord,
  DecisionRowWord,
  HistoryRowWord,
  OpenRowWord,
  PendingRowWord,
  RequestedRowWord,
  TransferRowWord,
  TransferWord,
} from '../../../ledger/layout.ts';
import { FoldMaker } from '../../core/books.fixture.ts';
import { booksFile, prepareFile } from './connection.ts';
import { verifyBooks } from './verify.ts';
import { BooksWriter } from './writer.ts';

/** With EVENKEEL_EXHAUSTIVE set many bits of the file are tried, else a few. */
const EXHAUSTIVE = process.env.EVENKEEL_EXHAUSTIVE !== undefined;
vi.setConfig({ testTimeout: EXHAUSTIVE ? 3_600_000 : 60_000 });

const UNIT = 2;
const folder = mkdtempSync(join(tmpdir(), 'evenkeel-verify-damage-'));
const file = booksFile(folder, UNIT);
const sound = join(folder, 'sound.sqlite');

/** Books of two folds; `spoil` may change the second. */
function write(spoil: (fold: Fold) => void): void {
  rmSync(file, { force: true });
  prepareFile(file, UNIT, 'c');
  const writer = new BooksWriter(file, UNIT);
  const maker = new FoldMaker(UNIT, { seed: 3 });
  writer.commit(maker.next({ accounts: 9, transfers: 500, burnt: 2 }));
  const second = maker.next({ transfers: 500, burnt: 2 });
  spoil(second);
  writer.commit(second);
  writer.close();
}

beforeAll(() => {
  write(() => {});
  copyFileSync(file, sound);
});
beforeEach(() => {
  rmSync(`${file}-wal`, { force: true });
  rmSync(`${file}-shm`, { force: true });
  copyFileSync(sound, file);
});
afterAll(() => rmSync(folder, { recursive: true }));

const verify = (): unknown => verifyBooks(file, () => {}).difference;

test('the books that are damaged here are sound before', () => {
  expect(verify()).toBe(null);
});

describe('rows that a wrong program wrote, each with the right checksum', () => {
  // Of the last row of each kind, so that what comes after doesn't show it first.
  const last = (rows: Uint32Array, rowWords: number, word: number): void => {
    rows[rows.length - rowWords + word]! ^= 1;
  };
  const cases: [string, string, string, (fold: Fold) => void][] = [
    [
      'a balance',
      'account_row',
      'debits_posted',
      (f) => last(f.accounts, 36, AccountWord.debitsPosted),
    ],
    [
      'a pending balance',
      'account_row',
      'credits_pending',
      (f) => last(f.accounts, 36, AccountWord.creditsPending),
    ],
    [
      'a count of rows',
      'account_row',
      'transferCount',
      (f) => last(f.accounts, 36, AccountRowWord.transferCount),
    ],
    [
      'a newest row',
      'account_row',
      'latestTransfer',
      (f) => last(f.accounts, 36, AccountRowWord.latestTransfer),
    ],
    [
      'a link of debits',
      'transfer_row',
      'previousDebit',
      (f) => last(f.transfers, 40, TransferRowWord.previousDebit),
    ],
    [
      'a link of credits',
      'transfer_row',
      'previousCredit',
      (f) => last(f.transfers, 40, TransferRowWord.previousCredit),
    ],
    [
      'an account',
      'transfer_row',
      'account_id',
      (f) => last(f.transfers, 40, TransferWord.debitAccountId),
    ],
    [
      'a leg',
      'transfer_row',
      'leg',
      (f) => {
        f.transfers[TransferRowWord.leg] = 9;
      },
    ],
    [
      'an entry of the history',
      'history',
      'account',
      (f) => last(f.history, 20, HistoryRowWord.balances),
    ],
    [
      'a deadline',
      'pending_row',
      'deadline',
      ({ pendings }) => {
        const timestamps = pendings.filter((_, word) => word % 8 === 0);
        const at = timestamps.findLastIndex(
          (each) =>
            timestamps.indexOf(each) === timestamps.lastIndexOf(each) &&
            pendings[timestamps.indexOf(each) * 8 + PendingRowWord.state] === 1,
        );
        pendings[at * 8 + PendingRowWord.deadline]! ^= 1;
      },
    ],
    [
      'an amount asked for',
      'requested_row',
      'amount',
      (f) => f.requested.fill(0, f.requested.length - 8 + RequestedRowWord.amount),
    ],
    [
      'an open crossing',
      'opened',
      'far_unit',
      (f) => last(f.opened, 36, OpenRowWord.record + TransferWord.amount),
    ],
    ['a decision', 'decision', 'home_unit', (f) => last(f.decisions, 8, DecisionRowWord.timestamp)],
  ];
  test.each(cases)('%s is named', (_, table, row, spoil) => {
    write(spoil);
    expect(verify()).toMatchObject({ table, row: expect.stringContaining(row) });
  });

  test('a resolution that never happened is named', () => {
    write((fold) => {
      const rows = fold.pendings;
      for (let at = rows.length - 8; at >= 0; at -= 8) {
        if (rows[at + PendingRowWord.state] === 1) continue;
        rows[at + PendingRowWord.resolved]! ^= 1;
        return;
      }
    });
    expect(verify()).toMatchObject({
      table: 'pending_row',
      row: expect.stringContaining('resolved'),
    });
  });
});

describe('rows that are lost, or were never written', () => {
  const newest = (table: string, keys: string): string =>
    `DELETE FROM ${table} WHERE (${keys}) = (SELECT ${keys} FROM ${table} ORDER BY ${keys} DESC LIMIT 1)`;
  test.each([
    ['account_row', newest('account_row', 'rowid'), 'transfer_row'],
    ['transfer_row', newest('transfer_row', 'timestamp'), 'account_row'],
    [
      'transfer_id',
      'DELETE FROM transfer_id WHERE rowid IN (SELECT 1) OR burnt = 0',
      'transfer_id',
    ],
    [
      'burnt ids',
      'DELETE FROM transfer_id WHERE burnt = (SELECT max(burnt) FROM transfer_id)',
      'meta',
    ],
    ['pending_row', newest('pending_row', 'timestamp'), 'pending_row'],
    ['requested_row', newest('requested_row', 'timestamp'), 'meta'],
    ['user_data', newest('user_data', 'bits, value, timestamp'), 'user_data'],
    ['history', newest('history', 'account, timestamp'), 'history'],
    ['opened', newest('opened', 'far_unit, sequence'), 'opened'],
    ['decision', newest('decision', 'home_unit, sequence'), 'meta'],
    ['channel', 'DELETE FROM channel', 'channel'],
    [
      'an id twice',
      `INSERT INTO transfer_id SELECT x'00', timestamp, 0 FROM transfer_row LIMIT 1`,
      'transfer_id',
    ],
    ['user data of none', `INSERT INTO user_data VALUES (32, x'00000009', 5)`, 'user_data'],
    [
      'user data of others',
      `INSERT INTO user_data SELECT 64, x'00000000000000ff', min(timestamp) FROM transfer_row`,
      'user_data',
    ],
    [
      'history of none',
      `INSERT INTO history SELECT account, timestamp + 1, balances FROM history LIMIT 1`,
      'history',
    ],
    [
      'a state of none',
      'INSERT INTO pending_row SELECT 7, state, deadline, resolved, crc FROM pending_row LIMIT 1',
      'pending_row',
    ],
    [
      'an amount of none',
      'INSERT INTO requested_row SELECT 7, amount FROM requested_row LIMIT 1',
      'requested_row',
    ],
    ['meta', 'DELETE FROM meta', 'meta'],
    ['an index', 'DROP INDEX pending_unresolved', 'sqlite_schema'],
    ['a table of others', 'CREATE TABLE other (x)', 'sqlite_schema'],
  ])('%s are named', (_, sql, table) => {
    const database = new Sqlite(file);
    database.exec(
      sql.replace(
        'WHERE rowid IN (SELECT 1) OR burnt = 0',
        'WHERE id = (SELECT min(id) FROM transfer_id WHERE burnt = 0)',
      ),
    );
    database.close();
    expect(verify()).toMatchObject({ table });
  });
});

describe('damage below SQL', () => {
  test('of any bit of the file is named, or changes nothing that can be read', () => {
    const content = readFileSync(sound);
    const before = dump(sound);
    const place = fc.tuple(fc.nat(content.length - 1), fc.nat(7));
    fc.assert(
      fc.property(place, ([at, bit]) => {
        const damaged = Buffer.from(content);
        damaged[at]! ^= 1 << bit;
        writeFileSync(file, damaged);
        if (verify() === null) expect(dump(file)).toBe(before);
      }),
      { numRuns: EXHAUSTIVE ? 2_000 : 40 },
    );
  });

  test.each([
    ['a page of zeros', (content: Buffer) => content.fill(0, 3 * 8_192, 4 * 8_192)],
    ['a page lost at the end', (content: Buffer) => content.subarray(0, -8_192)],
    ['a header of others', (content: Buffer) => content.fill(7, 0, 16)],
  ])('%s is named', (_, damage) => {
    writeFileSync(file, damage(readFileSync(sound)));
    expect(verify()).toMatchObject({ table: expect.any(String) });
  });

  test('in an index of SQLite is named', () => {
    // The index of account ids has each id once more, outside the table.
    const content = readFileSync(sound);
    const database = new Sqlite(sound, { readonly: true });
    const id = database
      .prepare('SELECT id FROM account_row WHERE rowid = 5')
      .pluck()
      .get() as Buffer;
    database.close();
    const places: number[] = [];
    for (let at = content.indexOf(id); at >= 0; at = content.indexOf(id, at + 1)) places.push(at);
    expect(places.length).toBeGreaterThanOrEqual(2);
    for (const at of places) {
      const damaged = Buffer.from(content);
      damaged[at + 15]! ^= 1;
      writeFileSync(file, damaged);
      expect(verify()).not.toBe(null);
    }
  });
});

/** All that can be read from the tables. */
function dump(path: string): string {
  const database = new Sqlite(path, { readonly: true });
  const sql = `SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`;
  const tables = database.prepare(sql).pluck().all() as string[];
  const rows = tables.map((table) =>
    database.prepare(`SELECT * FROM ${table}`).safeIntegers().all(),
  );
  database.close();
  return JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value));
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TransferRowWord } from '../../../ledger/layout.ts';
import {
  channelRow,
  decisionRow,
  FoldMaker,
  OTHER_UNIT,
  openRow,
  u64,
} from '../../core/books.fixture.ts';
import { booksFile, openToWrite, prepareFile } from './connection.ts';
import { BooksReader } from './reader.ts';
import { walkTransfers } from './walk.ts';
import { BooksWriter } from './writer.ts';

const UNIT = 2;
let folder: string;
let file: string;
let maker: FoldMaker;
let rows: Uint32Array;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-damage-'));
  file = booksFile(folder, UNIT);
  prepareFile(file, UNIT, 'c');
  const writer = new BooksWriter(file, UNIT);
  maker = new FoldMaker(UNIT, { mix: 'plain' });
  const fold = maker.next({ accounts: 6, transfers: 300 });
  rows = fold.transfers.slice();
  writer.commit({
    ...fold,
    opened: openRow(OTHER_UNIT, 1n),
    decisions: decisionRow(OTHER_UNIT, 4n),
    channels: channelRow(OTHER_UNIT, 6n, 2n),
  });
  writer.close();
});
afterEach(() => rmSync(folder, { recursive: true }));

/**
 * Flips the lowest bit of one byte of the blob that the SQL finds, in the file itself; in the
 * remnants too that a split page leaves of it.
 */
function rot(sql: string, byte: number): void {
  const database = new Sqlite(file, { readonly: true });
  const blob = database.prepare(sql).pluck().get() as Buffer;
  database.close();
  const content = readFileSync(file);
  expect(content.includes(blob)).toBe(true);
  for (let at = content.indexOf(blob); at >= 0; at = content.indexOf(blob, at + 1)) {
    content[at + byte]! ^= 1;
  }
  writeFileSync(file, content);
}

function reading<T>(read: (reader: BooksReader) => T): T {
  const reader = new BooksReader(file);
  try {
    return read(reader);
  } finally {
    reader.close();
  }
}

const load = (): unknown => reading((reader) => [...reader.image().accounts]);

test('sound books load', () => {
  expect(load()).toHaveLength(1);
});

describe('a flipped bit is found when it is read, and named', () => {
  const SECOND = 'SELECT row FROM transfer_row ORDER BY timestamp LIMIT 1 OFFSET 1';

  test.each([0, 17, 147, 148, 151])('in byte %i of a transfer', (byte) => {
    rot(SECOND, byte);
    const second = rows.slice(40, 80);
    const timestamp = u64(second, TransferRowWord.rowTimestamp);
    const message = `${file}: table transfer_row: row ${timestamp} fails its CRC-32`;
    expect(() => reading((reader) => reader.lookUp(second.slice(0, 4)))).toThrow(message);
    expect(() => reading((reader) => reader.transferAt(timestamp))).toThrow(message);
  });

  test('in a row that a walk passes', () => {
    const handle = [1, 2, 3, 4, 5].find(
      (each) => rows.slice(44, 48).join() === maker.accountId(each).join(),
    );
    rot(SECOND, 50);
    const query = {
      newestRowTimestamp: maker.newestRowTimestamp(handle ?? 0),
      accountId: maker.accountId(handle ?? 0),
      fromTimestamp: 0n,
      toTimestamp: 2n ** 63n,
      limit: 1_000,
      reversed: true,
    };
    expect(() => reading((reader) => walkTransfers(reader, query))).toThrow('CRC-32');
  });

  test.each([0, 143])('in byte %i of an account', (byte) => {
    rot('SELECT row FROM account_row WHERE rowid = 4', byte);
    expect(load).toThrow(`${file}: table account_row: row 4 fails its CRC-32`);
  });

  test.each(['opened', 'decision', 'channel'])('in a row of %s', (table) => {
    rot(`SELECT row FROM ${table}`, 13);
    expect(load).toThrow(`${file}: table ${table}: row 1 by key fails its CRC-32`);
  });
});

describe('damage that SQL could do is found too', () => {
  test.each([
    ['DELETE FROM account_row WHERE rowid = 3', 'table account_row: rows are missing'],
    [
      'UPDATE account_row SET row = (SELECT row FROM account_row WHERE rowid = 2) WHERE rowid = 3',
      'row 3 fails its CRC-32',
    ],
    ['UPDATE meta SET applied_index = 2', 'meta fails its CRC-32'],
    ['DELETE FROM meta', 'meta is empty'],
  ])('%s', (sql, message) => {
    change(sql);
    expect(load).toThrow(message);
  });

  test.each([
    ['DELETE FROM transfer_row', 'is missing'],
    ['UPDATE transfer_id SET timestamp = timestamp + 10000', 'is missing'],
    [
      'UPDATE transfer_id SET timestamp = (SELECT max(timestamp) FROM transfer_row)',
      'has another id',
    ],
  ])('%s, by a look-up', (sql, message) => {
    change(sql);
    expect(() => reading((reader) => reader.lookUp(rows.slice(0, 4)))).toThrow(message);
  });

  test('a page that SQLite itself calls malformed is named with its file', () => {
    const content = readFileSync(file);
    content.fill(0xff, content.length - 3 * 8_192);
    writeFileSync(file, content);
    const all = Uint32Array.from(
      { length: 300 * 4 },
      (_, i) => rows[Math.floor(i / 4) * 40 + (i % 4)]!,
    );
    const damage = (): unknown => [load(), reading((reader) => reader.lookUp(all))];
    expect(damage).toThrow(`${file}: table `);
  });

  function change(sql: string): void {
    const database = openToWrite(file);
    database.exec(sql);
    database.close();
  }
});

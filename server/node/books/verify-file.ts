import Sqlite from 'better-sqlite3';
import type { CheckedFile } from './checked-file.ts';
import { createSchema } from './schema.ts';
import { differ, mustEqual } from './verify-difference.ts';

/** What SQLite can tell by itself: the file's structure, and that its indexes agree with their tables. */
export function checkStructure(file: CheckedFile): void {
  const { database } = file;
  // Tables with an index of their own; of the others a quick check sees all.
  for (const pragma of [
    'quick_check(1)',
    'integrity_check(account_row)',
    'integrity_check(pending_row)',
  ]) {
    const found = file.reading('file', () => database.pragma(pragma, { simple: true }));
    mustEqual('file', `PRAGMA ${pragma}`, 'ok', String(found));
  }
}

/** The tables, indexes and views are those of this format, to the letter. */
export function checkSchema(file: CheckedFile): void {
  const expected = modelObjects();
  const found = file.reading('sqlite_schema', () => objectsOf(file.database));
  for (const [name, sql] of expected) {
    mustEqual('sqlite_schema', name, sql, found.get(name) ?? 'nothing');
  }
  for (const [name, sql] of found) {
    if (!expected.has(name)) differ('sqlite_schema', name, 'nothing', sql);
  }
}

let model: Map<string, string> | null = null;

/** Those of books just made. */
function modelObjects(): Map<string, string> {
  if (model !== null) return model;
  const database = new Sqlite(':memory:');
  createSchema(database, 1, 'model');
  model = objectsOf(database);
  database.close();
  return model;
}

/** What makes each of them, by kind and name. */
function objectsOf(database: Sqlite.Database): Map<string, string> {
  const sql = `SELECT type || ' ' || name || ' of ' || tbl_name, coalesce(sql, 'automatic')
    FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY 1`;
  return new Map(database.prepare(sql).raw().all() as [string, string][]);
}

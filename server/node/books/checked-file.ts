import type { Database } from 'better-sqlite3';
import { addNumbers, openToRead } from './connection.ts';

/** One unit's file, open to be read. What is wrong with it is an error that names file and table. */
export class CheckedFile {
  readonly file: string;
  readonly database: Database;

  constructor(file: string) {
    this.file = file;
    this.database = openToRead(file);
    addNumbers(this.database);
  }

  /** Names the file and the table in an error that SQLite gives. */
  reading<T>(table: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Error) || error.message.startsWith(this.file)) throw error;
      throw this.damage(table, error.message, error);
    }
  }

  damage(table: string, text: string, cause?: unknown): BooksDamage {
    return new BooksDamage(this.file, table, text, cause);
  }
}

/** What was read can't be what was written. */
export class BooksDamage extends Error {
  override readonly name = 'BooksDamage';
  readonly table: string;
  readonly text: string;

  constructor(file: string, table: string, text: string, cause?: unknown) {
    super(`${file}: table ${table}: ${text}`, { cause });
    this.table = table;
    this.text = text;
  }
}

import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { constants, gunzipSync } from 'node:zlib';
import { type Book, BookError, type BookRow, COLUMNS } from './book.ts';
import { columnAt, RowReader, shown } from './row.ts';

/** A book is held in memory whole, about 200 bytes a row: at 60 bytes a line this is 17 M rows. */
const BOOK_BYTES_MAX = 2 ** 30;
/** Far above the longest legal line; keeps a file without line ends from becoming one string. */
const LINE_BYTES_MAX = 1_000;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;

/**
 * Reads a bank's book, plain or gzipped, and checks all of it: what is returned has no error, so
 * nothing of a faulty book can be booked. Throws `BookError` for the first fault.
 */
export function readBook(path: string): Book {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BookError({ path }, `cannot be read: ${reason}`, { cause: error });
  }
  const zipped = path.endsWith('.gz') || (bytes[0] === 0x1f && bytes[1] === 0x8b);
  return parseBook(path, zipped && bytes.length > 0 ? unzip(path, bytes) : bytes);
}

/** The rows of a book given as plain bytes; `path` only names it in errors. */
export function parseBook(path: string, bytes: Buffer): Book {
  if (bytes.length === 0) throw new BookError({ path }, `is empty: expected the header ${HEADER}`);
  if (bytes.length > BOOK_BYTES_MAX) throw tooLarge(path);
  checkUtf8(path, bytes);

  const reader = new RowReader(path);
  const rows: BookRow[] = [];
  let line = 0;
  for (let start = 0; start < bytes.length; ) {
    line += 1;
    const lineFeed = bytes.indexOf(LINE_FEED, start);
    const ended = lineFeed >= 0;
    const next = ended ? lineFeed : bytes.length;
    const end = ended && next > start && bytes[next - 1] === CARRIAGE_RETURN ? next - 1 : next;
    const fields = splitLine(path, line, bytes.subarray(start, end), ended);
    if (line === 1) checkHeader(path, fields);
    else rows.push(reader.read(line, fields));
    start = next + 1;
  }
  if (rows.length === 0) throw new BookError({ path, line: 2 }, 'expected a row after the header');
  return { path, rows };
}

const HEADER = COLUMNS.join(',');

function splitLine(path: string, line: number, bytes: Buffer, ended: boolean): string[] {
  if (bytes.length > LINE_BYTES_MAX) {
    const problem = `expected at most ${LINE_BYTES_MAX} bytes a line, got ${bytes.length}`;
    throw new BookError({ path, line }, problem);
  }
  const text = bytes.toString('latin1');
  if (text.includes('"')) {
    const column = columnAt(bytes.subarray(0, bytes.indexOf(QUOTE)));
    throw new BookError({ path, line, column }, 'expected no quotes: this form has none');
  }
  const fields = text.split(',');
  if (fields.length !== COLUMNS.length && line > 1) {
    const cut = !ended && fields.length < COLUMNS.length ? ': the file ends inside this line' : '';
    const column = COLUMNS[Math.min(fields.length, COLUMNS.length - 1)]!;
    const problem = `expected ${COLUMNS.length} fields, got ${fields.length}${cut}`;
    throw new BookError({ path, line, column }, problem);
  }
  if (!ended && line > 1) {
    // All fields may be there and the last one still be cut: only the line's end tells.
    throw new BookError({ path, line }, 'expected a line end: the file may end inside this line');
  }
  return fields;
}

function checkHeader(path: string, fields: readonly string[]): void {
  const wrong = COLUMNS.findIndex((name, index) => fields[index] !== name);
  const column = COLUMNS[wrong];
  if (column !== undefined) {
    const got = fields[wrong] === undefined ? 'the end of the line' : shown(fields[wrong]);
    const problem = `expected the header ${HEADER}, got ${got} here`;
    throw new BookError({ path, line: 1, column }, problem);
  }
  if (fields.length > COLUMNS.length) {
    const problem = `expected the header ${HEADER}, got ${fields.length} columns`;
    throw new BookError({ path, line: 1 }, problem);
  }
}

function checkUtf8(path: string, bytes: Buffer): void {
  if (isUtf8(bytes)) return;
  // A line feed is never a part of a longer UTF-8 sequence, so lines can be judged one by one.
  let line = 1;
  let start = 0;
  let end = bytes.indexOf(LINE_FEED);
  while (end >= 0 && isUtf8(bytes.subarray(start, end))) {
    line += 1;
    start = end + 1;
    end = bytes.indexOf(LINE_FEED, start);
  }
  const text = bytes.subarray(
    start,
    Math.min(end < 0 ? bytes.length : end, start + LINE_BYTES_MAX),
  );
  let comma = text.indexOf(',');
  while (comma >= 0 && isUtf8(text.subarray(0, comma))) comma = text.indexOf(',', comma + 1);
  const column = columnAt(text.subarray(0, comma < 0 ? text.length : comma));
  throw new BookError({ path, line, column }, 'expected UTF-8 text');
}

function tooLarge(path: string, options?: ErrorOptions): BookError {
  return new BookError({ path }, `expected at most ${BOOK_BYTES_MAX} bytes of text`, options);
}

function unzip(path: string, bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: BOOK_BYTES_MAX });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(path, { cause: error });
    if (code !== 'Z_BUF_ERROR') {
      const problem = `expected gzip data, but it is corrupt or not gzip: ${message}`;
      throw new BookError({ path }, problem, { cause: error });
    }
    const readable = gunzipSync(bytes, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: BOOK_BYTES_MAX,
    });
    const line = 1 + readable.reduce((count, byte) => count + (byte === LINE_FEED ? 1 : 0), 0);
    const problem = 'expected more gzip data: the file is cut short inside this line';
    throw new BookError({ path, line }, problem, { cause: error });
  }
}

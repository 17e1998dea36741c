/**
 * Columns for SQL that splits one blob into many rows: `substr(:column, i * WIDTH + 1, WIDTH)`. One
 * bind and one statement for thousands of rows is several times faster than a statement a row.
 */

/** Bytes of a u64 in a column: SQL has no way to read packed numbers, but it CASTs digits. */
export const NUMBER_BYTES = 20;
export const ID_BYTES = 16;

const POWER_4 = 10_000;
const POWER_8 = POWER_4 * POWER_4;
const POWER_22_OF_2 = 2 ** 22;
const FOUR_DIGITS = makeFourDigits();

/**
 * Writes the u64, which must be below 2^63, as 20 ASCII digits. Every product stays below 2^53, so
 * that doubles are exact.
 */
export function putNumber(column: Uint32Array, row: number, lo: number, hi: number): void {
  const upper = hi * 2 ** 10 + (lo >>> 22);
  const upperHigh = Math.floor(upper / POWER_8);
  const rest = (upper - upperHigh * POWER_8) * POWER_22_OF_2 + (lo & (POWER_22_OF_2 - 1));
  const carry = Math.floor(rest / POWER_8);
  const top = upperHigh * POWER_22_OF_2 + carry;
  const low = rest - carry * POWER_8;
  const at = row * (NUMBER_BYTES / 4);
  column[at] = FOUR_DIGITS[Math.floor(top / POWER_8)]!;
  column[at + 1] = FOUR_DIGITS[Math.floor(top / POWER_4) % POWER_4]!;
  column[at + 2] = FOUR_DIGITS[top % POWER_4]!;
  column[at + 3] = FOUR_DIGITS[Math.floor(low / POWER_4)]!;
  column[at + 4] = FOUR_DIGITS[low % POWER_4]!;
}

export function* chunks(total: number, size: number): Generator<[from: number, count: number]> {
  for (let from = 0; from < total; from += size) yield [from, Math.min(size, total - from)];
}

/** Rows `from` up to `from + count`, as a view. */
export function slice(
  rows: Uint32Array,
  rowWords: number,
  from: number,
  count: number,
): Uint32Array {
  return rows.subarray(from * rowWords, (from + count) * rowWords);
}

/** SQL for number i of the column that is bound to this parameter. */
export function numberAt(parameter: string): string {
  return `CAST(substr(:${parameter}, i * ${NUMBER_BYTES} + 1, ${NUMBER_BYTES}) AS INTEGER)`;
}

/** SQL for id i of the column that is bound to this parameter. */
export function idAt(parameter: string): string {
  return `substr(:${parameter}, i * ${ID_BYTES} + 1, ${ID_BYTES})`;
}

/** The column of the u64 at `word` of each row. */
export function u64Column(rows: Uint32Array, rowWords: number, word: number): Uint32Array {
  const count = rows.length / rowWords;
  const column = new Uint32Array(count * (NUMBER_BYTES / 4));
  for (let row = 0; row < count; row++) {
    const at = row * rowWords + word;
    putNumber(column, row, rows[at]!, rows[at + 1]!);
  }
  return column;
}

export function u32Column(rows: Uint32Array, rowWords: number, word: number): Uint32Array {
  const count = rows.length / rowWords;
  const column = new Uint32Array(count * (NUMBER_BYTES / 4));
  for (let row = 0; row < count; row++) putNumber(column, row, rows[row * rowWords + word]!, 0);
  return column;
}

export function copyNumber(to: Uint32Array, row: number, from: Uint32Array, fromRow: number): void {
  const words = NUMBER_BYTES / 4;
  for (let word = 0; word < words; word++) to[row * words + word] = from[fromRow * words + word]!;
}

/** Copies the little-endian id at `from` as big-endian bytes. */
export function putId(column: Uint32Array, row: number, words: Uint32Array, from: number): void {
  const at = row * (ID_BYTES / 4);
  for (let word = 0; word < 4; word++) column[at + word] = swapBytes(words[from + 3 - word]!);
}

function swapBytes(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/** For each number below 10,000 its four digits, as one little-endian word. */
function makeFourDigits(): Uint32Array {
  const words = new Uint32Array(POWER_4);
  const bytes = new Uint8Array(words.buffer);
  for (let value = 0; value < POWER_4; value++) {
    bytes[value * 4] = 48 + Math.floor(value / 1_000);
    bytes[value * 4 + 1] = 48 + (Math.floor(value / 100) % 10);
    bytes[value * 4 + 2] = 48 + (Math.floor(value / 10) % 10);
    bytes[value * 4 + 3] = 48 + (value % 10);
  }
  return words;
}

/** Rows a call of idOrder takes: an ordinal has 20 bits of the sort key. */
export const ID_ORDER_ROWS_MAX = 1 << 20;
const ORDINALS = ID_ORDER_ROWS_MAX;
/** 53 bits of a double, less the ordinal's. */
const KEY_MAX = 2 ** 33 - 1;

/**
 * The order in which to insert `count` rows whose ids start at word 0 of each: ascending by the 33
 * highest bits in which their upper halves differ, about. It need not be exact: it only spares the
 * B-tree of ids a walk from page to page for each row, which costs random ids four times the time.
 */
export function idOrder(rows: Uint32Array, rowWords: number, count: number): Float64Array {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = 0;
  const keys = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    const key = rows[row * rowWords + 3]! * 2 ** 32 + rows[row * rowWords + 2]!;
    lowest = Math.min(lowest, key);
    highest = Math.max(highest, key);
    keys[row] = key;
  }
  const scale = Math.max(1, (highest - lowest) / KEY_MAX);
  for (let row = 0; row < count; row++) {
    keys[row] = Math.floor((keys[row]! - lowest) / scale) * ORDINALS + row;
  }
  keys.sort();
  for (let at = 0; at < count; at++) keys[at] = keys[at]! % ORDINALS;
  return keys;
}

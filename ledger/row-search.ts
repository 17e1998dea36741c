import type { RowRing } from './row-ring.ts';

/** Serial of the first row, from `first` on, whose u64 at `word` is not below; `rows.end` if there is none. Rows ascend by it. */
export function firstRowFrom(
  rows: RowRing,
  first: number,
  word: number,
  lo: number,
  hi: number,
): number {
  let from = first;
  let end = rows.end;
  while (from < end) {
    const middle = Math.floor((from + end) / 2);
    const words = rows.wordsOf(middle);
    const at = rows.offsetOf(middle) + word;
    if (words[at + 1]! < hi || (words[at + 1] === hi && words[at]! < lo)) from = middle + 1;
    else end = middle;
  }
  return from;
}

/** Serial of the row, from `first` on, whose u64 at `word` is this one, or -1. */
export function findRow(
  rows: RowRing,
  first: number,
  word: number,
  lo: number,
  hi: number,
): number {
  const serial = firstRowFrom(rows, first, word, lo, hi);
  if (serial === rows.end) return -1;
  const words = rows.wordsOf(serial);
  const at = rows.offsetOf(serial) + word;
  return words[at] === lo && words[at + 1] === hi ? serial : -1;
}

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

/**
 * The same among the rows from `first` on and before serial `end`: near `end` it is found fastest, as the
 * rows of a busy account are.
 */
export function findRowBefore(
  rows: RowRing,
  first: number,
  end: number,
  word: number,
  lo: number,
  hi: number,
): number {
  if (end <= first) return -1;
  let above = end;
  let below = end - 1;
  for (let step = 1; below > first && isAfter(rows, below, word, lo, hi); step *= 2) {
    above = below;
    below = Math.max(first, below - step);
  }
  while (below < above) {
    const middle = Math.floor((below + above) / 2);
    if (isAfter(rows, middle, word, lo, hi)) above = middle;
    else below = middle + 1;
  }
  const serial = above - 1;
  if (serial < first) return -1;
  const words = rows.wordsOf(serial);
  const at = rows.offsetOf(serial) + word;
  return words[at] === lo && words[at + 1] === hi ? serial : -1;
}

function isAfter(rows: RowRing, serial: number, word: number, lo: number, hi: number): boolean {
  const words = rows.wordsOf(serial);
  const at = rows.offsetOf(serial) + word;
  return words[at + 1]! > hi || (words[at + 1] === hi && words[at]! > lo);
}

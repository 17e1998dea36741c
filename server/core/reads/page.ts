import { u64At } from '../books-row.ts';
import { READ_SCAN_ROWS_MAX } from '../limits.ts';
import { concat, putU64 } from './row.ts';

/** What a unit answers to a read that pages starts with this. */
export const PAGE_HEADER_WORDS = 4;
export const PageWord = {
  /** 1 if there may be more, else 0. Word 1 is zero. */
  more: 0,
  /** u64: timestamp of what was looked at last: the next page goes on after it. 0 = nothing was. */
  position: 2,
} as const;

/** Rows that a unit gives for one call: ascending or descending by their timestamp. */
export interface UnitPage {
  readonly more: boolean;
  readonly position: bigint;
  readonly rows: readonly Uint32Array[];
}

/** What to look through. */
export interface Candidates {
  readonly limit: number;
  /** The next candidates in order, at most `max` of them; none = there are no more. */
  next(max: number): readonly Uint32Array[];
  /** What goes into the page for a candidate; null = it does not meet the filter. */
  pick(candidate: Uint32Array): Uint32Array | null;
  timestampOf(candidate: Uint32Array): bigint;
}

const FIRST_CHUNK_ROWS = 64;
const CHUNK_ROWS_MAX = 1_024;

/**
 * Looks through candidates until the page is full, they end, or the call has looked at as many as one may:
 * nothing else of the server's happens meanwhile.
 */
export function collectPage(candidates: Candidates, scanMax = READ_SCAN_ROWS_MAX): UnitPage {
  const rows: Uint32Array[] = [];
  let position = 0n;
  let looked = 0;
  let chunk = FIRST_CHUNK_ROWS;
  while (looked < scanMax) {
    const wanted = Math.max(chunk, Math.min(candidates.limit - rows.length, CHUNK_ROWS_MAX));
    const found = candidates.next(Math.min(wanted, scanMax - looked));
    if (found.length === 0) return { more: false, position, rows };
    for (const candidate of found) {
      const row = candidates.pick(candidate);
      position = candidates.timestampOf(candidate);
      looked += 1;
      if (row !== null) rows.push(row);
      if (rows.length === candidates.limit) return { more: true, position, rows };
    }
    chunk = Math.min(chunk * 2, CHUNK_ROWS_MAX);
  }
  return { more: true, position, rows };
}

/** `head`: rows of another kind that come first. */
export function packPage(page: UnitPage, ...head: readonly Uint32Array[]): Uint32Array {
  const header = new Uint32Array(PAGE_HEADER_WORDS);
  header[PageWord.more] = page.more ? 1 : 0;
  putU64(header, PageWord.position, page.position);
  return concat([header, ...head, ...page.rows]);
}

/** `headWords`: of what comes before the rows. */
export function unpackPage(words: Uint32Array, headWords: number, rowWords: number): UnitPage {
  const rows: Uint32Array[] = [];
  for (let at = PAGE_HEADER_WORDS + headWords; at < words.length; at += rowWords) {
    rows.push(words.subarray(at, at + rowWords));
  }
  return {
    more: words[PageWord.more] === 1,
    position: u64At(words, PageWord.position),
    rows,
  };
}

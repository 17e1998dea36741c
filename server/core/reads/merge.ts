import type { UnitPage } from './page.ts';
import type { Cursor } from './token.ts';

/** One unit's part of a page, and where the page began in it. */
export interface Part {
  readonly cursor: Cursor;
  readonly page: UnitPage;
}

export interface MergedPage {
  readonly rows: readonly Uint32Array[];
  /** Where the next page begins; null if there is none. */
  readonly cursors: readonly Cursor[] | null;
}

export interface MergeOptions {
  readonly reversed: boolean;
  readonly limit: number;
  readonly timestampOf: (row: Uint32Array) => bigint;
}

interface Candidate {
  readonly part: number;
  readonly row: Uint32Array;
  readonly timestamp: bigint;
}

/**
 * One page of several units' pages, by (timestamp, unit). A unit that has more, and so may have rows just
 * beyond where it stopped looking, bounds the page there. Each unit keeps a cursor of its own: what a unit
 * books behind another's time is not left out.
 */
export function mergePages(parts: readonly Part[], options: MergeOptions): MergedPage {
  const { reversed, limit, timestampOf } = options;
  const isBefore = (a: bigint, b: bigint) => (reversed ? a > b : a < b);
  let bound: bigint | null = null;
  for (const { page } of parts) {
    if (page.more && (bound === null || isBefore(page.position, bound))) bound = page.position;
  }
  const candidates: Candidate[] = parts.flatMap(({ page }, part) =>
    page.rows.map((row) => ({ part, row, timestamp: timestampOf(row) })),
  );
  candidates.sort((a, b) => {
    if (a.timestamp === b.timestamp) return a.part - b.part;
    return isBefore(a.timestamp, b.timestamp) ? -1 : 1;
  });
  const taken = candidates.filter(({ timestamp }, i) => {
    return i < limit && (bound === null || !isBefore(bound, timestamp));
  });
  const left: (Candidate | undefined)[] = parts.map((_, part) =>
    candidates.slice(taken.length).find((candidate) => candidate.part === part),
  );
  const cursors = parts.map((part, i) => cursorAfter(part, left[i], reversed));
  const more = parts.some(({ page }, i) => page.more || left[i] !== undefined);
  return { rows: taken.map(({ row }) => row), cursors: more ? cursors : null };
}

/** `left`: the unit's first row that is not in the page. */
function cursorAfter(
  { cursor, page }: Part,
  left: Candidate | undefined,
  reversed: boolean,
): Cursor {
  if (left !== undefined) {
    const position = reversed ? left.timestamp + 1n : left.timestamp - 1n;
    return { ...cursor, position };
  }
  const position = page.position === 0n ? cursor.position : page.position;
  return { ...cursor, position, ended: reversed && !page.more };
}

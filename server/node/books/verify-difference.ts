/** The first thing in books that is not as it must be. */
export interface Difference {
  /** A table of the file; 'file' for what is none. */
  readonly table: string;
  /** Which row of it, by its key, and which part of the row. */
  readonly row: string;
  readonly expected: string;
  readonly found: string;
}

export class DifferenceError extends Error {
  override readonly name = 'DifferenceError';
  readonly difference: Difference;

  constructor(difference: Difference) {
    super(`${difference.table}: ${difference.row}`);
    this.difference = difference;
  }
}

type Told = string | number | bigint;

export function differ(table: string, row: string, expected: Told, found: Told): never {
  const difference = { table, row, expected: String(expected), found: String(found) };
  throw new DifferenceError(difference);
}

export function mustEqual(table: string, row: string, expected: Told, found: Told): void {
  if (expected !== found) differ(table, row, expected, found);
}

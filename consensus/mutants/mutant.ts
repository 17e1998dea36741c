/**
 * A fault that others met in the field, put into our code in one line, and the test that must go red over it. Kept as
 * data; `npm run mutants` applies each in a copy of the checkout (see testing/mutants.ts).
 */
export interface Mutant {
  /** 1..53; one fault may be put in at several places. */
  readonly bug: number;
  /** What goes wrong with it. */
  readonly fault: string;
  /**
   * Why the fault itself has no place in our code; what is broken then is the check that keeps it out.
   */
  readonly instead?: string;
  readonly file: string;
  /** Stands exactly once in `file`. */
  readonly find: string;
  readonly replace: string;
  readonly testFile: string;
  /** Title of the test, without those of the blocks around it; of a table of tests what all begin with. */
  readonly test: string;
}

/** Tests that no scenario asks for. */
export const FIELD_BUGS = 'consensus/field-bugs.test.ts';

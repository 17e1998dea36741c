/**
 * Cases as text, one event a line with the status that the document gives it. A case starts on a fresh
 * unit. Consecutive event lines are one request; anything else ends it.
 *
 *     case NAME
 *     account NAME [flags] [field=value] : status
 *     transfer ID DEBIT CREDIT AMOUNT [flags] [field=value] : status
 *     post ID of PENDING [flags] [field=value] : status      all of it, unless amount= says else
 *     void ID of PENDING ...
 *     expire PENDING : status
 *     many COUNT transfer ID ...                             ids count up from ID
 *     ladder [imported] EVENT                                rungs follow, indented; see table-ladder.ts
 *     at TIME                                                of the next request
 *     balances NAME DP DC CP CC · state ID STATE · next ID · feed ID ... expiry:ID ... · fold · restart
 *
 * An account's id is its name; 0, max and numbers stand for themselves. A TIME is now, a number, an
 * account's name, #ID or deadline(ID), plus or minus nanoseconds: `now-1`, `deadline(7)`.
 */
export interface TableLine {
  readonly number: number;
  readonly isIndented: boolean;
  readonly words: readonly string[];
  readonly fields: ReadonlyMap<string, string>;
  /** After the colon. */
  readonly expected: string | null;
}

export interface TableCase {
  readonly name: string;
  /** Empty lines are kept: they end a request. */
  readonly lines: readonly TableLine[];
}

export function parseTable(text: string): TableCase[] {
  const cases: { name: string; lines: TableLine[] }[] = [];
  text.split('\n').forEach((raw, i) => {
    const line = raw.replace(/#(?![0-9]).*/, '').trimEnd();
    if (raw.trimStart().startsWith('#')) return;
    if (line.startsWith('case ')) {
      cases.push({ name: line.slice('case '.length), lines: [] });
      return;
    }
    const last = cases.at(-1);
    if (last !== undefined) last.lines.push(parseLine(line, i + 1));
    else if (line !== '') throw new Error(`line ${i + 1} stands before the first case`);
  });
  return cases;
}

function parseLine(line: string, number: number): TableLine {
  const [left = '', expected = null] = line.split(/ : /);
  const all = left.split(/\s+/).filter((word) => word !== '');
  const fields = new Map<string, string>();
  for (const word of all.filter((word) => word.includes('='))) {
    const [name, value] = word.split('=') as [string, string];
    fields.set(name, value);
  }
  const words = all.filter((word) => !word.includes('='));
  return { number, isIndented: /^\s/.test(line), words, fields, expected };
}

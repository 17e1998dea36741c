import { HISTORY_ROW_WORDS, HistoryRowWord } from '../ledger/layout.ts';
import type { HistoryBalances } from '../server/core/books.ts';
import { u64At } from '../server/core/books-row.ts';

/** The sparse history of accounts: entries by handle, ascending by row timestamp. */
export class HistoryTable {
  readonly #entries = new Map<number, HistoryBalances[]>();

  /** Throws unless each account's entries go on from those it has. */
  assert(rows: Uint32Array): void {
    const last = new Map<number, bigint>();
    for (const [handle, { rowTimestamp }] of entriesOf(rows)) {
      const before = last.get(handle) ?? this.#entries.get(handle)?.at(-1)?.rowTimestamp ?? -1n;
      if (rowTimestamp <= before) throw new Error('an account has two history entries at one time');
      last.set(handle, rowTimestamp);
    }
  }

  put(rows: Uint32Array): void {
    for (const [handle, entry] of entriesOf(rows)) {
      const entries = this.#entries.get(handle);
      if (entries === undefined) this.#entries.set(handle, [entry]);
      else entries.push(entry);
    }
  }

  /** Those after that time, ascending by account and time. */
  rows(after: bigint): Uint32Array {
    const found: number[] = [];
    for (const handle of [...this.#entries.keys()].sort((a, b) => a - b)) {
      for (const { rowTimestamp, balances } of this.#entries.get(handle)!) {
        if (rowTimestamp <= after) continue;
        const [lo, hi] = [Number(rowTimestamp & 0xffff_ffffn), Number(rowTimestamp >> 32n)];
        found.push(handle, 0, lo, hi, ...balances);
      }
    }
    return Uint32Array.from(found);
  }

  /** The account's newest entry at or before `timestamp`, or null. */
  balancesAt(handle: number, timestamp: bigint): HistoryBalances | null {
    const entry = this.#entries
      .get(handle)
      ?.findLast(({ rowTimestamp }) => rowTimestamp <= timestamp);
    return entry === undefined ? null : { ...entry, balances: entry.balances.slice() };
  }
}

function* entriesOf(rows: Uint32Array): Generator<[handle: number, HistoryBalances]> {
  for (let at = 0; at < rows.length; at += HISTORY_ROW_WORDS) {
    const balances = rows.slice(at + HistoryRowWord.balances, at + HISTORY_ROW_WORDS);
    const rowTimestamp = u64At(rows, at + HistoryRowWord.rowTimestamp);
    yield [rows[at + HistoryRowWord.handle]!, { rowTimestamp, balances }];
  }
}

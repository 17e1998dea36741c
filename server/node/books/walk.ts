import { TransferRowWord } from '../../../ledger/layout.ts';
import type { AccountTransfersQuery } from '../../core/books.ts';
import { sideOf, u64At } from '../../core/books-row.ts';

/** What a walk reads. */
export interface LinkedHistory {
  transferAt(timestamp: bigint): Uint32Array;
  /** See BooksReader. */
  historyTimestamp(accountId: Uint32Array, from: bigint, rows: number): bigint | null;
}

/**
 * An account's rows, found by the links back from row to row. The sparse history, an entry each
 * HISTORY_EVERY rows or more often, tells where to start. One row read takes a few microseconds, and a query reads
 * its `limit` rows and at most 2 * HISTORY_EVERY more, whatever the account's age and the direction;
 * it never holds more than `limit` of them.
 */
export function walkTransfers(history: LinkedHistory, query: AccountTransfersQuery): Uint32Array[] {
  if (query.newestRowTimestamp === 0n || query.limit <= 0) return [];
  const rows = query.reversed ? newestFirst(history, query) : oldestFirst(history, query);
  return rows;
}

function newestFirst(history: LinkedHistory, query: AccountTransfersQuery): Uint32Array[] {
  const rows: Uint32Array[] = [];
  for (const row of walkBack(
    history,
    query,
    startAtOrAfter(history, query, 0, query.toTimestamp),
  )) {
    rows.push(row);
    if (rows.length === query.limit) break;
  }
  return rows;
}

/**
 * The links lead back only, so it starts late enough to pass `limit` rows on the way to
 * fromTimestamp, and keeps those it saw last.
 */
function oldestFirst(history: LinkedHistory, query: AccountTransfersQuery): Uint32Array[] {
  const enough = startAtOrAfter(history, query, query.limit, query.fromTimestamp);
  const last = startAtOrAfter(history, query, 0, query.toTimestamp);
  const ring: Uint32Array[] = [];
  let seen = 0;
  for (const row of walkBack(history, query, enough < last ? enough : last)) {
    ring[seen % query.limit] = row;
    seen += 1;
  }
  const oldest = seen % ring.length || 0;
  return [...ring.slice(oldest), ...ring.slice(0, oldest)].reverse();
}

/** A row of the account with `rows` or more between `timestamp` and itself, or its newest. */
function startAtOrAfter(
  history: LinkedHistory,
  query: AccountTransfersQuery,
  rows: number,
  timestamp: bigint,
): bigint {
  const entry = history.historyTimestamp(query.accountId, timestamp, rows);
  return entry !== null && entry < query.newestRowTimestamp ? entry : query.newestRowTimestamp;
}

function* walkBack(
  history: LinkedHistory,
  query: AccountTransfersQuery,
  start: bigint,
): Generator<Uint32Array> {
  let timestamp = start;
  while (timestamp >= query.fromTimestamp && timestamp !== 0n) {
    const row = history.transferAt(timestamp);
    const side = sideOf(row, query.accountId);
    if (side === null) {
      throw new Error(`the history of an account leads to row ${timestamp}, which is not its own`);
    }
    if (timestamp <= query.toTimestamp) yield row;
    const link = side === 'debit' ? TransferRowWord.previousDebit : TransferRowWord.previousCredit;
    const previous = u64At(row, link);
    if (previous >= timestamp) throw new Error(`row ${timestamp} links forward, to ${previous}`);
    timestamp = previous;
  }
}

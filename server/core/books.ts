import type { BooksImage, Fold } from '../../ledger/fold.ts';
import type { BooksBuild, BooksReading, BooksState } from './books-copy.ts';

/**
 * The durable books of one unit. A commit holds whole entries and the index it brings the books to;
 * a crash keeps whole commits only. One conformance suite runs every implementation
 * (server/core/books.conformance.ts).
 */
export interface Books {
  /** All that a machine needs to start. Called once, before anything else. */
  load(): BooksImage;
  /**
   * Folds applied entries in, later. One commit at a time a unit; `fold.afterIndex` must be where the
   * books stand. `done` comes once the commit is seen by the reads below. It need not be
   * durable by then: a power cut may take whole commits back, and the log plays their entries again. So
   * the log may only forget what a checkpoint of the books has made durable.
   */
  commit(fold: Fold, done: (error: Error | null) => void): void;
  /** Makes what is committed durable, later: up to `index` no power cut takes it back. The log may go that far. */
  sync(done: (error: Error | null, index: number) => void): void;
  /** Log index the books stand at, as seen by the reads below. */
  index(): number;
  /**
   * Looks ids up: `ids` is count x 4 words. For each, in order: the transfer row
   * (TRANSFER_ROW_WORDS), 'burnt', or null. An error is thrown, never "not found". This row and those
   * of all other reads carry their PendingState.
   */
  lookUp(ids: Uint32Array): LookUp[];
  /** Rows of any leg by row timestamp: `timestamps` is count x 2 words. For each, in order: the row or null. */
  rowsAt(timestamps: Uint32Array): (Uint32Array | null)[];
  /** Up to `limit` rows of an account, of all legs, by row timestamp. Linked history, so no index a leg is needed. */
  accountTransfers(query: AccountTransfersQuery): Uint32Array[];
  /** Up to `limit` rows of all legs by row timestamp. */
  scan(query: ScanQuery): Uint32Array[];
  /** The account's newest sparse history entry at or before `timestamp`, or null. `handle` as in AccountRowWord. */
  balancesAt(handle: number, timestamp: bigint): HistoryBalances | null;
  /** What was asked for, four words, where another amount was booked; else null. As rowsAt. */
  requestedAt(timestamps: Uint32Array): (Uint32Array | null)[];
  /**
   * Up to `limit` ids that are taken, burnt ones too, ascending: those greater than `id`, or the first ones.
   * count x 4 words. A start goes through all of them in slices.
   */
  idsAfter(id: Uint32Array | null, limit: number): Uint32Array;
  /** Reads the books as they stand now for a replica that has those of `have`; null: it has none that count. */
  copy(have: BooksState | null): BooksReading;
  /** Begins a new generation, from the rows in force or from nothing. One at a time. */
  build(from: 'own' | 'nothing'): BooksBuild;
  close(): void;
}

export type LookUp = Uint32Array | 'burnt' | null;

/** Which rows of the unit to give, by row timestamp. */
export interface ScanQuery {
  readonly source:
    | { readonly kind: 'all' }
    /** Transfers whose user data of so many bits is this; never 0: only other values are indexed. */
    | { readonly kind: 'userData'; readonly bits: 32 | 64 | 128; readonly value: bigint }
    /** Pending transfers that nothing has resolved. */
    | { readonly kind: 'pending' };
  /** Row timestamps, inclusive, ns. */
  readonly fromTimestamp: bigint;
  readonly toTimestamp: bigint;
  /** Newest first when set, else oldest first. */
  readonly reversed: boolean;
  readonly limit: number;
}

export interface HistoryBalances {
  readonly rowTimestamp: bigint;
  /** BALANCES_WORDS, as they were after that row. */
  readonly balances: Uint32Array;
}

export interface AccountTransfersQuery {
  /** Row timestamp of the newest row to consider: where a walk starts. 0 = the account has none. */
  readonly newestRowTimestamp: bigint;
  /** The account's id, four words. */
  readonly accountId: Uint32Array;
  /** Row timestamps, inclusive, ns. */
  readonly fromTimestamp: bigint;
  readonly toTimestamp: bigint;
  /** Newest first when set, else oldest first. */
  readonly reversed: boolean;
  readonly limit: number;
}

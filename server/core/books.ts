import type { BooksImage, Fold } from '../../ledger/fold.ts';

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
  /** Log index the books stand at, as seen by the reads below. */
  index(): number;
  /**
   * Looks ids up: `ids` is count x 4 words. For each, in order: the transfer row
   * (TRANSFER_ROW_WORDS), 'burnt', or null. An error is thrown, never "not found".
   */
  lookUp(ids: Uint32Array): LookUp[];
  /** Up to `limit` rows of an account by row timestamp. Linked history, so no index a leg is needed. */
  accountTransfers(query: AccountTransfersQuery): Uint32Array[];
  close(): void;
}

export type LookUp = Uint32Array | 'burnt' | null;

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

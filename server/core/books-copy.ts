import {
  ACCOUNT_ROW_WORDS,
  BURNT_ROW_WORDS,
  CHANNEL_ROW_WORDS,
  DECISION_ROW_WORDS,
  HISTORY_ROW_WORDS,
  OPEN_ROW_WORDS,
  PENDING_ROW_WORDS,
  REQUESTED_ROW_WORDS,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from '../../ledger/layout.ts';
import { u64At } from './books-row.ts';
import {
  addSums,
  burntSum,
  historySum,
  type RowSums,
  requestedSum,
  transfersSum,
} from './books-sum.ts';
import { EvenkeelError } from './error.ts';

/** Books at one index, as they describe themselves: all but their rows. */
export interface BooksState extends RowSums {
  readonly unit: number;
  readonly index: number;
  readonly term: number;
  readonly lastTimestamp: bigint;
  readonly digest: string;
  /** Of the newest row; 0n when there is none. */
  readonly lastRowTimestamp: bigint;
  /** Rows of all legs. */
  readonly transferCount: number;
  readonly requestedCount: number;
  readonly burntCount: number;
  readonly decisionCount: number;
  readonly membership: Uint8Array | null;
  readonly slots: Uint16Array | null;
}

/** Part of the protocol between servers: never reuse a number. */
export const CopyTable = {
  accounts: 1,
  transfers: 2,
  pendings: 3,
  requested: 4,
  history: 5,
  burnt: 6,
  opened: 7,
  decisions: 8,
  channels: 9,
} as const;

/** Words of a row of each table, in the forms of layout.ts. */
export const COPY_ROW_WORDS: Readonly<Record<number, number>> = {
  [CopyTable.accounts]: ACCOUNT_ROW_WORDS,
  [CopyTable.transfers]: TRANSFER_ROW_WORDS,
  [CopyTable.pendings]: PENDING_ROW_WORDS,
  [CopyTable.requested]: REQUESTED_ROW_WORDS,
  [CopyTable.history]: HISTORY_ROW_WORDS,
  [CopyTable.burnt]: BURNT_ROW_WORDS,
  [CopyTable.opened]: OPEN_ROW_WORDS,
  [CopyTable.decisions]: DECISION_ROW_WORDS,
  [CopyTable.channels]: CHANNEL_ROW_WORDS,
};

/** Whole rows of one table. The receiver owns the buffer. */
export interface BooksChunk {
  readonly table: number;
  readonly rows: Uint32Array;
}

/**
 * One consistent state of a unit's books, read while they go on. Transfers, requested amounts and history never
 * change, so of these only rows above `have.lastRowTimestamp` come; all other tables come whole. One call at a
 * time; each `done` comes later, with an error once the books can't be read.
 */
export interface BooksReading {
  /** First. Gives what state it is. */
  open(done: (error: Error | null, state: BooksState | null) => void): void;
  /** The next chunk, of at most COPY_CHUNK_BYTES; null: that was all. */
  next(done: (error: Error | null, chunk: BooksChunk | null) => void): void;
  /** At any time; no `done` comes any more. */
  close(): void;
}

/**
 * A new generation of a unit's books, built beside the one in force. Nothing of it counts before `install`: a
 * crash leaves the old one. One call at a time; each `done` comes later.
 */
export interface BooksBuild {
  /** First. Starts from a copy of the rows in force and gives the state that they are of; null: from nothing. */
  open(done: (error: Error | null, own: BooksState | null) => void): void;
  /** Takes the chunk's buffer over. */
  add(chunk: BooksChunk, done: (error: Error | null) => void): void;
  /** Checks that the books now are what `state` says, and makes them durable. `copy_differs`: they are not. */
  finish(state: BooksState, done: (error: Error | null) => void): void;
  /**
   * After `finish`: puts them in force, by one rename. The books must have no commit under way. From `done`
   * on all that is read is new, from `load()` on.
   */
  install(done: (error: Error | null) => void): void;
  /** At any time before `install`; no `done` comes any more. */
  abandon(): void;
}

/**
 * Counts and sums of a copy while it is built. Own rows that are not the source's, lost rows and damaged ones all
 * show in the end, where a sum of CRC-32s or a count is another.
 */
export class CopyTotals {
  #transferCount: number;
  #requestedCount: number;
  #rowSum: number;
  #burntCount = 0;
  #burntSum = 0;
  #decisionCount = 0;
  #lastRowTimestamp: bigint;

  /** `own`: what the copy starts from. */
  constructor(own: BooksState | null) {
    this.#transferCount = own?.transferCount ?? 0;
    this.#requestedCount = own?.requestedCount ?? 0;
    this.#rowSum = own?.rowSum ?? 0;
    this.#lastRowTimestamp = own?.lastRowTimestamp ?? 0n;
  }

  /** Throws `copy_differs` if there can be no such chunk. Before anything is done with it. */
  add({ table, rows }: BooksChunk): void {
    const rowWords = COPY_ROW_WORDS[table];
    if (rowWords === undefined || rows.length % rowWords !== 0) {
      throw differs(`${rows.length} words of table ${table} are no rows`);
    }
    const count = rows.length / rowWords;
    switch (table) {
      case CopyTable.transfers:
        this.#assertAscending(rows);
        this.#transferCount += count;
        this.#rowSum = addSums(this.#rowSum, transfersSum(rows));
        break;
      case CopyTable.requested:
        this.#requestedCount += count;
        this.#rowSum = addSums(this.#rowSum, requestedSum(rows));
        break;
      case CopyTable.history:
        this.#rowSum = addSums(this.#rowSum, historySum(rows));
        break;
      case CopyTable.burnt:
        this.#burntCount += count;
        this.#burntSum = addSums(this.#burntSum, burntSum(rows));
        break;
      case CopyTable.decisions:
        this.#decisionCount += count;
        break;
    }
  }

  finish(state: BooksState): void {
    const found: readonly [string, number | bigint, number | bigint][] = [
      ['transfers', this.#transferCount, state.transferCount],
      ['last row timestamp', this.#lastRowTimestamp, state.lastRowTimestamp],
      ['requested amounts', this.#requestedCount, state.requestedCount],
      ['burnt ids', this.#burntCount, state.burntCount],
      ['decisions', this.#decisionCount, state.decisionCount],
      ['sum of rows', this.#rowSum, state.rowSum],
      ['sum of burnt ids', this.#burntSum, state.burntSum],
    ];
    for (const [what, is, should] of found) {
      if (is !== should) throw differs(`${what}: ${is}, the source has ${should}`);
    }
  }

  #assertAscending(rows: Uint32Array): void {
    for (let at = TransferRowWord.rowTimestamp; at < rows.length; at += TRANSFER_ROW_WORDS) {
      const timestamp = u64At(rows, at);
      if (timestamp <= this.#lastRowTimestamp)
        throw differs(`row ${timestamp} comes twice or late`);
      this.#lastRowTimestamp = timestamp;
    }
  }
}

function differs(what: string): EvenkeelError {
  return new EvenkeelError('copy_differs', `copy_differs: ${what}`);
}

/** Cuts rows into chunks that one message carries. */
export function* chunksOf(table: number, rows: Uint32Array): Generator<BooksChunk> {
  const rowWords = COPY_ROW_WORDS[table]!;
  const words = rowWords * copyRowsMax(table);
  for (let at = 0; at < rows.length; at += words) yield { table, rows: rows.slice(at, at + words) };
}

/** Rows of the table that a chunk holds at most. */
export function copyRowsMax(table: number): number {
  return Math.floor(COPY_CHUNK_BYTES / (COPY_ROW_WORDS[table]! * 4));
}

/** 256 KiB: with a few on their way a link is kept busy, and what waits behind them waits some milliseconds. */
export const COPY_CHUNK_BYTES = 256 << 10;

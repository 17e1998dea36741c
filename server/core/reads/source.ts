import type { Machine } from '../../../ledger/machine.ts';
import type { Books } from '../books.ts';

/** Of timestamps, ns. */
export const TIMESTAMP_MAX = 2n ** 63n - 1n;

/** What reads ask of a unit's machine: its state at the applied index. */
export type MachineReads = Pick<
  Machine,
  | 'accountCount'
  | 'findAccount'
  | 'readAccount'
  | 'firstAccountFrom'
  | 'accountLatestTransfer'
  | 'findResidentTransfer'
  | 'pendingStateOf'
  | 'lastRowTimestamp'
  | 'unfoldedRows'
  | 'unfoldedRequested'
  | 'unfoldedAccountTransfers'
>;

/** What they ask of its books: rows that have left memory. The books may already hold more than that. */
export type BooksReads = Pick<
  Books,
  'lookUp' | 'accountTransfers' | 'scan' | 'balancesAt' | 'requestedAt'
>;

/** One unit as reads see it: memory and books together are all that is applied. */
export interface Source {
  readonly machine: MachineReads;
  readonly books: BooksReads;
}

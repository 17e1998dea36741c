/**
 * What a run of applied entries changed, packed for the books: the machine's memory at one index,
 * minus what the books already hold. Rows are in the forms of layout.ts. Every buffer is owned by the
 * receiver, so that it can move to another thread without a copy.
 */
export interface Fold {
  readonly unit: number;
  /** The books must stand exactly here before (0 = empty books). */
  readonly afterIndex: number;
  /** and exactly here afterwards. */
  readonly throughIndex: number;
  /** Term of the entry at throughIndex. */
  readonly throughTerm: number;
  /** Last timestamp that the machine has used, ns. */
  readonly lastTimestamp: bigint;
  /** Execution digest at throughIndex: equal on all replicas. 16 lower-case hex digits. */
  readonly digest: string;
  /**
   * Who replicates the unit as of throughIndex, in the bytes of the log; null: as the books have it. The
   * machine never looks at it: whoever takes the fold puts it in.
   */
  readonly membership: Uint8Array | null;
  /** Set by the entry that initialised the unit: SLOT_COUNT owners. */
  readonly slots: Uint16Array | null;
  /** New and changed accounts, ascending by handle, each as it stands at throughIndex. */
  readonly accounts: Uint32Array;
  /** New rows of all legs, ascending by row timestamp. */
  readonly transfers: Uint32Array;
  /** Pending transfers booked or resolved since, in that order: one may come twice. */
  readonly pendings: Uint32Array;
  /** Ascending by timestamp. */
  readonly requested: Uint32Array;
  readonly history: Uint32Array;
  readonly burnt: Uint32Array;
  /** Crossings opened since and still open; then (far unit, 0, sequence) of those that the books hold
   * and that were closed since. */
  readonly opened: Uint32Array;
  readonly closed: Uint32Array;
  /** Decisions made since and not forgotten. The books drop those up to forgottenThrough. */
  readonly decisions: Uint32Array;
  /** Channels that changed, each as it stands at throughIndex. */
  readonly channels: Uint32Array;
}

/** Execution digest before the first entry. */
export const EMPTY_DIGEST = '0000000000000000';

/** Words of one row of Fold.closed. */
export const CLOSED_ROW_WORDS = 4;

/** What a machine is started from: whole books at one index. All rows ascending by their key. */
export interface BooksImage {
  readonly unit: number;
  readonly index: number;
  readonly term: number;
  readonly lastTimestamp: bigint;
  readonly digest: string;
  /** null: not known to the books yet. */
  readonly membership: Uint8Array | null;
  /** null while the unit is not initialised. */
  readonly slots: Uint16Array | null;
  /** All accounts in handle order, in pieces of any whole number of rows. */
  readonly accounts: Iterable<Uint32Array>;
  readonly opened: Uint32Array;
  readonly decisions: Uint32Array;
  readonly channels: Uint32Array;
  /** Pending transfers in state pending that have a deadline, ascending by timestamp, in pieces. */
  readonly timeouts: Iterable<Uint32Array>;
  /** Of the newest row; 0n when there is none. */
  readonly lastRowTimestamp: bigint;
  /** Largest id in the books, burnt ids too: four words; zero when there is none. */
  readonly maxTransferId: Uint32Array;
  /** Rows of all legs. */
  readonly transferCount: number;
}

/** What a new unit is started from. */
export function emptyImage(unit: number): BooksImage {
  return {
    unit,
    index: 0,
    term: 0,
    lastTimestamp: 0n,
    digest: EMPTY_DIGEST,
    membership: null,
    slots: null,
    accounts: [],
    opened: new Uint32Array(0),
    decisions: new Uint32Array(0),
    channels: new Uint32Array(0),
    timeouts: [],
    lastRowTimestamp: 0n,
    maxTransferId: new Uint32Array(4),
    transferCount: 0,
  };
}

/**
 * The packed forms that travel through the log, the machine and the books: arrays of little-endian
 * 32-bit words, so that no event needs an object and no amount needs a BigInt. A u128 is four words,
 * a u64 two, least significant first. Offsets and sizes below count words unless they say bytes.
 *
 * This is log and disk format: a change needs a new ENTRY_VERSION.
 */

export const WORD_BYTES = 4;

/** A transfer or an account, as 128 bytes. */
export const RECORD_WORDS = 32;
export const RECORD_BYTES = RECORD_WORDS * WORD_BYTES;

/** Word offsets inside a transfer record. */
export const TransferWord = {
  id: 0,
  debitAccountId: 4,
  creditAccountId: 8,
  amount: 12,
  pendingId: 16,
  userData128: 20,
  userData64: 24,
  userData32: 26,
  timeout: 27,
  ledger: 28,
  /** code in the low, flags in the high 16 bits. */
  codeAndFlags: 29,
  timestamp: 30,
} as const;

/** Word offsets inside an account record. */
export const AccountWord = {
  id: 0,
  debitsPending: 4,
  debitsPosted: 8,
  creditsPending: 12,
  creditsPosted: 16,
  userData128: 20,
  userData64: 24,
  userData32: 26,
  reserved: 27,
  ledger: 28,
  /** code in the low, flags in the high 16 bits. */
  codeAndFlags: 29,
  timestamp: 30,
} as const;

export const AccountFlag = {
  linked: 1 << 0,
  debitsMustNotExceedCredits: 1 << 1,
  creditsMustNotExceedDebits: 1 << 2,
  history: 1 << 3,
  imported: 1 << 4,
  closed: 1 << 5,
  spread: 1 << 6,
} as const;

export const TransferFlag = {
  linked: 1 << 0,
  pending: 1 << 1,
  postPendingTransfer: 1 << 2,
  voidPendingTransfer: 1 << 3,
  balancingDebit: 1 << 4,
  balancingCredit: 1 << 5,
  closingDebit: 1 << 6,
  closingCredit: 1 << 7,
  imported: 1 << 8,
} as const;

/**
 * A command of the log: a header, then sub-batches one after the other. Event i of the whole entry
 * (counted over all its sub-batches) has the timestamp `timestamp + i`.
 */
export const ENTRY_VERSION = 2;
export const ENTRY_HEADER_WORDS = 4;
export const EntryWord = {
  version: 0,
  subBatchCount: 1,
  /** u64: nanoseconds since the epoch, of the first event. */
  timestamp: 2,
} as const;

/** One client request's events in one unit, or one step of a crossing. Its border is never moved. */
export const SUB_BATCH_HEADER_WORDS = 4;
export const SubBatchWord = {
  /** kind in the low, flags in the high 16 bits. */
  kindAndFlags: 0,
  /** How many events, which is also how many timestamps it takes. */
  count: 1,
  bodyWords: 2,
  /** The other unit of a crossing step; the unit itself in unitInit; else 0. */
  unit: 3,
} as const;

export const SubBatchKind = {
  /** First entry of every unit: which slots it owns. Body: SLOT_COUNT units as u16. Count 0. */
  unitInit: 1,
  /** Body: count account records. */
  createAccounts: 2,
  /** Body: count transfer records. */
  createTransfers: 3,
  /** Far side of a crossing; `unit` is the home unit. Body: DECIDE_HEADER_WORDS, then count items. */
  decide: 4,
  /** Home side of a crossing; `unit` is the far unit. Body: count items of COMPLETE_ITEM_WORDS. */
  complete: 5,
  /**
   * Pending transfers whose deadline has come, ascending by (deadline, timestamp), as the leader saw
   * them: apply skips those that are resolved by then. Body: count items of EXPIRE_ITEM_WORDS.
   */
  expire: 6,
} as const;

export const SubBatchFlag = {
  /** Put both accounts' balances after the event into each result. */
  balances: 1 << 0,
  /** The request's first event is `imported`, so all of its events must be. */
  imported: 1 << 1,
} as const;

/** decide: word 0..1 is the sequence below or at which the home unit has finished all (u64). */
export const DECIDE_HEADER_WORDS = 4;
/** decide item: sequence (u64), two zero words, transfer record with the Reserve's timestamp. */
export const DECIDE_ITEM_WORDS = 4 + RECORD_WORDS;
/** complete item: sequence (u64), the far unit's status, a zero word. */
export const COMPLETE_ITEM_WORDS = 4;
/** expire item: row timestamp of the pending transfer (u64), two zero words. */
export const EXPIRE_ITEM_WORDS = 4;

/** A request holds at most this many events, and so does a sub-batch. */
export const EVENTS_PER_REQUEST_MAX = 8_190;
/** An entry's payload. A full request of 8,190 records and both headers fits. */
export const ENTRY_BYTES_MAX = 1 << 20;

/** One event's result. Account, transfer, decide and complete results share the form. */
export const RESULT_WORDS = 8;
export const ResultWord = {
  status: 0,
  /** u64; for `exists` the original's. A transfer that crossed keeps its Reserve's. */
  timestamp: 1,
  /** Far unit of an opened or completed crossing, home unit of a decision; else 0. */
  unit: 3,
  /** u64: sequence of the crossing on its channel; else 0. */
  sequence: 4,
  /** ResultFlag bits. */
  flags: 6,
} as const;
export const ResultFlag = {
  debitBalances: 1 << 0,
  creditBalances: 1 << 1,
} as const;

/** Four u128: debits pending, debits posted, credits pending, credits posted. */
export const BALANCES_WORDS = 16;
/** With balances a result is followed by the debit account's four, then the credit account's. */
export const RESULT_WITH_BALANCES_WORDS = RESULT_WORDS + 2 * BALANCES_WORDS;

/** A transfer as resident in memory and as stored in the books. */
export const TRANSFER_ROW_WORDS = 40;
export const TransferRowWord = {
  record: 0,
  /** u64: row timestamp of the debit account's previous row in this unit, 0 = none. */
  previousDebit: 32,
  previousCredit: 34,
  /** Leg (see Leg) in the low, the other unit in the high 16 bits. */
  leg: 36,
  /** On disk: CRC-32 of the 37 words before it. */
  crc: 37,
  /** In a row that a look-up or a scan gives: PendingState. 0 in folds and in the machine's own rows. */
  pendingState: 37,
  /**
   * u64: when this unit booked the row; of an imported transfer the given timestamp. Key of the row,
   * ascending in the order of booking. Equals the record's but for crossings and expiries.
   */
  rowTimestamp: 38,
} as const;
/** What the books store of a row: everything but its key. */
export const TRANSFER_ROW_STORED_WORDS = 38;

export const Leg = {
  /** Both accounts in this unit. */
  both: 0,
  /** The debit leg of a crossing: credit is this unit's clearing account. */
  home: 1,
  /** The credit leg of a crossing: debit is this unit's clearing account. */
  far: 2,
  // Rows from here on are no transfers: they move pending amounts only, so that the balances of any
  // time can be told from the rows alone. No look-up by id finds them.
  /** Reserve: the amount becomes pending on the debit account against the clearing account. */
  hold: 3,
  /** A refused crossing's hold is given back. The record is the hold's. */
  release: 4,
  /** A pending transfer has expired. The record is the pending transfer's own, timestamp included. */
  expiry: 5,
} as const;

/** Of a pending transfer. Other transfers have none. */
export const PendingState = { none: 0, pending: 1, posted: 2, voided: 3, expired: 4 } as const;
export type PendingState = (typeof PendingState)[keyof typeof PendingState];

/** An account in the books. */
export const ACCOUNT_ROW_WORDS = 36;
export const AccountRowWord = {
  record: 0,
  /** u64: row timestamp of the account's latest transfer in this unit, 0 = none. */
  latestTransfer: 32,
  /** How many transfer rows the account has in this unit. */
  transferCount: 34,
  /** Creation order in the unit, from 0; rowid in the books is handle + 1. */
  handle: 35,
} as const;

/**
 * Every 64th row of an account leaves its balances in the sparse history, and every row of an account
 * with the flag `history`.
 */
export const HISTORY_EVERY = 64;
export const HISTORY_ROW_WORDS = 4 + BALANCES_WORDS;
export const HistoryRowWord = {
  handle: 0,
  /** Word 1 is zero. */
  rowTimestamp: 2,
  balances: 4,
} as const;

/** What became of a pending transfer: one row when it is booked, another when it is resolved. The last one holds. */
export const PENDING_ROW_WORDS = 8;
export const PendingRowWord = {
  /** u64: row timestamp of the pending transfer. */
  timestamp: 0,
  /** PendingState; word 3 is zero. */
  state: 2,
  /** u64: when it expires, ns; 0 = never. */
  deadline: 4,
  /** u64: row timestamp of what resolved it; 0 while it is pending. */
  resolved: 6,
} as const;

/** A pending transfer that is to expire, as the machine is loaded with it. */
export const TIMEOUT_ROW_WORDS = 4;
export const TimeoutRowWord = {
  /** u64: row timestamp of the pending transfer. */
  timestamp: 0,
  /** u64, ns */
  deadline: 2,
} as const;

/** The amount that was asked for, of a row that booked another one: balancing transfers, posts and voids. */
export const REQUESTED_ROW_WORDS = 8;
export const RequestedRowWord = {
  /** u64: row timestamp. Words 2 and 3 are zero. */
  timestamp: 0,
  amount: 4,
} as const;

/** A burnt id: its transfer failed with a transient status, so it can never succeed later. */
export const BURNT_ROW_WORDS = 8;
export const BurntRowWord = { id: 0, timestamp: 4 } as const;

/** An open crossing in its home unit. */
export const OPEN_ROW_WORDS = 4 + RECORD_WORDS;
export const OpenRowWord = {
  farUnit: 0,
  /** 1 if the request asked for balances. */
  wantsBalances: 1,
  sequence: 2,
  /** Transfer record, its timestamp the Reserve's. */
  record: 4,
} as const;

/** A decision in its far unit, kept until the home unit has acknowledged its sequence. */
export const DECISION_ROW_WORDS = 8;
export const DecisionRowWord = {
  homeUnit: 0,
  status: 1,
  sequence: 2,
  /** u64: when the far unit decided. */
  timestamp: 4,
} as const;

/** A unit's end of a channel to one other unit. */
export const CHANNEL_ROW_WORDS = 8;
export const ChannelRowWord = {
  otherUnit: 0,
  /** As home: the last sequence given out. */
  lastSequence: 2,
  /** As far: decisions up to here are forgotten. */
  forgottenThrough: 4,
} as const;

export const SLOT_COUNT = 1_024;
/** Units are numbered from 1; 0 is the registry. */
export const UNIT_MAX = 65_535;

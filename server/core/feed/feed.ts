import {
  AccountWord,
  BALANCES_WORDS,
  Leg,
  PendingState,
  RECORD_WORDS,
  TransferFlag,
  TransferRowWord,
} from '../../../ledger/layout.ts';
import { isHighHalfMax } from '../../../ledger/u128.ts';
import { u64At } from '../books-row.ts';
import { FEED_EVENTS_MAX, FEED_WALKS_MAX } from '../limits.ts';
import { PendingRows } from '../reads/pending-rows.ts';
import { flagsOf, isTransfer, legOf, rowTimestampOf } from '../reads/row.ts';
import { type Source, TIMESTAMP_MAX } from '../reads/source.ts';
import { TimeRows } from '../reads/time-rows.ts';
import { encodeCursor, type FeedPosition } from './cursor.ts';
import { EventKind, EventSide, type FeedEvent } from './event.ts';
import { requestedAmounts } from './requested.ts';
import { RunningBalances, sidesOf } from './running-balances.ts';

interface FeedLimits {
  readonly events: number;
  readonly walks: number;
  readonly accounts?: number;
}

const LIMITS: FeedLimits = { events: FEED_EVENTS_MAX, walks: FEED_WALKS_MAX };

/**
 * What happens in one unit, in its order, as far as this replica has applied it: only what is committed. It
 * is asked for more whenever its reader is ready for more, so that a slow reader costs nothing.
 */
export class Feed {
  readonly #unit: number;
  readonly #source: Source;
  readonly #limits: FeedLimits;
  readonly #balances: RunningBalances;
  #position: FeedPosition;
  /** Of the next account. */
  #handle: number;

  constructor(unit: number, source: Source, after: FeedPosition, limits: FeedLimits = LIMITS) {
    this.#unit = unit;
    this.#source = source;
    this.#limits = limits;
    this.#balances = new RunningBalances(source, limits.accounts);
    this.#position = after;
    this.#handle = source.machine.firstAccountFrom(after.account + 1n);
  }

  /** There is something that it hasn't passed yet. */
  get hasNews(): boolean {
    const { machine } = this.#source;
    return machine.lastRowTimestamp > this.#position.row || this.#handle < machine.accountCount;
  }

  /** The next events, few enough that nothing else has to wait long; none if it passed only what makes none. */
  next(): FeedEvent[] {
    const events: FeedEvent[] = [];
    const { machine } = this.#source;
    const last = machine.lastRowTimestamp;
    const rows = this.#nextRows();
    const pendings = new PendingRows(this.#source);
    pendings.add(rows);
    const requested = requestedAmounts(this.#source, rows);
    let walks = 0;
    for (const row of rows) {
      this.#accountsBefore(rowTimestampOf(row), events);
      if (events.length >= this.#limits.events) return events;
      walks += isEvent(row) ? this.#balances.unknown(row) : 0;
      // One row's accounts are always looked up, or it would never get on.
      if (walks > this.#limits.walks && events.length > 0) return events;
      this.#pass(row, pendings.of(row), requested, events);
    }
    if (this.#position.row >= last) this.#accountsBefore(TIMESTAMP_MAX + 1n, events);
    return events;
  }

  #nextRows(): Uint32Array[] {
    const from = this.#position.row + 1n;
    const range = { from, to: TIMESTAMP_MAX, reversed: false };
    return new TimeRows(this.#source, { kind: 'all' }, range).next(this.#limits.events);
  }

  /** Accounts that were created before that time. */
  #accountsBefore(timestamp: bigint, events: FeedEvent[]): void {
    const { machine } = this.#source;
    while (this.#handle < machine.accountCount && events.length < this.#limits.events) {
      const account = new Uint32Array(RECORD_WORDS);
      machine.readAccount(this.#handle, account, 0);
      const created = u64At(account, AccountWord.timestamp);
      if (created >= timestamp) return;
      this.#handle += 1;
      this.#position = { ...this.#position, account: created };
      // Clearing accounts are the ledger's own.
      if (isHighHalfMax(account, AccountWord.id)) continue;
      account.fill(0, AccountWord.debitsPending, AccountWord.debitsPending + BALANCES_WORDS);
      events.push({ ...NOTHING, ...this.#at(created), kind: EventKind.accountCreated, account });
    }
  }

  #pass(
    row: Uint32Array,
    resolved: Uint32Array | null,
    requested: ReadonlyMap<bigint, Uint32Array>,
    events: FeedEvent[],
  ): void {
    const timestamp = rowTimestampOf(row);
    this.#position = { ...this.#position, row: timestamp };
    const sides = sidesOf(row);
    if (!isEvent(row)) {
      for (const side of sides) this.#balances.roll(row, side, resolved);
      return;
    }
    const balancesOf = (side: 'debit' | 'credit') =>
      sides.includes(side) ? this.#balances.pass(row, side, resolved) : null;
    const isExpiry = legOf(row) === Leg.expiry;
    const kind = kindOf(row);
    events.push({
      ...NOTHING,
      ...this.#at(timestamp),
      kind,
      transfer: isExpiry ? null : inState(row, STATES_OF_TRANSFERS[kind]),
      requested: requested.get(timestamp) ?? null,
      pending: pendingOf(kind, isExpiry ? row : resolved),
      side: sideOf(row),
      debitBalances: balancesOf('debit'),
      creditBalances: balancesOf('credit'),
    });
  }

  #at(timestamp: bigint): Pick<FeedEvent, 'timestamp' | 'cursor'> {
    return { timestamp, cursor: encodeCursor(this.#unit, this.#position) };
  }
}

const NOTHING = {
  account: null,
  transfer: null,
  requested: null,
  pending: null,
  side: EventSide.both,
  debitBalances: null,
  creditBalances: null,
} as const;

/** State of an event's transfer right after it. */
const STATES_OF_TRANSFERS: Readonly<Record<EventKind, PendingState>> = {
  [EventKind.accountCreated]: PendingState.none,
  [EventKind.transfer]: PendingState.none,
  [EventKind.pending]: PendingState.pending,
  [EventKind.posted]: PendingState.none,
  [EventKind.voided]: PendingState.none,
  [EventKind.expired]: PendingState.none,
};

/** Rows of the other legs are steps of transfers between units. */
function isEvent(row: Uint32Array): boolean {
  return isTransfer(row) || legOf(row) === Leg.expiry;
}

function kindOf(row: Uint32Array): EventKind {
  if (legOf(row) === Leg.expiry) return EventKind.expired;
  const flags = flagsOf(row);
  if ((flags & TransferFlag.pending) !== 0) return EventKind.pending;
  if ((flags & TransferFlag.postPendingTransfer) !== 0) return EventKind.posted;
  return (flags & TransferFlag.voidPendingTransfer) !== 0 ? EventKind.voided : EventKind.transfer;
}

function sideOf(row: Uint32Array): EventSide {
  if (legOf(row) === Leg.home) return EventSide.debit;
  return legOf(row) === Leg.far ? EventSide.credit : EventSide.both;
}

function pendingOf(kind: EventKind, row: Uint32Array | null): Uint32Array | null {
  if (row === null) return null;
  if (kind === EventKind.posted) return inState(row, PendingState.posted);
  if (kind === EventKind.voided) return inState(row, PendingState.voided);
  return kind === EventKind.expired ? inState(row, PendingState.expired) : null;
}

/** A copy: what it is now may be another state. */
function inState(row: Uint32Array, state: PendingState): Uint32Array {
  const copy = row.slice();
  copy[TransferRowWord.pendingState] = state;
  return copy;
}

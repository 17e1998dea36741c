import type { Fold } from '../../ledger/fold.ts';
import {
  AccountFlag,
  AccountRowWord,
  BURNT_ROW_WORDS,
  BurntRowWord,
  Leg,
  PendingState,
  RECORD_WORDS,
  TRANSFER_ROW_WORDS,
  TransferFlag,
  TransferRowWord,
  TransferWord,
} from '../../ledger/layout.ts';
import { MadeAccounts } from './books-accounts.fixture.ts';
import {
  MadeCrossings,
  MadePendings,
  type OpenPending,
  rowTimestamp,
} from './books-beside.fixture.ts';
import { Noise } from './books-random.fixture.ts';
import {
  clearingAccountId,
  emptyFold,
  FIRST_TIMESTAMP,
  putU64,
  u64,
} from './books-rows.fixture.ts';

export * from './books-rows.fixture.ts';

export const LEDGER = 7;
/** The unit at the other end of every crossing made here. */
export const OTHER_UNIT = 9;

export interface FoldSize {
  readonly accounts?: number;
  readonly transfers?: number;
  readonly burnt?: number;
}

export interface FoldMakerOptions {
  readonly seed?: number;
  readonly randomIds?: boolean;
  /** 'plain': transfers between two accounts of the unit alone, without user data. */
  readonly mix?: 'plain' | 'all';
}

/**
 * Makes folds such as a machine would, from a seed: balances, linked histories, sparse history, two-phase
 * transfers and crossings. The choice of accounts and amounts is noise: no limit is kept.
 */
export class FoldMaker {
  readonly unit: number;
  readonly accounts = new MadeAccounts();
  readonly pendings = new MadePendings();
  readonly #crossings = new MadeCrossings(OTHER_UNIT);
  readonly #noise: Noise;
  readonly #randomIds: boolean;
  readonly #plain: boolean;
  #index = 0;
  #timestamp = FIRST_TIMESTAMP;
  #nextId = 1;

  constructor(unit: number, options: FoldMakerOptions = {}) {
    this.unit = unit;
    this.#noise = new Noise(options.seed ?? 1);
    this.#randomIds = options.randomIds ?? false;
    this.#plain = options.mix === 'plain';
  }

  accountId(handle: number): Uint32Array {
    return this.accounts.idOf(handle);
  }

  /** All accounts as they stand after the last fold. */
  accountRows(): Uint32Array {
    return this.accounts.rowsOf(Array(this.accounts.count).keys());
  }

  newestRowTimestamp(handle: number): bigint {
    return u64(this.accounts.row(handle), AccountRowWord.latestTransfer);
  }

  next(size: FoldSize): Fold {
    for (let i = 0; i < (size.accounts ?? 0); i++) this.#addAccount();
    const transfers = new Uint32Array((size.transfers ?? 0) * TRANSFER_ROW_WORDS);
    for (let at = 0; at < transfers.length; at += TRANSFER_ROW_WORDS) {
      this.#addRow(transfers.subarray(at, at + TRANSFER_ROW_WORDS));
    }
    const burnt = new Uint32Array((size.burnt ?? 0) * BURNT_ROW_WORDS);
    for (let at = 0; at < burnt.length; at += BURNT_ROW_WORDS) {
      burnt.set(this.#newId(), at + BurntRowWord.id);
      putU64(burnt, at + BurntRowWord.timestamp, this.#newTimestamp());
    }
    return {
      ...emptyFold(this.unit, this.#index, ++this.#index),
      throughTerm: 3,
      lastTimestamp: this.#timestamp,
      digest: this.#index.toString(16).padStart(16, '0'),
      accounts: this.accounts.takeChanged(),
      transfers,
      history: this.accounts.takeHistory(),
      burnt,
      ...this.pendings.take(),
      ...this.#crossings.take(),
    };
  }

  /** A copy of the row with its pending state as of now, as the books give it back. */
  withState(row: Uint32Array): Uint32Array {
    const copy = row.slice();
    const transfer = (row[TransferRowWord.leg]! & 0xffff) <= Leg.far;
    const state = transfer ? this.pendings.states.get(rowTimestamp(row)) : undefined;
    copy[TransferRowWord.pendingState] = state ?? PendingState.none;
    return copy;
  }

  #addAccount(): void {
    const handle = this.accounts.count;
    const id = handle === 0 ? clearingAccountId(LEDGER, OTHER_UNIT) : this.#noise.id();
    const flags = !this.#plain && handle % 5 === 4 ? AccountFlag.history : 0;
    this.accounts.add(id, LEDGER, flags, this.#newTimestamp());
  }

  #addRow(row: Uint32Array): void {
    const kind = this.#plain ? KINDS : this.#noise.below(KINDS + 8);
    const make = [
      () => this.#hold(row),
      () => this.#settle(row),
      () => this.#far(row),
      () => this.#pend(row),
      () => this.#pend(row),
      () => this.#pend(row),
      () => this.#resolve(row),
      () => this.#expire(row),
      () => this.#balance(row),
    ][kind];
    if (make === undefined) this.#transfer(row);
    else make();
  }

  /** Writes a transfer between two accounts, not yet booked. Gives their handles. */
  #fill(row: Uint32Array, flags = 0): [debit: number, credit: number] {
    const own = this.accounts.count - 1;
    const debit = 1 + this.#noise.below(own);
    let credit = 1 + this.#noise.below(own);
    if (credit === debit) credit = (debit % own) + 1;
    row.set(this.#newId(), TransferWord.id);
    row.set(this.accounts.idOf(debit), TransferWord.debitAccountId);
    row.set(this.accounts.idOf(credit), TransferWord.creditAccountId);
    row[TransferWord.amount] = 1 + this.#noise.below(1_000_000);
    row[TransferWord.ledger] = LEDGER;
    row[TransferWord.codeAndFlags] = 20 | (flags << 16);
    if (!this.#plain) this.#fillUserData(row);
    this.#stamp(row, this.#newTimestamp());
    return [debit, credit];
  }

  /** Few values, so that many rows share one. */
  #fillUserData(row: Uint32Array): void {
    const noise = this.#noise;
    if (noise.below(4) === 0) row[TransferWord.userData32] = 1 + noise.below(5);
    if (noise.below(4) === 0) row[TransferWord.userData64 + noise.below(2)] = 1 + noise.below(5);
    if (noise.below(4) === 0) row[TransferWord.userData128 + noise.below(4)] = 1 + noise.below(5);
  }

  #stamp(row: Uint32Array, timestamp: bigint, recordTimestamp = timestamp): void {
    putU64(row, TransferWord.timestamp, recordTimestamp);
    putU64(row, TransferRowWord.rowTimestamp, timestamp);
  }

  #transfer(row: Uint32Array): void {
    const [debit, credit] = this.#fill(row);
    this.accounts.book(row, debit, credit, { pending: 0, posted: row[TransferWord.amount]! });
  }

  #balance(row: Uint32Array): void {
    const flag = TransferFlag.balancingDebit << this.#noise.below(2);
    const [debit, credit] = this.#fill(row, flag);
    const amount = row[TransferWord.amount]!;
    this.accounts.book(row, debit, credit, { pending: 0, posted: amount });
    this.pendings.request(rowTimestamp(row), Uint32Array.of(amount, 1, 0, 1));
  }

  #hold(row: Uint32Array): void {
    const [debit] = this.#fill(row);
    row.set(this.#noise.id(), TransferWord.creditAccountId);
    row[TransferRowWord.leg] = Leg.hold | (OTHER_UNIT << 16);
    this.accounts.book(row, debit, 0, { pending: row[TransferWord.amount]!, posted: 0 });
    this.#crossings.hold(row);
  }

  #settle(row: Uint32Array): void {
    const hold = this.#crossings.open[0];
    if (hold === undefined) {
      this.#hold(row);
      return;
    }
    const leg = this.#noise.below(3) === 0 ? Leg.release : Leg.home;
    row.set(hold.row.subarray(0, RECORD_WORDS));
    row[TransferRowWord.leg] = leg | (OTHER_UNIT << 16);
    this.#stamp(row, this.#newTimestamp(), rowTimestamp(hold.row));
    const amount = row[TransferWord.amount]!;
    const debit = this.accounts.handleOf(row.subarray(4, 8));
    const posted = leg === Leg.home ? amount : 0;
    this.accounts.book(row, debit, 0, { pending: -amount, posted });
    this.#crossings.settle(hold);
  }

  #far(row: Uint32Array): void {
    const [, credit] = this.#fill(row);
    row.set(this.#noise.id(), TransferWord.debitAccountId);
    row[TransferRowWord.leg] = Leg.far | (OTHER_UNIT << 16);
    this.#stamp(row, rowTimestamp(row), rowTimestamp(row) - 5n);
    this.accounts.book(row, 0, credit, { pending: 0, posted: row[TransferWord.amount]! });
    this.#crossings.decide(row);
  }

  #pend(row: Uint32Array): void {
    const [debit, credit] = this.#fill(row, TransferFlag.pending);
    if (this.#noise.below(2) === 0) row[TransferWord.timeout] = 1 + this.#noise.below(1_000);
    if (this.#noise.below(8) === 0 && !this.accounts.isClosed(debit)) {
      row[TransferWord.codeAndFlags]! |= TransferFlag.closingDebit << 16;
      this.accounts.setClosed(debit, true);
    }
    this.accounts.book(row, debit, credit, { pending: row[TransferWord.amount]!, posted: 0 });
    this.pendings.book(row);
  }

  /** A post or a void of a pending transfer that is not overdue. */
  #resolve(row: Uint32Array): void {
    const due = this.#timestamp + 10n;
    const open = this.pendings.open.filter(({ deadline }) => deadline === 0n || deadline > due);
    const pending = open[this.#noise.below(open.length + 1)];
    if (pending === undefined) {
      this.#pend(row);
      return;
    }
    const post = this.#noise.below(2) === 0;
    const flag = post ? TransferFlag.postPendingTransfer : TransferFlag.voidPendingTransfer;
    const reserved = pending.row[TransferWord.amount]!;
    row.set(pending.row.subarray(0, RECORD_WORDS));
    row.set(this.#newId(), TransferWord.id);
    row.set(pending.row.subarray(0, 4), TransferWord.pendingId);
    row[TransferWord.timeout] = 0;
    row[TransferWord.codeAndFlags] = 20 | (flag << 16);
    if (post) row[TransferWord.amount] = this.#noise.below(reserved + 1);
    this.#stamp(row, this.#newTimestamp());
    const posted = post ? row[TransferWord.amount]! : 0;
    this.#bookResolution(row, pending, posted, !post);
    if (post && posted === reserved) {
      this.pendings.request(rowTimestamp(row), new Uint32Array(4).fill(0xffff_ffff));
    }
    const state = post ? PendingState.posted : PendingState.voided;
    this.pendings.resolve(pending, state, rowTimestamp(row));
  }

  #expire(row: Uint32Array): void {
    const pending = this.pendings.open.find(({ deadline }) => deadline > 0n);
    if (pending === undefined) {
      this.#pend(row);
      return;
    }
    row.set(pending.row.subarray(0, RECORD_WORDS));
    row[TransferRowWord.leg] = Leg.expiry;
    if (this.#timestamp < pending.deadline) this.#timestamp = pending.deadline;
    this.#stamp(row, this.#newTimestamp(), rowTimestamp(pending.row));
    this.#bookResolution(row, pending, 0, true);
    this.pendings.resolve(pending, PendingState.expired, rowTimestamp(row));
  }

  #bookResolution(row: Uint32Array, pending: OpenPending, posted: number, reopens: boolean): void {
    const debit = this.accounts.handleOf(row.subarray(4, 8));
    const credit = this.accounts.handleOf(row.subarray(8, 12));
    const flags = pending.row[TransferWord.codeAndFlags]! >>> 16;
    if (reopens && (flags & TransferFlag.closingDebit) !== 0) {
      this.accounts.setClosed(debit, false);
    }
    const reserved = pending.row[TransferWord.amount]!;
    this.accounts.book(row, debit, credit, { pending: -reserved, posted });
  }

  #newTimestamp(): bigint {
    this.#timestamp += 1n + BigInt(this.#noise.below(3));
    return this.#timestamp;
  }

  /** Time-ordered ids have their time in the highest 48 bits, as clients make them. */
  #newId(): Uint32Array {
    const id = this.#noise.id();
    if (this.#randomIds) return id;
    const milliseconds = 1_800_000_000_000 + Math.floor(this.#nextId / 64);
    id[3] = Math.floor(milliseconds / 2 ** 16);
    id[2] = ((milliseconds % 2 ** 16) * 2 ** 16 + (this.#nextId++ % 64) * 1_024) >>> 0;
    return id;
  }
}

/** How many kinds of rows there are beside plain transfers, see #addRow. */
const KINDS = 9;

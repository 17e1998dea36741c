import {
  AccountWord,
  BALANCES_WORDS,
  HISTORY_EVERY,
  Leg,
  PendingState,
  RECORD_WORDS,
  TRANSFER_ROW_WORDS,
  TransferFlag,
  TransferRowWord,
  TransferWord,
} from '../../../../ledger/layout.ts';
import type { AccountTransfersQuery, ScanQuery } from '../../books.ts';
import { u64At } from '../../books-row.ts';
import { legOf, putU64, rowTimestampOf } from '../row.ts';
import type { BooksReads, MachineReads, Source } from '../source.ts';

/** What happens next in a model: numbers that it reads as it likes. */
export interface Step {
  readonly kind:
    | 'plain'
    | 'pending'
    | 'post'
    | 'void'
    | 'expire'
    | 'hold'
    | 'home'
    | 'release'
    | 'far';
  readonly debit: number;
  readonly credit: number;
  readonly amount: number;
  /** Which of the open ones; and user data and code. */
  readonly pick: number;
}

export type FourBalances = readonly [bigint, bigint, bigint, bigint];

export const ACCOUNTS = 4;
export const OTHER_UNIT = 9;
/** When the first account was created; each further one 10 later. */
export const FIRST_CREATED = 1_000;
const LEDGERS = [978, 756];

/** A row with what it made of its accounts. */
export interface Booked {
  readonly row: Uint32Array;
  readonly debitAfter: FourBalances | null;
  readonly creditAfter: FourBalances | null;
  /** Position of the pending transfer that it posts, voids or lets expire. */
  readonly resolves: number | null;
}

/**
 * A unit by brute force: every row with the balances after it, in bigints. As a Source its first rows lie
 * in books, the rest in memory.
 */
export class ModelUnit implements Source {
  readonly booked: Booked[] = [];
  readonly machine: MachineReads;
  readonly books: BooksReads;
  /** The books hold this many rows, and memory doesn't wait for them any more. */
  folded = 0;
  /** What the books really hold: a commit may be there before memory hears of it. */
  inBooks = 0;
  /** Rows that the books gave since it was set to 0. */
  rowsRead = 0;
  readonly #balances: bigint[][] = [];
  readonly #latest: bigint[] = [];
  /** What was asked for, where the model says that it was another amount. */
  readonly requested = new Map<bigint, number>();
  readonly #open: number[] = [];
  readonly #holds: number[] = [];
  #timestamp = 10_000n;
  #nextId = 1;

  constructor(timestampStep = 1n, firstTimestamp = 10_000n) {
    this.#timestamp = firstTimestamp;
    for (let handle = 0; handle < ACCOUNTS; handle += 1) {
      this.#balances.push([0n, 0n, 0n, 0n]);
      this.#latest.push(0n);
    }
    this.#step = timestampStep;
    this.machine = this.#machineReads();
    this.books = this.#booksReads();
  }

  readonly #step: bigint;

  run(steps: readonly Step[]): this {
    for (const step of steps) this.#take(step);
    return this;
  }

  /** Where memory ends and the books begin. */
  foldTo(folded: number, inBooks = folded): this {
    this.folded = Math.min(folded, this.booked.length);
    this.inBooks = Math.min(Math.max(inBooks, this.folded), this.booked.length);
    return this;
  }

  /** Rows of all legs that touch the account, oldest first, with its balances after each. */
  historyOf(handle: number): { row: Uint32Array; after: FourBalances }[] {
    return this.booked.flatMap(({ row, debitAfter, creditAfter }) => {
      const side = this.#sideOf(row, handle);
      if (side === null) return [];
      return [{ row, after: (side === 'debit' ? debitAfter : creditAfter)! }];
    });
  }

  stateOf(position: number, rowsSeen = this.booked.length): PendingState {
    const { row } = this.booked[position]!;
    if (legOf(row) !== Leg.both) return PendingState.none;
    if (((row[TransferWord.codeAndFlags]! >>> 16) & TransferFlag.pending) === 0) {
      return PendingState.none;
    }
    for (let i = position + 1; i < rowsSeen; i += 1) {
      if (this.booked[i]!.resolves !== position) continue;
      const resolving = this.booked[i]!.row;
      if (legOf(resolving) === Leg.expiry) return PendingState.expired;
      const posts =
        (resolving[TransferWord.codeAndFlags]! >>> 16) & TransferFlag.postPendingTransfer;
      return posts === 0 ? PendingState.voided : PendingState.posted;
    }
    return PendingState.pending;
  }

  #take(step: Step): void {
    const debit = step.debit % ACCOUNTS;
    const credit = (debit + 1 + (step.credit % (ACCOUNTS - 1))) % ACCOUNTS;
    const { kind } = step;
    if (kind === 'post' || kind === 'void' || kind === 'expire') this.#resolve(step);
    else if (kind === 'home' || kind === 'release') this.#finish(step);
    else if (kind === 'far') this.#book(step, Leg.far, 0, null, credit, step.amount, null);
    else if (kind === 'hold') {
      this.#holds.push(this.booked.length);
      this.#book(step, Leg.hold, 0, debit, null, step.amount, null);
    } else if (kind === 'pending') {
      this.#open.push(this.booked.length);
      this.#book(step, Leg.both, TransferFlag.pending, debit, credit, step.amount, null);
    } else this.#book(step, Leg.both, 0, debit, credit, step.amount, null);
  }

  #resolve(step: Step): void {
    if (this.#open.length === 0) return;
    const [position] = this.#open.splice(step.pick % this.#open.length, 1);
    const pending = this.booked[position!]!.row;
    const [debit, credit] = [
      pending[TransferWord.debitAccountId]! - 1,
      pending[TransferWord.creditAccountId]! - 1,
    ];
    const whole = pending[TransferWord.amount]!;
    if (step.kind === 'expire') {
      this.#book(step, Leg.expiry, 0, debit, credit, whole, position!);
      return;
    }
    const post = step.kind === 'post';
    const flag = post ? TransferFlag.postPendingTransfer : TransferFlag.voidPendingTransfer;
    const amount = post ? step.amount % (whole + 1) : whole;
    this.#book(step, Leg.both, flag, debit, credit, amount, position!);
  }

  #finish(step: Step): void {
    if (this.#holds.length === 0) return;
    const [position] = this.#holds.splice(step.pick % this.#holds.length, 1);
    const hold = this.booked[position!]!.row;
    const leg = step.kind === 'home' ? Leg.home : Leg.release;
    const debit = hold[TransferWord.debitAccountId]! - 1;
    this.#book(step, leg, 0, debit, null, hold[TransferWord.amount]!, null, hold);
  }

  #book(
    step: Step,
    leg: number,
    flags: number,
    debit: number | null,
    credit: number | null,
    amount: number,
    resolves: number | null,
    hold: Uint32Array | null = null,
  ): void {
    this.#timestamp += this.#step;
    const pending = resolves === null ? null : this.booked[resolves]!.row;
    const row = new Uint32Array(TRANSFER_ROW_WORDS);
    if (leg === Leg.expiry) row.set(pending!.subarray(0, RECORD_WORDS));
    else if (hold !== null) row.set(hold.subarray(0, RECORD_WORDS));
    else {
      row[TransferWord.id] = this.#nextId++;
      row[TransferWord.debitAccountId] = debit === null ? 77 : debit + 1;
      row[TransferWord.creditAccountId] = credit === null ? 77 : credit + 1;
      row[TransferWord.amount] = amount;
      row[TransferWord.pendingId] = pending === null ? 0 : pending[TransferWord.id]!;
      row[TransferWord.userData128 + 1] = step.pick % 3;
      row[TransferWord.userData64] = step.pick % 5;
      row[TransferWord.userData32] = step.pick % 4;
      row[TransferWord.ledger] = LEDGERS[step.pick % 2]!;
      row[TransferWord.codeAndFlags] = (flags << 16) | (1 + (step.pick % 3));
      putU64(row, TransferWord.timestamp, this.#timestamp);
    }
    row[TransferRowWord.leg] =
      leg === Leg.both || leg === Leg.expiry ? leg : (OTHER_UNIT << 16) | leg;
    putU64(row, TransferRowWord.rowTimestamp, this.#timestamp);
    this.#link(row, TransferRowWord.previousDebit, debit);
    this.#link(row, TransferRowWord.previousCredit, credit);
    const change = changeOf(
      leg,
      flags,
      BigInt(amount),
      BigInt(pending?.[TransferWord.amount] ?? 0),
    );
    this.#add(debit, 0, change);
    this.#add(credit, 2, change);
    const after = (handle: number | null) =>
      handle === null ? null : ([...this.#balances[handle]!] as unknown as FourBalances);
    if (resolves !== null && leg === Leg.both && step.pick % 2 === 0) {
      this.requested.set(this.#timestamp, amount + 7);
    }
    this.booked.push({ row, debitAfter: after(debit), creditAfter: after(credit), resolves });
  }

  #add(handle: number | null, column: number, [pending, posted]: readonly [bigint, bigint]): void {
    if (handle === null) return;
    this.#balances[handle]![column]! += pending;
    this.#balances[handle]![column + 1]! += posted;
  }

  #link(row: Uint32Array, word: number, handle: number | null): void {
    if (handle === null) return;
    putU64(row, word, this.#latest[handle]!);
    this.#latest[handle] = this.#timestamp;
  }

  #sideOf(row: Uint32Array, handle: number): 'debit' | 'credit' | null {
    const leg = legOf(row);
    if (leg !== Leg.far && row[TransferWord.debitAccountId] === handle + 1) return 'debit';
    const hasCredit = leg === Leg.both || leg === Leg.far || leg === Leg.expiry;
    return hasCredit && row[TransferWord.creditAccountId] === handle + 1 ? 'credit' : null;
  }

  /** As memory or the books give it: a copy with its pending state. */
  #give(position: number, rowsSeen: number): Uint32Array {
    const row = this.booked[position]!.row.slice();
    row[TransferRowWord.pendingState] = this.stateOf(position, rowsSeen);
    return row;
  }

  #positionOf(timestamp: bigint): number {
    return this.booked.findIndex(({ row }) => rowTimestampOf(row) === timestamp);
  }

  #positionOfId(words: Uint32Array, at: number): number {
    return this.booked.findIndex(
      ({ row }) => row[TransferWord.id] === words[at] && legOf(row) <= Leg.far,
    );
  }

  #machineReads(): MachineReads {
    const lastRowTimestamp = () =>
      this.booked.length === 0 ? 0n : rowTimestampOf(this.booked.at(-1)!.row);
    return {
      accountCount: ACCOUNTS,
      findAccount: (words, at) => (words[at]! >= 1 && words[at]! <= ACCOUNTS ? words[at]! - 1 : -1),
      readAccount: (handle, out, at) => {
        out.fill(0, at, at + RECORD_WORDS);
        out[at] = handle + 1;
        this.#balances[handle]!.forEach((value, column) => {
          putU64(out, at + AccountWord.debitsPending + column * 4, value);
        });
        out[at + AccountWord.userData32] = handle % 2;
        out[at + AccountWord.ledger] = LEDGERS[handle % 2]!;
        out[at + AccountWord.codeAndFlags] = 1 + (handle % 3);
        putU64(out, at + AccountWord.timestamp, BigInt(FIRST_CREATED + handle * 10));
      },
      firstAccountFrom: (timestamp) => {
        let handle = 0;
        while (handle < ACCOUNTS && BigInt(FIRST_CREATED + handle * 10) < timestamp) handle += 1;
        return handle;
      },
      findResidentTransfer: (words, at) => {
        const position = this.#positionOfId(words, at);
        return position >= this.folded ? this.#give(position, this.booked.length) : null;
      },
      pendingStateOf: (row) => this.stateOf(this.#positionOf(rowTimestampOf(row))),
      get lastRowTimestamp() {
        return lastRowTimestamp();
      },
      unfoldedRows: (from, to, reversed, limit) =>
        this.#inRange(
          this.folded,
          this.booked.length,
          this.booked.length,
          from,
          to,
          reversed,
          limit,
        ),
      unfoldedRequested: (timestamp) =>
        this.#positionOf(timestamp) >= this.folded ? this.#requestedAt(timestamp) : null,
      unfoldedAccountTransfers: (accountId, bounds) => {
        const { from = 0n, to = 1n << 64n, reversed = true, limit = Infinity } = bounds ?? {};
        const rows = this.#unfoldedOf(accountId).filter((row) => {
          return rowTimestampOf(row) >= from && rowTimestampOf(row) <= to;
        });
        return (reversed ? rows.reverse() : rows).slice(0, limit);
      },
      visitUnfolded: (accountId, visit) => {
        const handle = accountId[0]! - 1;
        for (const row of this.#unfoldedOf(accountId).reverse()) {
          // Not at the start of its words: nobody may rely on that.
          const words = Uint32Array.of(9, 9, ...row);
          if (!visit(words, 2, this.#sideOf(row, handle) === 'debit')) return;
        }
      },
      newestFoldedRow: (accountId) => {
        const folded = this.booked.slice(0, this.folded).map(({ row }) => row);
        const newest = folded.filter((row) => this.#sideOf(row, accountId[0]! - 1)).at(-1);
        return newest === undefined ? 0n : rowTimestampOf(newest);
      },
    };
  }

  #booksReads(): BooksReads {
    return {
      lookUp: (ids) =>
        Array.from({ length: ids.length / 4 }, (_, i) => {
          const position = this.#positionOfId(ids, i * 4);
          return position < 0 || position >= this.inBooks
            ? null
            : this.#give(position, this.inBooks);
        }),
      accountTransfers: (query) => this.#walk(query),
      scan: (query) => this.#scan(query),
      balancesAt: (handle, timestamp) => {
        const seen = this.historyOf(handle).slice(0, this.#countIn(handle, this.inBooks));
        const count = seen.filter(({ row }) => rowTimestampOf(row) <= timestamp).length;
        const entry = seen[count - (count % HISTORY_EVERY) - 1];
        if (entry === undefined) return null;
        const balances = new Uint32Array(BALANCES_WORDS);
        entry.after.forEach((value, column) => {
          putU64(balances, column * 4, value);
        });
        return { rowTimestamp: rowTimestampOf(entry.row), balances };
      },
      requestedAt: (timestamps) =>
        Array.from({ length: timestamps.length / 2 }, (_, i) => {
          const timestamp = u64At(timestamps, i * 2);
          return this.#positionOf(timestamp) < this.inBooks ? this.#requestedAt(timestamp) : null;
        }),
    };
  }

  /** Oldest first. */
  #unfoldedOf(accountId: Uint32Array): Uint32Array[] {
    return this.booked
      .map((_, position) => position)
      .slice(this.folded)
      .filter((position) => this.#sideOf(this.booked[position]!.row, accountId[0]! - 1))
      .map((position) => this.#give(position, this.booked.length));
  }

  #requestedAt(timestamp: bigint): Uint32Array | null {
    const amount = this.requested.get(timestamp);
    return amount === undefined ? null : Uint32Array.of(amount, 0, 0, 0);
  }

  #countIn(handle: number, rows: number): number {
    return this.booked.slice(0, rows).filter(({ row }) => this.#sideOf(row, handle)).length;
  }

  #walk(query: AccountTransfersQuery): Uint32Array[] {
    const handle = query.accountId[0]! - 1;
    const newest = this.#positionOf(query.newestRowTimestamp);
    if (newest < 0 || newest >= this.inBooks) throw new Error('a walk starts outside of the books');
    const { fromTimestamp, toTimestamp, reversed, limit } = query;
    const rows = this.#inRange(
      0,
      newest + 1,
      this.inBooks,
      fromTimestamp,
      toTimestamp,
      reversed,
      Infinity,
    );
    const own = rows.filter((row) => this.#sideOf(row, handle)).slice(0, limit);
    this.rowsRead += own.length;
    return own;
  }

  #scan({ source, fromTimestamp, toTimestamp, reversed, limit }: ScanQuery): Uint32Array[] {
    const rows = this.#inRange(
      0,
      this.inBooks,
      this.inBooks,
      fromTimestamp,
      toTimestamp,
      reversed,
      Infinity,
    );
    const wanted = rows.filter((row) => {
      if (source.kind === 'all') return true;
      if (source.kind === 'pending') {
        return row[TransferRowWord.pendingState] === PendingState.pending;
      }
      if (legOf(row) > Leg.far) return false;
      if (source.bits === 32) return BigInt(row[TransferWord.userData32]!) === source.value;
      if (source.bits === 64) return u64At(row, TransferWord.userData64) === source.value;
      return u64At(row, TransferWord.userData128) === source.value;
    });
    this.rowsRead += Math.min(wanted.length, limit);
    return wanted.slice(0, limit);
  }

  #inRange(
    first: number,
    end: number,
    /** Rows that whoever gives them knows of. */
    seen: number,
    from: bigint,
    to: bigint,
    reversed: boolean,
    limit: number,
  ): Uint32Array[] {
    const rows: Uint32Array[] = [];
    for (let position = first; position < end; position += 1) {
      const timestamp = rowTimestampOf(this.booked[position]!.row);
      if (timestamp >= from && timestamp <= to) rows.push(this.#give(position, seen));
    }
    return (reversed ? rows.reverse() : rows).slice(0, limit);
  }
}

/** What a row does to (pending, posted) of each of its sides. */
function changeOf(
  leg: number,
  flags: number,
  amount: bigint,
  reserved: bigint,
): readonly [bigint, bigint] {
  if (leg === Leg.hold) return [amount, 0n];
  if (leg === Leg.home) return [-amount, amount];
  if (leg === Leg.release || leg === Leg.expiry) return [-amount, 0n];
  if (leg === Leg.far) return [0n, amount];
  if ((flags & TransferFlag.pending) !== 0) return [amount, 0n];
  if ((flags & TransferFlag.postPendingTransfer) !== 0) return [-reserved, amount];
  if ((flags & TransferFlag.voidPendingTransfer) !== 0) return [-reserved, 0n];
  return [0n, amount];
}

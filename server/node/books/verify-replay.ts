import {
  Leg,
  TRANSFER_ROW_WORDS,
  TransferFlag,
  TransferRowWord,
  TransferWord,
} from '../../../ledger/layout.ts';
import { legOf, u64At } from '../../core/books-row.ts';
import { Column, type VerifiedAccounts } from './verify-accounts.ts';
import { type RowChunk, rowName } from './verify-chunk.ts';
import type { CrossingCheck } from './verify-crossings.ts';
import { differ } from './verify-difference.ts';
import type { HistoryCheck } from './verify-history.ts';
import { idText, u128At } from './verify-words.ts';

const CLOSES = TransferFlag.closingDebit | TransferFlag.closingCredit;

/** Plays all rows in the order of time: what they do to balances, to the links between them, and to the history. */
export class Replay {
  readonly #accounts: VerifiedAccounts;
  readonly #history: HistoryCheck;
  readonly #crossings: CrossingCheck;
  readonly #clearingId = new Uint32Array(4);

  constructor(accounts: VerifiedAccounts, history: HistoryCheck, crossings: CrossingCheck) {
    this.#accounts = accounts;
    this.#history = history;
    this.#crossings = crossings;
  }

  play({ rows, resolves }: RowChunk): void {
    for (let at = 0; at < rows.length; at += TRANSFER_ROW_WORDS) {
      this.#crossings.check(rows, at);
      const [debit, credit] = this.#sidesOf(rows, at);
      this.#post(rows, at, debit, credit, resolves.get(at) ?? null);
      this.#link(rows, at, debit, TransferRowWord.previousDebit, 'previousDebit');
      this.#link(rows, at, credit, TransferRowWord.previousCredit, 'previousCredit');
    }
  }

  /** Handles of the accounts of this unit that the row moves. */
  #sidesOf(rows: Uint32Array, at: number): [debit: number, credit: number] {
    const leg = legOf(rows, at);
    const clears = leg === Leg.home || leg === Leg.hold || leg === Leg.release;
    const debit = leg === Leg.far ? this.#clearing(rows, at) : null;
    const credit = clears ? this.#clearing(rows, at) : null;
    return [
      this.#find(
        rows,
        at,
        'debit',
        debit ?? rows,
        debit === null ? at + TransferWord.debitAccountId : 0,
      ),
      this.#find(
        rows,
        at,
        'credit',
        credit ?? rows,
        credit === null ? at + TransferWord.creditAccountId : 0,
      ),
    ];
  }

  #clearing(rows: Uint32Array, at: number): Uint32Array {
    const otherUnit = rows[at + TransferRowWord.leg]! >>> 16;
    const ledger = rows[at + TransferWord.ledger]!;
    this.#clearingId.set([((otherUnit << 16) | 1) >>> 0, ledger, 0xffff_ffff, 0xffff_ffff]);
    return this.#clearingId;
  }

  #find(rows: Uint32Array, at: number, side: string, words: Uint32Array, idAt: number): number {
    const handle = this.#accounts.find(words, idAt);
    if (handle >= 0) return handle;
    const name = `${rowName(rows, at)} ${side}_account_id`;
    return differ('transfer_row', name, 'an account of the unit', idText(words, idAt));
  }

  #post(
    rows: Uint32Array,
    at: number,
    debit: number,
    credit: number,
    resolved: Uint32Array | null,
  ): void {
    const flags = rows[at + TransferWord.codeAndFlags]! >>> 16;
    const amount = at + TransferWord.amount;
    const move = (pending: boolean, sign: 1 | -1, words = rows, from = amount): void => {
      const column = pending ? Column.debitsPending : Column.debitsPosted;
      const other = column + Column.creditsPending;
      this.#move(rows, at, debit, column, sign, words, from);
      this.#move(rows, at, credit, other, sign, words, from);
    };
    switch (legOf(rows, at)) {
      case Leg.both:
        if (resolved !== null) {
          move(true, -1, resolved, TransferWord.amount);
          if ((flags & TransferFlag.postPendingTransfer) !== 0) move(false, 1);
          else this.#close(resolved, 0, debit, credit, false);
        } else if ((flags & TransferFlag.pending) !== 0) {
          move(true, 1);
          this.#close(rows, at, debit, credit, true);
        } else move(false, 1);
        break;
      case Leg.hold:
        move(true, 1);
        break;
      case Leg.home:
        move(true, -1);
        move(false, 1);
        break;
      case Leg.far:
        move(false, 1);
        break;
      case Leg.release:
        move(true, -1);
        break;
      case Leg.expiry:
        move(true, -1);
        this.#close(rows, at, debit, credit, false);
        break;
      default:
        differ('transfer_row', `${rowName(rows, at)} leg`, 'a known leg', legOf(rows, at));
    }
  }

  #move(
    rows: Uint32Array,
    at: number,
    handle: number,
    column: number,
    sign: 1 | -1,
    words: Uint32Array,
    from: number,
  ): void {
    if (this.#accounts.post(handle, column, sign, words, from)) return;
    const balance = sign < 0 ? 'at least this much' : 'room for it';
    const name = `${rowName(rows, at)} amount`;
    const expected = `${balance} in word ${column} of ${this.#accounts.name(handle)}`;
    differ('transfer_row', name, expected, u128At(words, from));
  }

  /** The pending transfer's record says which accounts it closed. */
  #close(record: Uint32Array, at: number, debit: number, credit: number, closed: boolean): void {
    const flags = record[at + TransferWord.codeAndFlags]! >>> 16;
    if ((flags & CLOSES) === 0) return;
    if ((flags & TransferFlag.closingDebit) !== 0) this.#accounts.setClosed(debit, closed);
    if ((flags & TransferFlag.closingCredit) !== 0) this.#accounts.setClosed(credit, closed);
  }

  #link(rows: Uint32Array, at: number, handle: number, word: number, name: string): void {
    const previousLo = rows[at + word]!;
    const previousHi = rows[at + word + 1]!;
    if (!this.#accounts.latestIs(handle, previousLo, previousHi)) {
      const expected = this.#accounts.latest(handle);
      differ('transfer_row', `${rowName(rows, at)} ${name}`, expected, u64At(rows, at + word));
    }
    const lo = rows[at + TransferRowWord.rowTimestamp]!;
    const hi = rows[at + TransferRowWord.rowTimestamp + 1]!;
    if (this.#accounts.advance(handle, lo, hi)) this.#history.check(handle, lo, hi);
  }
}

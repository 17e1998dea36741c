import {
  AccountFlag,
  BALANCES_WORDS,
  BURNT_ROW_WORDS,
  BurntRowWord,
  HISTORY_EVERY,
  HISTORY_ROW_WORDS,
  HistoryRowWord,
  Leg,
  PENDING_ROW_WORDS,
  PendingRowWord,
  PendingState,
  REQUESTED_ROW_WORDS,
  RequestedRowWord,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from '../layout.ts';
import type { OracleLedger } from './oracle-ledger.ts';
import type { Balances, OracleEvent } from './oracle-types.ts';
import { packTransfers, putWords } from './records.ts';
import { RowsReplay } from './rows-replay.ts';
import { same } from './same.ts';

const LEGS = {
  transfer: Leg.both,
  home: Leg.home,
  far: Leg.far,
  hold: Leg.hold,
  release: Leg.release,
  expiry: Leg.expiry,
} as const;

/** What the books must be given for a run of events, in packed form. */
export interface ExpectedRows {
  readonly transfers: Uint32Array;
  readonly pendings: Uint32Array;
  readonly requested: Uint32Array;
  readonly burnt: Uint32Array;
  /** In no order among the two rows of one transfer. */
  readonly history: readonly Uint32Array[];
}

/**
 * Follows the oracle's events and says for each what rows a machine must make of it; and plays the rows
 * back, to see that the balances after each event can be told from them alone.
 */
export class FeedCheck {
  readonly #ledger: OracleLedger;
  /** Row timestamp of each account's newest row. */
  readonly #latest = new Map<bigint, bigint>();
  readonly #handles = new Map<bigint, number>();
  readonly #replay = new RowsReplay();
  #next = 0;
  #burnt = 0;
  /** How many rows each account has by then. */
  readonly #counts = new Map<bigint, number>();

  constructor(ledger: OracleLedger) {
    this.#ledger = ledger;
  }

  /** How many events were taken. */
  get done(): number {
    return this.#next;
  }

  /** Events since the last call. */
  takeExpected(): ExpectedRows {
    const events = this.#ledger.events.slice(this.#next);
    this.#next = this.#ledger.events.length;
    const resolving = events.filter(({ pending }) => pending !== null);
    const unlike = events.filter(({ requested, record }) => requested !== record.amount);
    return {
      transfers: joined(events, TRANSFER_ROW_WORDS, (event) => this.#row(event)),
      pendings: joined(resolving, PENDING_ROW_WORDS, (event) => this.#pendingRow(event)),
      requested: joined(unlike, REQUESTED_ROW_WORDS, requestedRow),
      burnt: this.#burntRows(),
      history: events.flatMap((event) => this.#historyRows(event)),
    };
  }

  /** The rows' own balances against the oracle's. `rows` are of the last events, in order. */
  checkBalances(rows: Uint32Array): void {
    const count = rows.length / TRANSFER_ROW_WORDS;
    const events = count === 0 ? [] : this.#ledger.events.slice(this.#next - count, this.#next);
    events.forEach(({ debit, credit, debitAfter, creditAfter }, i) => {
      const row = rows.subarray(i * TRANSFER_ROW_WORDS, (i + 1) * TRANSFER_ROW_WORDS);
      const after = this.#replay.apply(row, debit, credit);
      same(after, [debitAfter, creditAfter], 'balances told from rows');
    });
  }

  #row(event: OracleEvent): Uint32Array {
    const row = new Uint32Array(TRANSFER_ROW_WORDS);
    row.set(packTransfers([event.record]));
    const otherUnit = this.#otherUnit(event);
    row[TransferRowWord.leg] = (otherUnit << 16) | LEGS[event.kind];
    putWords(row, TransferRowWord.rowTimestamp, 2, event.timestamp);
    putWords(row, TransferRowWord.previousDebit, 2, this.#link(event.debit, event.timestamp));
    putWords(row, TransferRowWord.previousCredit, 2, this.#link(event.credit, event.timestamp));
    return row;
  }

  #otherUnit({ kind, debit, credit }: OracleEvent): number {
    if (kind === 'transfer' || kind === 'expiry') return 0;
    return Number(((kind === 'far' ? debit : credit) >> 16n) & 0xffffn);
  }

  #link(account: bigint, timestamp: bigint): bigint {
    const before = this.#latest.get(account) ?? 0n;
    this.#latest.set(account, timestamp);
    return before;
  }

  #burntRows(): Uint32Array {
    const burnt = [...this.#ledger.burnt].slice(this.#burnt);
    this.#burnt += burnt.length;
    const words = new Uint32Array(burnt.length * BURNT_ROW_WORDS);
    burnt.forEach(([id, at], i) => {
      putWords(words, i * BURNT_ROW_WORDS + BurntRowWord.id, 4, id);
      putWords(words, i * BURNT_ROW_WORDS + BurntRowWord.timestamp, 2, at);
    });
    return words;
  }

  #pendingRow({ pending, timestamp }: OracleEvent): Uint32Array {
    const { id, state } = pending!;
    const { record, deadline } = this.#ledger.pendings.get(id)!;
    const row = new Uint32Array(PENDING_ROW_WORDS);
    putWords(row, PendingRowWord.timestamp, 2, record.timestamp);
    row[PendingRowWord.state] = PendingState[state];
    putWords(row, PendingRowWord.deadline, 2, deadline ?? 0n);
    putWords(row, PendingRowWord.resolved, 2, state === 'pending' ? 0n : timestamp);
    return row;
  }

  #historyRows(event: OracleEvent): Uint32Array[] {
    const sides: [bigint, Balances][] = [
      [event.debit, event.debitAfter],
      [event.credit, event.creditAfter],
    ];
    return sides.flatMap(([account, balances]) => {
      const count = (this.#counts.get(account) ?? 0) + 1;
      this.#counts.set(account, count);
      const { flags } = this.#ledger.accounts.get(account)!;
      if (count % HISTORY_EVERY !== 0 && (flags & AccountFlag.history) === 0) return [];
      const row = new Uint32Array(HISTORY_ROW_WORDS);
      row[HistoryRowWord.handle] = this.#handleOf(account);
      putWords(row, HistoryRowWord.rowTimestamp, 2, event.timestamp);
      balances.forEach((column, i) => {
        putWords(row, HistoryRowWord.balances + (i * BALANCES_WORDS) / 4, 4, column);
      });
      return [row];
    });
  }

  /** Accounts never go, but those of a chain that is undone, which no event names. */
  #handleOf(account: bigint): number {
    if (!this.#handles.has(account)) {
      this.#handles.clear();
      for (const id of this.#ledger.accounts.keys()) this.#handles.set(id, this.#handles.size);
    }
    return this.#handles.get(account)!;
  }
}

function requestedRow({ timestamp, requested }: OracleEvent): Uint32Array {
  const row = new Uint32Array(REQUESTED_ROW_WORDS);
  putWords(row, RequestedRowWord.timestamp, 2, timestamp);
  putWords(row, RequestedRowWord.amount, 4, requested);
  return row;
}

function joined(
  events: readonly OracleEvent[],
  rowWords: number,
  rowOf: (event: OracleEvent) => Uint32Array,
): Uint32Array {
  const words = new Uint32Array(events.length * rowWords);
  events.forEach((event, i) => {
    words.set(rowOf(event), i * rowWords);
  });
  return words;
}

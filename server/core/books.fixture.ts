import { CLOSED_ROW_WORDS, type Fold } from '../../ledger/fold.ts';
import {
  ACCOUNT_ROW_WORDS,
  AccountRowWord,
  AccountWord,
  BURNT_ROW_WORDS,
  BurntRowWord,
  CHANNEL_ROW_WORDS,
  ChannelRowWord,
  DECISION_ROW_WORDS,
  DecisionRowWord,
  HISTORY_EVERY,
  HISTORY_ROW_WORDS,
  HistoryRowWord,
  Leg,
  OPEN_ROW_WORDS,
  OpenRowWord,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
  TransferWord,
} from '../../ledger/layout.ts';

export const LEDGER = 7;
/** The unit at the other end of every crossing made here. */
export const OTHER_UNIT = 9;
const FIRST_TIMESTAMP = 1_800_000_000_000_000_000n;

export interface FoldSize {
  readonly accounts?: number;
  readonly transfers?: number;
  readonly burnt?: number;
}

/**
 * Makes folds such as a machine would, from a seed: linked histories, sparse history, legs of
 * crossings. Amounts and balances are noise; nothing here does accounting.
 */
export class FoldMaker {
  readonly unit: number;
  readonly #randomIds: boolean;
  #random: number;
  #index = 0;
  #timestamp = FIRST_TIMESTAMP;
  #nextId = 1;
  /** By handle. Handle 0 is the clearing account of OTHER_UNIT. */
  readonly #accounts: Uint32Array[] = [];

  constructor(unit: number, options: { seed?: number; randomIds?: boolean } = {}) {
    this.unit = unit;
    this.#random = options.seed ?? 1;
    this.#randomIds = options.randomIds ?? false;
  }

  get accountCount(): number {
    return this.#accounts.length;
  }

  accountId(handle: number): Uint32Array {
    return this.#accounts[handle]!.slice(0, 4);
  }

  /** Handle of the account, or -1. */
  handleOf(id: Uint32Array): number {
    return this.#accounts.findIndex((row) => row.subarray(0, 4).join() === id.join());
  }

  /** All accounts as they stand after the last fold. */
  accountRows(): Uint32Array {
    return this.#rowsOf(new Set(this.#accounts.keys()));
  }

  newestRowTimestamp(handle: number): bigint {
    return u64(this.#accounts[handle]!, AccountRowWord.latestTransfer);
  }

  next(size: FoldSize): Fold {
    const changed = new Set<number>();
    for (let i = 0; i < (size.accounts ?? 0); i++) changed.add(this.#addAccount());
    const transfers = new Uint32Array((size.transfers ?? 0) * TRANSFER_ROW_WORDS);
    const history: number[] = [];
    for (let at = 0; at < transfers.length; at += TRANSFER_ROW_WORDS) {
      this.#addTransfer(transfers.subarray(at, at + TRANSFER_ROW_WORDS), changed, history);
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
      accounts: this.#rowsOf(changed),
      transfers,
      history: Uint32Array.from(history),
      burnt,
    };
  }

  #addAccount(): number {
    const handle = this.#accounts.length;
    const row = new Uint32Array(ACCOUNT_ROW_WORDS);
    row.set(handle === 0 ? clearingAccountId(LEDGER, OTHER_UNIT) : this.#randomId());
    row[AccountWord.ledger] = LEDGER;
    row[AccountWord.codeAndFlags] = 10;
    putU64(row, AccountWord.timestamp, this.#newTimestamp());
    row[AccountRowWord.handle] = handle;
    this.#accounts.push(row);
    return handle;
  }

  #addTransfer(row: Uint32Array, changed: Set<number>, history: number[]): void {
    const leg = this.#below(8) === 0 ? 1 + this.#below(2) : Leg.both;
    const debit = leg === Leg.far ? 0 : 1 + this.#below(this.#accounts.length - 1);
    let credit = leg === Leg.home ? 0 : 1 + this.#below(this.#accounts.length - 1);
    if (credit === debit) credit = (debit % (this.#accounts.length - 1)) + 1;
    const timestamp = this.#newTimestamp();
    row.set(this.#newId(), TransferWord.id);
    row.set(
      leg === Leg.far ? this.#randomId() : this.accountId(debit),
      TransferWord.debitAccountId,
    );
    row.set(
      leg === Leg.home ? this.#randomId() : this.accountId(credit),
      TransferWord.creditAccountId,
    );
    row[TransferWord.amount] = 1 + this.#below(1_000_000);
    row[TransferWord.ledger] = LEDGER;
    row[TransferWord.codeAndFlags] = 20;
    putU64(row, TransferWord.timestamp, leg === Leg.both ? timestamp : timestamp - 5n);
    if (leg !== Leg.both) row[TransferRowWord.leg] = leg | (OTHER_UNIT << 16);
    putU64(row, TransferRowWord.rowTimestamp, timestamp);
    this.#link(row, TransferRowWord.previousDebit, debit, timestamp, history);
    this.#link(row, TransferRowWord.previousCredit, credit, timestamp, history);
    changed.add(debit).add(credit);
  }

  #link(
    row: Uint32Array,
    word: number,
    handle: number,
    timestamp: bigint,
    history: number[],
  ): void {
    const account = this.#accounts[handle]!;
    row[word] = account[AccountRowWord.latestTransfer]!;
    row[word + 1] = account[AccountRowWord.latestTransfer + 1]!;
    putU64(account, AccountRowWord.latestTransfer, timestamp);
    account[AccountRowWord.transferCount]! += 1;
    account[AccountWord.debitsPosted]! += 1;
    if (account[AccountRowWord.transferCount]! % HISTORY_EVERY !== 0) return;
    const entry = new Uint32Array(HISTORY_ROW_WORDS);
    entry[HistoryRowWord.handle] = handle;
    putU64(entry, HistoryRowWord.rowTimestamp, timestamp);
    entry.set(account.subarray(AccountWord.debitsPending, 20), HistoryRowWord.balances);
    for (const value of entry) history.push(value);
  }

  #rowsOf(handles: Set<number>): Uint32Array {
    const rows = new Uint32Array(handles.size * ACCOUNT_ROW_WORDS);
    const ascending = Float64Array.from(handles).sort();
    for (const [position, handle] of ascending.entries()) {
      rows.set(this.#accounts[handle]!, position * ACCOUNT_ROW_WORDS);
    }
    return rows;
  }

  #newTimestamp(): bigint {
    this.#timestamp += 1n + BigInt(this.#below(3));
    return this.#timestamp;
  }

  /** Time-ordered ids have their time in the highest 48 bits, as clients make them. */
  #newId(): Uint32Array {
    const id = this.#randomId();
    if (this.#randomIds) return id;
    const milliseconds = 1_800_000_000_000 + Math.floor(this.#nextId / 64);
    id[3] = Math.floor(milliseconds / 2 ** 16);
    id[2] = ((milliseconds % 2 ** 16) * 2 ** 16 + (this.#nextId++ % 64) * 1_024) >>> 0;
    return id;
  }

  #randomId(): Uint32Array {
    return Uint32Array.of(this.#next(), this.#next(), this.#next(), this.#next());
  }

  #below(limit: number): number {
    return this.#next() % limit;
  }

  /** mulberry32 */
  #next(): number {
    this.#random = (this.#random + 0x6d2b_79f5) >>> 0;
    let value = this.#random;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return (value ^ (value >>> 14)) >>> 0;
  }
}

/** A fold that changes nothing but the index. */
export function emptyFold(unit: number, afterIndex: number, throughIndex: number): Fold {
  return {
    unit,
    afterIndex,
    throughIndex,
    throughTerm: 1,
    lastTimestamp: FIRST_TIMESTAMP,
    digest: '0123456789abcdef',
    slots: null,
    accounts: new Uint32Array(0),
    transfers: new Uint32Array(0),
    history: new Uint32Array(0),
    burnt: new Uint32Array(0),
    opened: new Uint32Array(0),
    closed: new Uint32Array(0),
    decisions: new Uint32Array(0),
    channels: new Uint32Array(0),
  };
}

export function openRow(farUnit: number, sequence: bigint): Uint32Array {
  const row = new Uint32Array(OPEN_ROW_WORDS).fill(0xabcd_0000 + farUnit);
  row[OpenRowWord.farUnit] = farUnit;
  putU64(row, OpenRowWord.sequence, sequence);
  return row;
}

export function closedRow(farUnit: number, sequence: bigint): Uint32Array {
  return openRow(farUnit, sequence).slice(0, CLOSED_ROW_WORDS).fill(0, 1, 2);
}

export function decisionRow(homeUnit: number, sequence: bigint): Uint32Array {
  const row = new Uint32Array(DECISION_ROW_WORDS).fill(0xbcde_0000 + homeUnit);
  row[DecisionRowWord.homeUnit] = homeUnit;
  putU64(row, DecisionRowWord.sequence, sequence);
  return row;
}

export function channelRow(otherUnit: number, last: bigint, forgotten: bigint): Uint32Array {
  const row = new Uint32Array(CHANNEL_ROW_WORDS);
  row[ChannelRowWord.otherUnit] = otherUnit;
  putU64(row, ChannelRowWord.lastSequence, last);
  putU64(row, ChannelRowWord.forgottenThrough, forgotten);
  return row;
}

export function clearingAccountId(ledger: number, otherUnit: number): Uint32Array {
  return Uint32Array.of((otherUnit << 16) | 1, ledger, 0xffff_ffff, 0xffff_ffff);
}

export function u64(words: Uint32Array, offset: number): bigint {
  return BigInt(words[offset]!) + BigInt(words[offset + 1]!) * 2n ** 32n;
}

export function putU64(words: Uint32Array, offset: number, value: bigint): void {
  words[offset] = Number(value & 0xffff_ffffn);
  words[offset + 1] = Number(value >> 32n);
}

import { type BooksImage, CLOSED_ROW_WORDS, emptyImage, type Fold } from '../fold.ts';
import {
  ACCOUNT_ROW_WORDS,
  AccountRowWord,
  BURNT_ROW_WORDS,
  CHANNEL_ROW_WORDS,
  ChannelRowWord,
  DECISION_ROW_WORDS,
  DecisionRowWord,
  Leg,
  OPEN_ROW_WORDS,
  OpenRowWord,
  PENDING_ROW_WORDS,
  PendingRowWord,
  PendingState,
  REQUESTED_ROW_WORDS,
  RequestedRowWord,
  TIMEOUT_ROW_WORDS,
  TimeoutRowWord,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from '../layout.ts';
import type { LookUpResult } from '../look-up.ts';
import { getWords, idWords } from './records.ts';

/** Books in maps: what a fold says, kept, and little checked but its index. */
export class MemoryBooks {
  #image: BooksImage;
  readonly #accounts: Uint32Array[] = [];
  /** By row timestamp, all legs; and the ids of those that are transfers. */
  readonly #rows = new Map<bigint, Uint32Array>();
  readonly #ids = new Map<bigint, Uint32Array>();
  readonly #burnt = new Set<bigint>();
  readonly #pendings = new Map<bigint, Uint32Array>();
  readonly #requested = new Map<bigint, Uint32Array>();
  readonly #opened = new Map<bigint, Uint32Array>();
  readonly #decisions = new Map<bigint, Uint32Array>();
  readonly #channels = new Map<number, Uint32Array>();
  readonly history: Uint32Array[] = [];
  #lastRowTimestamp = 0n;

  constructor(unit: number) {
    this.#image = emptyImage(unit);
  }

  get index(): number {
    return this.#image.index;
  }

  commit(fold: Fold): void {
    if (fold.afterIndex !== this.index) {
      throw new Error(`a fold after ${fold.afterIndex} for books at ${this.index}`);
    }
    for (const row of rowsOf(fold.accounts, ACCOUNT_ROW_WORDS)) {
      this.#accounts[row[AccountRowWord.handle]!] = row;
    }
    for (const row of rowsOf(fold.transfers, TRANSFER_ROW_WORDS)) this.#addRow(row);
    for (const row of rowsOf(fold.burnt, BURNT_ROW_WORDS)) {
      const id = getWords(row, 0, 4);
      if (this.#ids.has(id) || this.#burnt.has(id)) throw new Error(`${id} burnt twice`);
      this.#burnt.add(id);
    }
    for (const row of rowsOf(fold.pendings, PENDING_ROW_WORDS)) this.#setPending(row);
    for (const row of rowsOf(fold.requested, REQUESTED_ROW_WORDS)) {
      const amount = row.slice(RequestedRowWord.amount, RequestedRowWord.amount + 4);
      this.#requested.set(getWords(row, RequestedRowWord.timestamp, 2), amount);
    }
    this.#commitCrossings(fold);
    this.history.push(fold.history);
    const { unit, throughIndex, throughTerm, lastTimestamp, digest } = fold;
    const slots = fold.slots ?? this.#image.slots;
    const at = { index: throughIndex, term: throughTerm, lastTimestamp, digest, slots };
    this.#image = { ...emptyImage(unit), ...at };
  }

  image(): BooksImage {
    return {
      ...this.#image,
      accounts: this.#accounts.map((row) => row.slice()),
      opened: join(this.#opened),
      decisions: join(this.#decisions),
      channels: join(this.#channels),
      timeouts: [this.#timeouts()],
      lastRowTimestamp: this.#lastRowTimestamp,
      maxTransferId: idWords(maxOf([...this.#ids.keys(), ...this.#burnt])),
      transferCount: this.#rows.size,
    };
  }

  /** `ids` is count x 4 words. */
  lookUp(ids: Uint32Array): LookUpResult[] {
    return rowsOf(ids, 4).map((words) => {
      const id = getWords(words, 0, 4);
      const row = this.#ids.get(id);
      if (row === undefined) return this.#burnt.has(id) ? 'burnt' : null;
      return this.#withState(row);
    });
  }

  /** Ids after this one, ascending, burnt ones too: at most `limit`, four words each. */
  idsAfter(id: Uint32Array | null, limit: number): Uint32Array {
    const after = id === null ? -1n : getWords(id, 0, 4);
    const ids = [...this.#ids.keys(), ...this.#burnt].filter((known) => known > after);
    ids.sort((a, b) => (a < b ? -1 : 1));
    return Uint32Array.from(ids.slice(0, limit).flatMap((known) => [...idWords(known)]));
  }

  /** `timestamps` is count x 2 words. */
  rowsAt(timestamps: Uint32Array): (Uint32Array | null)[] {
    return rowsOf(timestamps, 2).map((words) => {
      const row = this.#rows.get(getWords(words, 0, 2));
      return row === undefined ? null : this.#withState(row);
    });
  }

  /** All rows of all legs, ascending by row timestamp. */
  transfers(): Uint32Array[] {
    return [...this.#rows.values()].sort((a, b) => Number(rowTime(a) - rowTime(b)));
  }

  #addRow(row: Uint32Array): void {
    const at = rowTime(row);
    if (at <= this.#lastRowTimestamp) throw new Error(`row ${at} is not the newest`);
    this.#lastRowTimestamp = at;
    this.#rows.set(at, row);
    if ((row[TransferRowWord.leg]! & 0xffff) >= Leg.hold) return;
    const id = getWords(row, 0, 4);
    if (this.#ids.has(id) || this.#burnt.has(id)) throw new Error(`a second row of ${id}`);
    this.#ids.set(id, row);
  }

  #setPending(row: Uint32Array): void {
    const at = getWords(row, PendingRowWord.timestamp, 2);
    const isNew = row[PendingRowWord.state] === PendingState.pending;
    if (isNew === this.#pendings.has(at)) throw new Error(`pending ${at} comes twice or too late`);
    if (!this.#rows.has(at)) throw new Error(`pending ${at} has no row`);
    this.#pendings.set(at, row);
  }

  #withState(row: Uint32Array): Uint32Array {
    const copy = row.slice();
    copy[TransferRowWord.pendingState] =
      this.#pendings.get(rowTime(row))?.[PendingRowWord.state] ?? PendingState.none;
    return copy;
  }

  #timeouts(): Uint32Array {
    const waiting = [...this.#pendings.values()].filter(
      (row) =>
        row[PendingRowWord.state] === PendingState.pending &&
        getWords(row, PendingRowWord.deadline, 2) !== 0n,
    );
    const words = new Uint32Array(waiting.length * TIMEOUT_ROW_WORDS);
    waiting.forEach((row, i) => {
      const at = i * TIMEOUT_ROW_WORDS;
      const { timestamp, deadline } = PendingRowWord;
      words.set(row.subarray(timestamp, timestamp + 2), at + TimeoutRowWord.timestamp);
      words.set(row.subarray(deadline, deadline + 2), at + TimeoutRowWord.deadline);
    });
    return words;
  }

  #commitCrossings(fold: Fold): void {
    for (const row of rowsOf(fold.closed, CLOSED_ROW_WORDS)) {
      const key = keyOf(row[OpenRowWord.farUnit]!, getWords(row, OpenRowWord.sequence, 2));
      if (!this.#opened.delete(key)) throw new Error(`crossing ${key} was closed but not open`);
    }
    for (const row of rowsOf(fold.opened, OPEN_ROW_WORDS)) {
      const sequence = getWords(row, OpenRowWord.sequence, 2);
      const key = keyOf(row[OpenRowWord.farUnit]!, sequence);
      if (this.#opened.has(key)) throw new Error(`crossing ${key} was opened twice`);
      this.#opened.set(key, row);
    }
    for (const row of rowsOf(fold.decisions, DECISION_ROW_WORDS)) {
      const sequence = getWords(row, DecisionRowWord.sequence, 2);
      this.#decisions.set(keyOf(row[DecisionRowWord.homeUnit]!, sequence), row);
    }
    for (const row of rowsOf(fold.channels, CHANNEL_ROW_WORDS)) {
      const otherUnit = row[ChannelRowWord.otherUnit]!;
      this.#channels.set(otherUnit, row);
      const forgotten = keyOf(otherUnit, getWords(row, ChannelRowWord.forgottenThrough, 2));
      for (const key of this.#decisions.keys()) {
        if (key >> 64n === BigInt(otherUnit) && key <= forgotten) this.#decisions.delete(key);
      }
    }
  }
}

function keyOf(unit: number, sequence: bigint): bigint {
  return (BigInt(unit) << 64n) | sequence;
}

export function rowTime(row: Uint32Array): bigint {
  return getWords(row, TransferRowWord.rowTimestamp, 2);
}

export function rowsOf(words: Uint32Array, rowWords: number): Uint32Array[] {
  const count = words.length / rowWords;
  return Array.from({ length: count }, (_, i) => words.slice(i * rowWords, (i + 1) * rowWords));
}

function join<K extends bigint | number>(byKey: Map<K, Uint32Array>): Uint32Array {
  const sorted = [...byKey].sort(([a], [b]) => (a < b ? -1 : 1));
  return Uint32Array.from(sorted.flatMap(([, row]) => [...row]));
}

function maxOf(ids: readonly bigint[]): bigint {
  return ids.reduce((max, id) => (id > max ? id : max), 0n);
}

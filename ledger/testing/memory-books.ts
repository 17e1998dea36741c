import { type BooksImage, CLOSED_ROW_WORDS, emptyImage, type Fold } from '../fold.ts';
import {
  ACCOUNT_ROW_WORDS,
  AccountRowWord,
  BURNT_ROW_WORDS,
  CHANNEL_ROW_WORDS,
  ChannelRowWord,
  DECISION_ROW_WORDS,
  DecisionRowWord,
  OPEN_ROW_WORDS,
  OpenRowWord,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
} from '../layout.ts';
import type { LookUpResult } from '../look-up.ts';
import { getWords, idWords } from './records.ts';

/** Books in maps: what a fold says, kept, and nothing checked but its index. */
export class MemoryBooks {
  #image: BooksImage;
  readonly #accounts: Uint32Array[] = [];
  readonly #transfers = new Map<bigint, Uint32Array>();
  readonly #burnt = new Set<bigint>();
  readonly #opened = new Map<bigint, Uint32Array>();
  readonly #decisions = new Map<bigint, Uint32Array>();
  readonly #channels = new Map<number, Uint32Array>();
  readonly history: Uint32Array[] = [];

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
    for (const row of rows(fold.accounts, ACCOUNT_ROW_WORDS)) {
      this.#accounts[row[AccountRowWord.handle]!] = row;
    }
    for (const row of rows(fold.transfers, TRANSFER_ROW_WORDS)) {
      const id = getWords(row, 0, 4);
      if (this.#transfers.has(id) || this.#burnt.has(id)) throw new Error(`a second row of ${id}`);
      this.#transfers.set(id, row);
    }
    for (const row of rows(fold.burnt, BURNT_ROW_WORDS)) {
      const id = getWords(row, 0, 4);
      if (this.#transfers.has(id) || this.#burnt.has(id)) throw new Error(`${id} burnt twice`);
      this.#burnt.add(id);
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
      maxTransferId: idWords(maxOf([...this.#transfers.keys(), ...this.#burnt])),
      transferCount: this.#transfers.size,
    };
  }

  lookUp(ids: Uint32Array): LookUpResult[] {
    return rows(ids, 4).map((words) => {
      const id = getWords(words, 0, 4);
      return this.#burnt.has(id) ? 'burnt' : (this.#transfers.get(id)?.slice() ?? null);
    });
  }

  /** All transfer rows, ascending by row timestamp. */
  transfers(): Uint32Array[] {
    return [...this.#transfers.values()].sort((a, b) => Number(rowTime(a) - rowTime(b)));
  }

  #commitCrossings(fold: Fold): void {
    for (const row of rows(fold.closed, CLOSED_ROW_WORDS)) {
      const key = keyOf(row[OpenRowWord.farUnit]!, getWords(row, OpenRowWord.sequence, 2));
      if (!this.#opened.delete(key)) throw new Error(`crossing ${key} was closed but not open`);
    }
    for (const row of rows(fold.opened, OPEN_ROW_WORDS)) {
      const sequence = getWords(row, OpenRowWord.sequence, 2);
      const key = keyOf(row[OpenRowWord.farUnit]!, sequence);
      if (this.#opened.has(key)) throw new Error(`crossing ${key} was opened twice`);
      this.#opened.set(key, row);
    }
    for (const row of rows(fold.decisions, DECISION_ROW_WORDS)) {
      const sequence = getWords(row, DecisionRowWord.sequence, 2);
      this.#decisions.set(keyOf(row[DecisionRowWord.homeUnit]!, sequence), row);
    }
    for (const row of rows(fold.channels, CHANNEL_ROW_WORDS)) {
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

function rowTime(row: Uint32Array): bigint {
  return getWords(row, TransferRowWord.rowTimestamp, 2);
}

function rows(words: Uint32Array, rowWords: number): Uint32Array[] {
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

import {
  PENDING_ROW_WORDS,
  PendingRowWord,
  PendingState,
  TIMEOUT_ROW_WORDS,
  TimeoutRowWord,
} from '../ledger/layout.ts';
import { u64At } from '../server/core/books-row.ts';

/** States of pending transfers, by the row timestamp of each. */
export class PendingTable {
  readonly #rows = new Map<bigint, Uint32Array>();

  /** Throws unless each is either new, or pending and resolved now. */
  assert(rows: Uint32Array): void {
    const before = new Map<bigint, Uint32Array>();
    for (const [timestamp, row] of byTimestamp(rows)) {
      const known = before.get(timestamp) ?? this.#rows.get(timestamp);
      const booked = row[PendingRowWord.state] === PendingState.pending;
      if (booked && known !== undefined) throw new Error('a pending transfer is booked twice');
      if (!booked && !isResolution(known, row)) {
        throw new Error('a pending transfer is unknown, or resolved twice');
      }
      before.set(timestamp, row);
    }
  }

  put(rows: Uint32Array): void {
    for (const [timestamp, row] of byTimestamp(rows)) this.#rows.set(timestamp, row.slice());
  }

  /** All, ascending by timestamp. */
  rows(): Uint32Array {
    const all = new Uint32Array(this.#rows.size * PENDING_ROW_WORDS);
    let at = 0;
    for (const row of this.#rows.values()) {
      all.set(row, at);
      at += PENDING_ROW_WORDS;
    }
    return all;
  }

  stateOf(timestamp: bigint): number {
    const row = this.#rows.get(timestamp);
    if (row === undefined) throw new Error(`pending transfer ${timestamp} has no state`);
    return row[PendingRowWord.state]!;
  }

  /** Unresolved ones with a deadline, ascending by timestamp. */
  timeouts(): Uint32Array {
    const found = [...this.#rows.values()].filter(
      (row) =>
        row[PendingRowWord.state] === PendingState.pending &&
        u64At(row, PendingRowWord.deadline) > 0n,
    );
    // Booked in the order of their timestamps, and a Map keeps that order.
    const all = new Uint32Array(found.length * TIMEOUT_ROW_WORDS);
    for (const [position, row] of found.entries()) {
      const { timestamp, deadline } = PendingRowWord;
      const at = position * TIMEOUT_ROW_WORDS;
      all.set(row.subarray(timestamp, timestamp + 2), at + TimeoutRowWord.timestamp);
      all.set(row.subarray(deadline, deadline + 2), at + TimeoutRowWord.deadline);
    }
    return all;
  }
}

function isResolution(known: Uint32Array | undefined, row: Uint32Array): boolean {
  if (known?.[PendingRowWord.state] !== PendingState.pending) return false;
  return u64At(known, PendingRowWord.deadline) === u64At(row, PendingRowWord.deadline);
}

function* byTimestamp(rows: Uint32Array): Generator<[bigint, Uint32Array]> {
  for (let at = 0; at < rows.length; at += PENDING_ROW_WORDS) {
    yield [u64At(rows, at + PendingRowWord.timestamp), rows.subarray(at, at + PENDING_ROW_WORDS)];
  }
}

import type { Fold } from '../../ledger/fold.ts';
import {
  OpenRowWord,
  PendingState,
  RECORD_WORDS,
  TransferRowWord,
  TransferWord,
} from '../../ledger/layout.ts';
import {
  channelRow,
  closedRow,
  decisionRow,
  openRow,
  pendingRow,
  requestedRow,
  u64,
} from './books-rows.fixture.ts';

const CREATED = 0xffff_ffff;
const NS_PER_SECOND = 1_000_000_000n;

export interface OpenPending {
  readonly row: Uint32Array;
  /** 0 = never. */
  readonly deadline: bigint;
}

/** Pending transfers that nothing has resolved, and what a fold says of all. */
export class MadePendings {
  readonly open: OpenPending[] = [];
  /** By row timestamp. */
  readonly states = new Map<bigint, PendingState>();
  /** Four words each, by row timestamp. */
  readonly requested = new Map<bigint, Uint32Array>();
  #pendings: number[] = [];
  #requested: number[] = [];

  book(row: Uint32Array): void {
    const timestamp = rowTimestamp(row);
    const seconds = BigInt(row[TransferWord.timeout]!);
    const deadline = seconds === 0n ? 0n : timestamp + seconds * NS_PER_SECOND;
    this.open.push({ row: row.slice(), deadline });
    this.states.set(timestamp, PendingState.pending);
    this.#pendings.push(...pendingRow(timestamp, PendingState.pending, deadline));
  }

  resolve(pending: OpenPending, state: PendingState, resolved: bigint): void {
    const timestamp = rowTimestamp(pending.row);
    this.open.splice(this.open.indexOf(pending), 1);
    this.states.set(timestamp, state);
    this.#pendings.push(...pendingRow(timestamp, state, pending.deadline, resolved));
  }

  request(timestamp: bigint, amount: Uint32Array): void {
    this.requested.set(timestamp, amount);
    this.#requested.push(...requestedRow(timestamp, amount));
  }

  take(): Pick<Fold, 'pendings' | 'requested'> {
    const taken = {
      pendings: Uint32Array.from(this.#pendings),
      requested: Uint32Array.from(this.#requested),
    };
    this.#pendings = [];
    this.#requested = [];
    return taken;
  }
}

export interface OpenHold {
  readonly row: Uint32Array;
  readonly sequence: bigint;
}

/** A unit's end of the channel to one other unit, with its open crossings and its decisions. */
export class MadeCrossings {
  readonly #otherUnit: number;
  readonly open: OpenHold[] = [];
  #opened: OpenHold[] = [];
  #closed: number[] = [];
  #decisions: number[] = [];
  #lastSequence = 0n;
  #decided = 0n;
  #changed = false;

  constructor(otherUnit: number) {
    this.#otherUnit = otherUnit;
  }

  hold(row: Uint32Array): void {
    this.#lastSequence += 1n;
    const hold = { row: row.slice(), sequence: this.#lastSequence };
    this.open.push(hold);
    this.#opened.push(hold);
    this.#changed = true;
  }

  /** What a fold opens and closes itself it does not tell. */
  settle(hold: OpenHold): void {
    this.open.splice(this.open.indexOf(hold), 1);
    const at = this.#opened.indexOf(hold);
    if (at >= 0) this.#opened.splice(at, 1);
    else this.#closed.push(...closedRow(this.#otherUnit, hold.sequence));
  }

  decide(row: Uint32Array): void {
    this.#decided += 1n;
    const decision = decisionRow(this.#otherUnit, this.#decided, CREATED, rowTimestamp(row));
    this.#decisions.push(...decision);
    this.#changed = true;
  }

  take(): Pick<Fold, 'opened' | 'closed' | 'decisions' | 'channels'> {
    const opened = this.#opened.flatMap(({ row, sequence }) => {
      const open = openRow(this.#otherUnit, sequence);
      open.fill(0, 1, 2);
      open.set(row.subarray(0, RECORD_WORDS), OpenRowWord.record);
      return [...open];
    });
    const channel = channelRow(this.#otherUnit, this.#lastSequence, 0n);
    const taken = {
      opened: Uint32Array.from(opened),
      closed: Uint32Array.from(this.#closed),
      decisions: Uint32Array.from(this.#decisions),
      channels: this.#changed ? channel : new Uint32Array(0),
    };
    this.#opened = [];
    this.#closed = [];
    this.#decisions = [];
    this.#changed = false;
    return taken;
  }
}

export function rowTimestamp(row: Uint32Array): bigint {
  return u64(row, TransferRowWord.rowTimestamp);
}

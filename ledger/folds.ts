import type { Fold } from './fold.ts';
import { invariant } from './invariant.ts';
import {
  ACCOUNT_ROW_WORDS,
  BURNT_ROW_WORDS,
  REQUESTED_ROW_WORDS,
  SLOT_COUNT,
  TRANSFER_ROW_WORDS,
  WORD_BYTES,
} from './layout.ts';
import type { LedgerState } from './state.ts';

/** Where a fold ended. */
interface Mark {
  readonly throughIndex: number;
  /** Serials of the rows and burnt ids after it. */
  readonly rows: number;
  readonly burnt: number;
  /** Serial of the next requested amount. */
  readonly requested: number;
  /** Bytes it took to the books; 0 once they hold them. */
  readonly bytes: number;
}

/** Bytes of index, term, digest and time, so that even a fold of refusals weighs something. */
const POSITION_BYTES = 64;

/** Where the machine stands in the log. */
export interface Position {
  readonly index: number;
  readonly term: number;
  readonly lastTimestamp: bigint;
}

/** Takes folds off the state, and lets rows leave memory once the books hold them. */
export class Folds {
  readonly #state: LedgerState;
  /** The last fold taken, then those before it that the books don't hold yet, oldest first. */
  #taken: Mark;
  #underWay: Mark[] = [];
  #held: Mark;
  #slotsTaken: boolean;

  constructor(state: LedgerState, index: number) {
    this.#state = state;
    this.#taken = { throughIndex: index, rows: 0, burnt: 0, requested: 0, bytes: 0 };
    this.#held = this.#taken;
    this.#slotsTaken = state.slots !== null;
  }

  /** Serial of the first row that the books don't hold. */
  get firstRowNotHeld(): number {
    return this.#held.rows;
  }

  /** Bytes that the books don't hold yet: taken or not. */
  unfoldedBytes(index: number): number {
    let bytes = index === this.#taken.throughIndex ? 0 : this.#newBytes();
    for (const mark of this.#underWay) bytes += mark.bytes;
    return bytes;
  }

  /** Everything since the last fold taken; null if no entry was applied since. */
  take({ index, term, lastTimestamp }: Position): Fold | null {
    const { accounts, ids, channels, history, pendings, requested, digest, slots, unit } =
      this.#state;
    if (index === this.#taken.throughIndex) return null;
    const bytes = this.#newBytes();
    const fold: Fold = {
      unit,
      afterIndex: this.#taken.throughIndex,
      throughIndex: index,
      throughTerm: term,
      lastTimestamp,
      digest: digest.toString(),
      membership: null,
      slots: this.#slotsTaken || slots === null ? null : slots.slice(),
      accounts: accounts.takeChanged(),
      transfers: ids.rows.copyFrom(this.#taken.rows),
      pendings: pendings.take(),
      requested: requested.copyFrom(this.#taken.requested),
      history: history.take(),
      burnt: ids.burnt.copyFrom(this.#taken.burnt),
      ...channels.takeChanges(),
    };
    this.#slotsTaken = slots !== null;
    this.#taken = {
      throughIndex: index,
      rows: ids.rows.end,
      burnt: ids.burnt.end,
      requested: requested.end,
      bytes,
    };
    this.#underWay.push(this.#taken);
    return fold;
  }

  /** The books hold all up to `throughIndex`, the end of a fold taken, and readers see it. */
  held(throughIndex: number): void {
    const count = this.#underWay.findIndex((mark) => mark.throughIndex === throughIndex) + 1;
    invariant(count > 0, 'the books hold a fold that was not taken');
    this.#held = this.#underWay[count - 1]!;
    this.#underWay.splice(0, count);
    this.#state.ids.evict(this.#held.rows, this.#held.burnt);
    this.#state.requested.dropThrough(this.#held.requested);
  }

  #newBytes(): number {
    const { accounts, ids, channels, history, pendings, requested, slots } = this.#state;
    const words =
      accounts.changedCount * ACCOUNT_ROW_WORDS +
      (ids.rows.end - this.#taken.rows) * TRANSFER_ROW_WORDS +
      (ids.burnt.end - this.#taken.burnt) * BURNT_ROW_WORDS +
      (requested.end - this.#taken.requested) * REQUESTED_ROW_WORDS +
      history.length +
      pendings.length;
    const slotBytes = slots !== null && !this.#slotsTaken ? SLOT_COUNT * 2 : 0;
    return POSITION_BYTES + words * WORD_BYTES + channels.changedBytes + slotBytes;
  }
}

import { AccountStore } from './account-store.ts';
import { Channels } from './channels.ts';
import { Digest } from './digest.ts';
import { EventTime } from './event-time.ts';
import { KnownIds } from './known-ids.ts';
import { ACCOUNT_ROW_WORDS } from './layout.ts';
import { Outcome } from './outcome.ts';
import { slotOf } from './slot.ts';
import { WordBuffer } from './words.ts';

/** Slots have no owner before the unit is initialised; no unit has this number. */
export const NO_OWNER = -1;

/** All that the steps of apply read and write. */
export class LedgerState {
  readonly unit: number;
  /** Owner of each slot; null until the unit's first entry. */
  slots: Uint16Array | null = null;
  readonly accounts: AccountStore;
  readonly channels = new Channels();
  readonly ids: KnownIds;
  /** History rows since the last fold. */
  readonly history = new WordBuffer();
  digest = new Digest();
  /** Timestamp of the event being applied. */
  readonly time = new EventTime();
  readonly outcome = new Outcome();
  /** Scratch for the id of a clearing account. */
  readonly clearingRecord = new Uint32Array(ACCOUNT_ROW_WORDS);
  /** Stands in for the row of a clearing account that does not exist yet. Never written. */
  readonly zeroRow = new Uint32Array(ACCOUNT_ROW_WORDS);

  constructor(unit: number, hashSeed: number, residentTransfersMax: number) {
    this.unit = unit;
    this.accounts = new AccountStore(hashSeed);
    this.ids = new KnownIds(hashSeed, residentTransfersMax, this.channels.pool);
  }

  /** Unit that owns the slot of an account id. */
  ownerOf(words: Uint32Array, at: number): number {
    return this.slots === null ? NO_OWNER : this.slots[slotOf(words, at)]!;
  }

  owns(words: Uint32Array, at: number): boolean {
    return this.ownerOf(words, at) === this.unit;
  }
}

import { AccountStore } from './account-store.ts';
import { Chain } from './chain.ts';
import { Channels } from './channels.ts';
import { Deadline } from './deadline.ts';
import { Digest } from './digest.ts';
import { EventTime } from './event-time.ts';
import { KnownIds } from './known-ids.ts';
import { ACCOUNT_ROW_WORDS, RECORD_WORDS, REQUESTED_ROW_WORDS } from './layout.ts';
import type { IdFilterOptions } from './left-ids.ts';
import { LookAhead } from './look-ahead.ts';
import { Outcome } from './outcome.ts';
import { RowRing } from './row-ring.ts';
import { slotOf } from './slot.ts';
import { Timeouts } from './timeouts.ts';
import { WordBuffer } from './words.ts';

export interface MachineOptions {
  readonly unit: number;
  /** Transfer rows and burnt ids kept in memory after the books hold them. More means fewer look-ups. */
  readonly residentTransfersMax: number;
  /** Of ids that come in no order of time. */
  readonly idFilter: IdFilterOptions;
  /** Seed of the id hashes, so that no client can choose ids that collide. Decides no result. */
  readonly hashSeed: number;
}

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
  readonly timeouts: Timeouts;
  /** Rows for the books since the last fold. */
  readonly history = new WordBuffer();
  readonly pendings = new WordBuffer();
  /** Until the books hold them. */
  readonly requested = new RowRing(REQUESTED_ROW_WORDS);
  /** Timestamp of the newest row of any leg, as signed integers. */
  lastRowLo = 0;
  lastRowHi = 0;
  digest = new Digest();

  // --- the batch and the event being applied ---

  readonly time = new EventTime();
  readonly outcome = new Outcome();
  readonly chain = new Chain();
  /** The batch's own timestamp, which is its first event's; and whether it imports. */
  readonly batchTime = new EventTime();
  isImport = false;
  /** The row timestamp of an imported transfer, which is the given one. */
  readonly importTime = new EventTime();
  wantsBalances = false;
  readonly lookAhead = new LookAhead();

  // --- scratch ---

  readonly deadline = new Deadline();
  /** The amount that is booked, where it isn't the event's own. */
  readonly amount = new Uint32Array(4);
  /** The record that is booked, where it isn't the event's own. */
  readonly stored = new Uint32Array(RECORD_WORDS);
  /** For the id of a clearing account. */
  readonly clearingRecord = new Uint32Array(ACCOUNT_ROW_WORDS);
  /** Stands in for a clearing account that does not exist yet. Never written. */
  readonly zeroAccount = new Uint32Array(ACCOUNT_ROW_WORDS);

  constructor({ unit, hashSeed, residentTransfersMax, idFilter }: MachineOptions) {
    this.unit = unit;
    this.accounts = new AccountStore(hashSeed);
    this.timeouts = new Timeouts(hashSeed);
    this.ids = new KnownIds(hashSeed, residentTransfersMax, idFilter, this.channels.pool);
  }

  /** Unit that owns the slot of an account id. */
  ownerOf(words: Uint32Array, at: number): number {
    return this.slots === null ? NO_OWNER : this.slots[slotOf(words, at)]!;
  }

  owns(words: Uint32Array, at: number): boolean {
    return this.ownerOf(words, at) === this.unit;
  }
}

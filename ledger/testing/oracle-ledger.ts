import { AccountBit } from './oracle-flags.ts';
import type { OracleEvent, PendingName } from './oracle-types.ts';
import { balancesOf } from './oracle-types.ts';
import type { AccountFields, TransferFields } from './records.ts';

/** Ids from here on are clearing accounts', and 2^128 - 1. */
export const CLOSED_IDS_FROM = 2n ** 128n - 2n ** 64n;

export interface Pending {
  readonly record: TransferFields;
  readonly state: PendingName;
  /** null = never. */
  readonly deadline: bigint | null;
}

export interface Open {
  readonly farUnit: number;
  readonly sequence: bigint;
  readonly wantsBalances: boolean;
  readonly record: TransferFields;
}

/** What a movement adds to the two pending and the two posted columns. */
export interface Movement {
  readonly pending: bigint;
  readonly posted: bigint;
}

/**
 * All that a unit knows. Values are never changed, only replaced, and every replacement inside a chain
 * notes how to take it back.
 */
export class OracleLedger {
  readonly unit: number;
  readonly ownerOf: (account: bigint) => number;
  /** In order of creation. */
  readonly accounts = new Map<bigint, AccountFields>();
  readonly transfers = new Map<bigint, TransferFields>();
  /** And when that was. */
  readonly burnt = new Map<bigint, bigint>();
  readonly pendings = new Map<bigint, Pending>();
  /** Ids of pending transfers by their timestamp; and of those that are still to expire. */
  readonly pendingByTime = new Map<bigint, bigint>();
  readonly waiting = new Set<bigint>();
  readonly events: OracleEvent[] = [];
  readonly accountTimes = new Set<bigint>();
  readonly eventTimes = new Set<bigint>();
  lastAccountTime = 0n;
  readonly open: Open[] = [];
  readonly decided = new Map<string, { status: number; timestamp: bigint }>();
  readonly lastSequence = new Map<number, bigint>();
  readonly #forgotten = new Map<number, bigint>();
  #undo: (() => void)[] = [];
  #inChain = false;

  constructor(unit: number, ownerOf: (account: bigint) => number) {
    this.unit = unit;
    this.ownerOf = ownerOf;
  }

  // --- chains ---

  beginChain(): void {
    this.#inChain = true;
    this.#undo = [];
  }

  keepChain(): void {
    this.#inChain = false;
  }

  rollBackChain(): void {
    for (const undo of this.#undo.toReversed()) undo();
    this.#inChain = false;
  }

  #note(undo: () => void): void {
    if (this.#inChain) this.#undo.push(undo);
  }

  // --- accounts ---

  createAccount(account: AccountFields): void {
    const before = this.lastAccountTime;
    this.accounts.set(account.id, account);
    this.accountTimes.add(account.timestamp);
    this.lastAccountTime = account.timestamp;
    this.#note(() => {
      this.accounts.delete(account.id);
      this.accountTimes.delete(account.timestamp);
      this.lastAccountTime = before;
    });
  }

  setClosed(id: bigint, closed: boolean): void {
    const account = this.accounts.get(id)!;
    const flags = closed ? account.flags | AccountBit.closed : account.flags & ~AccountBit.closed;
    this.#replaceAccount({ ...account, flags });
  }

  /** Moves both sides of a booking alike. */
  move(debit: bigint, credit: bigint, { pending, posted }: Movement): void {
    const from = this.accounts.get(debit)!;
    this.#replaceAccount({
      ...from,
      debitsPending: from.debitsPending + pending,
      debitsPosted: from.debitsPosted + posted,
    });
    const to = this.accounts.get(credit)!;
    this.#replaceAccount({
      ...to,
      creditsPending: to.creditsPending + pending,
      creditsPosted: to.creditsPosted + posted,
    });
  }

  #replaceAccount(account: AccountFields): void {
    const before = this.accounts.get(account.id)!;
    this.accounts.set(account.id, account);
    this.#note(() => this.accounts.set(account.id, before));
  }

  // --- transfers ---

  get lastEventTime(): bigint {
    return this.events.at(-1)?.timestamp ?? 0n;
  }

  /** Not newer than the last of its kind, or taken by an account. */
  regresses(timestamp: bigint): boolean {
    return timestamp <= this.lastEventTime || this.accountTimes.has(timestamp);
  }

  addTransfer(record: TransferFields): void {
    this.transfers.set(record.id, record);
    this.#note(() => this.transfers.delete(record.id));
  }

  addPending(record: TransferFields, deadline: bigint | null): void {
    this.pendingByTime.set(record.timestamp, record.id);
    this.#note(() => this.pendingByTime.delete(record.timestamp));
    this.#setPending({ record, state: 'pending', deadline });
  }

  resolve(pending: Pending, state: PendingName): void {
    this.#setPending({ ...pending, state });
  }

  #setPending(pending: Pending): void {
    const { id } = pending.record;
    const before = this.pendings.get(id);
    const set = (value: Pending | undefined) => {
      if (value === undefined) this.pendings.delete(id);
      else this.pendings.set(id, value);
      if (value?.state === 'pending' && value.deadline !== null) this.waiting.add(id);
      else this.waiting.delete(id);
    };
    set(pending);
    this.#note(() => set(before));
  }

  /** Once all balances stand as they are after it. */
  addEvent(event: Omit<OracleEvent, 'debitAfter' | 'creditAfter'>): void {
    const debitAfter = balancesOf(this.accounts.get(event.debit)!);
    const creditAfter = balancesOf(this.accounts.get(event.credit)!);
    this.events.push({ ...event, debitAfter, creditAfter });
    this.eventTimes.add(event.timestamp);
    this.#note(() => {
      this.events.pop();
      this.eventTimes.delete(event.timestamp);
    });
  }

  /** Outside chains only: a burnt id stays burnt when its chain is rolled back. */
  burn(id: bigint, at: bigint): void {
    this.burnt.set(id, at);
  }

  // --- crossings; never in a chain ---

  isOpen(id: bigint): boolean {
    return this.open.some(({ record }) => record.id === id);
  }

  forget(homeUnit: number, finished: bigint): void {
    if (finished > this.forgottenThrough(homeUnit)) this.#forgotten.set(homeUnit, finished);
  }

  forgottenThrough(homeUnit: number): bigint {
    return this.#forgotten.get(homeUnit) ?? 0n;
  }

  clearingId(ledger: number, otherUnit: number): bigint {
    return CLOSED_IDS_FROM + ((BigInt(ledger) << 32n) | (BigInt(otherUnit) << 16n) | 1n);
  }
}

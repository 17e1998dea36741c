import type { OracleLedger, Pending } from './oracle-ledger.ts';
import type { Random } from './random.ts';
import type { TransferFields } from './records.ts';

/** Where the events of one command come from: the state before it, and ids. */
export class Pool {
  readonly random: Random;
  readonly ledger: OracleLedger;
  /** Ids that this unit may hold accounts of. Most exist; the last two never do. */
  readonly accounts: readonly bigint[];
  /** Accounts of other units; empty if there is one unit. */
  readonly foreign: readonly bigint[];
  /** Time of the request's first event. */
  readonly now: bigint;
  readonly newId: () => bigint;
  #pendings: readonly Pending[] | null = null;
  #open: readonly Pending[] | null = null;
  #stored: readonly TransferFields[] | null = null;
  #known: readonly bigint[] | null = null;

  constructor(from: Pick<Pool, 'random' | 'ledger' | 'accounts' | 'foreign' | 'now' | 'newId'>) {
    this.random = from.random;
    this.ledger = from.ledger;
    this.accounts = from.accounts;
    this.foreign = from.foreign;
    this.now = from.now;
    this.newId = from.newId;
  }

  /** Accounts that exist. */
  get known(): readonly bigint[] {
    this.#known ??= this.accounts.filter((id) => this.ledger.accounts.has(id));
    return this.#known;
  }

  get stored(): readonly TransferFields[] {
    this.#stored ??= [...this.ledger.transfers.values()];
    return this.#stored;
  }

  anyPending(): Pending | undefined {
    this.#pendings ??= [...this.ledger.pendings.values()];
    return this.#pendings.length === 0 ? undefined : this.random.pick(this.#pendings);
  }

  openPending(): Pending | undefined {
    this.#open ??= [...this.ledger.pendings.values()].filter(({ state }) => state === 'pending');
    return this.#open.length === 0 ? undefined : this.random.pick(this.#open);
  }

  anyStored(): TransferFields | undefined {
    return this.stored.length === 0 ? undefined : this.random.pick(this.stored);
  }
}

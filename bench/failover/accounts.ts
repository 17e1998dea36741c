import { AccountFlag, type EvenkeelClient, id, type NewTransfer } from '../../client/index.ts';
import { LEDGER, refuseNone, unitOf } from '../accounts.ts';
import type { Draw } from './draw.ts';

const CODE = 1;
const ACCOUNTS_PER_UNIT = 8;
const AMOUNT_MAX = 1_000;
const CROSSING_SHARE = 0.1;
const REFUSED_SHARE = 0.1;
/** Ids from here on; the low 64 bits decide the slot. */
const FIRST_ID = 1_000_000n;

export interface Offer {
  readonly transfer: NewTransfer;
  readonly units: readonly number[];
  /** It asks for money that isn't there: the ledger must refuse it, in every try. */
  readonly mustFail: boolean;
}

/** Accounts in every unit: some without a limit, and one that has nothing and may not owe. */
export class FailoverAccounts {
  readonly #rich: readonly (readonly bigint[])[];
  readonly #poor: readonly bigint[];

  private constructor(rich: readonly (readonly bigint[])[], poor: readonly bigint[]) {
    this.#rich = rich;
    this.#poor = poor;
  }

  static async create(client: EvenkeelClient): Promise<FailoverAccounts> {
    const topology = await client.topology();
    const ids: bigint[][] = topology.units.map(() => []);
    for (let next = FIRST_ID; ids.some((of) => of.length <= ACCOUNTS_PER_UNIT); next += 1n) {
      ids[unitOf(topology, next) - 1]!.push(next);
    }
    const poor = ids.map((of) => of[0]!);
    const rich = ids.map((of) => of.slice(1, 1 + ACCOUNTS_PER_UNIT));
    const common = { ledger: LEDGER, code: CODE };
    const flags = AccountFlag.debitsMustNotExceedCredits;
    const accounts = [
      ...poor.map((accountId) => ({ id: accountId, ...common, flags })),
      ...rich.flat().map((accountId) => ({ id: accountId, ...common })),
    ];
    refuseNone(await client.createAccounts(accounts));
    return new FailoverAccounts(rich, poor);
  }

  get ids(): bigint[] {
    return [...this.#poor, ...this.#rich.flat()];
  }

  /** A transfer that debits an account of this unit. */
  offer(unit: number, draw: Draw): Offer {
    const mustFail = draw.chance(REFUSED_SHARE);
    const crosses = this.#rich.length > 1 && draw.chance(CROSSING_SHARE);
    const others = this.#rich.length - 1;
    const far = crosses ? 1 + ((unit + draw.integer(0, others - 1)) % (others + 1)) : unit;
    const debit = mustFail ? this.#poor[unit - 1]! : draw.pick(this.#rich[unit - 1]!);
    const credit = draw.pick(this.#rich[far - 1]!.filter((accountId) => accountId !== debit));
    const transfer = {
      id: id(),
      debitAccountId: debit,
      creditAccountId: credit,
      amount: BigInt(draw.integer(1, AMOUNT_MAX)),
      ledger: LEDGER,
      code: CODE,
    };
    return { transfer, units: far === unit ? [unit] : [unit, far], mustFail };
  }
}

import type { EvenkeelClient, NewTransfer, Topology } from '../client/index.ts';
import { AccountFlag, id } from '../client/index.ts';
import { slotOf } from '../ledger/slot.ts';

export const LEDGER = 978;
const CODE = 1;
const EVENTS_AT_ONCE = 8_190;
const TREASURY_ID = 999_999n;
const DEPOSIT = 1_000_000_000n;
/** Ids from here on; the low 64 bits decide the slot. */
const FIRST_ID = 1_000_000n;

/** The bench's accounts, by the unit that owns them. */
export class BenchAccounts {
  readonly #byUnit: readonly (readonly bigint[])[];
  readonly #all: readonly { readonly id: bigint; readonly unit: number }[];

  private constructor(topology: Topology, count: number) {
    const byUnit: bigint[][] = topology.units.map(() => []);
    const all: { id: bigint; unit: number }[] = [];
    for (let i = 0; i < count; i += 1) {
      const accountId = FIRST_ID + BigInt(i);
      const unit = unitOf(topology, accountId) - 1;
      byUnit[unit]!.push(accountId);
      all.push({ id: accountId, unit });
    }
    const few = byUnit.findIndex((ids) => ids.length < 2);
    if (few >= 0) {
      throw new RangeError(
        `${count} accounts leave ${byUnit[few]!.length} to unit ${few + 1}, and a transfer needs two: take more accounts`,
      );
    }
    this.#byUnit = byUnit;
    this.#all = all;
  }

  /** Creates them with a limit, so that every transfer is checked against it, and money that won't run out. */
  static async create(client: EvenkeelClient, count: number): Promise<BenchAccounts> {
    const accounts = new BenchAccounts(await client.topology(), count);
    const flags = AccountFlag.debitsMustNotExceedCredits;
    const customers = accounts.#all.map(({ id: accountId }) => ({
      id: accountId,
      ledger: LEDGER,
      code: CODE,
      flags,
    }));
    const treasury = { id: TREASURY_ID, ledger: LEDGER, code: CODE };
    for (const piece of pieces([treasury, ...customers])) {
      refuseNone(await client.createAccounts(piece));
    }
    const deposits = accounts.#all.map(({ id: accountId }) => ({
      id: id(),
      debitAccountId: TREASURY_ID,
      creditAccountId: accountId,
      amount: DEPOSIT,
      ledger: LEDGER,
      code: CODE,
    }));
    for (const piece of pieces(deposits)) refuseNone(await client.createTransfers(piece));
    return accounts;
  }

  /** Between two random accounts, of two units with probability `crossings`. */
  transfer(crossings: number): NewTransfer {
    const debit = this.#all[below(this.#all.length)]!;
    const units = this.#byUnit.length;
    const crosses = units > 1 && Math.random() < crossings;
    const unit = crosses ? (debit.unit + 1 + below(units - 1)) % units : debit.unit;
    const candidates = this.#byUnit[unit]!;
    let credit = candidates[below(candidates.length)]!;
    while (credit === debit.id) credit = candidates[below(candidates.length)]!;
    return {
      id: id(),
      debitAccountId: debit.id,
      creditAccountId: credit,
      amount: 1n,
      ledger: LEDGER,
      code: CODE,
    };
  }
}

/** The unit, from 1, that owns an account whose id has no party and is below 2^32. */
export function unitOf(topology: Topology, accountId: bigint): number {
  const slot = slotOf(Uint32Array.of(Number(accountId), 0, 0, 0), 0);
  const unit = topology.units.find(({ slots }) =>
    slots.some(({ first, last }) => slot >= first && slot <= last),
  );
  if (unit === undefined) throw new Error(`slot ${slot} has no owner`);
  return unit.id;
}

function pieces<T>(all: readonly T[]): T[][] {
  const count = Math.ceil(all.length / EVENTS_AT_ONCE);
  return Array.from({ length: count }, (_, i) =>
    all.slice(i * EVENTS_AT_ONCE, (i + 1) * EVENTS_AT_ONCE),
  );
}

export function refuseNone(results: readonly { ok: boolean; status: string }[]): void {
  const refused = results.find((result) => !result.ok);
  if (refused !== undefined) throw new Error(`the bench's set-up was refused: ${refused.status}`);
}

function below(bound: number): number {
  return Math.floor(Math.random() * bound);
}

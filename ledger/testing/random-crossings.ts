import { InternalStatus, TransferStatus as S } from '../status.ts';
import type { Command } from './oracle.ts';
import type { OracleLedger } from './oracle-ledger.ts';
import type { Pool } from './pool.ts';
import type { Random } from './random.ts';
import { type TransferFields, transferOf } from './records.ts';

interface Item {
  readonly sequence: bigint;
  readonly record: TransferFields;
}

/** The other units, as far as one unit sees them. */
export class ForeignUnits {
  /** Debit accounts of each other unit. */
  readonly #accounts: ReadonlyMap<number, readonly bigint[]>;
  /** Crossings that they asked this unit to decide. */
  readonly #asked = new Map<number, Item[]>();

  constructor(accounts: ReadonlyMap<number, readonly bigint[]>) {
    this.#accounts = accounts;
  }

  /** Their answer to an open crossing. It may come again, be it in the same entry. */
  complete(random: Random, { open }: OracleLedger): Command {
    const { farUnit, sequence } = random.pick(open);
    const status = random.weighted([
      [12, S.created],
      [1, S.credit_account_not_found],
      [1, S.exceeds_debits],
      [1, S.credit_account_already_closed],
      [1, S.overflows_credits_posted],
      [1, S.exists_with_different_debit_account_id],
      [1, InternalStatus.wrong_unit],
    ]);
    const items = [{ sequence, status }];
    if (random.oneIn(6)) items.push({ sequence, status });
    return { kind: 'complete', farUnit, items, balances: random.oneIn(2) };
  }

  /** New crossings into this unit, and old ones again. */
  decide(pool: Pool, sent: readonly TransferFields[]): Command {
    const { random } = pool;
    const homeUnit = random.pick([...this.#accounts.keys()]);
    const known = this.#asked.get(homeUnit) ?? [];
    this.#asked.set(homeUnit, known);
    const again = known.filter(() => random.oneIn(8)).slice(-3);
    const fresh = Array.from({ length: random.below(4) }, (_, i) => ({
      sequence: BigInt(known.length + i + 1),
      record: this.#record(pool, homeUnit, sent),
    }));
    known.push(...fresh);
    const finished = random.oneIn(3) ? BigInt(random.below(known.length + 1)) : 0n;
    const items = [...again, ...fresh];
    return { kind: 'decide', homeUnit, finished, items, balances: random.oneIn(2) };
  }

  #record(pool: Pool, homeUnit: number, sent: readonly TransferFields[]): TransferFields {
    const { random } = pool;
    const used = random.oneIn(5) && sent.length > 0 ? random.pick(sent).id : 0n;
    const isUsable = used > 0n && used < 2n ** 120n && !this.#wasAsked(used);
    return transferOf({
      id: isUsable ? used : pool.newId(),
      debit: random.pick(this.#accounts.get(homeUnit)!),
      credit: random.pick(pool.accounts),
      amount: random.oneIn(30) ? 2n ** 127n : BigInt(random.below(9)),
      ledger: random.oneIn(20) ? 2 : 1,
      timestamp: pool.now - BigInt(1 + random.below(100)),
    });
  }

  /** Asked under another sequence it would be one transfer crossing twice. */
  #wasAsked(id: bigint): boolean {
    return [...this.#asked.values()].some((items) => items.some(({ record }) => record.id === id));
  }
}

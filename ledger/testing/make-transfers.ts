import { Flag, U128_MAX } from './oracle-flags.ts';
import type { Pool } from './pool.ts';
import type { Random } from './random.ts';
import { type TransferFields, transferOf } from './records.ts';

/** A transfer that is likely to be created, of any kind. */
export function makeTransfer(pool: Pool): TransferFields {
  const { random } = pool;
  const kind = random.weighted([
    [30, 'plain'],
    [24, 'pending'],
    [18, 'post'],
    [8, 'void'],
    [10, 'balancing'],
    [3, 'closing'],
    [pool.foreign.length > 0 ? 8 : 0, 'crossing'],
  ] as const);
  switch (kind) {
    case 'plain':
      return makePlain(pool);
    case 'pending':
      return { ...makePlain(pool), flags: Flag.pending, timeout: timeout(random) };
    case 'post':
      return resolving(pool, Flag.post);
    case 'void':
      return resolving(pool, Flag.void);
    case 'balancing': {
      const flags = random.pick([
        Flag.balancingDebit,
        Flag.balancingCredit,
        Flag.balancingDebit | Flag.balancingCredit,
      ]);
      const amount = random.pick([0n, 3n, 50n, U128_MAX]);
      return { ...makePlain(pool), amount, flags: flags | (random.oneIn(3) ? Flag.pending : 0) };
    }
    case 'closing': {
      const closing = random.pick([
        Flag.closingDebit,
        Flag.closingCredit,
        Flag.closingDebit | Flag.closingCredit,
      ]);
      return { ...makePlain(pool), flags: Flag.pending | closing, timeout: timeout(random) };
    }
    case 'crossing':
      return { ...makePlain(pool), credit: random.pick(pool.foreign) };
  }
}

export function makePlain(pool: Pool): TransferFields {
  const { random } = pool;
  const [debit, credit] = twoAccounts(pool);
  return transferOf({
    id: pool.newId(),
    debit,
    credit,
    amount: random.oneIn(60)
      ? random.pick([2n ** 32n, 2n ** 64n - 1n, 2n ** 96n, 2n ** 126n, 2n ** 127n - 1n])
      : BigInt(random.below(12)),
    userData128: random.oneIn(4) ? BigInt(random.below(3)) << 100n : 0n,
    userData64: random.oneIn(4) ? BigInt(random.below(3)) << 40n : 0n,
    userData32: random.oneIn(4) ? random.below(3) : 0,
    ledger: pool.ledger.accounts.get(debit)?.ledger ?? 1,
  });
}

/** Mostly of one ledger, and mostly existing. */
function twoAccounts({ random, ledger, accounts, known }: Pool): [bigint, bigint] {
  const debit = random.pick(random.oneIn(40) ? accounts : known);
  const book = ledger.accounts.get(debit)?.ledger;
  const others = accounts.filter((id) => id !== debit);
  const same = others.filter((id) => ledger.accounts.get(id)?.ledger === book);
  return [debit, random.pick(same.length > 0 && !random.oneIn(30) ? same : others)];
}

function timeout(random: Random): number {
  return random.weighted([
    [4, 0],
    [3, 1],
    [3, 2],
    [1, 5],
    [1, 0xffff_ffff],
  ]);
}

/** A post or void of something pending, seldom of something resolved. */
function resolving(pool: Pool, flag: number): TransferFields {
  const { random } = pool;
  const pending = random.oneIn(6) ? pool.anyPending() : (pool.openPending() ?? pool.anyPending());
  const record = pending?.record;
  const all = flag === Flag.post ? U128_MAX : 0n;
  const amount = record?.amount ?? 0n;
  const part = BigInt(random.below(13));
  return transferOf({
    id: pool.newId(),
    pendingId: record?.id ?? pool.newId(),
    debit: random.oneIn(2) ? 0n : (record?.debit ?? 0n),
    credit: random.oneIn(2) ? 0n : (record?.credit ?? 0n),
    amount: random.weighted([
      [4, all],
      [3, amount],
      [flag === Flag.post ? 3 : 0, part < amount ? part : amount],
      [flag === Flag.post ? 1 : 0, 0n],
    ]),
    userData128: random.oneIn(4) ? 5n : 0n,
    userData64: random.oneIn(4) ? 5n : 0n,
    userData32: random.oneIn(4) ? 5 : 0,
    ledger: random.oneIn(2) ? 0 : (record?.ledger ?? 0),
    code: random.oneIn(2) ? 0 : (record?.code ?? 0),
    flags: flag,
  });
}

import { Flag, has, TIMESTAMP_MAX, U128_MAX } from './oracle-flags.ts';
import { CLOSED_IDS_FROM } from './oracle-ledger.ts';
import type { Pool } from './pool.ts';
import type { AccountFields, TransferFields } from './records.ts';

type Change = Partial<TransferFields>;

/** What makes an event fail; null where the state offers no way to it now. */
type Spoiler = (pool: Pool, event: TransferFields) => Change | null;

const CLEARING = 2n ** 128n - 2n ** 64n + ((1n << 32n) | (2n << 16n) | 1n);

/** Of every kind of event. */
const ANY: readonly Spoiler[] = [
  () => ({ timestamp: 1n }),
  ({ random }, { flags }) => ({ flags: flags | (1 << (9 + random.below(7))) }),
  () => ({ id: 0n }),
  () => ({ id: U128_MAX }),
  (_, { flags }) => ({ flags: flags ^ Flag.imported }),
  ({ random }, { flags }) => ({ flags: flags ^ (1 << random.below(9)) }),
  () => ({ pendingId: 0n }),
  () => ({ timeout: 1 }),
  ({ random }) => ({ ledger: random.pick([0, 2, 3]) }),
  ({ random }) => ({ code: random.pick([0, 2, 65_535]) }),
  () => ({ debit: 0n }),
  () => ({ credit: 0n }),
  ({ random }) => ({ amount: random.pick([0n, 1n, U128_MAX - 1n, U128_MAX]) }),
  ({ random }) => ({ userData128: random.pick([0n, 1n, U128_MAX]) }),
  ({ random }) => ({ userData64: random.pick([0n, 1n, 2n ** 64n - 1n]) }),
  ({ random }) => ({ userData32: random.pick([0, 1, 0xffff_ffff]) }),
  ({ random, accounts }) => ({ debit: random.pick(accounts) }),
  ({ random, accounts }) => ({ credit: random.pick(accounts) }),
  ({ random, ledger }) => ({ id: random.pick([...ledger.burnt.keys(), 1n]) }),
  (pool) => ({ id: pool.anyStored()?.id ?? 1n }),
];

const ORDINARY: readonly Spoiler[] = [
  () => ({ debit: U128_MAX }),
  ({ random }) => ({ credit: random.pick([U128_MAX, CLEARING]) }),
  (_, { debit }) => ({ credit: debit }),
  () => ({ pendingId: 7n }),
  ({ random }, { flags }) => ({
    flags: (flags & ~Flag.pending) | random.pick([Flag.closingDebit, Flag.closingCredit]),
  }),
  ({ accounts }) => ({ debit: accounts.at(-1)! }),
  ({ accounts }) => ({ credit: accounts.at(-2)! }),
  (pool) => withAccount(pool, 'debit', (account) => has(account, 1 << 5)),
  (pool) => withAccount(pool, 'credit', (account) => has(account, 1 << 5)),
  (pool) => withAccount(pool, 'debit', (account) => has(account, 1 << 1)),
  (pool) => withAccount(pool, 'credit', (account) => has(account, 1 << 2)),
  ({ random }, { flags }) => ({
    flags: flags | Flag.pending,
    timeout: random.pick([1, 0xffff_ffff, 0x7fff_ffff]),
  }),
  (pool, event) => overflow(pool, event, true, 'debitsPending', null),
  (pool, event) => overflow(pool, event, true, null, 'creditsPending'),
  (pool, event) => overflow(pool, event, false, 'debitsPosted', null),
  (pool, event) => overflow(pool, event, false, null, 'creditsPosted'),
  (pool, event) => overflowSum(pool, event, true),
  (pool, event) => overflowSum(pool, event, false),
];

const RESOLVING: readonly Spoiler[] = [
  ({ random }, { flags }) => ({
    flags: flags | random.pick([Flag.pending, Flag.balancingDebit, Flag.closingCredit]),
  }),
  (_, { flags }) => ({ flags: flags | Flag.post | Flag.void }),
  () => ({ pendingId: U128_MAX }),
  (_, { id }) => ({ pendingId: id }),
  (pool) => ({ pendingId: pool.anyStored()?.id ?? 1n }),
  ({ random }) => ({ pendingId: 2n ** 80n * BigInt(1 + random.below(1000)) }),
  (pool) =>
    pool.ledger.burnt.size > 0
      ? { pendingId: pool.random.pick([...pool.ledger.burnt.keys()]) }
      : null,
  (pool) => sameBut(pool.anyPending()?.record, {}),
  (pool) => sameBut(pool.openPending()?.record, { code: 9 }),
  (pool) => sameBut(pool.openPending()?.record, { ledger: 9 }),
  (pool) => sameBut(pool.openPending()?.record, { debit: pool.accounts[0]! }),
  (pool) => sameBut(pool.openPending()?.record, { credit: pool.accounts[1]! }),
  (_, { amount }) => ({ amount: amount + 1n > U128_MAX ? amount - 1n : amount + 1n }),
  (pool) => {
    const record = pool.openPending()?.record;
    if (record === undefined || record.amount < 2n) return null;
    return sameBut(record, { amount: record.amount - 1n });
  },
];

/** Import times near to everything that they are compared with. */
const IMPORTED: readonly Spoiler[] = [
  () => ({ timestamp: 0n }),
  () => ({ timestamp: TIMESTAMP_MAX + 1n }),
  ({ now }) => ({ timestamp: now }),
  ({ ledger }) => ({ timestamp: ledger.lastEventTime }),
  ({ ledger }) => ({ timestamp: ledger.lastEventTime > 0n ? ledger.lastEventTime - 1n : 1n }),
  ({ ledger }) => ({ timestamp: ledger.lastAccountTime }),
  ({ ledger }) => ({ timestamp: ledger.lastAccountTime + 1n }),
  (_, { flags }) => ({ flags: flags | Flag.pending, timeout: 1 }),
];

export function spoil(pool: Pool, event: TransferFields): TransferFields {
  const isResolving = has(event, Flag.post | Flag.void);
  const own = isResolving ? RESOLVING : ORDINARY;
  const choices = has(event, Flag.imported)
    ? [...ANY, ...own, ...IMPORTED, ...IMPORTED]
    : [...ANY, ...own, ...own];
  return { ...event, ...pool.random.pick(choices)(pool, event) };
}

/** A stored transfer sent again, as it was asked for or with one field changed. */
export function again(pool: Pool, stored: TransferFields): TransferFields {
  const { random, accounts } = pool;
  const timestamp = has(stored, Flag.imported) ? pool.now - 1n : 0n;
  const changes: readonly Change[] = [
    {},
    {},
    { flags: stored.flags ^ (1 << random.below(9)) },
    { pendingId: stored.pendingId ^ 1n },
    { timeout: (stored.timeout ^ 1) >>> 0 },
    { debit: random.pick(accounts) },
    { credit: random.pick(accounts) },
    { amount: random.pick([0n, stored.amount / 2n, stored.amount + 1n, U128_MAX]) },
    { userData128: stored.userData128 ^ 1n },
    { userData64: stored.userData64 ^ 1n },
    { userData32: (stored.userData32 ^ 1) >>> 0 },
    { userData128: 0n, userData64: 0n, userData32: 0 },
    { ledger: random.pick([0, (stored.ledger ^ 1) >>> 0]) },
    { code: random.pick([0, stored.code ^ 1]) },
    { debit: 0n, credit: 0n, ledger: 0, code: 0 },
  ];
  const change = random.pick(changes);
  return { ...stored, timestamp, ...change, amount: (change.amount ?? stored.amount) & U128_MAX };
}

function sameBut(record: TransferFields | undefined, change: Change): Change | null {
  if (record === undefined) return null;
  const { id, debit, credit, ledger, code } = record;
  return { pendingId: id, debit, credit, ledger, code, ...change };
}

function withAccount(
  { random, ledger, accounts }: Pool,
  side: 'debit' | 'credit',
  fits: (account: AccountFields) => boolean,
): Change | null {
  const found = accounts.filter((id) => {
    const account = ledger.accounts.get(id);
    return account !== undefined && fits(account);
  });
  return found.length === 0 ? null : { [side]: random.pick(found) };
}

/**
 * An import that is older than one of its accounts: one that came after the last event, with a time to
 * spare between them.
 */
export function older({ random, ledger, accounts }: Pool): Change | null {
  const found = [...ledger.accounts.values()].slice(-10).filter(({ id, timestamp }) => {
    const before = timestamp - 1n;
    const isFree = before > ledger.lastEventTime && !ledger.accountTimes.has(before);
    return isFree && id !== accounts[0] && id < CLOSED_IDS_FROM;
  });
  if (found.length === 0) return null;
  const account = random.pick(found);
  const { id } = account;
  const timestamp = account.timestamp - 1n;
  const sides = random.oneIn(4) ? { debit: id } : { debit: accounts[0]!, credit: id };
  return { ...sides, ledger: account.ledger, timestamp };
}

type Column = 'debitsPending' | 'debitsPosted' | 'creditsPending' | 'creditsPosted';

/** All there is, on top of something in one column. */
function overflow(
  pool: Pool,
  event: TransferFields,
  isPending: boolean,
  debitColumn: Column | null,
  creditColumn: Column | null,
): Change | null {
  const used = (column: Column) => (account: AccountFields) => account[column] > 0n;
  const unused = (account: AccountFields) =>
    account.debitsPending === 0n && account.debitsPosted === 0n;
  const debit = withAccount(pool, 'debit', debitColumn === null ? unused : used(debitColumn));
  const credit = withAccount(
    pool,
    'credit',
    creditColumn === null ? () => true : used(creditColumn),
  );
  if (debit === null || credit === null) return null;
  const flags = isPending ? event.flags | Flag.pending : event.flags & ~Flag.pending;
  return { ...debit, ...credit, flags: plainly(flags), amount: U128_MAX, timeout: 0 };
}

/** As much as the posted column has room for, on top of something pending. */
function overflowSum(pool: Pool, event: TransferFields, ofDebit: boolean): Change | null {
  const { ledger } = pool;
  const unused = (account: AccountFields) =>
    account.debitsPending === 0n && account.debitsPosted === 0n;
  const debit = withAccount(pool, 'debit', (account) =>
    ofDebit ? account.debitsPending > 0n : unused(account),
  );
  const credit = withAccount(pool, 'credit', (account) =>
    ofDebit ? account.creditsPosted === 0n : account.creditsPending > 0n,
  );
  if (debit === null || credit === null) return null;
  const posted = ofDebit
    ? ledger.accounts.get(debit.debit!)!.debitsPosted
    : ledger.accounts.get(credit.credit!)!.creditsPosted;
  const flags = plainly(event.flags & ~Flag.pending);
  return { ...debit, ...credit, flags, amount: U128_MAX - posted, timeout: 0 };
}

function plainly(flags: number): number {
  const balancing = Flag.balancingDebit | Flag.balancingCredit;
  return flags & ~(balancing | Flag.closingDebit | Flag.closingCredit);
}

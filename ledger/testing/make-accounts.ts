import { AccountBit, has, TIMESTAMP_MAX, U128_MAX } from './oracle-flags.ts';
import type { Pool } from './pool.ts';
import { type AccountFields, accountOf } from './records.ts';

type Change = Partial<AccountFields>;

const HISTORY = 1 << 3;

/** What every unit starts with; see makeAccounts. */
export const FIRST_FLAGS: readonly number[] = [
  0,
  0,
  HISTORY,
  AccountBit.debitsLimited,
  AccountBit.creditsLimited,
  AccountBit.debitsLimited | HISTORY,
  0,
  0,
];

const SPOILERS: readonly ((pool: Pool, event: AccountFields) => Change)[] = [
  () => ({ timestamp: 1n }),
  () => ({ reserved: 1 }),
  ({ random }, { flags }) => ({ flags: flags | (1 << (6 + random.below(10))) }),
  () => ({ id: 0n }),
  () => ({ id: U128_MAX }),
  (_, { flags }) => ({ flags: flags ^ AccountBit.imported }),
  (_, { flags }) => ({ flags: flags ^ HISTORY }),
  (_, { flags }) => ({ flags: flags | AccountBit.debitsLimited | AccountBit.creditsLimited }),
  (_, { flags }) => ({ flags: flags ^ AccountBit.closed }),
  () => ({ userData128: 9n }),
  () => ({ userData64: 9n }),
  () => ({ userData32: 9 }),
  ({ random }) => ({ ledger: random.pick([0, 3]) }),
  ({ random }) => ({ code: random.pick([0, 3]) }),
  () => ({ debitsPending: 1n }),
  () => ({ debitsPosted: 1n }),
  () => ({ creditsPending: 1n << 100n }),
  () => ({ creditsPosted: 1n }),
];

const IMPORTED: readonly ((pool: Pool, event: AccountFields) => Change)[] = [
  () => ({ timestamp: 0n }),
  () => ({ timestamp: TIMESTAMP_MAX + 1n }),
  ({ now }) => ({ timestamp: now }),
  ({ ledger }) => ({ timestamp: ledger.lastAccountTime }),
  ({ ledger }) => ({ timestamp: ledger.lastEventTime }),
  ({ ledger }) => ({ timestamp: ledger.lastEventTime + 1n }),
];

/** One of the pool, or one that no transfer names. The last of the pool never come to be. */
export function makeAccount(pool: Pool): AccountFields {
  const { random, accounts, ledger } = pool;
  const id = random.oneIn(3) ? random.pick(accounts.slice(0, -2)) : pool.newId();
  const known = ledger.accounts.get(id);
  if (known !== undefined) {
    const none = { debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n, creditsPosted: 0n };
    const flags = known.flags & ~(AccountBit.closed | AccountBit.imported);
    return { ...known, ...none, flags, timestamp: 0n };
  }
  return accountOf({
    id,
    flags: random.pick([0, 0, ...FIRST_FLAGS, AccountBit.closed]),
    ledger: random.oneIn(6) ? 2 : 1,
    userData64: random.oneIn(4) ? 3n : 0n,
  });
}

export function spoilAccount(pool: Pool, event: AccountFields): AccountFields {
  const choices = has(event, AccountBit.imported) ? [...SPOILERS, ...IMPORTED] : SPOILERS;
  return { ...event, ...pool.random.pick(choices)(pool, event) };
}

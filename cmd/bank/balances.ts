import type { BookRow } from './book.ts';

/** How the balances after each row agree with the ones that the bank recorded. In minor units. */
export interface BalanceStatistics {
  readonly rows: number;
  readonly balancesExact: number;
  /** The largest difference, regardless of its sign. */
  readonly balanceOffMax: bigint;
}

/** The customer's balance as the bank sees it: what it owes them. */
export function customerBalance(account: { creditsPosted: bigint; debitsPosted: bigint }): bigint {
  return account.creditsPosted - account.debitsPosted;
}

/** The customer's balance after each row by plain addition, from zero, in the order of the book. */
export function expectedBalances(rows: readonly BookRow[]): bigint[] {
  const balances = new Map<number, bigint>();
  return rows.map((row) => {
    const change = BigInt(row.side === 'credit' ? row.amount : -row.amount);
    const balance = (balances.get(row.accountId) ?? 0n) + change;
    balances.set(row.accountId, balance);
    return balance;
  });
}

/** Compares the customer's balance after each row, `balances[i]` for `rows[i]`, with the recorded. */
export function compareBalances(
  rows: readonly BookRow[],
  balances: readonly bigint[],
): BalanceStatistics {
  if (balances.length !== rows.length) {
    throw new RangeError(`${balances.length} balances for ${rows.length} rows`);
  }
  let balancesExact = 0;
  let balanceOffMax = 0n;
  rows.forEach((row, index) => {
    const difference = balances[index]! - BigInt(row.recordedBalance);
    const off = difference < 0n ? -difference : difference;
    if (off === 0n) balancesExact += 1;
    if (off > balanceOffMax) balanceOffMax = off;
  });
  return { rows: rows.length, balancesExact, balanceOffMax };
}

/** Each customer's last balance, by account number, in the order of first use. */
export function finalBalances(
  rows: readonly BookRow[],
  balances: readonly bigint[],
): Map<number, bigint> {
  if (balances.length !== rows.length) {
    throw new RangeError(`${balances.length} balances for ${rows.length} rows`);
  }
  return new Map(rows.map((row, index) => [row.accountId, balances[index]!]));
}

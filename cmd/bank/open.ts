import type { EvenkeelClient } from '../../client/index.ts';
import { FailedError } from '../exit.ts';
import type { BookRow } from './book.ts';
import { planAccounts } from './plan.ts';
import type { BookRowTransfer } from './replay.ts';

const ACCOUNTS_AT_ONCE = 1_000;

/** Creates the accounts that the rows need; those there already, as asked for, are kept. */
export async function openAccounts(
  client: EvenkeelClient,
  rows: Iterable<BookRow>,
): Promise<number> {
  const accounts = planAccounts(rows);
  for (let from = 0; from < accounts.length; from += ACCOUNTS_AT_ONCE) {
    const piece = accounts.slice(from, from + ACCOUNTS_AT_ONCE);
    const results = await client.createAccounts(piece);
    results.forEach((result, i) => {
      if (!result.ok)
        throw new FailedError(`account ${piece[i]!.id} was refused: ${result.status}`);
    });
  }
  return accounts.length;
}

/** Books rows through several clients, one a zone: a customer's rows always through the same. */
export function bookThrough(clients: readonly EvenkeelClient[]): BookRowTransfer {
  return async (transfer, row) => {
    const client = clients[row.accountId % clients.length]!;
    const result = await client.transfer(transfer, { balances: true });
    const customer = row.side === 'credit' ? result.creditAccount : result.debitAccount;
    return { status: result.status, customer };
  };
}

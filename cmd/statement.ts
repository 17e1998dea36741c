import type { Command } from 'commander';
import type { AccountTransfer, EvenkeelClient } from '../client/index.ts';
import { type ConnectionFlags, withClient, withConnection } from './connect.ts';
import { formatId, parseId, parseWhole } from './parse.ts';
import { amountText, table, timeText, toJson } from './show.ts';

interface Flags extends ConnectionFlags {
  readonly limit: string;
}

/** A transfer as one account sees it. */
interface Line {
  readonly transfer: AccountTransfer;
  /** What it added to credits - debits. */
  readonly change: bigint;
  /** Credits - debits posted, after it. */
  readonly balance: bigint;
}

/** Adds `statement`. */
export function register(program: Command): void {
  withConnection(
    program
      .command('statement <account>')
      .description("an account's latest transfers, each with the balance after it, oldest first")
      .option('--limit <n>', 'how many', '20'),
  ).action((account: string, flags: Flags) =>
    withClient(flags, (client) => print(client, account, flags)),
  );
}

async function print(client: EvenkeelClient, account: string, flags: Flags): Promise<void> {
  const accountId = parseId('account', account);
  const limit = parseWhole('--limit', flags.limit, 8_190, 1);
  const topology = await client.topology();
  const page = await client.accountTransfers(accountId, { reversed: true, limit });
  const lines = linesOf(accountId, page.account, page.transfers);
  if (flags.json) {
    for (const { transfer, change, balance } of lines) {
      console.log(toJson({ ...transfer, id: formatId(transfer.id), change, balance }));
    }
    return;
  }
  const amount = (minor: bigint) => amountText(topology, page.account.ledger, minor);
  const rows = lines.map(({ transfer, change, balance }) => [
    timeText(transfer.bookedTimestamp),
    formatId(transfer.id),
    formatId(change < 0n ? transfer.creditAccountId : transfer.debitAccountId),
    amount(change),
    amount(balance),
  ]);
  console.log(table([['booked', 'transfer', 'other account', 'change', 'balance'], ...rows]));
}

/** Walks back from the balance as of the read: both come from one read, so they agree. */
function linesOf(
  accountId: bigint,
  account: { creditsPosted: bigint; debitsPosted: bigint },
  newestFirst: readonly AccountTransfer[],
): Line[] {
  let balance = account.creditsPosted - account.debitsPosted;
  const lines: Line[] = [];
  for (const transfer of newestFirst) {
    const change = transfer.debitAccountId === accountId ? -transfer.amount : transfer.amount;
    lines.push({ transfer, change, balance });
    balance -= change;
  }
  return lines.reverse();
}

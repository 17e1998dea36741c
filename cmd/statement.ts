import type { Command } from 'commander';
import {
  type AccountTransfer,
  type AccountTransfersQuery,
  type EvenkeelClient,
  type Ledger,
  TransferFlag,
} from '../client/index.ts';
import { type ConnectionFlags, withClient, withConnection } from './connect.ts';
import { FailedError, MisuseError } from './exit.ts';
import { parseLimit, type TimeFlags, timesOf, withTimes } from './filter.ts';
import { printing, printLine, printTable } from './output.ts';
import { formatId, parseId, parseWhole } from './parse.ts';
import { amountText, timeText, toJson } from './show.ts';
import { kindText } from './transfer-text.ts';

interface Flags extends ConnectionFlags, TimeFlags {
  readonly limit: string;
  readonly all?: true;
  readonly code?: string;
  readonly debits?: true;
  readonly credits?: true;
}

/** Adds `statement`. */
export function register(program: Command): void {
  withConnection(
    withTimes(
      program
        .command('statement <account>')
        .description("an account's latest transfers, each with the balance after it, oldest first"),
    )
      .option('--limit <n>', 'how many', '20')
      .option('--all', 'all of them, instead of the latest')
      .option('--code <code>', 'of this code only')
      .option('--debits', 'only those that debit the account')
      .option('--credits', 'only those that credit it'),
  ).action((account: string, flags: Flags) =>
    withClient(flags, (client) => printing((signal) => print(client, account, flags, signal))),
  );
}

async function print(
  client: EvenkeelClient,
  account: string,
  flags: Flags,
  signal: AbortSignal,
): Promise<void> {
  const accountId = parseId('account', account);
  const query = queryOf(flags);
  const limit = parseLimit(flags.limit);
  const [owner] = await client.lookupAccounts([accountId]);
  if (owner === undefined) throw new FailedError(`there is no account ${formatId(accountId)}`);
  const transfers =
    flags.all === true
      ? client.statement(accountId, query)
      : latest(client.statement(accountId, { ...query, reversed: true, limit }));
  if (flags.json) {
    for await (const transfer of transfers) {
      await printLine(jsonOf(accountId, transfer), signal);
    }
    return;
  }
  const ledgers = await client.ledgers();
  const header = ['booked', 'transfer', 'kind', 'other account', 'change', 'balance', 'pending'];
  await printTable(header, lines(accountId, owner.ledger, ledgers, transfers), signal);
}

function queryOf(flags: Flags): AccountTransfersQuery {
  if (flags.debits && flags.credits) {
    throw new MisuseError('--debits and --credits exclude each other; without them both are shown');
  }
  return {
    ...timesOf(flags),
    balances: true,
    ...(flags.debits ? { side: 'debits' as const } : {}),
    ...(flags.credits ? { side: 'credits' as const } : {}),
    ...(flags.code === undefined ? {} : { code: parseWhole('--code', flags.code, 65_535, 1) }),
  };
}

/** Turns round what came newest first. */
async function* latest(
  newestFirst: AsyncIterable<AccountTransfer>,
): AsyncGenerator<AccountTransfer, void, undefined> {
  const transfers: AccountTransfer[] = [];
  for await (const transfer of newestFirst) transfers.push(transfer);
  yield* transfers.reverse();
}

/** In `change` what was posted: what is reserved or released shows in `pending`. */
export async function* lines(
  accountId: bigint,
  ledger: number,
  ledgers: readonly Ledger[],
  transfers: AsyncIterable<AccountTransfer>,
): AsyncGenerator<string[], void, undefined> {
  const amount = (minor: bigint) => amountText({ ledgers }, ledger, minor);
  for await (const transfer of transfers) {
    const { isDebit, change, balance, pending } = seenBy(accountId, transfer);
    yield [
      timeText(transfer.bookedTimestamp),
      formatId(transfer.id),
      kindText(transfer),
      formatId(isDebit ? transfer.creditAccountId : transfer.debitAccountId),
      amount(change),
      amount(balance),
      pending === 0n ? '' : amount(pending),
    ];
  }
}

function jsonOf(accountId: bigint, transfer: AccountTransfer): string {
  return toJson({ ...transfer, ...seenBy(accountId, transfer) });
}

/** The transfer from the account's side: credits count up, debits down. */
export function seenBy(accountId: bigint, transfer: AccountTransfer) {
  const isDebit = transfer.debitAccountId === accountId;
  const signed = isDebit ? -transfer.amount : transfer.amount;
  const unposted = TransferFlag.pending | TransferFlag.voidPendingTransfer;
  const { balances } = transfer;
  return {
    isDebit,
    /** What it added to credits - debits posted. */
    change: (transfer.flags & unposted) === 0 ? signed : 0n,
    /** Credits - debits posted, after it. */
    balance: balances === undefined ? 0n : balances.creditsPosted - balances.debitsPosted,
    /** Credits - debits reserved, after it. */
    pending: balances === undefined ? 0n : balances.creditsPending - balances.debitsPending,
  };
}

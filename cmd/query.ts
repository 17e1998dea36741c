import type { Command } from 'commander';
import type {
  Account,
  BookedTransfer,
  EvenkeelClient,
  Ledger,
  TransferQuery,
} from '../client/index.ts';
import { type ConnectionFlags, withClient, withConnection } from './connect.ts';
import { MisuseError } from './exit.ts';
import { type FilterFlags, filterOf, withFilter } from './filter.ts';
import { printing, printLine, printTable } from './output.ts';
import { formatId, parseAmount, parseLedger } from './parse.ts';
import { amountText, timeText, toJson } from './show.ts';
import { kindText } from './transfer-text.ts';

interface AccountFlags extends ConnectionFlags, FilterFlags {}

interface TransferFlags extends AccountFlags {
  readonly amountMin?: string;
  readonly amountMax?: string;
  readonly pendingState?: string;
}

const STATES = ['pending', 'posted', 'voided', 'expired'] as const;

/** Adds `query transfers` and `query accounts`. */
export function register(program: Command): void {
  const query = program
    .command('query')
    .description('transfers or accounts that meet every condition, over all units, by time');
  withConnection(
    withFilter(query.command('transfers').description('transfers in order of booking'))
      .option('--amount-min <amount>', "at least so much, in the ledger's form; needs --ledger")
      .option('--amount-max <amount>', 'at most so much')
      .option('--pending-state <state>', `pending transfers that are ${STATES.join(', ')}`),
  ).action((flags: TransferFlags) =>
    withClient(flags, (client) => printing((signal) => printTransfers(client, flags, signal))),
  );
  withConnection(
    withFilter(query.command('accounts').description('accounts in order of creation')),
  ).action((flags: AccountFlags) =>
    withClient(flags, (client) => printing((signal) => printAccounts(client, flags, signal))),
  );
}

async function printTransfers(
  client: EvenkeelClient,
  flags: TransferFlags,
  signal: AbortSignal,
): Promise<void> {
  const ledgers = await client.ledgers();
  const query = { ...filterOf(flags, ledgers), ...transferFilterOf(flags, ledgers) };
  const transfers = client.queryTransfers(query);
  if (flags.json) {
    for await (const transfer of transfers) await printLine(toJson(transfer), signal);
    return;
  }
  const header = [
    'booked',
    'transfer',
    'kind',
    'debit account',
    'credit account',
    'amount',
    'code',
  ];
  await printTable(header, transferLines(ledgers, transfers), signal);
}

/** Conditions that only transfers can meet. */
export function transferFilterOf(
  { amountMin, amountMax, pendingState, ledger }: TransferFlags,
  ledgers: readonly Ledger[],
): TransferQuery {
  const state = STATES.find((one) => one === pendingState);
  if (pendingState !== undefined && state === undefined) {
    throw new MisuseError(`--pending-state is one of ${STATES.join(', ')}, got '${pendingState}'`);
  }
  if (amountMin === undefined && amountMax === undefined) {
    return state === undefined ? {} : { pendingState: state };
  }
  if (ledger === undefined) {
    throw new MisuseError('--amount-min and --amount-max need --ledger: amounts are in its form');
  }
  const of = parseLedger(ledgers, ledger);
  return {
    ...(state === undefined ? {} : { pendingState: state }),
    ...(amountMin === undefined ? {} : { amountMin: parseAmount(amountMin, of) }),
    ...(amountMax === undefined ? {} : { amountMax: parseAmount(amountMax, of) }),
  };
}

async function* transferLines(
  ledgers: readonly Ledger[],
  transfers: AsyncIterable<BookedTransfer>,
): AsyncGenerator<string[], void, undefined> {
  for await (const transfer of transfers) {
    yield [
      timeText(transfer.bookedTimestamp),
      formatId(transfer.id),
      kindText(transfer),
      formatId(transfer.debitAccountId),
      formatId(transfer.creditAccountId),
      amountText({ ledgers }, transfer.ledger, transfer.amount),
      `${transfer.code}`,
    ];
  }
}

async function printAccounts(
  client: EvenkeelClient,
  flags: AccountFlags,
  signal: AbortSignal,
): Promise<void> {
  const ledgers = await client.ledgers();
  const accounts = client.queryAccounts(filterOf(flags, ledgers));
  if (flags.json) {
    for await (const account of accounts) await printLine(toJson(account), signal);
    return;
  }
  const header = ['created', 'account', 'code', 'debits posted', 'credits posted', 'balance'];
  await printTable(header, accountLines(ledgers, accounts), signal);
}

async function* accountLines(
  ledgers: readonly Ledger[],
  accounts: AsyncIterable<Account>,
): AsyncGenerator<string[], void, undefined> {
  for await (const { id, ledger, code, timestamp, debitsPosted, creditsPosted } of accounts) {
    const amount = (minor: bigint) => amountText({ ledgers }, ledger, minor);
    yield [
      timeText(timestamp),
      formatId(id),
      `${code}`,
      amount(debitsPosted),
      amount(creditsPosted),
      amount(creditsPosted - debitsPosted),
    ];
  }
}

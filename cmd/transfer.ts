import type { Command } from 'commander';
import {
  AMOUNT_ALL,
  ClientError,
  type EvenkeelClient,
  id,
  type Ledger,
  type NewTransfer,
  post,
  TransferFlag,
  type TransferResult,
  voidOf,
} from '../client/index.ts';
import { type ConnectionFlags, withClient, withConnection } from './connect.ts';
import { FailedError, MisuseError } from './exit.ts';
import { formatId, parseAmount, parseId, parseLedger, parseWhole } from './parse.ts';
import { amountText, pendingTexts, toJson } from './show.ts';
import { type KindFlags, kindOf, type TransferKind } from './transfer-kind.ts';

interface Flags extends ConnectionFlags, KindFlags {
  readonly id?: string;
  readonly amount?: string;
}

/** Kinds of which the ledger decides the amount. */
const LEDGER_DECIDES =
  TransferFlag.balancingDebit |
  TransferFlag.balancingCredit |
  TransferFlag.postPendingTransfer |
  TransferFlag.voidPendingTransfer;

type Args = readonly [debit?: string, credit?: string, amount?: string];

/** Adds `transfer`. */
export function register(program: Command): void {
  withConnection(
    program
      .command('transfer [debit] [credit] [amount]')
      .description(
        "book a transfer; the amount is in the currency's form, such as 12.34. Or post or void a pending one",
      )
      .option('--ledger <ledger>', 'number or currency of the ledger, such as 978 or EUR')
      .option('--code <code>', 'kind of transfer, 1 to 65535 (default: 1)')
      .option('--id <id>', 'to repeat a transfer whose outcome is unknown (default: a new one)')
      .option('--pending', 'only reserve the amount, to be posted or voided later')
      .option('--timeout <seconds>', 'with --pending: release it by itself after so long')
      .option('--post <id>', 'post the pending transfer with this id')
      .option('--amount <amount>', 'with --post: how much of it (default: all)')
      .option('--void <id>', 'release the pending transfer with this id')
      .option('--balancing-debit', 'book at most what the debit account has')
      .option('--balancing-credit', 'book at most what the credit account owes')
      .option('--closing-debit', 'with --pending: close the debit account')
      .option('--closing-credit', 'with --pending: close the credit account')
      .option('--imported-at <time>', 'a transfer of the past: ISO 8601 UTC time, or nanoseconds'),
  ).action((debit, credit, amount, flags: Flags) => run([debit, credit, amount], flags));
}

/** What the command line alone can get wrong is told before any server is asked. */
async function run(args: Args, flags: Flags): Promise<void> {
  const kind = kindOf(flags);
  const transferId = flags.id === undefined ? id() : parseId('--id', flags.id);
  if (kind.kind === 'resolution') {
    if (args[0] !== undefined) {
      throw new MisuseError('--post and --void take no accounts: they are those of the transfer');
    }
    if (flags.amount !== undefined && flags.void !== undefined) {
      throw new MisuseError('--amount needs --post');
    }
    await withClient(flags, (client) => resolve(client, transferId, kind.pendingId, flags));
    return;
  }
  if (flags.amount !== undefined) throw new MisuseError('--amount needs --post');
  const [debit, credit, amount] = args;
  if (debit === undefined || credit === undefined || amount === undefined) {
    throw new MisuseError('transfer takes a debit account, a credit account and an amount');
  }
  const { ledger } = flags;
  if (ledger === undefined) throw new MisuseError("--ledger is missing: such as '--ledger EUR'");
  const accounts = {
    id: transferId,
    debitAccountId: parseId('debit', debit),
    creditAccountId: parseId('credit', credit),
    code: parseWhole('--code', flags.code ?? '1', 65_535, 1),
  };
  await withClient(flags, (client) => book(client, accounts, kind, amount, ledger, flags));
}

async function book(
  client: EvenkeelClient,
  accounts: Pick<NewTransfer, 'id' | 'debitAccountId' | 'creditAccountId' | 'code'>,
  { flags, timeout, timestamp }: TransferKind & { kind: 'new' },
  amount: string,
  ledgerText: string,
  options: Flags,
): Promise<void> {
  const ledger = parseLedger(await client.ledgers(), ledgerText);
  const transfer = {
    ...accounts,
    ledger: ledger.number,
    amount: parseAmount(amount, ledger),
    flags,
    timeout,
    timestamp,
  };
  await report(client, transfer, ledger, options);
}

/** The accounts are looked up, for the request must name them where there are several units. */
async function resolve(
  client: EvenkeelClient,
  transferId: bigint,
  pendingId: bigint,
  options: Flags,
): Promise<void> {
  const [pending] = await client.lookupTransfers([pendingId]);
  if (pending === undefined) {
    throw new FailedError(`there is no transfer ${formatId(pendingId)}`);
  }
  const ledgers = await client.ledgers();
  const ledger = ledgers.find(({ number }) => number === pending.ledger);
  if (ledger === undefined) throw new FailedError(`there is no ledger ${pending.ledger}`);
  const amount = options.amount === undefined ? AMOUNT_ALL : parseAmount(options.amount, ledger);
  const transfer =
    options.post === undefined
      ? voidOf(pending, { id: transferId })
      : post(pending, { id: transferId, amount });
  await report(client, transfer, ledger, options);
}

async function submit(client: EvenkeelClient, transfer: NewTransfer): Promise<TransferResult> {
  try {
    return await client.transfer(transfer, { balances: true });
  } catch (error) {
    const unknown = error instanceof ClientError && error.code === 'outcome_unknown';
    if (!unknown) throw error;
    const again = `--id ${formatId(transfer.id)}`;
    throw new FailedError(`${error.message}: repeat this command with ${again}`, { cause: error });
  }
}

/**
 * What was booked, reserved or released, asked for where the ledger decides how much. undefined if no server says: the
 * transfer is done all the same, and must not look as if it were not.
 */
export async function bookedAmount(
  client: Pick<EvenkeelClient, 'lookupTransfers'>,
  { id: transferId, flags = 0, amount }: NewTransfer,
): Promise<bigint | undefined> {
  if ((flags & LEDGER_DECIDES) === 0) return amount;
  try {
    return (await client.lookupTransfers([transferId]))[0]?.amount;
  } catch (error) {
    if (error instanceof ClientError) return undefined;
    throw error;
  }
}

async function report(
  client: EvenkeelClient,
  transfer: NewTransfer,
  ledger: Ledger,
  options: Flags,
): Promise<void> {
  const result = await submit(client, transfer);
  const { status, timestamp, debitAccount, creditAccount } = result;
  const transferId = formatId(transfer.id);
  const amount = result.ok ? await bookedAmount(client, transfer) : undefined;
  if (options.json) {
    console.log(toJson({ id: transferId, status, timestamp, amount, debitAccount, creditAccount }));
  } else if (result.ok) {
    const booked =
      amount === undefined ? '' : `, ${amountText({ ledgers: [ledger] }, ledger.number, amount)}`;
    console.log(`transfer ${transferId}: ${status}${booked}`);
    console.log(balanceText(transfer.debitAccountId, debitAccount, ledger));
    console.log(balanceText(transfer.creditAccountId, creditAccount, ledger));
  }
  if (!result.ok) throw new FailedError(`transfer ${transferId} was refused: ${status}`);
}

function balanceText(
  accountId: bigint,
  balances: TransferResult['debitAccount'],
  ledger: Ledger,
): string {
  const account = `  balance of ${formatId(accountId)} is now`;
  if (balances === undefined) return `${account} unknown`;
  const amount = (minor: bigint) => amountText({ ledgers: [ledger] }, ledger.number, minor);
  const { creditsPosted, debitsPosted } = balances;
  const pending = pendingTexts(balances, amount);
  const more = pending.length === 0 ? '' : ` (${pending.join(', ')})`;
  return `${account} ${amount(creditsPosted - debitsPosted)}${more}`;
}

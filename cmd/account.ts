import type { Command } from 'commander';
import { type Account, AccountFlag, type EvenkeelClient, type Ledger } from '../client/index.ts';
import { type ConnectionFlags, withClient, withConnection } from './connect.ts';
import { FailedError, MisuseError } from './exit.ts';
import { formatId, parseId, parseLedger, parseTimestamp, parseWhole } from './parse.ts';
import { amountText, toJson } from './show.ts';

/** Adds `account create` and `account show`. */
export function register(program: Command): void {
  const account = program.command('account').description('create accounts, show their balances');
  withConnection(
    account
      .command('create <id>')
      .description('create an account; an id is decimal, or hex with 0x')
      .requiredOption('--ledger <ledger>', 'number or currency of the ledger, such as 978 or EUR')
      .requiredOption('--code <code>', 'kind of account by your chart of accounts, 1 to 65535')
      .option('--debits-must-not-exceed-credits', 'refuse transfers that would overdraw it')
      .option('--credits-must-not-exceed-debits', 'the mirror image')
      .option('--history', 'keep the balances after each transfer for fast reading')
      .option('--closed', 'closed from the start, for good')
      .option('--imported-at <time>', 'an account of the past: ISO 8601 UTC time, or nanoseconds'),
  ).action((id: string, flags: CreateFlags) => {
    const account = accountOf(id, flags);
    return withClient(flags, (client) => create(client, account, id, flags));
  });
  withConnection(account.command('show <id...>').description('show accounts as of now')).action(
    (ids: string[], flags: ConnectionFlags) =>
      withClient(flags, (client) => show(client, ids, flags)),
  );
}

interface CreateFlags extends ConnectionFlags {
  readonly ledger: string;
  readonly code: string;
  readonly debitsMustNotExceedCredits?: true;
  readonly creditsMustNotExceedDebits?: true;
  readonly history?: true;
  readonly closed?: true;
  readonly importedAt?: string;
}

/** What the command line alone can get wrong is told before any server is asked. */
function accountOf(id: string, flags: CreateFlags) {
  if (flags.debitsMustNotExceedCredits && flags.creditsMustNotExceedDebits) {
    throw new MisuseError(
      '--debits-must-not-exceed-credits and --credits-must-not-exceed-debits exclude each other',
    );
  }
  return {
    id: parseId('id', id),
    code: parseWhole('--code', flags.code, 65_535, 1),
    flags:
      (flags.debitsMustNotExceedCredits ? AccountFlag.debitsMustNotExceedCredits : 0) |
      (flags.creditsMustNotExceedDebits ? AccountFlag.creditsMustNotExceedDebits : 0) |
      (flags.history ? AccountFlag.history : 0) |
      (flags.closed ? AccountFlag.closed : 0) |
      (flags.importedAt === undefined ? 0 : AccountFlag.imported),
    timestamp:
      flags.importedAt === undefined ? 0n : parseTimestamp('--imported-at', flags.importedAt),
  };
}

async function create(
  client: EvenkeelClient,
  account: ReturnType<typeof accountOf>,
  id: string,
  flags: CreateFlags,
): Promise<void> {
  const ledger = parseLedger(await client.ledgers(), flags.ledger).number;
  const [result] = await client.createAccounts([{ ...account, ledger }]);
  const { status, ok, timestamp } = result!;
  if (flags.json) console.log(toJson({ id: account.id, status, timestamp }));
  else if (ok) console.log(`account ${id}: ${status}`);
  if (!ok) throw new FailedError(`account ${id} was refused: ${status}`);
}

async function show(
  client: EvenkeelClient,
  ids: readonly string[],
  flags: ConnectionFlags,
): Promise<void> {
  const wanted = ids.map((id) => parseId('id', id));
  const ledgers = await client.ledgers();
  const accounts = await client.lookupAccounts(wanted);
  for (const account of accounts) {
    console.log(flags.json ? toJson(account) : accountText(ledgers, account));
  }
  const missing = wanted.filter((id) => !accounts.some((account) => account.id === id));
  if (missing.length > 0) {
    throw new FailedError(`there is no account ${missing.map(formatId).join(', ')}`);
  }
}

function accountText(ledgers: readonly Ledger[], account: Account): string {
  const amount = (minor: bigint) => amountText({ ledgers }, account.ledger, minor);
  return [
    `account ${formatId(account.id)}`,
    `  ledger   ${account.ledger}, code ${account.code}, flags ${flagsText(account.flags)}`,
    `  debits   posted ${amount(account.debitsPosted)}, pending ${amount(account.debitsPending)}`,
    `  credits  posted ${amount(account.creditsPosted)}, pending ${amount(account.creditsPending)}`,
    `  balance  ${amount(account.creditsPosted - account.debitsPosted)} (credits - debits)`,
  ].join('\n');
}

/** By name, as the options that set them. */
function flagsText(flags: number): string {
  const names = Object.entries(AccountFlag)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
  return names.length === 0 ? 'none' : names.join(' ');
}

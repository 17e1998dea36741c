import type { Command } from 'commander';
import type { Account, EvenkeelClient, Topology } from '../client/index.ts';
import { type ConnectionFlags, withClient, withConnection } from './connect.ts';
import { FailedError } from './exit.ts';
import { formatId, parseId, parseLedger, parseWhole } from './parse.ts';
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
      .option('--credits-must-not-exceed-debits', 'the mirror image'),
  ).action((id: string, flags: CreateFlags) =>
    withClient(flags, (client) => create(client, id, flags)),
  );
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
}

async function create(client: EvenkeelClient, id: string, flags: CreateFlags): Promise<void> {
  const accountId = parseId('id', id);
  const code = parseWhole('--code', flags.code, 65_535, 1);
  const topology = await client.topology();
  const [result] = await client.createAccounts([
    {
      id: accountId,
      ledger: parseLedger(topology, flags.ledger).number,
      code,
      flags:
        (flags.debitsMustNotExceedCredits ? 2 : 0) | (flags.creditsMustNotExceedDebits ? 4 : 0),
    },
  ]);
  const { status, ok, timestamp } = result!;
  if (flags.json) console.log(toJson({ id: accountId, status, timestamp }));
  else if (ok) console.log(`account ${id}: ${status}`);
  if (!ok) throw new FailedError(`account ${id} was refused: ${status}`);
}

async function show(
  client: EvenkeelClient,
  ids: readonly string[],
  flags: ConnectionFlags,
): Promise<void> {
  const wanted = ids.map((id) => parseId('id', id));
  const topology = await client.topology();
  const accounts = await client.lookupAccounts(wanted);
  for (const account of accounts) {
    console.log(flags.json ? toJson(account) : accountText(topology, account));
  }
  const missing = wanted.filter((id) => !accounts.some((account) => account.id === id));
  if (missing.length > 0) {
    throw new FailedError(`there is no account ${missing.map(formatId).join(', ')}`);
  }
}

function accountText(topology: Topology, account: Account): string {
  const amount = (minor: bigint) => amountText(topology, account.ledger, minor);
  return [
    `account ${formatId(account.id)}`,
    `  ledger   ${account.ledger}, code ${account.code}, flags ${account.flags}`,
    `  debits   posted ${amount(account.debitsPosted)}, pending ${amount(account.debitsPending)}`,
    `  credits  posted ${amount(account.creditsPosted)}, pending ${amount(account.creditsPending)}`,
    `  balance  ${amount(account.creditsPosted - account.debitsPosted)} (credits - debits)`,
  ].join('\n');
}

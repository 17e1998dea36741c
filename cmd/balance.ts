import type { Command } from 'commander';
import { ClientError, type EvenkeelClient } from '../client/index.ts';
import { type ConnectionFlags, withClient, withConnection } from './connect.ts';
import { FailedError } from './exit.ts';
import { formatId, parseId, parseTimestamp } from './parse.ts';
import { amountText, toJson } from './show.ts';

interface Flags extends ConnectionFlags {
  readonly at?: string;
}

/** Adds `balance`. */
export function register(program: Command): void {
  withConnection(
    program
      .command('balance <account>')
      .description("an account's balances, as of now or of any time since it was created")
      .option(
        '--at <time>',
        'at the end of a UTC time such as 2026-01-31 or 2026-01-31T12:00:00Z, or ns since 1970',
      ),
  ).action((account: string, flags: Flags) =>
    withClient(flags, (client) => show(client, account, flags)),
  );
}

async function show(client: EvenkeelClient, account: string, flags: Flags): Promise<void> {
  const id = parseId('account', account);
  const at = flags.at === undefined ? 0n : parseTimestamp('--at', flags.at, 'end');
  const balance = await client.accountBalance(id, at).catch((error: unknown) => {
    if (!(error instanceof ClientError) || error.code !== 'not_found') throw error;
    const when = flags.at === undefined ? '' : `, or not yet at ${flags.at}`;
    throw new FailedError(`there is no account ${formatId(id)}${when}`, { cause: error });
  });
  if (flags.json) {
    console.log(toJson({ id, ...(at === 0n ? {} : { at }), ...balance }));
    return;
  }
  const ledgers = await client.ledgers();
  const amount = (minor: bigint) => amountText({ ledgers }, balance.ledger, minor);
  const when = flags.at === undefined ? 'now' : `at ${flags.at}`;
  const isOpen = at !== 0n && !balance.final;
  console.log(
    [
      `account ${formatId(id)} ${when}`,
      `  debits   posted ${amount(balance.debitsPosted)}, pending ${amount(balance.debitsPending)}`,
      `  credits  posted ${amount(balance.creditsPosted)}, pending ${amount(balance.creditsPending)}`,
      `  balance  ${amount(balance.creditsPosted - balance.debitsPosted)} (credits - debits)`,
      ...(isOpen ? ['  not final: nothing was booked after that time yet'] : []),
    ].join('\n'),
  );
}

import type { Command } from 'commander';
import { ClientError, type EvenkeelClient, id } from '../client/index.ts';
import { parseMoney } from './bank/money.ts';
import { type ConnectionFlags, withClient, withConnection } from './connect.ts';
import { FailedError, MisuseError } from './exit.ts';
import { formatId, parseId, parseLedger, parseWhole } from './parse.ts';
import { amountText, toJson } from './show.ts';

interface Flags extends ConnectionFlags {
  readonly ledger: string;
  readonly code: string;
  readonly id?: string;
}

/** Adds `transfer`. */
export function register(program: Command): void {
  withConnection(
    program
      .command('transfer <debit> <credit> <amount>')
      .description("book a transfer; the amount is in the currency's form, such as 12.34")
      .requiredOption('--ledger <ledger>', 'number or currency of the ledger, such as 978 or EUR')
      .option('--code <code>', 'kind of transfer, 1 to 65535', '1')
      .option('--id <id>', 'to repeat a transfer whose outcome is unknown (default: a new one)'),
  ).action((debit: string, credit: string, amount: string, flags: Flags) =>
    withClient(flags, (client) => book(client, debit, credit, amount, flags)),
  );
}

async function book(
  client: EvenkeelClient,
  debit: string,
  credit: string,
  amount: string,
  flags: Flags,
): Promise<void> {
  const transferId = flags.id === undefined ? id() : parseId('--id', flags.id);
  const debitAccountId = parseId('debit', debit);
  const creditAccountId = parseId('credit', credit);
  const code = parseWhole('--code', flags.code, 65_535, 1);
  const topology = await client.topology();
  const ledger = parseLedger(topology, flags.ledger);
  const transfer = {
    id: transferId,
    debitAccountId,
    creditAccountId,
    amount: parseAmount(amount, ledger),
    ledger: ledger.number,
    code,
  };
  const result = await client.transfer(transfer, { balances: true }).catch((error: unknown) => {
    const unknown = error instanceof ClientError && error.code === 'outcome_unknown';
    if (!unknown) throw error;
    const again = `--id ${formatId(transferId)}`;
    throw new FailedError(`${error.message}: repeat this command with ${again}`, { cause: error });
  });
  const { status, timestamp, debitAccount, creditAccount } = result;
  if (flags.json) {
    console.log(
      toJson({ id: formatId(transferId), status, timestamp, debitAccount, creditAccount }),
    );
  } else if (result.ok) {
    const balance = (side: typeof debitAccount) =>
      side === undefined
        ? 'unknown'
        : amountText(topology, ledger.number, side.creditsPosted - side.debitsPosted);
    console.log(`transfer ${formatId(transferId)}: ${status}`);
    console.log(`  balance of ${debit} is now ${balance(debitAccount)}`);
    console.log(`  balance of ${credit} is now ${balance(creditAccount)}`);
  }
  if (!result.ok) {
    throw new FailedError(`transfer ${formatId(transferId)} was refused: ${status}`);
  }
}

function parseAmount(
  text: string,
  ledger: { currency: string; number: number; scale: number },
): bigint {
  try {
    const { currency: code, number: numeric, scale } = ledger;
    return parseMoney(text, { code, numeric, scale });
  } catch (error) {
    throw new MisuseError(`amount: ${(error as Error).message}`, { cause: error });
  }
}

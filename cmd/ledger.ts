import type { Command } from 'commander';
import type { EvenkeelClient, Ledger } from '../client/index.ts';
import { isoScale } from '../server/core/iso-4217.ts';
import { ledgerProblem } from '../server/core/ledger-definition.ts';
import { type ConnectionFlags, withClient, withConnection } from './connect.ts';
import { MisuseError } from './exit.ts';
import { parseWhole } from './parse.ts';
import { table, toJson } from './show.ts';

interface AddFlags extends ConnectionFlags {
  readonly scale?: string;
}

/** Adds `ledger add` and `ledger list`. */
export function register(program: Command): void {
  const ledger = program.command('ledger').description('add ledgers, list them');
  withConnection(
    ledger
      .command('add <number> <code>')
      .description(
        'add a ledger, for good: its number, and an ISO 4217 code such as EUR or a name of your own',
      )
      .option('--scale <n>', 'decimal places, 0 to 18 (default: what ISO 4217 gives the code)'),
  ).action((number: string, code: string, flags: AddFlags) => {
    const definition = definitionOf(number, code, flags.scale);
    return withClient(flags, (client) => add(client, definition, flags));
  });
  withConnection(ledger.command('list').description('list all ledgers')).action(
    (flags: ConnectionFlags) => withClient(flags, (client) => list(client, flags)),
  );
}

/** A ledger can't be changed later: without a scale, a mistyped code is taken for a mistake. */
export function definitionOf(number: string, code: string, scaleText?: string): Ledger {
  const scale = scaleText === undefined ? isoScale(code) : parseWhole('--scale', scaleText, 18);
  if (scale === undefined) {
    throw new MisuseError(`'${code}' is no code of ISO 4217: a name of your own needs --scale`);
  }
  const currency = isoScale(code) === undefined ? code : code.toUpperCase();
  const ledger = { number: parseWhole('number', number, 0xffff_ffff, 1), currency, scale };
  const problem = ledgerProblem({ ledger: ledger.number, currency, scale });
  if (problem !== null) throw new MisuseError(problem.replace(/^currency:/, 'code:'));
  return ledger;
}

async function add(client: EvenkeelClient, ledger: Ledger, flags: AddFlags): Promise<void> {
  const { existed } = await client.createLedger(ledger);
  if (flags.json) console.log(toJson({ ...ledger, existed }));
  else console.log(`ledger ${ledger.number} ${ledger.currency}: ${existed ? 'exists' : 'created'}`);
}

async function list(client: EvenkeelClient, flags: ConnectionFlags): Promise<void> {
  const ledgers = await client.ledgers();
  if (flags.json) {
    for (const ledger of ledgers) console.log(toJson(ledger));
    return;
  }
  const rows = ledgers.map(({ number, currency, scale }) => [`${number}`, currency, `${scale}`]);
  console.log(table([['number', 'currency', 'scale'], ...rows]));
}

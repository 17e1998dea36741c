import { Command } from 'commander';
import { register as account } from './account.ts';
import { register as balance } from './balance.ts';
import { register as bench } from './bench.ts';
import { register as demo } from './demo.ts';
import { exitWith } from './exit.ts';
import { register as generateBank } from './generate-bank.ts';
import { register as ledger } from './ledger.ts';
import { register as member } from './member.ts';
import { register as query } from './query.ts';
import { register as replay } from './replay.ts';
import { register as server } from './server.ts';
import { register as statement } from './statement.ts';
import { register as status } from './status.ts';
import { register as transfer } from './transfer.ts';
import { register as up } from './up.ts';
import { register as verifyBooks } from './verify-books.ts';
import { register as watch } from './watch.ts';
import { register as zone } from './zone.ts';

/** The `evenkeel` command: one file a subcommand. */
export async function main(): Promise<void> {
  const program = new Command('evenkeel')
    .description('A distributed core-banking ledger that stays level when a data centre goes down.')
    .showHelpAfterError('(--help shows what there is)')
    // What stands behind a subcommand is its own: `bench machine --accounts 5`.
    .enablePositionalOptions()
    .exitOverride();

  for (const register of [
    demo,
    up,
    server,
    status,
    member,
    zone,
    ledger,
    account,
    transfer,
    statement,
    balance,
    query,
    watch,
    replay,
    generateBank,
    verifyBooks,
    bench,
  ]) {
    register(program);
  }

  try {
    await program.parseAsync();
  } catch (error) {
    exitWith(error);
  }
}

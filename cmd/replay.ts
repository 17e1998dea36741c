import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { EvenkeelClient } from '../client/index.ts';
import { compareBalances, expectedBalances } from './bank/balances.ts';
import { readBook } from './bank/csv.ts';
import { bookThrough, openAccounts } from './bank/open.ts';
import { replayBook } from './bank/replay.ts';
import { AnswerLog } from './bank/window.ts';
import { addressesOf, type ConnectionFlags, waitMsOf, withConnection } from './connect.ts';
import { EXIT_FAILED } from './exit.ts';
import { parseRateFlag } from './parse.ts';
import { Progress } from './progress.ts';

/** A long run sits out more than a person who waits for one answer. */
const WAIT_SECONDS = '60';

interface Flags extends ConnectionFlags {
  readonly rate: string;
}

/** Adds `replay`: books a bank's book into a running cluster. Twice is as good as once. */
export function register(program: Command): void {
  withConnection(
    program
      .command('replay <file>')
      .description("book a bank's book into a running cluster and compare every balance")
      .option('--rate <rows>', 'rows a second, or max', '2000'),
    WAIT_SECONDS,
  ).action(replay);
}

async function replay(file: string, flags: Flags): Promise<void> {
  const rate = parseRateFlag(flags.rate);
  const { rows } = readBook(file);
  const addresses = addressesOf(flags);
  const retryWindowMs = waitMsOf(flags);
  const clients = addresses.map(
    (_, i) =>
      new EvenkeelClient({
        addresses: [...addresses.slice(i), ...addresses.slice(0, i)],
        retryWindowMs,
      }),
  );
  const progress = new Progress();
  const log = new AnswerLog();
  const clock = { nowMs: () => performance.now(), sleep: (ms: number) => sleep(ms) };
  try {
    progress.step('opening accounts');
    await openAccounts(clients[0]!, rows);
    progress.step(`booking ${rows.length} rows`);
    const startMs = clock.nowMs();
    const { balances, existed } = await replayBook({
      rows,
      rate,
      clock,
      log,
      book: bookThrough(clients),
      onAnswered: (answered) => progress.update(`booked ${answered} of ${rows.length} rows`),
    });
    const seconds = (clock.nowMs() - startMs) / 1_000;
    progress.done();
    const { balancesExact, balanceOffMax } = compareBalances(rows, balances);
    const perSecond = Math.round(rows.length / seconds);
    const expected = compareBalances(rows, expectedBalances(rows));
    // The balance that comes with a row booked before is the one of now.
    const ok =
      existed > 0 ||
      (balancesExact === expected.balancesExact && balanceOffMax === expected.balanceOffMax);
    if (!ok) process.exitCode = EXIT_FAILED;
    const result = { rows: rows.length, existed, balances_exact: balancesExact };
    if (flags.json) {
      const more = { balance_off_max: Number(balanceOffMax), transfers_per_second: perSecond, ok };
      console.log(JSON.stringify({ ...result, ...more }));
    } else {
      console.log(
        `${rows.length} rows booked, ${perSecond}/s; ${existed} of them were there before`,
      );
      console.log(
        `${balancesExact} balances equal to the record, none more than ${balanceOffMax} minor units off`,
      );
      if (!ok) console.log(`WRONG: plain addition gives ${expected.balancesExact} equal ones`);
    }
  } finally {
    progress.stop();
    for (const client of clients) client.close();
  }
}

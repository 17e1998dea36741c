import type { Command } from 'commander';
import type { Balances, EvenkeelClient, Ledger, LedgerEvent } from '../client/index.ts';
import { type ConnectionFlags, withClient, withConnection } from './connect.ts';
import { interruptible } from './interrupt.ts';
import { printing, printLine } from './output.ts';
import { formatId, parseTimestamp, parseWhole } from './parse.ts';
import { amountText, pendingTexts, timeText, toJson } from './show.ts';

interface Flags extends ConnectionFlags {
  readonly unit?: string;
  readonly from?: string;
  readonly count?: string;
}

/** Adds `watch`. */
export function register(program: Command): void {
  withConnection(
    program
      .command('watch')
      .description('what happens, as it happens, until Ctrl-C; each unit in its own order')
      .option('--unit <n>', 'of this unit only (default: of all)')
      .option('--from <time>', 'begin then: a UTC time, ns since 1970, or 0 for all (default: now)')
      .option('--count <n>', 'end after so many events'),
  ).action((flags: Flags) =>
    withClient(flags, (client) => printing((closed) => watch(client, flags, closed))),
  );
}

async function watch(client: EvenkeelClient, flags: Flags, closed: AbortSignal): Promise<void> {
  const count =
    flags.count === undefined ? Infinity : parseWhole('--count', flags.count, 2 ** 53 - 1, 1);
  const after = afterOf(flags.from);
  const { units: known } = await client.topology();
  const unit = flags.unit === undefined ? null : parseWhole('--unit', flags.unit, known.length, 1);
  const units = unit === null ? known.map(({ id }) => id) : [unit];
  const printer = new Printer(flags.json === true, await client.ledgers(), count);
  await interruptible(async (interrupt) => {
    const ends = AbortSignal.any([interrupt, closed, printer.done]);
    try {
      await Promise.all(units.map((one) => follow(client, one, after, printer, ends)));
    } catch (error) {
      // Ctrl-C, a reader that has seen enough and the count are how one ends it: no failures.
      if (!ends.aborted) throw error;
    }
  });
}

/** Events after this time are asked for, those of the time given among them. */
export function afterOf(from: string | undefined): bigint {
  if (from === undefined) return BigInt(Date.now()) * 1_000_000n;
  return from === '0' ? 0n : parseTimestamp('--from', from) - 1n;
}

async function follow(
  client: EvenkeelClient,
  unit: number,
  after: bigint,
  printer: Printer,
  signal: AbortSignal,
): Promise<void> {
  for await (const event of client.watch({ unit, after, signal })) {
    await printer.print(unit, event, signal);
    if (signal.aborted) return;
  }
}

class Printer {
  readonly #json: boolean;
  readonly #ledgers: readonly Ledger[];
  readonly #done = new AbortController();
  #left: number;

  constructor(json: boolean, ledgers: readonly Ledger[], count: number) {
    this.#json = json;
    this.#ledgers = ledgers;
    this.#left = count;
  }

  /** All that was asked for is printed. */
  get done(): AbortSignal {
    return this.#done.signal;
  }

  async print(unit: number, event: LedgerEvent, signal: AbortSignal): Promise<void> {
    if (this.#left === 0) return;
    this.#left -= 1;
    await printLine(this.#json ? jsonOf(unit, event) : textOf(unit, event, this.#ledgers), signal);
    if (this.#left === 0) this.#done.abort();
  }
}

function jsonOf(unit: number, { cursor, ...event }: LedgerEvent): string {
  return toJson({ unit, ...event, cursor: Buffer.from(cursor).toString('base64') });
}

export function textOf(unit: number, event: LedgerEvent, ledgers: readonly Ledger[]): string {
  const head = `${timeText(event.timestamp)}  unit ${unit}  ${event.kind}`;
  if (event.kind === 'account_created') {
    const { id, ledger, code } = event.account;
    return `${head}  ${formatId(id)}  ledger ${ledger}  code ${code}`;
  }
  const transfer = event.kind === 'expired' ? event.pendingTransfer : event.transfer;
  const amount = (minor: bigint) => amountText({ ledgers }, transfer.ledger, minor);
  const ids = [
    ...(event.kind === 'expired' ? [] : [formatId(transfer.id)]),
    ...(event.pendingTransfer === null ? [] : [`of ${formatId(event.pendingTransfer.id)}`]),
  ];
  const side = event.side === 'both' ? '' : `  ${event.side} side`;
  const balance = (of: Balances) =>
    [amount(of.creditsPosted - of.debitsPosted), ...pendingTexts(of, amount)].join(', ');
  const account = (id: bigint, balances: Balances | null) =>
    `${formatId(id)}${balances === null ? '' : ` (${balance(balances)})`}`;
  return [
    `${head}  ${ids.join(' ')}  ${amount(transfer.amount)}`,
    `  ${account(transfer.debitAccountId, event.debitAccount)}`,
    ` -> ${account(transfer.creditAccountId, event.creditAccount)}`,
    side,
  ].join('');
}

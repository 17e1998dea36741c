import { FailedError } from '../exit.ts';
import { customerBalance } from './balances.ts';
import type { BookRow } from './book.ts';
import { type Clock, pace, type Rate } from './pacer.ts';
import { type PlannedTransfer, planTransfer } from './plan.ts';
import type { AnswerLog } from './window.ts';

/** What the ledger said of a row: the customer's columns are those after it, as it returned them. */
export interface Booked {
  readonly status: string;
  readonly customer: { readonly creditsPosted: bigint; readonly debitsPosted: bigint } | undefined;
}

/** Books one row's transfer; comes back only with a final answer. */
export type BookRowTransfer = (transfer: PlannedTransfer, row: BookRow) => Promise<Booked>;

export interface ReplayOptions {
  readonly rows: readonly BookRow[];
  readonly rate: Rate;
  readonly clock: Clock;
  readonly log: AnswerLog;
  readonly book: BookRowTransfer;
  /** After each answer; `answered` counts all so far. */
  onAnswered?(answered: number): void;
}

export interface ReplayResult {
  /** The customer's balance that the ledger returned with each row. */
  readonly balances: readonly bigint[];
  /** Ids whose answer was that they are booked. */
  readonly acknowledged: readonly bigint[];
  /** Rows that were already booked by an earlier try whose answer was lost. */
  readonly existed: number;
}

/**
 * Books a whole book in its order, open loop: rows fall due by the rate, whatever becomes of those before
 * them, but a customer has at most one unanswered row, so that each answer's balance is the row's own.
 */
export async function replayBook(options: ReplayOptions): Promise<ReplayResult> {
  const { rows, log, clock } = options;
  const balances = new Array<bigint>(rows.length);
  const acknowledged: bigint[] = [];
  const queues = new Map<number, number[]>();
  let existed = 0;
  let answered = 0;
  let failed = false;
  const all = Promise.withResolvers<void>();

  const bookOne = async (index: number): Promise<void> => {
    const row = rows[index]!;
    const transfer = planTransfer(row);
    const { status, customer } = await options.book(transfer, row);
    if (status !== 'created' && status !== 'exists') {
      throw new FailedError(
        `line ${row.line}: the ledger refused transfer ${transfer.id}: ${status}`,
      );
    }
    if (customer === undefined) {
      throw new FailedError(`line ${row.line}: the result came without the customer's balances`);
    }
    balances[index] = customerBalance(customer);
    acknowledged.push(transfer.id);
    if (status === 'exists') existed += 1;
    log.answered(clock.nowMs(), 1);
    answered += 1;
    options.onAnswered?.(answered);
    if (answered === rows.length) all.resolve();
  };

  /** Books the row, then those of the same customer that fell due meanwhile. */
  const bookQueue = async (queue: number[]): Promise<void> => {
    while (queue.length > 0 && !failed) {
      await bookOne(queue[0]!);
      queue.shift();
    }
  };

  const release = (index: number): void => {
    const customer = rows[index]!.accountId;
    const queue = queues.get(customer) ?? [];
    queues.set(customer, queue);
    queue.push(index);
    if (queue.length > 1) return;
    bookQueue(queue).catch((error: unknown) => {
      failed = true;
      all.reject(error);
    });
  };

  const releaseAll = async (): Promise<void> => {
    let next = 0;
    for await (const due of pace(rows.length, options.rate, clock)) {
      if (failed) return;
      log.sent(clock.nowMs(), due);
      for (const end = next + due; next < end; next += 1) release(next);
    }
  };

  if (rows.length === 0) all.resolve();
  await Promise.all([releaseAll(), all.promise]);
  return { balances, acknowledged, existed };
}

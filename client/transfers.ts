import { ClientError } from './error.ts';
import { type NewTransfer, TransferFlag } from './types.ts';

/** The amount of a post that takes all that was reserved. */
export const AMOUNT_ALL = 2n ** 128n - 1n;

/** The same bit for accounts and transfers. */
const { linked } = TransferFlag;

/** What is needed of a pending transfer to resolve it. Its accounts say which unit holds it. */
export type PendingTransfer = Pick<NewTransfer, 'id' | 'debitAccountId' | 'creditAccountId'>;

/**
 * The same events as a chain: all of them are done or none. For one request, which may hold several chains.
 * All accounts of a chain must live in one unit, as those of one party do. Read its results with `isChainDone`.
 */
export function chain<T extends { readonly flags?: number }>(events: readonly T[]): T[] {
  if (events.length === 0)
    throw new ClientError('invalid_argument', 'chain: no events, at least 1');
  const last = events.length - 1;
  return events.map((event, i) => {
    const flags = event.flags ?? 0;
    return { ...event, flags: i < last ? flags | linked : flags & ~linked };
  });
}

/**
 * The whole chain is done, now or by an earlier try: then its first event answers `exists` and the others
 * `linked_event_failed`, for a chain is never done in part. Takes the results of one chain, whose ids must be in no
 * other.
 */
export function isChainDone(results: readonly { readonly status: string }[]): boolean {
  const [first, ...others] = results;
  if (first?.status === 'created') return others.every(({ status }) => status === 'created');
  return (
    first?.status === 'exists' && others.every(({ status }) => status === 'linked_event_failed')
  );
}

/** Reserves the amount, until it is posted or voided, or for `timeout` seconds (0 = for ever). */
export function pending(transfer: NewTransfer, timeout = 0): NewTransfer {
  return { ...transfer, flags: (transfer.flags ?? 0) | TransferFlag.pending, timeout };
}

/** Posts `amount` of what `of` has reserved, by default all, and releases the rest. */
export function post(
  of: PendingTransfer,
  { id, amount = AMOUNT_ALL }: { readonly id: bigint; readonly amount?: bigint },
): NewTransfer {
  return resolution(of, id, amount, TransferFlag.postPendingTransfer);
}

/** Releases all that `of` has reserved. */
export function voidOf(of: PendingTransfer, { id }: { readonly id: bigint }): NewTransfer {
  return resolution(of, id, 0n, TransferFlag.voidPendingTransfer);
}

/** Ledger, code and user data are the pending transfer's. */
function resolution(of: PendingTransfer, id: bigint, amount: bigint, flags: number): NewTransfer {
  const { id: pendingId, debitAccountId, creditAccountId } = of;
  return { id, debitAccountId, creditAccountId, amount, pendingId, ledger: 0, code: 0, flags };
}

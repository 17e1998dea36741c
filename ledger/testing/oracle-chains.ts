import { AccountStatus, TransferStatus } from '../status.ts';
import type { OracleLedger } from './oracle-ledger.ts';
import { balancesOf, type Evaluated, type OracleResult, plain } from './oracle-types.ts';

const LINKED = 1 << 0;
// The same for accounts and transfers.
const { created, linked_event_failed, linked_event_chain_open } = TransferStatus;
if (AccountStatus.linked_event_failed !== linked_event_failed) throw new Error('numbers differ');

/** Results of create_transfers that burn the id: those with a star in the document. */
const TRANSIENT: ReadonlySet<number> = new Set([
  TransferStatus.debit_account_not_found,
  TransferStatus.credit_account_not_found,
  TransferStatus.pending_transfer_not_found,
  TransferStatus.debit_account_already_closed,
  TransferStatus.credit_account_already_closed,
  TransferStatus.exceeds_credits,
  TransferStatus.exceeds_debits,
]);

export function burnIfTransient(
  ledger: OracleLedger,
  status: number,
  id: bigint,
  at: bigint,
): void {
  if (TRANSIENT.has(status)) ledger.burn(id, at);
}

/**
 * Linked chains: a run of events with `linked`, ended by the first without it, is applied whole
 * or not at all. What a failure leaves for ever is done after the chain is undone.
 */
export function runBatch<E extends { readonly flags: number }>(
  ledger: OracleLedger,
  events: readonly E[],
  timestamp: bigint,
  evaluate: (event: E, at: bigint, isLinked: boolean) => Evaluated,
  afterFailure: (status: number, event: E, at: bigint) => void,
): OracleResult[] {
  const at = (i: number) => timestamp + BigInt(i);
  const results: OracleResult[] = [];
  for (let first = 0; first < events.length; ) {
    let end = first;
    while (end < events.length && isLinked(events[end]!)) end += 1;
    const isOpen = end === events.length;
    const members = events.slice(first, end + 1);
    if (members.length === 1 && !isOpen) {
      const [event] = members as [E];
      const evaluated = evaluate(event, at(first), false);
      afterFailure(evaluated.result.status, event, at(first));
      results.push(shown(ledger, evaluated));
    } else {
      results.push(...runChain(ledger, members, isOpen, at(first), evaluate, afterFailure));
    }
    first += members.length;
  }
  return results;
}

function runChain<E extends { readonly flags: number }>(
  ledger: OracleLedger,
  members: readonly E[],
  isOpen: boolean,
  timestamp: bigint,
  evaluate: (event: E, at: bigint, isLinked: boolean) => Evaluated,
  afterFailure: (status: number, event: E, at: bigint) => void,
): OracleResult[] {
  const at = (i: number) => timestamp + BigInt(i);
  const last = members.length - 1;
  const all: OracleResult[] = [];
  let failed = -1;
  let failure: Evaluated | null = null;
  ledger.beginChain();
  for (let i = 0; i <= last && failed < 0; i += 1) {
    if (isOpen && i === last) break;
    const evaluated = evaluate(members[i]!, at(i), true);
    if (evaluated.result.status !== created) failed = i;
    // What is created shows the balances after it, not those at the end of the chain.
    if (failed < 0) all.push(shown(ledger, evaluated));
    else failure = evaluated;
  }
  if (failed < 0 && !isOpen) {
    ledger.keepChain();
    return all;
  }
  ledger.rollBackChain();
  const ownResult = failure === null ? null : shown(ledger, failure);
  if (ownResult !== null) afterFailure(ownResult.status, members[failed]!, at(failed));
  return members.map((_, i) => {
    if (isOpen && i === last) return plain(linked_event_chain_open, at(i));
    return i === failed ? ownResult! : plain(linked_event_failed, at(i));
  });
}

/** Of a transfer that crossed one of the two accounts is another unit's. */
function shown(ledger: OracleLedger, { result, shows }: Evaluated): OracleResult {
  if (shows === null) return result;
  const debit = ledger.accounts.get(shows.debit);
  const credit = ledger.accounts.get(shows.credit);
  return {
    ...result,
    debit: debit === undefined ? null : balancesOf(debit),
    credit: credit === undefined ? null : balancesOf(credit),
  };
}

function isLinked(event: { readonly flags: number }): boolean {
  return (event.flags & LINKED) !== 0;
}

import { AccountStatus, TransferStatus } from '../status.ts';
import type { OracleLedger } from './oracle-ledger.ts';
import { type OracleResult, plain } from './oracle-types.ts';

const LINKED = 1 << 0;
// The same for accounts and transfers.
const { created, linked_event_failed, linked_event_chain_open } = TransferStatus;
if (AccountStatus.linked_event_failed !== linked_event_failed) throw new Error('numbers differ');

/** Results that stay burnt: those with a star in the document. None is a result of create_accounts. */
const TRANSIENT: ReadonlySet<number> = new Set([
  TransferStatus.debit_account_not_found,
  TransferStatus.credit_account_not_found,
  TransferStatus.pending_transfer_not_found,
  TransferStatus.debit_account_already_closed,
  TransferStatus.credit_account_already_closed,
  TransferStatus.exceeds_credits,
  TransferStatus.exceeds_debits,
]);

export function burnIfTransient(ledger: OracleLedger, status: number, id: bigint): void {
  if (TRANSIENT.has(status)) ledger.burn(id);
}

/** Linked chains: a run of events with `linked`, ended by the first without it, is applied whole or not at all. */
export function runBatch<E extends { readonly id: bigint; readonly flags: number }>(
  ledger: OracleLedger,
  events: readonly E[],
  timestamp: bigint,
  evaluate: (event: E, at: bigint, isLinked: boolean) => OracleResult,
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
      const result = evaluate(event, at(first), false);
      burnIfTransient(ledger, result.status, event.id);
      results.push(result);
    } else {
      results.push(...runChain(ledger, members, isOpen, at(first), evaluate));
    }
    first += members.length;
  }
  return results;
}

function runChain<E extends { readonly id: bigint; readonly flags: number }>(
  ledger: OracleLedger,
  members: readonly E[],
  isOpen: boolean,
  timestamp: bigint,
  evaluate: (event: E, at: bigint, isLinked: boolean) => OracleResult,
): OracleResult[] {
  const at = (i: number) => timestamp + BigInt(i);
  const last = members.length - 1;
  const all: OracleResult[] = [];
  let failed = -1;
  ledger.beginChain();
  for (let i = 0; i <= last && failed < 0; i += 1) {
    if (isOpen && i === last) break;
    const result = evaluate(members[i]!, at(i), true);
    all.push(result);
    if (result.status !== created) failed = i;
  }
  if (failed < 0 && !isOpen) {
    ledger.keepChain();
    return all;
  }
  ledger.rollBackChain();
  if (failed >= 0) burnIfTransient(ledger, all[failed]!.status, members[failed]!.id);
  return members.map((_, i) => {
    if (isOpen && i === last) return plain(linked_event_chain_open, at(i));
    return i === failed ? all[i]! : plain(linked_event_failed, at(i));
  });
}

function isLinked(event: { readonly flags: number }): boolean {
  return (event.flags & LINKED) !== 0;
}

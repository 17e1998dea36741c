import type { OracleLedger, Pending } from './oracle-ledger.ts';
import { reopen } from './oracle-two-phase.ts';

/** An expiry entry's item; false if there is nothing to do. */
export function expire(ledger: OracleLedger, pendingTime: bigint, at: bigint): boolean {
  const id = ledger.pendingByTime.get(pendingTime);
  const pending = id === undefined ? undefined : ledger.pendings.get(id);
  if (pending === undefined || pending.state !== 'pending') return false;
  if (pending.deadline === null || pending.deadline > at) return false;
  const { record } = pending;
  const { debit, credit, amount } = record;
  ledger.move(debit, credit, { pending: -amount, posted: 0n });
  reopen(ledger, record);
  ledger.resolve(pending, 'expired');
  ledger.addEvent({
    kind: 'expiry',
    timestamp: at,
    record,
    debit,
    credit,
    requested: amount,
    pending: { id: record.id, state: 'expired' },
  });
  return true;
}

/** Those to expire, next first. */
export function waiting(ledger: OracleLedger): { deadline: bigint; timestamp: bigint }[] {
  return [...ledger.waiting]
    .map((id) => ledger.pendings.get(id)!)
    .map(({ deadline, record }: Pending) => ({ deadline: deadline!, timestamp: record.timestamp }))
    .sort((a, b) => order(a.deadline, b.deadline) || order(a.timestamp, b.timestamp));
}

function order(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

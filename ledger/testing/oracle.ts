import { InternalStatus, TransferStatus } from '../status.ts';
import { createAccount } from './oracle-accounts.ts';
import { burnIfTransient, runBatch } from './oracle-chains.ts';
import { complete, decide } from './oracle-crossings.ts';
import { expire } from './oracle-expiry.ts';
import { CLOSED_IDS_FROM, OracleLedger } from './oracle-ledger.ts';
import { createTransfer } from './oracle-transfers.ts';
import { type Command, type OracleResult, plain } from './oracle-types.ts';

export type { Balances, Command, OracleEvent, OracleResult } from './oracle-types.ts';

/**
 * One unit, written from the document alone (ledger semantics): maps, BigInt, no packing, no limits of
 * memory. The machine must agree with it on every result, balance and event.
 */
export class Oracle {
  readonly ledger: OracleLedger;

  constructor(unit: number, ownerOf: (account: bigint) => number) {
    this.ledger = new OracleLedger(unit, ownerOf);
  }

  /** Results of one sub-batch; its first event is at `timestamp`. */
  apply(command: Command, timestamp: bigint): OracleResult[] {
    const { ledger } = this;
    const at = (i: number) => timestamp + BigInt(i);
    switch (command.kind) {
      case 'accounts': {
        const batch = { timestamp, imported: importedOf(command), balances: false };
        return runBatch(
          ledger,
          command.events,
          timestamp,
          (event, time, isLinked) => createAccount(ledger, event, time, batch, isLinked),
          () => {},
        );
      }
      case 'transfers': {
        const { balances } = command;
        const batch = { timestamp, imported: importedOf(command), balances };
        return runBatch(
          ledger,
          command.events,
          timestamp,
          (event, time, isLinked) => createTransfer(ledger, event, time, batch, isLinked),
          (status, { id }, time) => burnIfTransient(ledger, status, id, time),
        );
      }
      case 'decide':
        ledger.forget(command.homeUnit, command.finished);
        return command.items.map(({ sequence, record }, i) =>
          decide(ledger, command.homeUnit, sequence, record, at(i), command.balances),
        );
      case 'complete':
        return command.items.map(({ sequence, status }, i) =>
          complete(ledger, command.farUnit, sequence, status, at(i), command.balances),
        );
      case 'expire':
        return command.timestamps.map((pending, i) =>
          expire(ledger, pending, at(i))
            ? plain(TransferStatus.created, pending)
            : plain(InternalStatus.not_expired, at(i)),
        );
    }
  }

  clearingId(ledger: number, otherUnit: number): bigint {
    return CLOSED_IDS_FROM + ((BigInt(ledger) << 32n) | (BigInt(otherUnit) << 16n) | 1n);
  }
}

/** The request's first event decides, unless the sub-batch says what that was. */
export function importedOf(command: Command & { kind: 'accounts' | 'transfers' }): boolean {
  const first = command.events[0];
  if (command.imported !== undefined || first === undefined) return command.imported ?? false;
  return (first.flags & (command.kind === 'accounts' ? 1 << 4 : 1 << 8)) !== 0;
}

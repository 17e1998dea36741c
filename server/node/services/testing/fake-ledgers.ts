import { EvenkeelError } from '../../../core/error.ts';
import type { RequestHandle } from '../../../core/gateway/api.ts';
import type { CreateLedgerDone, Ledgers } from '../../../core/gateway/ledgers.ts';
import { isSameLedger, ledgerProblem } from '../../../core/ledger-definition.ts';
import type { LedgerDefinition } from '../../../core/topology.ts';

const HANDLE: RequestHandle = { cancel: () => {} };

/** A registry of one server, that answers in a later turn. */
export class FakeLedgers implements Ledgers {
  readonly kept: LedgerDefinition[] = [];

  create(ledger: LedgerDefinition, done: CreateLedgerDone): RequestHandle {
    const problem = ledgerProblem(ledger);
    if (problem !== null) throw new EvenkeelError('invalid_request', problem);
    const there = this.kept.find((known) => known.ledger === ledger.ledger);
    if (there === undefined) this.kept.push(ledger);
    const differs = there !== undefined && !isSameLedger(there, ledger);
    const error = differs ? new EvenkeelError('ledger_differs', 'ledger_differs') : null;
    setImmediate(() => done(error, there !== undefined));
    return HANDLE;
  }

  list(done: (ledgers: readonly LedgerDefinition[]) => void): RequestHandle {
    setImmediate(() => done(this.kept));
    return HANDLE;
  }
}

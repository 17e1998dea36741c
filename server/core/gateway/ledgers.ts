import { EvenkeelError } from '../error.ts';
import { ledgerProblem } from '../ledger-definition.ts';
import { RequestKind } from '../messages.ts';
import { decodeLedgers, encodeLedgers } from '../registry-request.ts';
import { LedgerOutcome } from '../registry-state.ts';
import type { Router, SentRequest } from '../router.ts';
import { type LedgerDefinition, REGISTRY_UNIT } from '../topology.ts';
import type { RequestHandle } from './api.ts';

/** The registry's ledgers, asked of its leader: what any server has acknowledged is known. */
export interface Ledgers {
  /**
   * Adds a ledger, or finds it there as asked for. Fails with `invalid_request`, `ledger_differs`,
   * `ledger_name_taken` or `too_many_ledgers`.
   */
  create(ledger: LedgerDefinition, done: CreateLedgerDone): RequestHandle;
  /** All of them, ascending by number. Linearizable. */
  list(done: (ledgers: readonly LedgerDefinition[]) => void): RequestHandle;
}

export type CreateLedgerDone = (error: EvenkeelError | null, existed: boolean) => void;

const NO_WORDS = new Uint32Array(0);

export class RegistryLedgers implements Ledgers {
  readonly #router: Router;
  readonly #wake: () => void;

  constructor(router: Router, wake: () => void) {
    this.#router = router;
    this.#wake = wake;
  }

  /** Throws `invalid_request` at once. */
  create(ledger: LedgerDefinition, done: CreateLedgerDone): RequestHandle {
    const problem = ledgerProblem(ledger);
    if (problem !== null) throw new EvenkeelError('invalid_request', problem);
    return this.#ask(RequestKind.createLedger, encodeLedgers([ledger]), (words) => {
      const outcome = words[0]!;
      const [there] = decodeLedgers(words.subarray(1));
      if (outcome === LedgerOutcome.differs) done(differs(ledger, there!), false);
      else if (outcome === LedgerOutcome.nameTaken) done(nameTaken(ledger, there!), false);
      else if (outcome === LedgerOutcome.full) done(full(), false);
      else done(null, outcome === LedgerOutcome.exists);
    });
  }

  list(done: (ledgers: readonly LedgerDefinition[]) => void): RequestHandle {
    return this.#ask(RequestKind.listLedgers, NO_WORDS, (words) => done(decodeLedgers(words)));
  }

  #ask(kind: number, words: Uint32Array, done: (words: Uint32Array) => void): SentRequest {
    const sent = this.#router.request(REGISTRY_UNIT, kind, words, (_outcome, answer) =>
      done(answer),
    );
    this.#wake();
    return sent;
  }
}

function differs(asked: LedgerDefinition, there: LedgerDefinition): EvenkeelError {
  const text = ({ currency, scale }: LedgerDefinition) => `${currency} with scale ${scale}`;
  return new EvenkeelError(
    'ledger_differs',
    `ledger_differs: ledger ${asked.ledger} is ${text(there)}, not ${text(asked)}; a ledger never changes, take another number`,
  );
}

function nameTaken(asked: LedgerDefinition, there: LedgerDefinition): EvenkeelError {
  return new EvenkeelError(
    'ledger_name_taken',
    `ledger_name_taken: ledger ${there.ledger} is named ${there.currency}; take another name for ledger ${asked.ledger}, such as ${asked.currency}-${asked.ledger}`,
  );
}

function full(): EvenkeelError {
  return new EvenkeelError(
    'too_many_ledgers',
    'too_many_ledgers: the registry holds as many ledgers as it may',
  );
}

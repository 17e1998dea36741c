import { type ClusterChange, changedTopology, refusalByState } from './cluster-change.ts';
import { EvenkeelError } from './error.ts';
import { foldName, isSameLedger } from './ledger-definition.ts';
import { LEDGERS_MAX } from './limits.ts';
import { plainTopology, plainZones, type RegistryEntry } from './registry-entry.ts';
import { type LedgerDefinition, slotOwners, type Topology } from './topology.ts';

/** What becomes of a ledger that is to be added. */
export const LedgerOutcome = {
  created: 1,
  /** It was there, as asked for. */
  exists: 2,
  /** Its number is taken by a ledger that is defined otherwise. */
  differs: 3,
  /** There are as many as may be. */
  full: 4,
  /** Another number has its name. */
  nameTaken: 5,
} as const;

/** What the registry's log says: the cluster, how it was changed, and its ledgers, which are only ever added. */
export class RegistryState {
  /** Its list of ledgers may be behind: it is made anew when somebody asks. */
  #topology: Topology | null = null;
  #slotOwners: Uint16Array | null = null;
  #ledgers = new Map<number, LedgerDefinition>();

  /** null before the first entry. */
  get topology(): Topology | null {
    if (this.#topology !== null && this.#topology.ledgers.length < this.#ledgers.size) {
      // Insertion order decides nothing: numbers are unique.
      const ledgers = [...this.#ledgers.values()].toSorted((a, b) => a.ledger - b.ledger);
      this.#topology = { ...this.#topology, ledgers };
    }
    return this.#topology;
  }

  get slotOwners(): Uint16Array | null {
    return this.#slotOwners;
  }

  ledger(number: number): LedgerDefinition | undefined {
    return this.#ledgers.get(number);
  }

  /** What `apply` would answer. Once it is not `created` it stays as it is. */
  outcomeOf(ledger: LedgerDefinition): number {
    const known = this.#ledgers.get(ledger.ledger);
    if (known !== undefined) {
      return isSameLedger(known, ledger) ? LedgerOutcome.exists : LedgerOutcome.differs;
    }
    return this.#ledgers.size < LEDGERS_MAX ? LedgerOutcome.created : LedgerOutcome.full;
  }

  /**
   * The ledger of another number that has this name. Only a leader asks, before it proposes: `apply` takes what
   * the log holds, for an older release wrote names twice, and a ledger that is there must never go.
   */
  sameName({ ledger, currency }: LedgerDefinition): LedgerDefinition | undefined {
    const name = foldName(currency);
    return this.topology?.ledgers.find(
      (known) => known.ledger !== ledger && foldName(known.currency) === name,
    );
  }

  /** A change that came behind another which rules it out changes nothing. */
  #change(topology: Topology, change: ClusterChange): number {
    if (refusalByState(topology, change) !== null) return LedgerOutcome.differs;
    this.#topology = changedTopology(topology, change);
    return LedgerOutcome.created;
  }

  /** A second topology, proposed by a leader that did not know of the first, changes nothing. */
  apply(entry: RegistryEntry): number {
    if (entry.entry === 'topology') {
      if (this.#topology !== null) return LedgerOutcome.exists;
      this.#topology = entry.topology;
      this.#slotOwners = slotOwners(entry.topology.units);
      for (const ledger of entry.topology.ledgers) this.#ledgers.set(ledger.ledger, ledger);
      return LedgerOutcome.created;
    }
    if (this.#topology === null) throw new Error('the registry has an entry before its topology');
    if (entry.entry === 'cluster') return this.#change(this.#topology, entry.change);
    const outcome = this.outcomeOf(entry.ledger);
    if (outcome === LedgerOutcome.created) this.#ledgers.set(entry.ledger.ledger, entry.ledger);
    return outcome;
  }
}

/**
 * Throws `topology_differs` if a server is configured for another cluster than the registry holds. Of the
 * servers and ledgers only those that both know must agree: they come and go by the registry's log.
 */
export function checkConfigured(state: RegistryState, configured: Topology): void {
  const { topology } = state;
  if (topology === null) return;
  const told = plainTopology(configured);
  const [made, says] = [JSON.stringify(plainZones(topology)), JSON.stringify(told.zones)];
  if (made !== says) throw differs(`zones ${made}`, says);
  if (topology.units !== told.units) throw differs(`units ${topology.units}`, `${told.units}`);
  for (const server of told.servers) {
    const known = topology.servers.find(({ id }) => id === server.id);
    if (known === undefined || known.zone === server.zone) continue;
    throw differs(`server ${known.id} in ${known.zone}`, server.zone);
  }
  for (const ledger of told.ledgers) {
    const known = state.ledger(ledger.ledger);
    if (known === undefined || isSameLedger(known, ledger)) continue;
    throw differs(`ledger ${JSON.stringify(known)}`, JSON.stringify(ledger));
  }
}

/** Ledgers that are configured, and that nobody has added. */
export function missingLedgers(state: RegistryState, configured: Topology): LedgerDefinition[] {
  return configured.ledgers.filter(({ ledger }) => state.ledger(ledger) === undefined);
}

function differs(made: string, says: string): EvenkeelError {
  return new EvenkeelError(
    'topology_differs',
    `topology_differs: the cluster was made with ${made}, but this server's configuration says ${says}`,
  );
}

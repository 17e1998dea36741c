import { type Entry, EntryKind } from '../../consensus/types.ts';
import { EvenkeelError } from './error.ts';
import { Group, type GroupEvents, type GroupOptions } from './group.ts';
import type { Log } from './log/log.ts';
import {
  decodeTopology,
  encodeTopology,
  REGISTRY_UNIT,
  slotOwners,
  type Topology,
} from './topology.ts';

/**
 * Unit 0. Its first command says which zones, servers, ledgers and units there are; the first leader
 * proposes it from its configuration. It has no books: the log is replayed from its start.
 */
export class RegistryUnit {
  readonly group: Group;
  readonly #configured: Topology;
  readonly #machine: RegistryStateMachine;
  #topology: Topology | null = null;
  #slotOwners: Uint16Array | null = null;
  #proposed = false;

  /** Throws `topology_differs`, before anything was changed, if the log knows the cluster otherwise than configured. */
  constructor(options: GroupOptions, configured: Topology, log: Log, send: GroupEvents['send']) {
    this.#configured = configured;
    const kept = keptTopology(log);
    if (kept !== null) checkSame(kept, configured);
    const machine = new RegistryStateMachine((entry) => this.#apply(entry));
    this.#machine = machine;
    this.group = new Group(options, log, machine, {
      send,
      onLeading: () => {},
      onDeposed: () => {
        this.#proposed = false;
      },
      onRead: () => {},
      onReadDropped: () => {},
    });
  }

  /** null until this replica has applied the first command. */
  get topology(): Topology | null {
    return this.#topology;
  }

  get slotOwners(): Uint16Array | null {
    return this.#slotOwners;
  }

  get index(): number {
    return this.#machine.index;
  }

  prepare(): void {
    if (this.#topology !== null || this.#proposed || !this.group.serving) return;
    this.#proposed = !('refused' in this.group.propose(encodeTopology(this.#configured)));
  }

  #apply(entry: Entry): void {
    if (entry.kind === EntryKind.empty || this.#topology !== null) return;
    const topology = decodeTopology(entry.payload);
    // Fatal: with other units or voters than the rest this server would vouch for what it doesn't hold.
    checkSame(topology, this.#configured);
    this.#topology = topology;
    this.#slotOwners = slotOwners(this.#topology.units);
  }
}

/** What was committed in an earlier run; null if this server has yet to hear of it. */
function keptTopology(log: Log): Topology | null {
  const unit = log.unit(REGISTRY_UNIT);
  const last = Math.min(unit.hardState().commit, unit.lastIndex());
  for (let index = 1; index <= last; index += 1) {
    const [entry] = unit.entries(index, index + 1, 1);
    if (entry!.kind !== EntryKind.empty) return decodeTopology(entry!.payload);
  }
  return null;
}

function checkSame(cluster: Topology, configured: Topology): void {
  // By the same way there and back, so that only what is kept is compared.
  const told = decodeTopology(encodeTopology(configured));
  for (const field of ['units', 'zones', 'servers', 'ledgers'] as const) {
    const [made, says] = [JSON.stringify(cluster[field]), JSON.stringify(told[field])];
    if (made === says) continue;
    throw new EvenkeelError(
      'topology_differs',
      `topology_differs: the cluster was made with ${field} ${made}, but this server's configuration says ${says}`,
    );
  }
}

/** Always ready: it has no books to wait for. */
class RegistryStateMachine {
  readonly ready = true;
  readonly #applyEntry: (entry: Entry) => void;
  #index = 0;

  constructor(applyEntry: (entry: Entry) => void) {
    this.#applyEntry = applyEntry;
  }

  get index(): number {
    return this.#index;
  }

  apply(entry: Entry): void {
    this.#index = entry.index;
    this.#applyEntry(entry);
  }
}

import { type Entry, EntryKind } from '../../consensus/types.ts';
import { Group, type GroupEvents, type GroupOptions } from './group.ts';
import type { Log } from './log/log.ts';
import { decodeTopology, encodeTopology, slotOwners, type Topology } from './topology.ts';

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

  constructor(options: GroupOptions, configured: Topology, log: Log, send: GroupEvents['send']) {
    this.#configured = configured;
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
    this.#topology = decodeTopology(entry.payload);
    this.#slotOwners = slotOwners(this.#topology.units);
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

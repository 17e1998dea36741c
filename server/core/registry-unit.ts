import { type Entry, EntryKind, type ServerId } from '../../consensus/types.ts';
import {
  type ClusterChange,
  type ClusterHealth,
  refusalByHealth,
  refusalByState,
} from './cluster-change.ts';
import type { LogLine } from './environment.ts';
import { Group, type GroupEvents, type GroupOptions } from './group.ts';
import { foldName } from './ledger-definition.ts';
import type { Log } from './log/log.ts';
import { ReplyOutcome, RequestKind, type RequestMessage } from './messages.ts';
import { decodeRegistryEntry, encodeRegistryEntry, type RegistryEntry } from './registry-entry.ts';
import {
  decodeJson,
  decodeLedgers,
  encodeJson,
  encodeLedgers,
  registryRequestProblem,
} from './registry-request.ts';
import { checkConfigured, LedgerOutcome, missingLedgers, RegistryState } from './registry-state.ts';
import { asWords } from './router.ts';
import { type LedgerDefinition, REGISTRY_UNIT, type Topology } from './topology.ts';

export interface RegistryOptions {
  readonly group: GroupOptions;
  /** Proposed by the first leader, and compared with what the registry holds by all. */
  readonly configured: Topology;
  readonly log: LogLine;
  /** A server was heard from of late. */
  isHeard(server: ServerId): boolean;
  readonly sendRaft: GroupEvents['send'];
  /** Answers one request, see LedgerUnitOptions. */
  reply(
    to: ServerId,
    request: RequestMessage,
    offset: number,
    count: number,
    outcome: number,
    words: Uint32Array,
  ): void;
}

interface Asked {
  readonly from: ServerId;
  readonly request: RequestMessage;
}

interface Proposed extends Asked {
  readonly index: number;
  readonly term: number;
  readonly entry: Exclude<RegistryEntry, { entry: 'topology' }>;
}

const NO_WORDS = new Uint32Array(0);

/**
 * Unit 0. Its first command says which zones, servers and units there are, and the first ledgers; the first
 * leader proposes it from its configuration. Later ones add ledgers. It has no books: the log is replayed
 * from its start.
 */
export class RegistryUnit {
  readonly group: Group;
  readonly #options: RegistryOptions;
  readonly #state = new RegistryState();
  readonly #machine: RegistryStateMachine;
  /** The configuration was held against the registry: once, for what is configured only seeds. */
  #compared: boolean;
  #topologyProposed = false;
  /** What this leader has proposed for others, in log order. */
  #proposed: Proposed[] = [];
  #newReads: Asked[] = [];
  #askedReads = new Map<number, Asked[]>();
  #nextReadContext = 1;

  /** Throws `topology_differs`, before anything was changed, if the log knows the cluster otherwise than configured. */
  constructor(options: RegistryOptions, log: Log) {
    this.#options = options;
    const kept = keptState(log);
    if (kept.topology !== null) this.#compare(kept);
    this.#compared = kept.topology !== null;
    const machine = new RegistryStateMachine((entry) => this.#apply(entry));
    this.#machine = machine;
    this.group = new Group(options.group, log, machine, {
      send: options.sendRaft,
      onLeading: () => {},
      onDeposed: () => this.#onDeposed(),
      onInstalled: () => {},
      onRead: (context) => this.#onRead(context),
      onReadDropped: (context) => this.#dropReads(this.#takeReads(context)),
    });
  }

  /** null until this replica has applied the first command. */
  get topology(): Topology | null {
    return this.#state.topology;
  }

  get slotOwners(): Uint16Array | null {
    return this.#state.slotOwners;
  }

  get index(): number {
    return this.#machine.index;
  }

  /** For homing: it may be handed over at any moment, what was proposed is answered as unknown and asked again. */
  readonly unit = REGISTRY_UNIT;
  readonly quiet = true;
  handingOver = false;

  /** As far as this replica has applied the log: another may know of more. */
  knowsLedger(number: number): boolean {
    return this.#state.ledger(number) !== undefined;
  }

  receive(from: ServerId, request: RequestMessage): void {
    const problem = registryRequestProblem(request);
    if (problem !== null) {
      const { kind } = request;
      this.#options.log('error', `request refused: ${problem}`, { server: from, unit: 0, kind });
      return;
    }
    const asked = { from, request };
    if (!this.group.serving || this.topology === null) this.#dropReads([asked]);
    else if (request.kind === RequestKind.listLedgers) this.#newReads.push(asked);
    else if (request.kind === RequestKind.changeCluster) this.#change(asked, this.topology);
    else this.#create(asked);
  }

  /** Before the group's output is taken. */
  prepare(): void {
    if (!this.group.serving) return;
    this.#askReads();
    if (this.topology !== null || this.#topologyProposed) return;
    const { configured: topology } = this.#options;
    this.#topologyProposed = this.#propose({ entry: 'topology', topology }) !== null;
  }

  #propose(entry: RegistryEntry): { index: number; term: number } | null {
    const proposed = this.group.propose(encodeRegistryEntry(entry));
    return 'refused' in proposed ? null : proposed;
  }

  #create(asked: Asked): void {
    const ledger = decodeLedgers(asWords(asked.request.body))[0]!;
    const outcome = this.#state.outcomeOf(ledger);
    if (outcome !== LedgerOutcome.created) {
      this.#answer(asked, outcome, ledger);
      return;
    }
    const named = this.#state.sameName(ledger);
    if (named !== undefined) {
      this.#answer(asked, LedgerOutcome.nameTaken, named);
      return;
    }
    // Its name may be taken by one that is on its way, or not, if that one is lost: ask again.
    const name = foldName(ledger.currency);
    if (
      this.#proposed.some(
        ({ entry }) => entry.entry === 'ledger' && foldName(entry.ledger.currency) === name,
      )
    ) {
      this.#reply(asked, ReplyOutcome.overloaded, NO_WORDS);
      return;
    }
    this.#proposeFor(asked, { entry: 'ledger', ledger });
  }

  /** A change that is asked for again, for its answer was lost, is refused by what it has brought about. */
  #change(asked: Asked, topology: Topology): void {
    const change = decodeJson(asWords(asked.request.body)) as ClusterChange;
    // One at a time: the next is held against what this one leaves.
    const busy = this.#proposed.some(({ entry }) => entry.entry === 'cluster');
    const now = this.#health;
    const health = {
      ...now,
      settled: now.settled && !busy,
      mayVote: (server: ServerId) => busy || now.mayVote(server),
    };
    const refusal = refusalByState(topology, change) ?? refusalByHealth(topology, change, health);
    if (refusal !== null) this.#reply(asked, ReplyOutcome.done, encodeJson(refusal));
    else this.#proposeFor(asked, { entry: 'cluster', change });
  }

  get #health(): ClusterHealth {
    const { voters, outgoing, learners } = this.group.raft.membership;
    const wanted = this.topology?.servers ?? [];
    return {
      isHeard: (server) => this.#options.isHeard(server),
      settled: outgoing.length + learners.length === 0 && voters.length === wanted.length,
      mayVote: (server) => voters.includes(server) || outgoing.includes(server),
    };
  }

  #proposeFor(asked: Asked, entry: Proposed['entry']): void {
    const proposed = this.#propose(entry);
    if (proposed === null) this.#reply(asked, ReplyOutcome.overloaded, NO_WORDS);
    else this.#proposed.push({ ...asked, ...proposed, entry });
  }

  #apply(entry: Entry): void {
    if (entry.kind !== EntryKind.command) return;
    const command = decodeRegistryEntry(entry.payload);
    // An apply that comes behind another's may be ruled out by it.
    const refusal =
      command.entry === 'cluster' && this.topology !== null
        ? refusalByState(this.topology, command.change)
        : null;
    const outcome = this.#state.apply(command);
    // Fatal: with other units or voters than the rest this server would vouch for what it doesn't hold.
    if (!this.#compared) this.#compare(this.#state);
    this.#compared = true;
    if (this.#proposed[0]?.index !== entry.index) return;
    const { term, entry: made, ...asked } = this.#proposed.shift()!;
    if (term !== entry.term) this.#reply(asked, ReplyOutcome.unknown, NO_WORDS);
    else if (made.entry === 'ledger') this.#answer(asked, outcome, made.ledger);
    else this.#reply(asked, ReplyOutcome.done, encodeJson(refusal));
  }

  #compare(state: RegistryState): void {
    const { configured, log } = this.#options;
    checkConfigured(state, configured);
    const missing = missingLedgers(state, configured).map((row) => `${row.ledger} ${row.currency}`);
    if (missing.length === 0) return;
    log(
      'warn',
      `ledgers of the configuration that the cluster does not have: ${missing.join(', ')}; 'evenkeel ledger add' adds one`,
    );
  }

  /** With the ledger that is there under this number, or that has the name, or that was asked for if there is none. */
  #answer(asked: Asked, outcome: number, ledger: LedgerDefinition): void {
    const definition = encodeLedgers([this.#state.ledger(ledger.ledger) ?? ledger]);
    this.#reply(asked, ReplyOutcome.done, Uint32Array.of(outcome, ...definition));
  }

  #onDeposed(): void {
    this.#topologyProposed = false;
    const proposed = this.#proposed;
    this.#proposed = [];
    for (const asked of proposed) this.#reply(asked, ReplyOutcome.unknown, NO_WORDS);
    this.#dropReads(this.#newReads.splice(0));
  }

  #askReads(): void {
    if (this.#newReads.length === 0) return;
    const context = this.#nextReadContext;
    this.#nextReadContext += 1;
    const reads = this.#newReads.splice(0);
    if (this.group.raft.requestRead(context) === undefined) this.#askedReads.set(context, reads);
    else this.#dropReads(reads);
  }

  #onRead(context: number): void {
    const words = encodeLedgers(this.topology?.ledgers ?? []);
    for (const asked of this.#takeReads(context)) this.#reply(asked, ReplyOutcome.done, words);
  }

  #takeReads(context: number): readonly Asked[] {
    const reads = this.#askedReads.get(context) ?? [];
    this.#askedReads.delete(context);
    return reads;
  }

  #dropReads(reads: readonly Asked[]): void {
    for (const asked of reads) this.#reply(asked, ReplyOutcome.notLeader, NO_WORDS);
  }

  #reply({ from, request }: Asked, outcome: number, words: Uint32Array): void {
    this.#options.reply(from, request, 0, 1, outcome, words);
  }
}

/** What was committed in an earlier run; without a topology if this server has yet to hear of it. */
function keptState(log: Log): RegistryState {
  const unit = log.unit(REGISTRY_UNIT);
  const state = new RegistryState();
  const last = Math.min(unit.hardState().commit, unit.lastIndex());
  for (let index = 1; index <= last; index += 1) {
    const [entry] = unit.entries(index, index + 1, 1);
    if (entry!.kind === EntryKind.command) state.apply(decodeRegistryEntry(entry!.payload));
  }
  return state;
}

/** Always ready: it has no books to wait for. */
class RegistryStateMachine {
  readonly ready = true;
  /** All memberships are in the log, which is replayed from its start. */
  readonly membership = null;
  readonly #applyEntry: (entry: Entry) => void;
  #index = 0;

  constructor(applyEntry: (entry: Entry) => void) {
    this.#applyEntry = applyEntry;
  }

  get index(): number {
    return this.#index;
  }

  install(): never {
    throw new Error('the log of the registry is whole, so nobody gives it a state');
  }

  apply(entry: Entry): void {
    this.#index = entry.index;
    this.#applyEntry(entry);
  }
}

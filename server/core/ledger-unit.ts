import { decodeMembership, encodeMembership } from '../../consensus/membership.ts';
import {
  type Entry,
  EntryKind,
  type Membership,
  type Message,
  type ServerId,
  type Snapshot,
  type SnapshotMark,
} from '../../consensus/types.ts';
import { asEntryWords, EntryBuilder, eventCount, unitInitSubBatch } from '../../ledger/entry.ts';
import type { BooksImage } from '../../ledger/fold.ts';
import type { LookUpResult } from '../../ledger/machine.ts';
import { Machine, type MachineOptions } from '../../ledger/machine.ts';
import type { Books } from './books.ts';
import type { BooksBuild } from './books-copy.ts';
import { startLog } from './catch-up/start-log.ts';
import { Compaction, type CompactionOptions } from './compaction.ts';
import { Crossings } from './crossings.ts';
import type { Environment } from './environment.ts';
import { Expiry } from './expiry.ts';
import { Group, type GroupOptions, type StateMachine } from './group.ts';
import {
  FOLD_AGE_MS,
  FOLD_BYTES,
  ID_FILTER_BYTES_MAX,
  ID_FILTER_SLICE_IDS,
  IN_FLIGHT_ENTRIES_MAX,
  QUEUED_BYTES_MAX,
  UNFOLDED_BYTES_MAX,
  UNFOLDED_BYTES_SLOW,
} from './limits.ts';
import type { Log } from './log/log.ts';
import { ReplyOutcome, RequestKind, type RequestMessage } from './messages.ts';
import { Proposals, splitSubBatches } from './proposals.ts';
import { ReadQueue } from './reads/queue.ts';
import { readUnit } from './reads/read-unit.ts';
import { requestProblem } from './request-form.ts';
import { asWords, type Router } from './router.ts';

export interface LedgerUnitOptions {
  readonly group: GroupOptions;
  readonly hashSeed: number;
  readonly residentTransfersMax: number;
  readonly idFilterWindow: number;
  sendRaft(unit: number, message: Parameters<Group['raft']['step']>[0]): void;
  reply(
    to: ServerId,
    request: RequestMessage,
    offset: number,
    count: number,
    outcome: number,
    words: Uint32Array,
  ): void;
  readonly compaction: Pick<CompactionOptions, 'keepBytes' | 'neededBytesMax' | 'pinnedAt'>;
  /** Something has come in by itself: the unit is to be in the next round. */
  onWork(): void;
  /** Slot owners once the registry is known, else null. */
  slotOwners(): Uint16Array | null;
}

interface WaitingRead {
  readonly from: ServerId;
  readonly request: RequestMessage;
}

const NO_WORDS = new Uint32Array(0);
const NONE_FOUND: readonly LookUpResult[] = [];
const NO_ROWS: readonly (Uint32Array | null)[] = [];

/** One unit's replica: its group, its machine, its books, and while it leads its proposals and crossings. */
export class LedgerUnit {
  readonly unit: number;
  readonly group: Group;
  readonly books: Books;
  readonly #machineOptions: MachineOptions;
  #machine!: Machine;
  readonly #env: Environment;
  readonly #options: LedgerUnitOptions;
  readonly #proposals = new Proposals();
  #crossings!: Crossings;
  #expiry!: Expiry;
  readonly #router: Router;
  readonly #log: Log;
  readonly #compaction: Compaction;
  /** Last timestamp given to an entry that this leader proposed. */
  #lastStamped = 0n;
  /** Reads not yet asked of the group, then those asked by read context. */
  #newReads: WaitingRead[] = [];
  #askedReads = new Map<number, WaitingRead[]>();
  #nextReadContext = 1;
  readonly #reads: ReadQueue<WaitingRead>;
  #foldUnderWay = false;
  /** Books that another replica's were copied into, from the step of their snapshot until they are in force. */
  #prepared: { readonly index: number; readonly build: BooksBuild } | null = null;
  #afterFold: (() => void) | null = null;
  #foldDueMs = 0;
  #initProposed = false;
  /** While set no new entry is proposed, so that leadership can move with nothing in flight. */
  handingOver = false;
  /** While set nothing is proposed, for the disk has no room for it. */
  diskFull = false;

  constructor(options: LedgerUnitOptions, log: Log, router: Router, env: Environment) {
    this.unit = options.group.unit;
    this.#options = options;
    this.#env = env;
    this.books = env.openBooks(this.unit);
    this.#router = router;
    const { hashSeed, residentTransfersMax } = options;
    const idFilter = { bytesMax: ID_FILTER_BYTES_MAX, windowIds: options.idFilterWindow };
    this.#machineOptions = { unit: this.unit, residentTransfersMax, idFilter, hashSeed };
    const image = this.books.load();
    this.#load(image);
    this.#reads = new ReadQueue(
      () => env.clock.monotonicMs(),
      (read) => this.#answer(read),
      () => this.#wake(),
    );
    startLog(log, image);
    // Another machine takes its place when books are installed.
    const machine = () => this.machine;
    const stateMachine: StateMachine = {
      membership: image.membership && decodeMembership(image.membership),
      get index() {
        return machine().index;
      },
      // It stops taking entries before its unfolded rows fill the memory.
      get ready() {
        return machine().unfoldedBytes < UNFOLDED_BYTES_MAX;
      },
      apply: (entry) => this.#apply(entry),
      install: (mark, done) => this.#install(mark, done),
    };
    this.group = new Group(options.group, log, stateMachine, {
      send: (message) => options.sendRaft(this.unit, message),
      onLeading: () => this.#onLeading(),
      onDeposed: () => this.#onDeposed(),
      onRead: (context) => this.#onRead(context),
      onReadDropped: (context) => this.#onReadDropped(context),
      onInstalled: () => this.#wake(),
    });
    this.#log = log;
    this.#markBooks(image.index, image.term, this.group.membership);
    const { unit: number, books } = this;
    const fatal = (error: Error) => env.fatal(error);
    const compaction = { unit: number, books, fatal, ...options.compaction };
    this.#compaction = new Compaction(compaction, log, this.group);
  }

  /** Stands at the index of the books at first. Another one after books were installed. */
  get machine(): Machine {
    return this.#machine;
  }

  // --- catching up, see catch-up/ ---

  /** Of the log: what comes before is in the books alone. */
  get firstLogIndex(): number {
    return this.#log.unit(this.unit).firstIndex();
  }

  get leads(): boolean {
    return this.group.raft.role === 'leader';
  }

  get commit(): number {
    return this.group.raft.commit;
  }

  get isInstalling(): boolean {
    return this.group.raft.restoring;
  }

  wantsState(message: Snapshot): boolean {
    return this.group.raft.wantsSnapshot(message);
  }

  step(message: Message): void {
    this.group.raft.step(message);
  }

  /** Steps a snapshot whose books are built; the group will ask for them. */
  install(message: Snapshot, build: BooksBuild): void {
    this.#prepared = { index: message.index, build };
    this.group.raft.step(message);
    this.#wake();
  }

  /** A peer whose next entry is compacted is offered the newest state that the books hold. */
  #markBooks(index: number, term: number, membership: Membership): void {
    this.#log.unit(this.unit).setBooksMark({ index, term, membership });
  }

  /** The books are switched once nothing is written to them, and the machine starts from them anew. */
  #install(mark: SnapshotMark, done: () => void): void {
    const prepared = this.#prepared;
    if (prepared?.index !== mark.index) {
      throw new Error(`unit ${this.unit}: no books are prepared for the state at ${mark.index}`);
    }
    if (this.#foldUnderWay) {
      this.#afterFold = () => this.#install(mark, done);
      return;
    }
    prepared.build.install((error) => {
      if (error !== null) {
        this.#env.fatal(error);
        return;
      }
      this.#prepared = null;
      const image = this.books.load();
      if (image.index !== mark.index || image.term !== mark.term) {
        throw new Error(
          `unit ${this.unit}: books of ${image.index} were installed as ${mark.index}`,
        );
      }
      this.#load(image);
      this.#markBooks(mark.index, mark.term, mark.membership);
      this.#env.log('info', `unit ${this.unit}: books installed`, { index: mark.index });
      done();
    });
  }

  #load(image: BooksImage): void {
    this.#machine = Machine.load(this.#machineOptions, image);
    this.#expiry = new Expiry(this.#machine, this.#proposals);
    this.#crossings = new Crossings(this.unit, this.#machine, this.#proposals, this.#router, () =>
      this.#options.onWork(),
    );
  }

  /** Nothing of this leader's is on its way through the log. */
  get quiet(): boolean {
    return this.#proposals.entriesInFlight === 0;
  }

  receive(from: ServerId, request: RequestMessage): void {
    const problem = requestProblem(this.unit, request);
    if (problem !== null) {
      // In the log it would stop every replica, one after the other: better that its sender waits.
      const { unit, kind } = request;
      this.#env.log('error', `request refused: ${problem}`, { server: from, unit, kind });
      return;
    }
    if (request.kind === RequestKind.propose) this.#receiveProposals(from, request);
    else if (this.group.serving) this.#newReads.push({ from, request });
    else this.#options.reply(from, request, 0, 1, ReplyOutcome.notLeader, NO_WORDS);
  }

  /** There is something to propose, to send or to read, and nothing stands in its way. */
  get hasWork(): boolean {
    return (
      this.group.serving &&
      (this.#newReads.length > 0 || this.#crossings.hasWork || this.#mayPropose())
    );
  }

  /** Every tick: true if it is to be in the next round. */
  tick(nowMs: number): boolean {
    this.group.raft.tick();
    this.#compaction.tick(nowMs);
    return (
      this.group.hasOutput ||
      this.hasWork ||
      !this.#reads.isEmpty ||
      this.#foldIsDue(nowMs) ||
      this.machine.wantsIds ||
      (this.group.serving && (!this.machine.initialised || this.#expiryIsDue()))
    );
  }

  driveCrossings(): void {
    if (this.group.serving) this.#crossings.flush();
  }

  /** Before the group's output is taken: what waits goes into entries and read rounds. */
  prepare(): void {
    if (!this.group.serving) return;
    this.#initialise();
    if (!this.handingOver && !this.diskFull) this.#expiry.drive(() => this.#nextTimestamp());
    while (this.#mayPropose()) {
      const proposals = this.#proposals.take();
      if (!this.#proposeEntry(proposals)) break;
    }
    this.#askReads();
  }

  /** Answers reads that had to wait. Called once a turn. */
  readOn(): void {
    this.#reads.run();
  }

  /** Gives the books what has come together, and takes ids from them if they are wanted. Called once a turn. */
  fold(): void {
    if (this.machine.wantsIds) {
      this.machine.takeIds(this.books.idsAfter(this.machine.idsFilledTo, ID_FILTER_SLICE_IDS));
    }
    if (this.#foldIsDue(this.#env.clock.monotonicMs())) this.foldNow();
  }

  #foldIsDue(nowMs: number): boolean {
    if (this.#foldUnderWay || this.#prepared !== null) return false;
    if (this.machine.unfoldedBytes === 0) return false;
    return this.machine.unfoldedBytes >= FOLD_BYTES || nowMs >= this.#foldDueMs;
  }

  #expiryIsDue(): boolean {
    return !this.handingOver && this.#expiry.isDue(() => this.#nextTimestamp());
  }

  /** True if a fold was started or is under way: the books don't hold all yet. */
  foldNow(): boolean {
    if (this.#foldUnderWay) return true;
    if (this.#prepared !== null) return false;
    const fold = this.machine.takeFold();
    if (fold === null) return false;
    this.#foldUnderWay = true;
    const held = this.group.membership;
    const membership = encodeMembership(held);
    this.books.commit({ ...fold, membership }, (error) => {
      this.#foldUnderWay = false;
      if (error !== null) {
        this.#env.fatal(error);
        return;
      }
      this.machine.folded(fold.throughIndex);
      this.#markBooks(fold.throughIndex, fold.throughTerm, held);
      this.#afterFold?.();
      this.#afterFold = null;
      this.#foldDueMs = this.#env.clock.monotonicMs() + FOLD_AGE_MS;
      this.group.advance();
      this.#wake();
    });
    return true;
  }

  #wake(): void {
    this.#options.onWork();
    this.#env.wake();
  }

  #receiveProposals(from: ServerId, request: RequestMessage): void {
    const subBatches = splitSubBatches(asWords(request.body));
    const refused = !this.group.serving
      ? ReplyOutcome.notLeader
      : this.diskFull
        ? ReplyOutcome.diskFull
        : this.#proposals.waitingBytes > QUEUED_BYTES_MAX
          ? ReplyOutcome.overloaded
          : null;
    if (refused !== null) {
      this.#options.reply(from, request, 0, subBatches.length, refused, NO_WORDS);
      return;
    }
    subBatches.forEach((words, i) => {
      this.#proposals.add(words, (outcome, results) =>
        this.#options.reply(from, request, i, 1, outcome, results),
      );
    });
  }

  /** The unit's first entry says which slots it owns. */
  #initialise(): void {
    if (this.machine.initialised || this.#initProposed) return;
    const slots = this.#options.slotOwners();
    if (slots === null) return;
    this.#initProposed = true;
    this.#proposals.add(unitInitSubBatch(this.unit, slots), (outcome) => {
      if (outcome !== ReplyOutcome.done) this.#initProposed = false;
    });
  }

  #mayPropose(): boolean {
    return (
      this.#proposals.waiting &&
      !this.handingOver &&
      !this.diskFull &&
      this.#proposals.entriesInFlight < IN_FLIGHT_ENTRIES_MAX &&
      this.machine.unfoldedBytes < UNFOLDED_BYTES_SLOW
    );
  }

  #proposeEntry(proposals: ReturnType<Proposals['take']>): boolean {
    const builder = new EntryBuilder();
    for (const proposal of proposals) builder.add(proposal.words);
    const timestamp = this.#nextTimestamp();
    const payload = builder.finish(timestamp);
    const proposed = this.group.propose(payload);
    if ('refused' in proposed) {
      this.#proposals.putBack(proposals);
      return false;
    }
    const events = BigInt(eventCount(asEntryWords(payload)));
    if (events > 0n) this.#lastStamped = timestamp + events - 1n;
    this.#proposals.proposed(proposed.index, proposed.term, proposals);
    return true;
  }

  #nextTimestamp(): bigint {
    const wallNs = this.#env.clock.wallNs();
    const last = this.#lastStamped;
    return wallNs > last ? wallNs : last + 1n;
  }

  #apply(entry: Entry): void {
    if (entry.kind !== EntryKind.command) {
      this.machine.skip(entry.index, entry.term);
      return;
    }
    const words = asEntryWords(entry.payload);
    const { ids, timestamps } = this.machine.unsettled(words);
    const found = ids.length === 0 ? NONE_FOUND : this.books.lookUp(ids);
    const rows = timestamps.length === 0 ? NO_ROWS : this.books.rowsAt(timestamps);
    const results = this.machine.apply(entry.index, entry.term, words, found, rows);
    if (!this.group.serving) return;
    this.#crossings.applied(results);
    this.#proposals.applied(entry.index, entry.term, results);
  }

  #onLeading(): void {
    this.#lastStamped = this.machine.lastTimestamp;
    this.#initProposed = false;
    this.handingOver = false;
    this.#crossings.start();
    this.#env.log('info', `unit ${this.unit}: leading`, { term: this.group.raft.status().term });
  }

  #onDeposed(): void {
    this.handingOver = false;
    this.#crossings.stop();
    this.#proposals.fail();
    for (const read of this.#newReads) this.#dropRead(read);
    this.#newReads = [];
    this.#env.log('info', `unit ${this.unit}: no longer leading`);
  }

  #askReads(): void {
    if (this.#newReads.length === 0) return;
    const context = this.#nextReadContext;
    this.#nextReadContext += 1;
    const reads = this.#newReads;
    this.#newReads = [];
    if (this.group.raft.requestRead(context) === undefined) this.#askedReads.set(context, reads);
    else for (const read of reads) this.#dropRead(read);
  }

  #onRead(context: number): void {
    const reads = this.#askedReads.get(context) ?? [];
    this.#askedReads.delete(context);
    this.#reads.add(reads);
  }

  #answer({ from, request }: WaitingRead): void {
    const words = readUnit(this, request.kind, asWords(request.body));
    this.#options.reply(from, request, 0, 1, ReplyOutcome.done, words);
  }

  #onReadDropped(context: number): void {
    const reads = this.#askedReads.get(context) ?? [];
    this.#askedReads.delete(context);
    for (const read of reads) this.#dropRead(read);
  }

  #dropRead({ from, request }: WaitingRead): void {
    this.#options.reply(from, request, 0, 1, ReplyOutcome.notLeader, NO_WORDS);
  }
}

/** A replica on a simulated disk, for tests: writes are lost at a crash unless synced. */
import { decodeMembership } from '../membership.ts';
import { Raft, type RaftConfig, type RaftStatus } from '../raft.ts';
import {
  type Entry,
  EntryKind,
  type HardState,
  type LogStore,
  type Membership,
  type Message,
  type Output,
  type ServerId,
  type SnapshotMark,
  type TraceEvent,
} from '../types.ts';

const NEW_HARD: HardState = { term: 0, vote: 0, commit: 0 };

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
export const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** One entry as text: `term:payload`. */
export const entryText = (entry: Entry): string => `${entry.term}:${decode(entry.payload)}`;

/** A log in an array; `base` entries before it are compacted into `start`. */
export class ArrayLog implements LogStore {
  entriesHeld: Entry[];
  base: number;
  baseTerm: number;
  start: Membership | null = null;

  constructor(entries: readonly Entry[] = [], base = 0, baseTerm = 0) {
    this.entriesHeld = [...entries];
    this.base = base;
    this.baseTerm = baseTerm;
  }

  firstIndex(): number {
    return this.base + 1;
  }

  lastIndex(): number {
    return this.base + this.entriesHeld.length;
  }

  term(index: number): number {
    if (index === this.base) return this.baseTerm;
    const entry = this.entriesHeld[index - this.base - 1];
    if (entry === undefined)
      throw new Error(`store: term(${index}) outside [${this.base}, ${this.lastIndex()}]`);
    return entry.term;
  }

  entries(lo: number, hi: number, maxBytes: number): Entry[] {
    if (lo < this.firstIndex() || hi > this.lastIndex() + 1)
      throw new Error(`store: entries(${lo}, ${hi})`);
    const found: Entry[] = [];
    let bytes = 0;
    for (let index = lo; index < hi; index++) {
      const entry = this.entriesHeld[index - this.base - 1] as Entry;
      bytes += entry.payload.byteLength;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(entry);
    }
    return found;
  }

  /** Truncation by a record of a lower index. */
  write(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    if (first.index > this.lastIndex() + 1) throw new Error(`store: gap before ${first.index}`);
    this.entriesHeld.length = first.index - this.base - 1;
    this.entriesHeld.push(...entries);
  }

  startMembership(): Membership | null {
    return this.start;
  }

  memberships(): readonly Entry[] {
    return this.entriesHeld.filter(({ kind }) => kind === EntryKind.membership);
  }

  /** The state that compaction has left is the one there is. */
  snapshot(): SnapshotMark | null {
    if (this.base === 0 || this.start === null) return null;
    return { index: this.base, term: this.baseTerm, membership: this.start };
  }

  /** `configured` is in force where no entry says otherwise. */
  compact(index: number, configured: Membership): void {
    const term = this.term(index);
    const gone = this.entriesHeld.splice(0, index - this.base);
    const last = gone.findLast(({ kind }) => kind === EntryKind.membership);
    this.start = last === undefined ? (this.start ?? configured) : decodeMembership(last.payload);
    this.base = index;
    this.baseTerm = term;
  }

  /** Starts anew after the mark. */
  install(mark: SnapshotMark): void {
    this.entriesHeld = [];
    this.base = mark.index;
    this.baseTerm = mark.term;
    this.start = mark.membership;
  }
}

function copyOf(log: ArrayLog): ArrayLog {
  const copy = new ArrayLog(log.entriesHeld, log.base, log.baseTerm);
  copy.start = log.start;
  return copy;
}

/** Entries 1.. of these terms; the payload is the index, empty for none. */
export function entriesOf(terms: readonly number[], from = 1): Entry[] {
  return terms.map((term, i) => ({
    term,
    index: from + i,
    kind: 1,
    payload: encode(`${from + i}`),
  }));
}

export interface NodeOptions {
  readonly entries?: readonly Entry[];
  readonly hard?: HardState;
  readonly applied?: number;
  /**
   * Whether the store shows entries from acceptance on, or only once durable; the core must not
   * care.
   */
  readonly showEarly?: boolean;
}

export class SimNode {
  readonly config: RaftConfig;
  /** What survives a crash. */
  readonly disk: { hard: HardState; log: ArrayLog };
  /** A commit mark written without a sync: may or may not survive. */
  hardWritten: HardState;
  /** What the replica has accepted: disk plus writes under way. */
  accepted: ArrayLog;
  /**
   * Disk plus what was written without ever being synced; the same as the disk unless durability is
   * skipped.
   */
  #cached: ArrayLog;
  raft: Raft;
  alive = true;
  /** Outputs taken and not yet on disk, oldest first. */
  pending: Output[] = [];
  /** All messages that have left, until taken. */
  sent: Message[] = [];
  applied: Entry[] = [];
  /** Applied index that the books would come back with after a crash. */
  booksIndex: number;
  reads: { context: number; index: number }[] = [];
  readsDropped: number[] = [];
  events: TraceEvent[] = [];
  /** The broken shell: says "durable" without a sync, so a crash loses vote, term and entries. */
  skipDurability = false;
  onEvent: (event: TraceEvent) => void = () => {};
  onApply: (entry: Entry) => void = () => {};
  onOutput: (output: Output) => void = () => {};
  /** Before the entries are written; `accepted` holds what they follow. */
  onWrite: (entries: readonly Entry[]) => void = () => {};
  onSynced: (output: Output) => void = () => {};
  /** The entries that a snapshot stands for; an installed one leaves the same state as having applied them. */
  stateOf: (mark: SnapshotMark) => readonly Entry[] = (mark) =>
    entriesOf(new Array<number>(mark.index).fill(mark.term));
  /** The disk has lost entries: the next start must recover. */
  recovering = false;
  showEarly: boolean;

  constructor(config: RaftConfig, options: NodeOptions = {}) {
    this.config = { ...config, trace: (event) => this.#note(event) };
    this.disk = { hard: options.hard ?? NEW_HARD, log: new ArrayLog(options.entries) };
    this.hardWritten = this.disk.hard;
    this.accepted = new ArrayLog(options.entries);
    this.#cached = this.accepted;
    this.booksIndex = options.applied ?? 0;
    this.showEarly = options.showEarly ?? false;
    this.applied = this.disk.log.entriesHeld.slice(0, this.booksIndex);
    this.raft = this.#start();
  }

  get id(): ServerId {
    return this.config.self;
  }

  status(): RaftStatus {
    return this.raft.status();
  }

  #start(): Raft {
    this.accepted = copyOf(this.disk.log);
    this.#cached = copyOf(this.disk.log);
    const store = this.showEarly ? this.accepted : this.#cached;
    // As the real shell does: what the books hold was committed, though the mark that said so was not synced.
    const { hard } = this.disk;
    const commit = Math.max(hard.commit, this.booksIndex);
    return new Raft(this.config, store, { ...hard, commit }, this.booksIndex, {
      recovering: this.recovering,
    });
  }

  #note(event: TraceEvent): void {
    this.events.push(event);
    this.onEvent(event);
  }

  /** Takes all outputs: sends, applies, and leaves the writing pending. */
  pump(): void {
    while (this.alive && this.raft.hasOutput()) {
      const output = this.raft.takeOutput();
      this.onOutput(output);
      this.sent.push(...output.sendNow);
      if (output.snapshot !== null) {
        this.accepted.install(output.snapshot);
        this.applied = [...this.stateOf(output.snapshot)];
      }
      this.onWrite(output.entries);
      this.accepted.write(output.entries);
      for (const entry of output.committed) {
        if (entry.index !== this.applied.length + 1) {
          throw new Error(`server ${this.id}: applied ${entry.index} after ${this.applied.length}`);
        }
        this.applied.push(entry);
        this.onApply(entry);
      }
      if (output.committed.length > 0) this.raft.appliedTo(this.applied.length);
      this.reads.push(...output.reads);
      this.readsDropped.push(...output.readsDropped);
      this.pending.push(output);
    }
  }

  /**
   * Completes the oldest `count` writes; those that need no sync and have none before them go
   * along.
   */
  sync(count = this.pending.length): void {
    for (let done = 0; done < count && this.pending.length > 0 && this.alive; done++) {
      const output = this.pending.shift() as Output;
      this.#write(output);
      this.onSynced(output);
      if (output.durable !== null) this.raft.durable(output.durable.term, output.durable.index);
      for (const message of output.sendAfterDurable) {
        if (message.to === this.id) this.raft.step(message);
        else this.sent.push(message);
      }
    }
  }

  #write(output: Output): void {
    if (output.entries.length > 0 && !output.mustSync) throw new Error('entries without a sync');
    if (output.snapshot !== null) this.#cached.install(output.snapshot);
    this.#cached.write(output.entries);
    if (this.skipDurability) return;
    if (output.snapshot !== null) {
      this.disk.log.install(output.snapshot);
      this.booksIndex = output.snapshot.index;
    }
    if (output.recovered) this.recovering = false;
    this.disk.log.write(output.entries);
    if (output.hardState !== null) this.hardWritten = output.hardState;
    if (output.mustSync) this.disk.hard = this.hardWritten;
  }

  /** Drops the log up to `index`, which must be applied; the books hold it from now on. */
  compact(index: number): void {
    for (const log of new Set([this.disk.log, this.accepted, this.#cached]))
      log.compact(index, this.config.membership);
    this.booksIndex = Math.max(this.booksIndex, index);
  }

  /** pump and sync until nothing moves. */
  settle(): void {
    while (this.alive && (this.raft.hasOutput() || this.pending.length > 0)) {
      this.pump();
      this.sync();
    }
  }

  /** Settles and returns what left since the last call. */
  flush(): Message[] {
    this.settle();
    return this.take();
  }

  take(): Message[] {
    const { sent } = this;
    this.sent = [];
    return sent;
  }

  /**
   * Stops; of the writes under way the first `survivors` reached the disk, though nobody was told.
   */
  crash(survivors = 0): void {
    for (const output of this.pending.slice(0, survivors)) this.#write(output);
    this.alive = false;
    this.pending = [];
    this.sent = [];
    this.hardWritten = this.disk.hard;
    this.booksIndex = Math.min(this.booksIndex, this.disk.log.lastIndex());
    this.applied.length = Math.min(this.applied.length, this.booksIndex);
    this.accepted = copyOf(this.disk.log);
  }

  /** Rot takes all entries behind `index` that no books hold; term and vote stay. For a crashed node. */
  rot(index: number): void {
    const { log } = this.disk;
    const kept = Math.max(index, log.base, this.booksIndex);
    log.entriesHeld.length = Math.min(log.entriesHeld.length, kept - log.base);
    this.accepted = copyOf(log);
    this.recovering = true;
  }

  restart(): void {
    this.alive = true;
    this.raft = this.#start();
  }
}

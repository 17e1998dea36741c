import { getHeapStatistics } from 'node:v8';
import { EntryBuilder, unitInitSubBatch } from '../ledger/entry.ts';
import { emptyImage } from '../ledger/fold.ts';
import { EVENTS_PER_REQUEST_MAX, SLOT_COUNT } from '../ledger/layout.ts';
import { Machine } from '../ledger/machine.ts';
import { MachineLoad } from './machine-load.ts';

export interface MachineBenchOptions {
  readonly accounts: number;
  /** Batches of 8,190 transfers each that are timed, of each kind. */
  readonly batches: number;
  /** Accounts that the growth run goes on to. */
  readonly growTo: number;
  readonly progress: (text: string) => void;
}

export interface MachineBenchReport {
  /** Per second of one core. */
  readonly plain_per_second: number;
  readonly mixed_per_second: number;
  readonly garbage_bytes_per_transfer: number;
  readonly bytes_per_account: number;
  /** The longest that a batch of 1,024 took while accounts and ids grew from nothing. */
  readonly longest_pause_ms: number;
  /** What handing rows to the books and forgetting them costs on the same thread, per transfer. */
  readonly fold_us_per_transfer: number;
}

const UNIT = 1;
/** As in production; see residentTransfers in docs/configuration.md. */
const RESIDENT_TRANSFERS_MAX = 131_072;
const ID_FILTER = { bytesMax: 64 << 20, windowIds: 65_536 };
/** Batches whose code the compiler may still be at work on. */
const WARM_UP_BATCHES = 40;
const BATCHES_PER_FOLD = 4;
const GROWTH_EVENTS = 1_024;

/** How fast the ledger machine applies entries, alone, on this thread. */
export function benchMachine(options: MachineBenchOptions): MachineBenchReport {
  const { accounts, batches, growTo, progress } = options;
  progress('plain transfers');
  const plain = new Run(accounts, false);
  plain.measure(WARM_UP_BATCHES, (load) => load.plain());
  const plainResult = plain.measure(batches, (load) => load.plain());
  const bytesPerAccount = plain.accountBytes / accounts;
  progress('a mix of two-phase transfers, chains and limits');
  const mixed = new Run(accounts, true);
  mixed.measure(WARM_UP_BATCHES, (load) => load.mixed());
  const mixedResult = mixed.measure(batches, (load) => load.mixed());
  progress('growth');
  return {
    plain_per_second: plainResult.perSecond,
    mixed_per_second: mixedResult.perSecond,
    garbage_bytes_per_transfer: Math.max(plainResult.garbageBytes, mixedResult.garbageBytes),
    bytes_per_account: Math.round(bytesPerAccount),
    longest_pause_ms: longestPauseMs(growTo),
    fold_us_per_transfer: plainResult.foldUs,
  };
}

interface Measured {
  readonly perSecond: number;
  readonly garbageBytes: number;
  readonly foldUs: number;
}

/** One machine with its accounts. */
class Run {
  readonly #machine: Machine;
  readonly #load = new MachineLoad();
  readonly accountBytes: number;
  #index = 0;

  constructor(accounts: number, limits: boolean) {
    const options = {
      unit: UNIT,
      residentTransfersMax: RESIDENT_TRANSFERS_MAX,
      idFilter: ID_FILTER,
      hashSeed: 7,
    };
    this.#machine = Machine.load(options, emptyImage(UNIT));
    this.apply(initEntry());
    const bytesBefore = this.#machine.residentBytes;
    for (let made = 0; made < accounts; made += EVENTS_PER_REQUEST_MAX) {
      const count = Math.min(EVENTS_PER_REQUEST_MAX, accounts - made);
      this.apply(this.#load.accounts(count, limits));
      this.#fold();
    }
    this.accountBytes = this.#machine.residentBytes - bytesBefore;
    if (limits) this.#fund(accounts);
  }

  /** Batches are made first, some at a time, so that only `apply` is timed. */
  measure(batches: number, make: (load: MachineLoad) => Uint32Array): Measured {
    let applyMs = 0;
    let foldMs = 0;
    let garbageBytes = 0;
    for (let done = 0; done < batches; done += BATCHES_PER_FOLD) {
      const payloads = Array.from({ length: BATCHES_PER_FOLD }, () => make(this.#load));
      const allocated = getHeapStatistics().total_allocated_bytes;
      const startMs = cpuMs();
      for (const payload of payloads) this.apply(payload);
      applyMs += cpuMs() - startMs;
      garbageBytes += getHeapStatistics().total_allocated_bytes - allocated;
      const foldStartMs = cpuMs();
      this.#fold();
      foldMs += cpuMs() - foldStartMs;
    }
    const transfers =
      Math.ceil(batches / BATCHES_PER_FOLD) * BATCHES_PER_FOLD * EVENTS_PER_REQUEST_MAX;
    return {
      perSecond: Math.round((transfers / applyMs) * 1_000),
      garbageBytes: Math.round((garbageBytes / transfers) * 10) / 10,
      foldUs: Math.round((foldMs / transfers) * 1_000_000) / 1_000,
    };
  }

  apply(payload: Uint32Array): number {
    this.#index += 1;
    const { ids, timestamps } = this.#machine.unsettled(payload);
    if (ids.length + timestamps.length > 0)
      throw new Error('the load has ids that only books could settle');
    this.#machine.apply(this.#index, 1, payload, [], []);
    return this.#index;
  }

  #fund(accounts: number): void {
    for (let first = 2; first <= accounts; first += EVENTS_PER_REQUEST_MAX) {
      this.apply(this.#load.funds(first, Math.min(EVENTS_PER_REQUEST_MAX, accounts - first + 1)));
      this.#fold();
    }
  }

  #fold(): void {
    const fold = this.#machine.takeFold();
    if (fold !== null) this.#machine.folded(fold.throughIndex);
  }
}

/**
 * The longest that a small batch takes while a new machine grows to so many accounts, and then to as many
 * transfers that the books have not taken yet. A small one: what stops it for long then shows.
 */
function longestPauseMs(growTo: number): number {
  const run = new Run(0, false);
  const load = new MachineLoad();
  let longestMs = 0;
  const grow = (make: (count: number) => Uint32Array) => {
    for (let made = 0; made < growTo; made += GROWTH_EVENTS) {
      const payload = make(GROWTH_EVENTS);
      const startMs = cpuMs();
      run.apply(payload);
      longestMs = Math.max(longestMs, cpuMs() - startMs);
    }
  };
  grow((count) => load.accounts(count, false));
  grow((count) => load.plain(count));
  return Math.round(longestMs * 100) / 100;
}

/** This thread's own time: on a machine that others use too, the wall's says little of one core. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function initEntry(): Uint32Array {
  const builder = new EntryBuilder();
  builder.add(unitInitSubBatch(UNIT, new Uint16Array(SLOT_COUNT).fill(UNIT)));
  return new Uint32Array(builder.finish(1n).buffer);
}

import { Log, type LogOptions } from '../../server/core/log/log.ts';
import type { Random } from '../disk.ts';
import type { Choose } from '../disk-file.ts';
import { dump, IDENTITY, type LogRun, modelOf, prefixOf, writeTo } from './log-run.ts';
import { oddOutcomesOf, outcomesOf } from './outcomes.ts';
import { SteppedDisk } from './stepped-disk.ts';

export interface CutOptions {
  readonly log: LogOptions;
  /** Disks tried a cut, beside those with one odd sector; of those one of so many. */
  readonly outcomes: number;
  readonly oddEvery: number;
  /** Of how many recovered disks one is cut again while it recovers. */
  readonly againEvery: number;
  /** Disks tried a cut then. */
  readonly outcomesAgain: number;
  /** Of how many recovered disks one is also written on. */
  readonly afterlifeEvery: number;
  /**
   * After a failed sync the next process may read what the disk lacks. If the power goes after that the log must note
   * the loss, and nothing worse.
   */
  readonly mayNoteRot?: boolean;
}

/** What a recovered log may hold, and up to which record of the history that is. */
type Legal = ReadonlyMap<string, number>;

interface Opened {
  readonly log: Log;
  readonly found: string;
  /** How many records it holds. */
  readonly count: number;
}

/** Cuts the power at a point of a log's life in all the ways there are, and demands that what is left recovers. */
export class LogCutter {
  readonly #run: LogRun;
  readonly #options: CutOptions;
  readonly #random: Random;
  /** The process died alone, so that what it had not synced may have been read since. */
  #killed = false;
  #odd = 0;
  cuts = 0;
  states = 0;
  /** So many recovered to all that was written, and so many to less. */
  whole = 0;
  shorter = 0;
  /** And so many were noted as damaged. */
  damaged = 0;

  constructor(run: LogRun, options: CutOptions, random: Random) {
    this.#run = run;
    this.#options = options;
    this.#random = random;
  }

  cut(): void {
    const { written, durable } = this.#run;
    const legal = legalStates(this.#run, durable, written.length);
    this.cuts += 1;
    for (const left of this.#cutDisks()) {
      const again = this.states % this.#options.againEvery === 0;
      const count = this.#recover(left, legal, again);
      if (count === written.length) this.whole += 1;
      else if (count !== null) this.shorter += 1;
    }
    // The process dies alone: what the next one reads may not be durable, until it has seen to that.
    this.#killed = true;
    for (const choose of [first, last, half]) {
      const left = new SteppedDisk(this.#run.disk);
      left.disk.killProcess(choose);
      this.#recover(left, legal, true);
    }
    this.#killed = false;
  }

  *#cutDisks(): Generator<SteppedDisk> {
    yield* outcomesOf(this.#run.disk, this.#options.outcomes, this.#random);
    for (const left of oddOutcomesOf(this.#run.disk)) {
      this.#odd += 1;
      if (this.#odd % this.#options.oddEvery === 0) yield left;
    }
  }

  /** Returns how many records the log holds, or null if it is damaged. */
  #recover(left: SteppedDisk, legal: Legal, again: boolean): number | null {
    this.states += 1;
    const state = this.states;
    const opened = this.#open(left, legal, `state ${state}`);
    if (opened === null) {
      this.damaged += 1;
      return null;
    }
    const { log, found, count } = opened;
    let done = false;
    log.flush((error) => {
      if (error !== null) throw error;
      done = true;
    });
    if (again) {
      // Until it has said that all it read is durable, it may come to less at the next start, never to more.
      const opening = new Map([...legal].filter(([, holds]) => holds <= count));
      const exactly = new Map([[found, count]]);
      do {
        for (const next of outcomesOf(left.disk, this.#options.outcomesAgain, this.#random)) {
          this.#recover(next, done ? exactly : opening, false);
        }
      } while (left.complete());
    }
    if (state % this.#options.afterlifeEvery === 0) this.#afterlife(left, log, count, state);
    return count;
  }

  /** What was lost is written again, byte for byte; nothing else may come back with it. */
  #afterlife(left: SteppedDisk, log: Log, count: number, state: number): void {
    left.drain();
    const lost = this.#run.written[count];
    // A term that the votes file has kept must not fall.
    const next = lost !== undefined && 'hard' in lost ? undefined : lost;
    if (next !== undefined) {
      writeTo(log, next);
      log.flush(() => {});
      left.drain();
    }
    const held = next === undefined ? count : count + 1;
    const where = `state ${state}, written on`;
    const now = this.#check(log, legalStates(this.#run, held, held), where);
    left.disk.cutPower(() => 0);
    left.forget();
    this.#open(left, new Map([[now.found, held]]), where);
  }

  #open(left: SteppedDisk, legal: Legal, where: string): Opened | null {
    const log = Log.open(left.disk, IDENTITY, this.#options.log);
    if (log.rot === null) return this.#check(log, legal, where);
    const mayNoteRot = this.#options.mayNoteRot === true && this.#killed;
    if (mayNoteRot && this.#run.isDamaged(log)) return null;
    throw new Error(`cut ${this.cuts}, ${where}: ${log.rot.message}`, { cause: log.rot });
  }

  #check(log: Log, legal: Legal, where: string): Opened {
    const found = dump(log);
    const count = legal.get(found);
    if (count !== undefined) return { log, found, count };
    const allowed = [...legal].map(([text, holds]) => `${holds} records:\n${text}`);
    throw new Error(`cut ${this.cuts}, ${where}: ${found}\nis none of\n${allowed.join('\n')}`);
  }
}

const first: Choose = () => 0;
const last: Choose = (options) => options - 1;
const half: Choose = (options, what) => (what === 'begun' ? 1 : what === 'done' ? 0 : options >> 1);

/** Terms and votes stand in a file of their own too, which may be further than the log. */
export function legalStates(run: LogRun, least: number, most: number): Legal {
  const legal = new Map<string, number>();
  for (let count = least; count <= most; count++) {
    for (const votes of [...run.flushed, count]) {
      legal.set(modelOf(prefixOf(run.written, count, votes)).dump(), count);
    }
  }
  return legal;
}

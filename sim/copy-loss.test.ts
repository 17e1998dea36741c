import { describe, expect, test } from 'vitest';
import { votersOnly } from '../consensus/membership.ts';
import type { Snapshot } from '../consensus/types.ts';
import { FoldMaker } from '../server/core/books.fixture.ts';
import { CopyPull } from '../server/core/catch-up/pull.ts';
import { CopySource, isForSource } from '../server/core/catch-up/source.ts';
import { COPY_SILENCE_MS_MAX, COPY_WINDOW_CHUNKS } from '../server/core/limits.ts';
import { CopyKind, type CopyMessage } from '../server/core/messages.ts';
import { SimulatedBooks } from './books.ts';
import { Random } from './random.ts';

const UNIT = 1;
const LEADER = 1;
const LATE = 2;
const STEP_MS = 10;
/** A leader offers again when it hears from a peer that it waits for. */
const OFFER_MS = 300;

type Disturb = (message: CopyMessage) => readonly CopyMessage[];

/** The two ends of a copy, over a channel that may lose, double and change what it carries. */
class Pair {
  readonly random: Random;
  readonly lines: string[] = [];
  readonly sent: CopyMessage[] = [];
  readonly target: SimulatedBooks;
  readonly source: SimulatedBooks;
  readonly pull: CopyPull;
  readonly from: CopySource;
  leads = true;
  installs = 0;
  /** Highest number of chunks on their way and not taken. */
  windowMax = 0;
  #nowMs = 0;
  #tasks: (() => void)[] = [];
  #messages: CopyMessage[] = [];
  #taken = 0;

  constructor(seed: number, disturb: Disturb) {
    this.random = new Random(seed, 'copy');
    const later = (_bytes: number, run: () => void) => this.#tasks.push(run);
    this.source = new SimulatedBooks(UNIT, later);
    this.target = new SimulatedBooks(UNIT, later);
    const common = {
      send: (_to: number, message: CopyMessage) => {
        this.sent.push(message);
        if (message.kind === CopyKind.next) this.#taken = message.sequence;
        if (message.kind === CopyKind.chunk) {
          this.windowMax = Math.max(this.windowMax, message.sequence + 1 - this.#taken);
        }
        this.#messages.push(...disturb(message));
      },
      nowMs: () => this.#nowMs,
      wake: () => {},
      log: (_level: string, text: string) => this.lines.push(text),
    };
    const { leads } = this;
    const unit = { books: this.source, leads };
    this.from = new CopySource({ ...common, unit: () => ({ ...unit, leads: this.leads }) });
    this.pull = new CopyPull({ ...common, random: () => this.random.next() });
  }

  fold(books: SimulatedBooks, folds: readonly ReturnType<FoldMaker['next']>[]): void {
    for (const fold of folds) {
      books.commit(structuredClone(fold), (error) => expect(error).toBe(null));
      this.#work();
    }
  }

  /** Until the books are installed, or the time is over. */
  run(seconds: number): void {
    const endMs = this.#nowMs + seconds * 1_000;
    for (; this.#nowMs < endMs && this.installs === 0; this.#nowMs += STEP_MS) {
      if (this.#nowMs % OFFER_MS === 0) this.#offer();
      this.#work();
      for (const message of this.#messages.splice(0)) {
        if (isForSource(message.kind)) this.from.receive(LATE, message);
        else this.pull.receive(LEADER, message);
      }
      this.from.tick();
      this.pull.tick();
    }
  }

  #offer(): void {
    const { index } = this.source.load();
    const offer: Snapshot = {
      type: 'snapshot',
      from: LEADER,
      to: LATE,
      term: 9,
      index,
      logTerm: 3,
      membership: votersOnly([1, 2, 3]),
    };
    const unit = {
      unit: UNIT,
      books: this.target,
      commit: this.target.index(),
      isInstalling: false,
      wantsState: (message: Snapshot) => message.index > this.target.index(),
      step: () => {},
      install: (_message: Snapshot, build: ReturnType<SimulatedBooks['build']>) =>
        build.install((error) => {
          expect(error).toBe(null);
          this.installs += 1;
        }),
    };
    this.pull.offered(LEADER, unit, offer);
  }

  #work(): void {
    for (const task of this.#tasks.splice(0)) task();
  }
}

function folds(seed: number): ReturnType<FoldMaker['next']>[] {
  const maker = new FoldMaker(UNIT, { seed });
  return [300, 8_000, 6_000, 9_000].map((transfers) => maker.next({ accounts: 40, transfers }));
}

const all = (pair: Pair) => {
  const { accounts, timeouts, ...rest } = pair.target.load();
  return { accounts: [...accounts], timeouts: [...timeouts], ...rest };
};

describe('a copy of books', () => {
  test.each([1, 2, 3])(
    'comes to its end whatever is lost or doubled on the way (seed %i)',
    (seed) => {
      const random = new Random(seed, 'channel');
      const pair = new Pair(seed, (message) =>
        random.chance(0.15) ? [] : random.chance(0.1) ? [message, message] : [message],
      );
      const made = folds(seed);
      pair.fold(pair.source, made);
      pair.fold(pair.target, made.slice(0, 1));
      pair.run(300);
      expect(pair.installs).toBe(1);
      const { accounts, timeouts, ...rest } = pair.source.load();
      expect(all(pair)).toEqual({ accounts: [...accounts], timeouts: [...timeouts], ...rest });
      expect(pair.windowMax).toBeLessThanOrEqual(COPY_WINDOW_CHUNKS);
      expect(pair.windowMax).toBeGreaterThan(COPY_WINDOW_CHUNKS / 2);
    },
  );

  test('with a damaged chunk is thrown away, and the next one is sound', () => {
    let damaged = 0;
    const pair = new Pair(4, (message) => {
      if (message.kind !== CopyKind.chunk || message.sequence !== 3 || damaged > 0)
        return [message];
      damaged += 1;
      const body = message.body.slice();
      body[100]! ^= 4;
      return [{ ...message, body }];
    });
    const made = folds(4);
    pair.fold(pair.source, made);
    pair.run(30);
    expect(pair.lines.join('\n')).toContain('chunk 3 is damaged');
    expect(pair.installs).toBe(1);
    expect(pair.target.load().digest).toBe(made.at(-1)!.digest);
  });

  test('over own rows that are not those of the leader is made anew from nothing', () => {
    const pair = new Pair(5, (message) => [message]);
    const made = folds(5);
    pair.fold(pair.source, made);
    const other = structuredClone(made[0]!);
    other.transfers[12]! ^= 1;
    pair.fold(pair.target, [other]);
    pair.run(30);
    expect(pair.lines.join('\n')).toContain('sum of rows');
    expect(pair.installs).toBe(1);
    expect(pair.target.load().digest).toBe(made.at(-1)!.digest);
  });

  test('is given up by both ends when one falls silent, and by a leader that is none any more', () => {
    const pair = new Pair(6, (message) => (message.kind === CopyKind.chunk ? [] : [message]));
    pair.fold(pair.source, folds(6));
    pair.run(COPY_SILENCE_MS_MAX / 1_000 + 5);
    expect(pair.lines.join('\n')).toContain('nothing comes any more');
    expect(pair.installs).toBe(0);
    pair.leads = false;
    pair.run(5);
    expect(pair.lines.join('\n')).toContain('refuses: ');
    expect(pair.target.index()).toBe(0);
  });
});

import { FIRST_FLAGS } from './make-accounts.ts';
import type { Command, OracleResult } from './oracle.ts';
import { waiting } from './oracle-expiry.ts';
import { TIMESTAMP_MAX } from './oracle-flags.ts';
import { Pool } from './pool.ts';
import { Random } from './random.ts';
import { accountsCommand, transfersCommand } from './random-batch.ts';
import { ForeignUnits } from './random-crossings.ts';
import { accountOf, type TransferFields } from './records.ts';
import { accountIn, unitOfAccount } from './slots.ts';
import { UnitUnderTest } from './unit-under-test.ts';

const ACCOUNTS = 12;
const SECOND_NS = 1_000_000_000n;
/** In between, so that timeouts of seconds end and those of years pass the end of time. */
const LATE_TIMESTAMP = 2n ** 62n + 2n ** 61n;
/** Events of a command of the largest worlds. */
const LARGE_MAX = 2_500;

/** What was asked and what came of it, for whoever counts. */
export type Watch = (command: Command, results: readonly OracleResult[]) => void;

/** One unit, to which each step does something that its seed and the state decide. */
export class RandomWorld {
  readonly unit: UnitUnderTest;
  /** Few but large requests, so that tables grow and chains undo over their pages. */
  readonly isLarge: boolean;
  readonly #units: number;
  readonly #watch: Watch;
  readonly #accounts: readonly bigint[];
  readonly #foreign: ForeignUnits;
  readonly #foreignAccounts: readonly bigint[];
  readonly #sent: TransferFields[] = [];
  #lastId = 0n;

  constructor(seed: number, isLarge: boolean, watch: Watch = () => {}) {
    const random = new Random(seed);
    this.isLarge = isLarge;
    this.#watch = watch;
    this.#units = random.pick([1, 3]);
    const residentMax = random.pick([0, 1, 5, 40, 1_000_000]);
    const options = { units: this.#units };
    this.unit = new UnitUnderTest(
      1,
      residentMax,
      random.oneIn(4) ? { ...options, firstTimestamp: LATE_TIMESTAMP } : options,
    );
    this.#accounts = Array.from({ length: ACCOUNTS }, (_, n) =>
      this.#units === 1 ? BigInt(n + 1) : accountIn(1, n),
    );
    const ofOthers = new Map(
      [2, 3].map((unit) => [unit, [0, 1, 2].map((n) => accountIn(unit, n))] as const),
    );
    this.#foreign = new ForeignUnits(ofOthers);
    this.#foreignAccounts = this.#units === 1 ? [] : [...ofOthers.values()].flat();
    this.unit.initialise();
    this.#createFirst();
  }

  step(seed: number): void {
    const random = new Random(seed);
    const what = random.weighted([
      [60, 'entry'],
      [8, 'fold'],
      [3, 'restart'],
      [2, 'skip'],
      [6, 'reads'],
      [9, 'wait'],
      [6, 'deadline'],
    ] as const);
    switch (what) {
      case 'entry':
        // So that there are times for imports.
        if (random.oneIn(3)) this.#wait(BigInt(1 + random.below(100)));
        this.#apply(...this.#entry(random));
        break;
      case 'fold':
        this.unit.fold(random.pick(['once', 'later']));
        break;
      case 'restart':
        this.unit.restart();
        break;
      case 'skip':
        this.unit.skip();
        break;
      case 'reads':
        this.#reads(random);
        break;
      case 'wait':
        this.#wait(BigInt(random.pick([1, 20, 1_000, 400_000_000, 3_000_000_000])));
        break;
      case 'deadline':
        this.#waitForDeadline(random);
    }
  }

  end(): void {
    this.#reads(new Random(1));
    this.unit.fold('once');
    this.unit.restart();
    this.unit.replay();
  }

  #createFirst(): void {
    const events = FIRST_FLAGS.map((flags, n) =>
      accountOf({ id: this.#accounts[n]!, flags, ledger: n < FIRST_FLAGS.length - 1 ? 1 : 2 }),
    );
    this.#apply({ kind: 'accounts', events, balances: false });
  }

  #entry(random: Random): Command[] {
    const count = random.weighted([
      [6, 1],
      [2, 2],
      [1, 3],
    ]);
    let now = this.unit.now;
    return Array.from({ length: count }, () => {
      const command = this.#command(random, now);
      now += BigInt(countOf(command));
      return command;
    });
  }

  #command(random: Random, now: bigint): Command {
    const { ledger } = this.unit.oracle;
    const kind = random.weighted([
      [60, 'transfers'],
      [9, 'accounts'],
      [ledger.waiting.size > 0 ? 10 : 0, 'expire'],
      [ledger.open.length > 0 ? 12 : 0, 'complete'],
      [this.#units > 1 ? 5 : 0, 'decide'],
    ] as const);
    switch (kind) {
      case 'transfers':
        return transfersCommand(this.#pool(random, now), this.#sent, this.#sizeOf(random));
      case 'accounts': {
        const mayHold = (id: bigint) => unitOfAccount(id, this.#units) === 1;
        return accountsCommand(this.#pool(random, now), this.#sizeOf(random), mayHold);
      }
      case 'expire':
        return this.#expire(random);
      case 'complete':
        return this.#foreign.complete(random, ledger);
      case 'decide':
        return this.#foreign.decide(this.#pool(random, now), this.#sent);
    }
  }

  #sizeOf(random: Random): number {
    if (this.isLarge && random.oneIn(2)) return 200 + random.below(LARGE_MAX - 200);
    return random.weighted([
      [3, 1],
      [2, 2],
      [3, 4 + random.below(6)],
      [1, 10 + random.below(20)],
    ]);
  }

  #pool(random: Random, now: bigint): Pool {
    const newId = () => {
      this.#lastId += 1n;
      // Some in no order of time, to be found again only by a look-up.
      return random.oneIn(3) ? (BigInt(random.next32()) << 64n) | this.#lastId : this.#lastId;
    };
    const { ledger } = this.unit.oracle;
    const foreign = this.#foreignAccounts;
    return new Pool({ random, ledger, accounts: this.#accounts, foreign, now, newId });
  }

  /** What is next to expire, due or not; seldom also what is resolved by now. */
  #expire(random: Random): Command {
    const { ledger } = this.unit.oracle;
    const count = this.isLarge ? random.below(LARGE_MAX) : 1 + random.below(5);
    const next = waiting(ledger).slice(0, count);
    const timestamps = next.map(({ timestamp }) => timestamp);
    if (random.oneIn(4)) {
      const all = [...ledger.pendings.values()].filter(({ deadline }) => deadline !== null);
      timestamps.push(random.pick(all).record.timestamp);
    }
    return { kind: 'expire', timestamps };
  }

  #wait(ns: bigint): void {
    const time = this.unit.now + ns;
    if (time < TIMESTAMP_MAX - 10n * SECOND_NS) this.unit.advanceTo(time);
  }

  /** To the very deadline, one before it, one after it, or some time later. */
  #waitForDeadline(random: Random): void {
    const next = waiting(this.unit.oracle.ledger);
    if (next.length === 0) return;
    const { deadline } = next[random.below(Math.min(3, next.length))]!;
    const time = deadline + random.pick([-1n, 0n, 0n, 1n, 10n * SECOND_NS]);
    // Those of years are not waited for: little else would expire after them.
    const isNear = time > this.unit.now && time < this.unit.now + 60n * SECOND_NS;
    if (isNear) this.#wait(time - this.unit.now);
  }

  #reads(random: Random): void {
    const { ledger } = this.unit.oracle;
    const ids = [
      ...[...ledger.pendings.keys()].slice(-8),
      ...[...ledger.burnt.keys()].slice(-3),
      ...ledger.open.slice(0, 3).map(({ record }) => record.id),
      ...this.#sent.slice(-10).map(({ id }) => id),
    ];
    const accounts = [...ledger.accounts.keys()].filter(() => random.oneIn(5)).slice(0, 5);
    this.unit.checkReads(
      ids.filter(() => !random.oneIn(3)),
      accounts,
    );
  }

  #apply(...commands: Command[]): void {
    const results = this.unit.apply(...commands);
    let from = 0;
    for (const command of commands) {
      const end = from + countOf(command);
      this.#watch(command, results.slice(from, end));
      from = end;
    }
  }
}

function countOf(command: Command): number {
  switch (command.kind) {
    case 'accounts':
    case 'transfers':
      return command.events.length;
    case 'decide':
    case 'complete':
      return command.items.length;
    case 'expire':
      return command.timestamps.length;
  }
}

import { InternalStatus, TransferStatus } from '../status.ts';
import { FIRST_FLAGS, makeAccount, spoilAccount } from './make-accounts.ts';
import { makeTransfer, type Pool } from './make-transfers.ts';
import type { Command, OracleResult } from './oracle.ts';
import { waiting } from './oracle-expiry.ts';
import { AccountBit, Flag, TIMESTAMP_MAX } from './oracle-flags.ts';
import { Random } from './random.ts';
import { type AccountFields, accountOf, type TransferFields, transferOf } from './records.ts';
import { shown } from './same.ts';
import { again, older, spoil } from './spoil-transfers.ts';
import { accountIn, UnitUnderTest, unitOfAccount } from './world.ts';

const ACCOUNTS = 12;
const LINKED = 1 << 0;
const SECOND_NS = 1_000_000_000n;
/** In between, so that timeouts of seconds end and those of years pass the end of time. */
const LATE_TIMESTAMP = 2n ** 62n + 2n ** 61n;

/** What was asked and what came of it, for whoever counts. */
export type Watch = (command: Command, results: readonly OracleResult[]) => void;

/** One unit, to which each step does something that its seed and the state decide. */
export class RandomWorld {
  readonly unit: UnitUnderTest;
  readonly #units: number;
  readonly #watch: Watch;
  readonly #accounts: readonly bigint[];
  readonly #foreign: readonly bigint[];
  #lastId = 0n;
  readonly #sent: TransferFields[] = [];
  /** Crossings of other units that this one has decided or is to decide, by unit. */
  readonly #decides = new Map<number, { sequence: bigint; record: TransferFields }[]>();

  constructor(seed: number, watch: Watch = () => {}) {
    const random = new Random(seed);
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
    this.#foreign = this.#units === 1 ? [] : [accountIn(2, 0), accountIn(2, 1), accountIn(3, 0)];
    this.unit.initialise();
    this.#apply({
      kind: 'accounts',
      events: FIRST_FLAGS.map((flags, n) =>
        accountOf({ id: this.#accounts[n]!, flags, ledger: n < FIRST_FLAGS.length - 1 ? 1 : 2 }),
      ),
      balances: false,
    });
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
        return this.#transfers(this.#pool(random, now));
      case 'accounts':
        return this.#createAccounts(this.#pool(random, now));
      case 'expire':
        return this.#expire(random);
      case 'complete':
        return this.#complete(random);
      case 'decide':
        return this.#decide(this.#pool(random, now));
    }
  }

  #pool(random: Random, now: bigint): Pool {
    return {
      random,
      ledger: this.unit.oracle.ledger,
      accounts: this.#accounts,
      foreign: this.#foreign,
      now,
      newId: () => {
        this.#lastId += 1n;
        // Some in no order of time, to be found again only by a look-up.
        return random.oneIn(3) ? (BigInt(random.next32()) << 64n) | this.#lastId : this.#lastId;
      },
    };
  }

  #transfers(pool: Pool): Command {
    const { random } = pool;
    const imported = random.oneIn(6);
    const { lastEventTime, lastAccountTime } = pool.ledger;
    let time = random.oneIn(4) || lastEventTime > lastAccountTime ? lastEventTime : lastAccountTime;
    const events = Array.from({ length: sizeOf(random) }, (_, i) => {
      let event = this.#sentBefore(pool) ?? makeTransfer(pool);
      if (imported && !random.oneIn(25)) {
        time += BigInt(1 + random.below(3));
        event = { ...event, flags: event.flags | Flag.imported, timestamp: time, timeout: 0 };
      }
      if (imported && i === 0 && random.oneIn(2)) return { ...event, ...older(pool) };
      while (random.oneIn(3)) event = spoil(pool, event);
      return event;
    });
    this.#sent.push(...events);
    const balances = random.oneIn(2);
    const first = events[0]!;
    const isImport = (first.flags & Flag.imported) !== 0;
    return {
      kind: 'transfers',
      events: chained(random, events),
      balances,
      imported: random.oneIn(40) ? !isImport : isImport,
    };
  }

  /** Now and then: what was asked lately, or one that is booked, changed or not. */
  #sentBefore(pool: Pool): TransferFields | null {
    const { random, ledger } = pool;
    if (this.#sent.length === 0 || !random.oneIn(6)) return null;
    const stored = [...ledger.transfers.values()];
    if (stored.length > 0 && random.oneIn(2)) return again(pool, random.pick(stored));
    const recent = Math.min(60, this.#sent.length);
    return this.#sent[this.#sent.length - 1 - random.below(recent)]!;
  }

  #createAccounts(pool: Pool): Command {
    const { random } = pool;
    const imported = random.oneIn(3);
    let time = pool.ledger.lastAccountTime;
    const events: AccountFields[] = Array.from({ length: sizeOf(random) }, () => {
      let event = makeAccount(pool);
      // Accounts of no transfer may be others' slots: then there is nothing to see.
      if (unitOfAccount(event.id, this.#units) !== 1) event = { ...event, id: this.#accounts[3]! };
      if (imported) {
        time = random.oneIn(2)
          ? pool.ledger.lastEventTime + 5n
          : time + BigInt(1 + random.below(5));
        event = { ...event, flags: event.flags | AccountBit.imported, timestamp: time };
      }
      while (random.oneIn(3)) event = spoilAccount(pool, event);
      return event;
    });
    const isImport = (events[0]!.flags & AccountBit.imported) !== 0;
    return {
      kind: 'accounts',
      events: chained(random, events),
      balances: random.oneIn(2),
      imported: random.oneIn(40) ? !isImport : isImport,
    };
  }

  /** What is next to expire, due or not; seldom also what is resolved by now. */
  #expire(random: Random): Command {
    const { ledger } = this.unit.oracle;
    const next = waiting(ledger).slice(0, 1 + random.below(5));
    const timestamps = next.map(({ timestamp }) => timestamp);
    if (random.oneIn(4)) {
      const all = [...ledger.pendings.values()].filter(({ deadline }) => deadline !== null);
      timestamps.push(random.pick(all).record.timestamp);
    }
    return { kind: 'expire', timestamps };
  }

  #complete(random: Random): Command {
    const { open } = this.unit.oracle.ledger;
    const { farUnit, sequence } = random.pick(open);
    const S = TransferStatus;
    const status = random.weighted([
      [12, S.created],
      [1, S.credit_account_not_found],
      [1, S.exceeds_debits],
      [1, S.credit_account_already_closed],
      [1, S.overflows_credits_posted],
      [1, S.exists_with_different_debit_account_id],
      [1, InternalStatus.wrong_unit],
    ]);
    const items = [{ sequence, status }];
    // It may come again, be it in the same entry.
    if (random.oneIn(6)) items.push({ sequence, status });
    return { kind: 'complete', farUnit, items, balances: random.oneIn(2) };
  }

  /** New crossings of another unit, or old ones again. */
  #decide(pool: Pool): Command {
    const { random } = pool;
    const homeUnit = random.pick([2, 3]);
    const known = this.#decides.get(homeUnit) ?? [];
    this.#decides.set(homeUnit, known);
    const again = known.filter(() => random.oneIn(8)).slice(-3);
    const count = random.below(4);
    const fresh = Array.from({ length: count }, (_, i) => {
      const sequence = BigInt(known.length + i + 1);
      const { id } =
        random.oneIn(5) && this.#sent.length > 0 ? random.pick(this.#sent) : { id: 0n };
      const isUsable = id > 0n && id < 2n ** 120n && !this.#decided(id);
      const record = transferOf({
        id: isUsable ? id : pool.newId(),
        debit: accountIn(homeUnit, random.below(3)),
        credit: random.pick(this.#accounts),
        amount: random.oneIn(30) ? 2n ** 127n : BigInt(random.below(9)),
        ledger: random.oneIn(20) ? 2 : 1,
        timestamp: pool.now - BigInt(1 + random.below(100)),
      });
      return { sequence, record };
    });
    known.push(...fresh);
    const finished = random.oneIn(3) ? BigInt(random.below(known.length + 1)) : 0n;
    const items = [...again, ...fresh];
    return { kind: 'decide', homeUnit, finished, items, balances: random.oneIn(2) };
  }

  /** An id that crossed into here would be the same transfer crossing twice. */
  #decided(id: bigint): boolean {
    return [...this.#decides.values()].some((all) => all.some(({ record }) => record.id === id));
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
      ...[...ledger.burnt].slice(-3),
      ...ledger.open.slice(0, 3).map(({ record }) => record.id),
      ...this.#sent.slice(-10).map(({ id }) => id),
    ];
    this.unit.checkReads(ids.filter(() => !random.oneIn(3)));
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

function sizeOf(random: Random): number {
  return random.weighted([
    [3, 1],
    [2, 2],
    [3, 4 + random.below(6)],
    [1, 10 + random.below(20)],
  ]);
}

/** Runs of linked events, at times open at the end. */
function chained<E extends { readonly flags: number }>(random: Random, events: readonly E[]): E[] {
  if (!random.oneIn(3)) return [...events];
  const often = random.oneIn(2);
  return events.map((event, i) => {
    const isLinked = often ? !random.oneIn(4) : random.oneIn(3);
    const mayBe = i < events.length - 1 || random.oneIn(8);
    return isLinked && mayBe ? { ...event, flags: event.flags | LINKED } : event;
  });
}

/** For whoever looks at a failing run: what is not as in most events. */
export function described(command: Command): string {
  if (command.kind !== 'accounts' && command.kind !== 'transfers') return shown(command);
  const usual = command.kind === 'accounts' ? accountOf({}) : transferOf({ amount: 0n });
  const events = command.events.map((event) =>
    Object.fromEntries(
      Object.entries(event).filter(
        ([key, value]) => !Object.entries(usual).some(([k, v]) => k === key && v === value),
      ),
    ),
  );
  return `${command.kind} imported=${command.imported}\n  ${events.map(shown).join('\n  ')}`;
}

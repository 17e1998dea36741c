import { expect, it } from 'vitest';
import {
  AccountFlag,
  AccountWord,
  Leg,
  PendingState,
  RECORD_WORDS,
  RESULT_WORDS,
  ResultWord,
  TransferFlag,
  TransferRowWord,
  TransferWord,
} from '../ledger/layout.ts';
import { TransferStatus } from '../ledger/status.ts';
import { u64At } from '../server/core/books-row.ts';
import type { Gateway } from '../server/core/gateway/api.ts';
import type { LedgerUnit } from '../server/core/ledger-unit.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

const firstSeed = Number(process.env.EVENKEEL_SEED ?? 1) >>> 0;
const SEEDS = [0, 1, 2, 3].map((n) => (firstSeed + n) >>> 0);
const SECOND_US = 1_000_000;
const NS_PER_S = 1_000_000_000n;
const LEDGER = 978;
const ACCOUNTS = 6;
const STEPS = 70;
/** A server dies, and the one that died before comes back, once in so many steps. */
const KILL_EVERY = 5;
const EVER = { fromTimestamp: 0n, toTimestamp: 2n ** 63n - 1n, reversed: false, limit: 100_000 };
const F = TransferFlag;

/** One request of transfers, and what was answered first. */
interface Booked {
  readonly records: Uint32Array;
  readonly statuses: readonly number[];
}

/** A client that books every kind of transfer through whichever server is up, in a world that loses servers. */
class Run {
  readonly world: World;
  readonly booked: Booked[] = [];
  readonly #random: Random;
  readonly #pendingIds: number[] = [];
  #nextId = 1;
  #up = [1, 2, 3];

  constructor(seed: number) {
    this.world = new World({ seed, units: 1 });
    this.#random = new Random(seed, 'every kind');
    this.world.start();
    this.#ask((gateway, done) => gateway.createAccounts(accountRecords(), ACCOUNTS, done));
  }

  step(number: number): void {
    const records = this.#request();
    const statuses = this.#book(records);
    this.booked.push({ records, statuses });
    if (this.#random.chance(0.3)) this.#repeat();
    // Clocks go wrong by seconds, forth and back: deadlines come early or late, never out of order.
    const host = this.world.host(1 + this.#random.below(3));
    if (this.#random.chance(0.1)) host.clockOffsetMs = this.#random.below(2_000) - 1_000;
    if (number % KILL_EVERY === 0) this.#kill();
    this.#wait(this.#random.below(400));
  }

  /** All servers up, past every deadline, all applied and in the books. */
  settle(): readonly LedgerUnit[] {
    for (const server of [1, 2, 3]) if (!this.#up.includes(server)) this.world.restart(server);
    this.#up = [1, 2, 3];
    this.#wait(8_000);
    const units = this.world.hosts.map((host) => host.server!.units[0]!);
    const { scheduler } = this.world;
    scheduler.run(scheduler.nowUs + 30 * SECOND_US, () =>
      units.every(
        ({ machine, books }) =>
          machine.index === units[0]!.machine.index && books.index() === machine.index,
      ),
    );
    return units;
  }

  #request(): Uint32Array {
    const pick = this.#random.below(10);
    const pendingId = this.#pendingIds[this.#random.below(this.#pendingIds.length || 1)];
    if (pick < 3 || pendingId === undefined) return this.#pending();
    if (pick < 5)
      return this.#one(F.postPendingTransfer, { pendingId, amount: this.#random.below(60) });
    if (pick < 6) return this.#one(F.voidPendingTransfer, { pendingId });
    if (pick < 7) return this.#one(F.balancingDebit, { amount: 40 });
    if (pick < 9) return this.#chain();
    return this.#one(F.pending | F.closingDebit, { timeout: 1 + this.#random.below(2) });
  }

  #pending(): Uint32Array {
    this.#pendingIds.push(this.#nextId);
    // Never, or soon: many expire while servers come and go.
    return this.#one(F.pending, { timeout: this.#random.below(4) });
  }

  /** Two or three; one in two chains fails at its last member, by an account that is not there. */
  #chain(): Uint32Array {
    const members = [this.#one(F.linked, {}), this.#one(F.linked | F.pending, { timeout: 1 })];
    const last = this.#one(0, {});
    if (this.#random.chance(0.5)) last[TransferWord.creditAccountId] = 99;
    return Uint32Array.from([...members, last].flatMap((record) => [...record]));
  }

  #one(
    flags: number,
    more: { pendingId?: number; amount?: number; timeout?: number },
  ): Uint32Array {
    const record = new Uint32Array(RECORD_WORDS);
    const debit = 1 + this.#random.below(ACCOUNTS);
    record[TransferWord.id] = this.#nextId;
    this.#nextId += 1;
    record[TransferWord.amount] = more.amount ?? 1 + this.#random.below(50);
    record[TransferWord.timeout] = more.timeout ?? 0;
    record[TransferWord.codeAndFlags] = flags << 16;
    if (more.pendingId !== undefined) {
      record[TransferWord.pendingId] = more.pendingId;
      if ((flags & F.voidPendingTransfer) !== 0) record[TransferWord.amount] = 0;
      return record;
    }
    record[TransferWord.debitAccountId] = debit;
    record[TransferWord.creditAccountId] = 1 + (debit % ACCOUNTS);
    record[TransferWord.ledger] = LEDGER;
    record[TransferWord.codeAndFlags] = (flags << 16) | 1;
    return record;
  }

  /** What was created stays, what failed for good stays failed, whoever is asked. */
  #repeat(): void {
    const { records, statuses } = this.booked[this.#random.below(this.booked.length)]!;
    const again = this.#book(records);
    const first = statuses.findIndex((status) => status !== TransferStatus.created);
    if (first < 0) expect(again[0]).toBe(TransferStatus.exists);
    if (statuses.length === 1 && statuses[0] === TransferStatus.exists) {
      expect(again).toEqual([TransferStatus.exists]);
    }
  }

  #book(records: Uint32Array): number[] {
    const count = records.length / RECORD_WORDS;
    const words = this.#ask((gateway, done) =>
      gateway.createTransfers(records.slice(), count, false, done),
    );
    return Array.from({ length: count }, (_, i) => words[i * RESULT_WORDS + ResultWord.status]!);
  }

  #ask(
    send: (gateway: Gateway, done: (error: Error | null, words: Uint32Array) => void) => unknown,
  ): Uint32Array {
    let answer: Uint32Array | undefined;
    const server = this.#up[this.#random.below(this.#up.length)]!;
    send(this.world.host(server).server!.gateway, (error, words) => {
      if (error !== null) throw error;
      answer = words;
    });
    const { scheduler } = this.world;
    scheduler.run(scheduler.nowUs + 30 * SECOND_US, () => answer !== undefined);
    if (answer === undefined) throw new Error(`no answer from server ${server} within 30 s`);
    return answer;
  }

  #kill(): void {
    const back = [1, 2, 3].find((server) => !this.#up.includes(server));
    if (back !== undefined) this.world.restart(back);
    const dying = this.#up[this.#random.below(this.#up.length)]!;
    this.world.kill(dying, this.#random.chance(0.5) ? 'kept' : 'lost');
    this.#up = [1, 2, 3].filter((server) => server !== dying);
  }

  #wait(ms: number): void {
    const { scheduler } = this.world;
    scheduler.run(scheduler.nowUs + ms * 1_000, () => false);
  }
}

/** The second has a limit, the third keeps its history. */
function accountRecords(): Uint32Array {
  const records = new Uint32Array(ACCOUNTS * RECORD_WORDS);
  for (let i = 0; i < ACCOUNTS; i += 1) {
    const flags = [0, AccountFlag.debitsMustNotExceedCredits, AccountFlag.history][i] ?? 0;
    records[i * RECORD_WORDS + AccountWord.id] = i + 1;
    records[i * RECORD_WORDS + AccountWord.ledger] = LEDGER;
    records[i * RECORD_WORDS + AccountWord.codeAndFlags] = (flags << 16) | 1;
  }
  return records;
}

/** Debits pending and posted, credits pending and posted, from the rows alone. */
function sumsOfRows(rows: readonly Uint32Array[]): number[][] {
  const sums = Array.from({ length: ACCOUNTS + 1 }, () => [0, 0, 0, 0]);
  const amounts = new Map(rows.map((row) => [row[TransferWord.id]!, row[TransferWord.amount]!]));
  for (const row of rows) {
    const flags = row[TransferWord.codeAndFlags]! >>> 16;
    const amount = row[TransferWord.amount]!;
    const isExpiry = (row[TransferRowWord.leg]! & 0xffff) === Leg.expiry;
    const reserved = isExpiry ? amount : (amounts.get(row[TransferWord.pendingId]!) ?? 0);
    let [pending, posted] = [0, amount];
    if (isExpiry || (flags & F.voidPendingTransfer) !== 0) [pending, posted] = [-reserved, 0];
    else if ((flags & F.postPendingTransfer) !== 0) pending = -reserved;
    else if ((flags & F.pending) !== 0) [pending, posted] = [amount, 0];
    const debit = sums[row[TransferWord.debitAccountId]!]!;
    const credit = sums[row[TransferWord.creditAccountId]!]!;
    debit[0]! += pending;
    debit[1]! += posted;
    credit[2]! += pending;
    credit[3]! += posted;
  }
  return sums;
}

function balancesOf({ machine }: LedgerUnit): number[][] {
  const record = new Uint32Array(RECORD_WORDS);
  const balances = [[0, 0, 0, 0]];
  for (let handle = 0; handle < ACCOUNTS; handle += 1) {
    machine.readAccount(handle, record, 0);
    balances.push([0, 4, 8, 12].map((word) => record[AccountWord.debitsPending + word]!));
  }
  return balances;
}

/** Every pending transfer is resolved once at the most, none early, and none is left past its deadline. */
function checkPending(rows: readonly Uint32Array[], nowNs: bigint): number {
  let expired = 0;
  for (const row of rows) {
    const flags = row[TransferWord.codeAndFlags]! >>> 16;
    if ((row[TransferRowWord.leg]! & 0xffff) === Leg.expiry || (flags & F.pending) === 0) continue;
    const id = row[TransferWord.id]!;
    const isExpiry = (other: Uint32Array) => (other[TransferRowWord.leg]! & 0xffff) === Leg.expiry;
    const ends = rows.filter((other) =>
      isExpiry(other) ? other[TransferWord.id] === id : other[TransferWord.pendingId] === id,
    );
    expect(ends.length).toBeLessThanOrEqual(1);
    const timeout = row[TransferWord.timeout]!;
    const deadline = u64At(row, TransferRowWord.rowTimestamp) + BigInt(timeout) * NS_PER_S;
    const [end] = ends;
    const state = row[TransferRowWord.pendingState];
    if (end === undefined) {
      expect([state, timeout === 0 || deadline > nowNs]).toEqual([PendingState.pending, true]);
      continue;
    }
    const endTime = u64At(end, TransferRowWord.rowTimestamp);
    const isExpired = isExpiry(end);
    expect(state === PendingState.expired).toBe(isExpired);
    if (timeout !== 0) expect(endTime >= deadline).toBe(isExpired);
    if (isExpired) expired += 1;
  }
  return expired;
}

it.each(SEEDS)(
  'every kind of transfer stays right while servers die and clocks jump, seed %i',
  (seed) => {
    const run = new Run(seed);
    for (let step = 1; step <= STEPS; step += 1) run.step(step);
    const units = run.settle();
    const rows = units[0]!.books.scan({ source: { kind: 'all' }, ...EVER });
    const balances = balancesOf(units[0]!);
    expect(balances).toEqual(sumsOfRows(rows));
    expect(checkPending(rows, units[0]!.machine.lastTimestamp)).toBeGreaterThan(0);
    for (const { machine, books } of units) {
      expect(machine.digest).toBe(units[0]!.machine.digest);
      expect(machine.nextDeadline).toBe(null);
      expect(books.scan({ source: { kind: 'all' }, ...EVER })).toEqual(rows);
      // No trace of what was pending in a chain that was undone.
      const open = rows.filter((row) => row[TransferRowWord.pendingState] === PendingState.pending);
      expect(books.scan({ source: { kind: 'pending' }, ...EVER })).toEqual(open);
    }
    const ids = new Set(rows.map((row) => row[TransferWord.id]!));
    for (const { records, statuses } of run.booked) {
      const there = statuses.map((_, i) => ids.has(records[i * RECORD_WORDS]!));
      if (statuses.length > 1) expect(new Set(there).size).toBe(1);
      statuses.forEach((status, i) => {
        if (status === TransferStatus.created) expect(there[i]).toBe(true);
      });
    }
  },
);

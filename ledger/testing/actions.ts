import fc from 'fast-check';
import { expect } from 'vitest';
import { InternalStatus, TransferStatus } from '../status.ts';
import type { OracleResult } from './oracle.ts';
import { type AccountFields, accountOf, type TransferFields, transferOf } from './records.ts';
import { accountIn, UNITS, unitOfAccount } from './slots.ts';
import { UnitUnderTest } from './unit-under-test.ts';

const MAX = 2n ** 128n - 1n;

/** One step of a run. Numbers pick from whatever there is at that time. */
export type Action =
  | { readonly do: 'accounts'; readonly events: readonly AccountFields[] }
  | {
      readonly do: 'transfers';
      readonly events: readonly TransferFields[];
      readonly balances: boolean;
      readonly unit: number | null;
    }
  /** An event sent before, as it was or with one field changed. */
  | {
      readonly do: 'resend';
      readonly pick: number;
      readonly change: Partial<TransferFields>;
      readonly balances: boolean;
    }
  | { readonly do: 'decide'; readonly from: number; readonly pick: number; readonly late: boolean }
  | { readonly do: 'complete'; readonly pick: number; readonly keep: boolean }
  | { readonly do: 'skip' | 'restart'; readonly unit: number }
  | { readonly do: 'fold'; readonly unit: number; readonly at: 'once' | 'later' };

/** An answer on its way from a far unit to a home unit. */
interface Answer {
  readonly home: number;
  readonly far: number;
  readonly sequence: bigint;
  readonly status: number;
}

/** Flags of the accounts that each unit has from the start; one more may come. */
const FLAGS = [0, 0, 2, 4];
const ACCOUNTS = UNITS.flatMap((unit) => [...FLAGS, 0].map((_, n) => accountIn(unit, n)));
const NEVER_VALID = [0n, MAX, 2n ** 128n - 2n ** 64n + ((1n << 32n) | (2n << 16n) | 1n)];

const mostly = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 60, arbitrary: usual }, { weight: 1, arbitrary: rare });

const accountId = mostly(fc.constantFrom(...ACCOUNTS), fc.constantFrom(...NEVER_VALID));
const amount = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt({ min: 0n, max: 20n }) },
  { weight: 1, arbitrary: fc.constantFrom(2n ** 32n, 2n ** 64n - 1n, 2n ** 127n, MAX - 1n, MAX) },
);
const transfer: fc.Arbitrary<TransferFields> = fc
  .record({
    id: mostly(fc.bigInt({ min: 1n, max: 60n }), fc.constantFrom(0n, MAX, MAX - 1n, 2n ** 64n)),
    debit: accountId,
    credit: accountId,
    amount,
    pendingId: mostly(fc.constant(0n), fc.constant(3n)),
    userData128: mostly(fc.constant(0n), fc.constant(MAX)),
    userData64: mostly(fc.constant(0n), fc.constant(2n ** 63n)),
    userData32: mostly(fc.constant(0), fc.constant(7)),
    timeout: mostly(fc.constant(0), fc.constant(1)),
    ledger: mostly(fc.constant(1), fc.constantFrom(0, 2)),
    code: mostly(fc.constant(1), fc.constantFrom(0, 65_535)),
    flags: mostly(fc.constant(0), fc.constantFrom(1, 2, 1 << 15)),
    timestamp: mostly(fc.constant(0n), fc.constant(1n)),
  })
  .map(transferOf);
const change = fc.constantFrom<Partial<TransferFields>>(
  { amount: 3n },
  { userData128: 5n },
  { userData64: 5n },
  { userData32: 5 },
  { timeout: 5 },
  { ledger: 2 },
  { code: 5 },
  ...ACCOUNTS.map((debit) => ({ debit })),
  ...ACCOUNTS.map((credit) => ({ credit })),
);
const account: fc.Arbitrary<AccountFields> = fc
  .record({
    id: accountId,
    debitsPending: mostly(fc.constant(0n), fc.constant(1n)),
    creditsPosted: mostly(fc.constant(0n), fc.constant(1n)),
    userData64: mostly(fc.constant(0n), fc.constant(2n ** 63n)),
    ledger: mostly(fc.constant(1), fc.constantFrom(0, 2)),
    code: mostly(fc.constant(1), fc.constantFrom(0, 2)),
    flags: fc.constantFrom(0, 0, 2, 4, 6, 8),
    reserved: mostly(fc.constant(0), fc.constant(1)),
  })
  .map(accountOf);

export function actions({ folds = false } = {}): fc.Arbitrary<Action[]> {
  const unit = fc.constantFrom(...UNITS);
  const pick = fc.nat({ max: 50 });
  const step: fc.WeightedArbitrary<Action>[] = [
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('transfers' as const),
        events: fc.array(transfer, { minLength: 1, maxLength: 4 }),
        balances: fc.boolean(),
        unit: mostly(fc.constant(null), unit),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('resend' as const),
        pick,
        change: fc.oneof(fc.constant({}), change),
        balances: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('accounts' as const),
        events: fc.array(account, { minLength: 1, maxLength: 3 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('decide' as const),
        from: unit,
        pick,
        late: fc.boolean(),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant('complete' as const), pick, keep: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('skip' as const), unit }) },
  ];
  if (folds) {
    const at = fc.constantFrom('once' as const, 'later' as const);
    step.push({ weight: 6, arbitrary: fc.record({ do: fc.constant('fold' as const), unit, at }) });
    step.push({ weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), unit }) });
  }
  return fc.array(fc.oneof(...step), { maxLength: 60, size: 'max' });
}

/** Runs the steps; then lets every crossing end and checks that all is level. */
export function run(steps: readonly Action[], residentMax: number): void {
  const world = new World(residentMax);
  for (const step of steps) {
    world.step(step);
    world.checkLevel();
  }
  world.settle();
  world.checkLevel();
  world.checkAtRest();
}

class World {
  readonly #units = new Map<number, UnitUnderTest>();
  readonly #answers: Answer[] = [];
  readonly #asked: TransferFields[] = [];
  /** Decides sent before, to be sent again late. */
  readonly #sent: (() => void)[] = [];

  constructor(residentMax: number) {
    for (const unit of UNITS) {
      const machine = new UnitUnderTest(unit, residentMax);
      this.#units.set(unit, machine);
      machine.initialise();
      const events = FLAGS.map((flags, n) => accountOf({ id: accountIn(unit, n), flags }));
      machine.apply({ kind: 'accounts', events, balances: false });
    }
  }

  step(step: Action): void {
    switch (step.do) {
      case 'accounts':
        this.#createAccounts(step.events);
        break;
      case 'transfers':
        this.#createTransfers(step.events, step.unit, step.balances);
        break;
      case 'resend':
        this.#resend(step.pick, step.change, step.balances);
        break;
      case 'decide':
        this.#sendDecide(step.from, step.pick, step.late);
        break;
      case 'complete':
        this.#sendComplete(step.pick, step.keep);
        break;
      case 'skip':
        this.#unit(step.unit).skip();
        break;
      case 'fold':
        this.#unit(step.unit).fold(step.at);
        break;
      case 'restart':
        this.#unit(step.unit).restart();
    }
  }

  settle(): void {
    for (const home of UNITS) {
      for (const far of UNITS) {
        const crossings = this.#unit(home)
          .openCrossings()
          .filter(({ farUnit }) => farUnit === far);
        if (crossings.length === 0) continue;
        this.#decide(home, far, crossings, this.#unit(home).finishedThrough(far));
      }
    }
    while (this.#answers.length > 0) this.#sendComplete(0, false);
    for (const home of UNITS) expect(this.#unit(home).openCrossings()).toEqual([]);
  }

  /** Each unit's debits equal its credits; what clearing pairs differ by is what is open. */
  checkLevel(): void {
    for (const home of UNITS) {
      const unit = this.#unit(home);
      for (const ledger of [1, 2]) {
        const accounts = unit.accounts().filter((account) => account.ledger === ledger);
        const sum = (column: (account: AccountFields) => bigint) =>
          accounts.reduce((total, account) => total + column(account), 0n);
        expect(sum((a) => a.debitsPending)).toBe(sum((a) => a.creditsPending));
        expect(sum((a) => a.debitsPosted)).toBe(sum((a) => a.creditsPosted));
        for (const far of UNITS) {
          if (far !== home) this.#checkPair(home, far, ledger);
        }
      }
    }
  }

  /** Pairs of clearing accounts net to zero. */
  checkAtRest(): void {
    for (const home of UNITS) {
      for (const far of UNITS) {
        if (home === far) continue;
        const here = this.#clearing(home, far, 1);
        const there = this.#clearing(far, home, 1);
        expect(here.creditsPending).toBe(0n);
        expect(here.creditsPosted).toBe(there.debitsPosted);
      }
    }
  }

  #checkPair(home: number, far: number, ledger: number): void {
    const open = this.#unit(home)
      .openCrossings()
      .filter(({ farUnit, record }) => farUnit === far && record.ledger === ledger);
    const sum = (crossings: typeof open) =>
      crossings.reduce((total, { record }) => total + record.amount, 0n);
    const here = this.#clearing(home, far, ledger);
    const there = this.#clearing(far, home, ledger);
    expect(here.creditsPending).toBe(sum(open));
    const credited = open.filter(({ record }) => {
      const booked = this.#unit(far).oracle.ledger.transfers.get(record.id);
      return booked !== undefined && booked.debit === record.debit;
    });
    expect(there.debitsPosted - here.creditsPosted).toBe(sum(credited));
  }

  #clearing(unit: number, other: number, ledger: number): AccountFields {
    const id = this.#unit(unit).oracle.clearingId(ledger, other);
    return this.#unit(unit).account(id) ?? accountOf({});
  }

  #sendDecide(home: number, pick: number, late: boolean): void {
    const again = this.#sent[pick % Math.max(1, this.#sent.length)];
    if (late && again !== undefined) {
      again();
      return;
    }
    const open = this.#unit(home).openCrossings();
    const first = open[pick % Math.max(1, open.length)];
    if (first === undefined) return;
    const count = 1 + (pick % 3);
    const crossings = open
      .filter(({ farUnit, sequence }) => farUnit === first.farUnit && sequence >= first.sequence)
      .slice(0, count);
    const finished = this.#unit(home).finishedThrough(first.farUnit);
    this.#sent.push(() => this.#decide(home, first.farUnit, crossings, finished));
    this.#decide(home, first.farUnit, crossings, finished);
  }

  #decide(
    home: number,
    far: number,
    crossings: ReturnType<UnitUnderTest['openCrossings']>,
    finished: bigint,
  ): void {
    const items = crossings.map(({ sequence, record }) => ({ sequence, record }));
    const balances = crossings.some(({ wantsBalances }) => wantsBalances);
    const results: OracleResult[] = this.#unit(far).apply({
      kind: 'decide',
      homeUnit: home,
      finished,
      items,
      balances,
    });
    for (const { sequence, status } of results) {
      if (status !== InternalStatus.decision_forgotten) {
        this.#answers.push({ home, far, sequence, status });
      }
    }
  }

  /** One answer reaches its home unit; if kept it will come again. */
  #sendComplete(pick: number, keep: boolean): void {
    const at = pick % Math.max(1, this.#answers.length);
    const answer = this.#answers[at];
    if (answer === undefined) return;
    if (!keep) this.#answers.splice(at, 1);
    const { home, far, sequence, status } = answer;
    const items = [{ sequence, status }];
    const balances = status === TransferStatus.created && pick % 2 === 0;
    this.#unit(home).apply({ kind: 'complete', farUnit: far, items, balances });
  }

  #createAccounts(all: readonly AccountFields[]): void {
    for (const unit of UNITS) {
      const events = all.filter((event) => unitOfAccount(event.id) === unit);
      if (events.length > 0) this.#unit(unit).apply({ kind: 'accounts', events, balances: false });
    }
  }

  /** To the units of the debit accounts, or all to one that may be the wrong one. */
  #createTransfers(all: readonly TransferFields[], to: number | null, balances: boolean): void {
    for (const unit of UNITS) {
      const events = all.filter((event) => (to ?? unitOfAccount(event.debit)) === unit);
      if (events.length > 0) this.#unit(unit).apply({ kind: 'transfers', events, balances });
    }
    this.#asked.push(...all);
  }

  #resend(pick: number, change: Partial<TransferFields>, balances: boolean): void {
    const event = this.#asked[pick % Math.max(1, this.#asked.length)];
    if (event !== undefined) this.#createTransfers([{ ...event, ...change }], null, balances);
  }

  #unit(unit: number): UnitUnderTest {
    return this.#units.get(unit)!;
  }
}

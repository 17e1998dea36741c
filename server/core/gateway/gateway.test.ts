import { describe, expect, it } from 'vitest';
import { AccountWord, RECORD_WORDS } from '../../../ledger/layout.ts';
import { RequestKind } from '../messages.ts';
import { encodeLedgers } from '../registry-request.ts';
import type { RegistryUnit } from '../registry-unit.ts';
import type { Router, RouterDone } from '../router.ts';
import { slotOwners } from '../topology.ts';
import { UnitGateway } from './gateway.ts';
import { RegistryLedgers } from './ledgers.ts';

const TOPOLOGY = {
  zones: [],
  servers: [],
  units: 1,
  ledgers: [{ ledger: 978, currency: 'EUR', scale: 2 }],
};

const EUR = { ledger: 978, currency: 'EUR', scale: 2 };

const EVER = { fromTimestamp: 0n, toTimestamp: 0n, reversed: false, limit: 1 };

interface Asked {
  readonly unit: number;
  readonly kind: number;
  readonly done: RouterDone;
  cancelled: boolean;
}

function setUp() {
  const registry = {
    topology: null as typeof TOPOLOGY | null,
    slotOwners: slotOwners(1),
    knowsLedger: (ledger: number) => ledger === EUR.ledger,
  };
  const clock = { nowMs: 0 };
  const asked: Asked[] = [];
  const request = (unit: number, kind: number, _words: Uint32Array, done: RouterDone) => {
    const entry = { unit, kind, done, cancelled: false };
    asked.push(entry);
    return {
      cancel: () => {
        entry.cancelled = true;
      },
    };
  };
  const router = {
    request,
    proposeOrFail: (unit: number, words: Uint32Array, done: RouterDone) =>
      request(unit, RequestKind.propose, words, done),
  } as unknown as Router;
  const gateway = new UnitGateway(
    registry as unknown as RegistryUnit,
    router,
    new RegistryLedgers(router, () => {}),
    () => clock.nowMs,
    () => {},
  );
  return { registry, gateway, asked, clock };
}

/** An account of each of these ledgers. */
function accountsOf(...ledgers: number[]): Uint32Array {
  const records = new Uint32Array(ledgers.length * RECORD_WORDS);
  ledgers.forEach((ledger, i) => {
    records[i * RECORD_WORDS + AccountWord.ledger] = ledger;
  });
  return records;
}

describe('UnitGateway', () => {
  it('answers what needs no unit too, but never before the caller has its handle', () => {
    const { registry, gateway } = setUp();
    registry.topology = TOPOLOGY;
    const answers: (string | null)[] = [];
    gateway.lookupAccounts(new Uint32Array(0), 0, (error) => answers.push(error?.code ?? null));
    expect(answers).toEqual([]);
    gateway.flush();
    expect(answers).toEqual([null]);
    expect(gateway.load).toEqual({ requests: 0, bytes: 0 });
  });

  it('refuses a ledger only when the registry’s leader does not know it either, naming the event', () => {
    const { registry, gateway, asked } = setUp();
    registry.topology = TOPOLOGY;
    const errors: string[] = [];
    gateway.createAccounts(accountsOf(978, 0, 5), 3, (error) => errors.push(error!.message));
    expect(asked.map(({ unit, kind }) => [unit, kind])).toEqual([[0, RequestKind.listLedgers]]);
    expect(errors).toEqual([]);
    asked[0]!.done(0, encodeLedgers([{ ledger: 7, currency: 'Points', scale: 0 }, EUR]));
    expect(errors).toEqual([
      'unknown_ledger: accounts[2].ledger: there is no ledger 5; known are 7 (Points), 978 (EUR)',
    ]);
    expect(asked).toHaveLength(1);
  });

  it('takes a ledger that was added elsewhere and that this server has not heard of', () => {
    const { registry, gateway, asked } = setUp();
    registry.topology = TOPOLOGY;
    gateway.createTransfers(accountsOf(5), 1, false, () => {});
    asked[0]!.done(0, encodeLedgers([{ ledger: 5, currency: 'Points', scale: 0 }, EUR]));
    expect(asked.map(({ unit, kind }) => [unit, kind])).toEqual([
      [0, RequestKind.listLedgers],
      [1, RequestKind.propose],
    ]);
  });

  it('asks nothing more for a request that was cancelled while the registry was asked', () => {
    const { registry, gateway, asked } = setUp();
    registry.topology = TOPOLOGY;
    const answers: unknown[] = [];
    gateway.createAccounts(accountsOf(5), 1, (error) => answers.push(error)).cancel();
    expect(asked[0]!.cancelled).toBe(true);
    asked[0]!.done(0, encodeLedgers([{ ledger: 5, currency: 'Points', scale: 0 }]));
    expect([asked.length, answers.length, gateway.load.requests]).toEqual([1, 0, 0]);
  });

  it('refuses a query of a ledger that there is not, which would answer as an empty one does', () => {
    const { registry, gateway, asked } = setUp();
    registry.topology = TOPOLOGY;
    const errors: (string | undefined)[] = [];
    const query = { ...EVER, ledger: 5 };
    const done = (error: Error | null) => errors.push(error?.message);
    gateway.queryAccounts(query, done);
    gateway.queryTransfers(query, done);
    gateway.queryTransfers(query, done).cancel();
    expect(asked.map(({ unit, kind }) => [unit, kind])).toEqual(
      Array(3).fill([0, RequestKind.listLedgers]),
    );
    asked[0]!.done(0, encodeLedgers([EUR]));
    asked[1]!.done(0, encodeLedgers([{ ledger: 5, currency: 'Points', scale: 0 }]));
    expect(errors).toEqual(['unknown_ledger: ledger: there is no ledger 5; known are 978 (EUR)']);
    expect(asked[2]!.cancelled).toBe(true);
    expect(asked.slice(3).map(({ kind }) => kind)).toEqual([RequestKind.queryTransfers]);
    gateway.queryAccounts({ ...query, ledger: 978 }, done);
    expect(asked.at(-1)!.kind).toBe(RequestKind.queryAccounts);
    expect(gateway.load.requests).toBe(2);
  });

  it('refuses a wrong token also where it first had to ask for the ledger', () => {
    const { registry, gateway, asked } = setUp();
    registry.topology = TOPOLOGY;
    const errors: (string | undefined)[] = [];
    const query = { ...EVER, ledger: 5, pageToken: Uint8Array.of(1) };
    gateway.queryAccounts(query, (error) => errors.push(error?.code));
    asked[0]!.done(0, encodeLedgers([{ ledger: 5, currency: 'Points', scale: 0 }]));
    expect(errors).toEqual(['invalid_request']);
  });

  it('holds requests until the slot map is known, and forgets those cancelled before', () => {
    const { registry, gateway, asked } = setUp();
    const done = () => {};
    gateway.lookupAccounts(new Uint32Array(4), 1, done).cancel();
    gateway.lookupAccounts(new Uint32Array(4), 1, done);
    expect(gateway.load).toEqual({ requests: 1, bytes: 16 });
    registry.topology = TOPOLOGY;
    gateway.flush();
    expect(asked.map(({ unit }) => unit)).toEqual([1]);
  });
});

describe('a gateway that gives up', () => {
  it('tells those that have waited for so long that the outcome is unknown, and no others', () => {
    const { registry, gateway, asked, clock } = setUp();
    registry.topology = TOPOLOGY;
    const errors: (string | undefined)[] = [];
    const ask = () =>
      gateway.createAccounts(accountsOf(978), 1, (error) => errors.push(error?.code));
    ask();
    clock.nowMs = 500;
    ask();
    gateway.giveUp(500, 'cut off');
    expect(errors).toEqual(['outcome_unknown']);
    expect(asked.map(({ cancelled }) => cancelled)).toEqual([true, false]);
    expect(gateway.load.requests).toBe(1);
    // Neither is told twice.
    clock.nowMs = 2_000;
    gateway.giveUp(500, 'cut off');
    gateway.giveUp(500, 'cut off');
    expect(errors).toEqual(['outcome_unknown', 'outcome_unknown']);
    expect(gateway.load).toEqual({ requests: 0, bytes: 0 });
  });

  it('lets go of what waits for the first slot map too', () => {
    const { gateway, clock } = setUp();
    const errors: (string | undefined)[] = [];
    gateway.createAccounts(accountsOf(978), 1, (error) => errors.push(error?.code));
    clock.nowMs = 500;
    gateway.giveUp(500, 'cut off');
    expect(errors).toEqual(['outcome_unknown']);
  });
});

import { describe, expect, it } from 'vitest';
import { AccountWord, RECORD_WORDS } from '../../../ledger/layout.ts';
import type { RegistryUnit } from '../registry-unit.ts';
import type { Router } from '../router.ts';
import { slotOwners } from '../topology.ts';
import { UnitGateway } from './gateway.ts';

const TOPOLOGY = {
  zones: [],
  servers: [],
  units: 1,
  ledgers: [{ ledger: 978, currency: 'EUR', scale: 2 }],
};

function setUp() {
  const registry = { topology: null as typeof TOPOLOGY | null, slotOwners: slotOwners(1) };
  const asked: number[] = [];
  const router = {
    request: (unit: number) => {
      asked.push(unit);
      return { cancel: () => {} };
    },
  };
  const gateway = new UnitGateway(
    registry as unknown as RegistryUnit,
    router as unknown as Router,
    () => 0,
    () => {},
  );
  return { registry, gateway, asked };
}

describe('UnitGateway', () => {
  it('answers what needs no unit too, but never before the caller has its handle', () => {
    const { registry, gateway } = setUp();
    registry.topology = TOPOLOGY;
    const answers: (string | null)[] = [];
    const record = new Uint32Array(RECORD_WORDS);
    record[AccountWord.ledger] = 5;
    gateway.createAccounts(record, 1, (error) => answers.push(error?.code ?? null));
    gateway.lookupAccounts(new Uint32Array(0), 0, (error) => answers.push(error?.code ?? null));
    expect(answers).toEqual([]);
    gateway.flush();
    expect(answers).toEqual(['unknown_ledger', null]);
    expect(gateway.load).toEqual({ requests: 0, bytes: 0 });
  });

  it('holds requests until the slot map is known, and forgets those cancelled before', () => {
    const { registry, gateway, asked } = setUp();
    const done = () => {};
    gateway.lookupAccounts(new Uint32Array(4), 1, done).cancel();
    gateway.lookupAccounts(new Uint32Array(4), 1, done);
    expect(gateway.load).toEqual({ requests: 1, bytes: 16 });
    registry.topology = TOPOLOGY;
    gateway.flush();
    expect(asked).toEqual([1]);
  });
});

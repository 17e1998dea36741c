import { describe, expect, it } from 'vitest';
import { LEDGERS_MAX } from './limits.ts';
import { decodeRegistryEntry, encodeRegistryEntry, type RegistryEntry } from './registry-entry.ts';
import { checkConfigured, LedgerOutcome, missingLedgers, RegistryState } from './registry-state.ts';
import type { LedgerDefinition, Topology } from './topology.ts';

const EUR: LedgerDefinition = { ledger: 978, currency: 'EUR', scale: 2 };
const JPY: LedgerDefinition = { ledger: 392, currency: 'JPY', scale: 0 };
const TOPOLOGY: Topology = {
  zones: [{ name: 'hz1', city: 'hz', leaderWeight: 1 }],
  servers: [{ id: 1, zone: 'hz1' }],
  ledgers: [EUR],
  units: 4,
};
const add = (ledger: LedgerDefinition): RegistryEntry => ({ entry: 'ledger', ledger });

/** By way of the log's bytes. */
function registry(...entries: RegistryEntry[]) {
  const state = new RegistryState();
  const all: RegistryEntry[] = [{ entry: 'topology', topology: TOPOLOGY }, ...entries];
  const outcomes = all.map((entry) => state.apply(decodeRegistryEntry(encodeRegistryEntry(entry))));
  return { state, outcomes: outcomes.slice(1) };
}

describe('the registry', () => {
  it('holds nothing before its first entry, and of topologies the first only', () => {
    const state = new RegistryState();
    expect([state.topology, state.slotOwners]).toEqual([null, null]);
    const second = { ...TOPOLOGY, units: 2, ledgers: [] };
    expect(registry({ entry: 'topology', topology: second }).state.topology).toEqual(TOPOLOGY);
  });

  it('adds ledgers in order of their numbers', () => {
    const { state, outcomes } = registry(add(JPY));
    expect(outcomes).toEqual([LedgerOutcome.created]);
    expect(state.topology!.ledgers).toEqual([JPY, EUR]);
  });

  it('never changes a ledger: the same again exists, and any other differs', () => {
    const { state, outcomes } = registry(
      add(EUR),
      add({ ...EUR, scale: 3 }),
      add({ ...EUR, currency: 'Points' }),
    );
    const { exists, differs } = LedgerOutcome;
    expect(outcomes).toEqual([exists, differs, differs]);
    expect(state.topology!.ledgers).toEqual([EUR]);
  });

  it('finds the ledger of another number that has a name, in any case, and keeps both if the log has them', () => {
    const second = { ...EUR, ledger: 11, currency: 'eur' };
    const { state, outcomes } = registry(add(second));
    expect(outcomes).toEqual([LedgerOutcome.created]);
    expect(state.sameName({ ...EUR, ledger: 12, currency: 'Eur' })).toEqual(second);
    expect(state.sameName(EUR)).toEqual(second);
    expect(state.sameName(JPY)).toBeUndefined();
    expect(registry().state.sameName(EUR)).toBeUndefined();
  });

  it('takes no more ledgers than it may hold, and still finds those it has', () => {
    const fill = Array.from({ length: LEDGERS_MAX }, (_, i) => ({
      ledger: 1_000 + i,
      currency: `Points ${i}`,
      scale: 0,
    }));
    const { state, outcomes } = registry(...fill.map(add));
    expect(outcomes.filter((outcome) => outcome === LedgerOutcome.full)).toHaveLength(1);
    expect(state.topology!.ledgers).toHaveLength(LEDGERS_MAX);
    expect(state.apply(add(EUR))).toBe(LedgerOutcome.exists);
  });

  it('is not read from entries of another release', () => {
    const bytes = new TextEncoder().encode(JSON.stringify(TOPOLOGY));
    expect(() => decodeRegistryEntry(bytes)).toThrow('registry_entry_unknown');
  });
});

describe('a configuration held against the registry', () => {
  it('may know fewer ledgers, or more, which are named', () => {
    const { state } = registry(add(JPY));
    for (const ledgers of [[], [EUR], [JPY, EUR]]) {
      const configured = { ...TOPOLOGY, ledgers };
      expect(() => checkConfigured(state, configured)).not.toThrow();
      expect(missingLedgers(state, configured)).toEqual([]);
    }
    const gold = { ledger: 1, currency: 'Gold', scale: 3 };
    expect(missingLedgers(state, { ...TOPOLOGY, ledgers: [EUR, gold] })).toEqual([gold]);
  });

  it('must define a ledger as the registry does', () => {
    const { state } = registry(add(JPY));
    const configured = { ...TOPOLOGY, ledgers: [{ ...JPY, currency: 'Points' }] };
    expect(() => checkConfigured(state, configured)).toThrow(
      'topology_differs: the cluster was made with ledger {"ledger":392,"currency":"JPY","scale":0}',
    );
  });

  it('may name servers that are gone or not there yet', () => {
    const { state } = registry();
    const servers = [{ id: 9, zone: 'hz1' }];
    expect(() => checkConfigured(state, { ...TOPOLOGY, servers })).not.toThrow();
  });

  it('must have the same units and zones, and each server in its zone', () => {
    const { state } = registry();
    const moved = TOPOLOGY.servers.map((server) => ({ ...server, zone: 'elsewhere' }));
    const others: Partial<Topology>[] = [{ units: 2 }, { zones: [] }, { servers: moved }];
    for (const other of others) {
      expect(() => checkConfigured(state, { ...TOPOLOGY, ...other })).toThrow('topology_differs');
    }
  });
});

import type { ClusterChange } from './cluster-change.ts';
import { EvenkeelError } from './error.ts';
import type { LedgerDefinition, Topology } from './topology.ts';

/** A command of the registry's log. The first one is a topology; those after it add ledgers and change the cluster. */
export type RegistryEntry =
  | { readonly entry: 'topology'; readonly topology: Topology }
  | { readonly entry: 'ledger'; readonly ledger: LedgerDefinition }
  | { readonly entry: 'cluster'; readonly change: ClusterChange };

/** The same bytes for the same entry: only what is kept, in one order. */
export function encodeRegistryEntry(entry: RegistryEntry): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(plainEntry(entry)));
}

function plainEntry(entry: RegistryEntry): RegistryEntry {
  switch (entry.entry) {
    case 'topology':
      return { entry: 'topology', topology: plainTopology(entry.topology) };
    case 'ledger':
      return { entry: 'ledger', ledger: plainLedger(entry.ledger) };
    case 'cluster':
      return { entry: 'cluster', change: plainChange(entry.change) };
  }
}

function plainChange(change: ClusterChange): ClusterChange {
  if (change.change === 'addServer') {
    const { id, zone, address, peerAddress } = change.server;
    return {
      change: 'addServer',
      server: { id, zone, address: address!, peerAddress: peerAddress! },
    };
  }
  if (change.change === 'removeServers') return { change: 'removeServers', ids: [...change.ids] };
  return { change: change.change, zone: change.zone };
}

const KNOWN: readonly string[] = ['topology', 'ledger', 'cluster'];

/** Throws `registry_entry_unknown` for what this release can't read: to skip it would be to hold another registry. */
export function decodeRegistryEntry(payload: Uint8Array): RegistryEntry {
  const decoded = JSON.parse(new TextDecoder().decode(payload)) as RegistryEntry;
  if (KNOWN.includes(decoded.entry)) return decoded;
  throw new EvenkeelError(
    'registry_entry_unknown',
    "registry_entry_unknown: the registry's log was written by another release; run that one",
  );
}

export function plainTopology({ zones, servers, ledgers, units }: Topology): Topology {
  return {
    zones: plainZones({ zones }),
    servers: servers.map(({ id, zone }) => ({ id, zone })),
    ledgers: ledgers.map(plainLedger),
    units,
  };
}

export function plainZones({ zones }: Pick<Topology, 'zones'>): Topology['zones'] {
  return zones.map(({ name, city, leaderWeight }) => ({ name, city, leaderWeight }));
}

function plainLedger({ ledger, currency, scale }: LedgerDefinition): LedgerDefinition {
  return { ledger, currency, scale };
}

import { EvenkeelError } from './error.ts';
import type { LedgerDefinition, Topology } from './topology.ts';

/** A command of the registry's log. The first one is a topology; ledgers are added by those after it. */
export type RegistryEntry =
  | { readonly entry: 'topology'; readonly topology: Topology }
  | { readonly entry: 'ledger'; readonly ledger: LedgerDefinition };

/** The same bytes for the same entry: only what is kept, in one order. */
export function encodeRegistryEntry(entry: RegistryEntry): Uint8Array {
  const plain =
    entry.entry === 'topology'
      ? { entry: entry.entry, topology: plainTopology(entry.topology) }
      : { entry: entry.entry, ledger: plainLedger(entry.ledger) };
  return new TextEncoder().encode(JSON.stringify(plain));
}

/** Throws `registry_entry_unknown` for what this release can't read: to skip it would be to hold another registry. */
export function decodeRegistryEntry(payload: Uint8Array): RegistryEntry {
  const decoded = JSON.parse(new TextDecoder().decode(payload)) as RegistryEntry;
  if (decoded.entry === 'topology' || decoded.entry === 'ledger') return decoded;
  throw new EvenkeelError(
    'registry_entry_unknown',
    "registry_entry_unknown: the registry's log was written by another release; run that one",
  );
}

export function plainTopology({ zones, servers, ledgers, units }: Topology): Topology {
  return {
    zones: zones.map(({ name, city, leaderWeight }) => ({ name, city, leaderWeight })),
    servers: servers.map(({ id, zone }) => ({ id, zone })),
    ledgers: ledgers.map(plainLedger),
    units,
  };
}

function plainLedger({ ledger, currency, scale }: LedgerDefinition): LedgerDefinition {
  return { ledger, currency, scale };
}

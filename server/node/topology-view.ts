import type { LedgerUnit } from '../core/ledger-unit.ts';
import type { Server } from '../core/server.ts';
import type { ServerConfig } from './config.ts';
import type { TopologyView, UnitView } from './services/topology.ts';

/** What GetTopology says: the registry as far as this server has it, and its own replicas. */
export function topologyView(
  config: ServerConfig,
  protocolVersion: number,
  core: Server,
): TopologyView {
  const topology = core.registry.topology;
  return {
    clusterId: config.clusterId,
    protocolVersion,
    serverId: config.server,
    zone: config.zone,
    zones: topology?.zones ?? [],
    servers: config.servers.map(({ id, zone, address }) => ({ id, zone, address })),
    ledgers: (topology?.ledgers ?? []).map(({ ledger, currency, scale }) => ({
      number: ledger,
      currency,
      scale,
    })),
    units: core.units.map((unit) => unitView(unit, core.registry.slotOwners)),
  };
}

function unitView(unit: LedgerUnit, owners: Uint16Array | null): UnitView {
  const status = unit.group.raft.status();
  return {
    id: unit.unit,
    slots: owners === null ? [] : ranges(owners, unit.unit),
    leaderServerId: status.leader,
    term: status.term,
    commitIndex: status.commit,
    appliedIndex: unit.machine.index,
    booksIndex: unit.books.index(),
    lastIndex: status.lastIndex,
    executionDigest: unit.machine.digest,
    role: status.role,
  };
}

function ranges(owners: Uint16Array, unit: number): { first: number; last: number }[] {
  const found: { first: number; last: number }[] = [];
  owners.forEach((owner, slot) => {
    if (owner !== unit) return;
    const open = found.at(-1);
    if (open !== undefined && open.last === slot - 1) open.last = slot;
    else found.push({ first: slot, last: slot });
  });
  return found;
}

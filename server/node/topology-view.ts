import { votersOf } from '../../consensus/membership.ts';
import type { RaftStatus } from '../../consensus/raft.ts';
import type { LedgerUnit } from '../core/ledger-unit.ts';
import type { Server } from '../core/server.ts';
import type { ServerConfig } from './config.ts';
import { serversOf } from './servers-of.ts';
import type { TopologyView, UnitView } from './services/topology.ts';

/** What GetTopology says: the registry as far as this server has it, and its own replicas. */
export function topologyView(
  config: ServerConfig,
  protocolVersion: number,
  core: Server,
): TopologyView {
  const topology = core.registry.topology;
  const { ailment, clockErrorMs } = core.health;
  return {
    clusterId: config.clusterId,
    protocolVersion,
    serverId: config.server,
    zone: config.zone,
    zones: topology?.zones ?? [],
    servers: serversOf(config, topology).map(({ id, zone, address, peerAddress }) => ({
      id,
      zone,
      address,
      peerAddress,
    })),
    ledgers: (topology?.ledgers ?? []).map(({ ledger, currency, scale }) => ({
      number: ledger,
      currency,
      scale,
    })),
    units: core.units.map((unit) => unitView(unit, core.registry.slotOwners, config.server)),
    registryLeaderServerId: core.registry.group.leader,
    ailment: ailment ?? '',
    clockErrorMs: Math.round(clockErrorMs),
  };
}

/** A replica's role; a follower without a vote is a learner, or none. */
function roleOf({ role, membership }: RaftStatus, self: number): UnitView['role'] {
  if (membership.learners.includes(self)) return 'learner';
  return role === 'follower' && !votersOf(membership).includes(self) ? 'none' : role;
}

function unitView(unit: LedgerUnit, owners: Uint16Array | null, self: number): UnitView {
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
    role: roleOf(status, self),
    voters: votersOf(status.membership),
    learners: status.membership.learners,
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

import type { ServerId } from '../../consensus/types.ts';
import { SLOT_COUNT } from '../../ledger/layout.ts';

/** What the registry (unit 0) holds. All lists ascend by their first field. */
export interface Topology {
  readonly zones: readonly Zone[];
  readonly servers: readonly ServerPlace[];
  readonly ledgers: readonly LedgerDefinition[];
  /** Number of units; they are numbered from 1 and every server has a replica of each. */
  readonly units: number;
  /** Ids that are never used again. */
  readonly removed?: readonly ServerId[];
}

export interface Zone {
  readonly name: string;
  /** Zones of one city are near each other. */
  readonly city: string;
  /** Share of the units that this zone leads when all is well; 0 = none. */
  readonly leaderWeight: number;
  /** No unit is led here for now, whatever its weight. */
  readonly drained?: boolean;
}

export interface ServerPlace {
  readonly id: ServerId;
  readonly zone: string;
  /** host:port for users and for other servers. Of servers that were added later: the first ones are configured. */
  readonly address?: string;
  readonly peerAddress?: string;
}

/** A book: one currency (or another quantity, such as pledged goods) and how many decimals its minor unit has. */
export interface LedgerDefinition {
  readonly ledger: number;
  readonly currency: string;
  readonly scale: number;
}

export const REGISTRY_UNIT = 0;

/** Owner of every slot: even, contiguous ranges in unit order. */
export function slotOwners(units: number): Uint16Array {
  const owners = new Uint16Array(SLOT_COUNT);
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    owners[slot] = 1 + Math.floor((slot * units) / SLOT_COUNT);
  }
  return owners;
}

/**
 * The server that should lead a unit while all is well: zones take turns by weight, and within a zone
 * its servers take turns. A drained zone has no turn. 0 if no zone may lead.
 */
export function preferredLeader(topology: Topology, unit: number): ServerId {
  const turns = turnsOf(topology);
  if (turns.length === 0) return 0;
  const zone = turns[unit % turns.length]!;
  const servers = topology.servers.filter((server) => server.zone === zone.name);
  if (servers.length === 0) return 0;
  return servers[Math.floor(unit / turns.length) % servers.length]!.id;
}

/** Where all that have a weight are drained, the others must do. */
function turnsOf({ zones, servers }: Topology): Zone[] {
  const there = zones.filter((zone) => servers.some((server) => server.zone === zone.name));
  const open = there.filter((zone) => zone.drained !== true);
  const turns = open.flatMap((zone) => new Array<Zone>(zone.leaderWeight).fill(zone));
  return turns.length === 0 && open.length < there.length ? open : turns;
}

/** True if no leader weight and another city: such a server campaigns last. */
export function isRemote(topology: Topology, server: ServerId): boolean {
  const zoneName = topology.servers.find((place) => place.id === server)?.zone;
  const zone = topology.zones.find((candidate) => candidate.name === zoneName);
  if (zone === undefined) return false;
  const leading = topology.zones.filter((candidate) => candidate.leaderWeight > 0);
  return leading.length > 0 && leading.every((other) => other.city !== zone.city);
}

/** The zone of a server as its place in the list; -1 for a server that is not there. */
export function zoneNumbers(topology: Topology): (server: ServerId) => number {
  const zones = new Map(
    topology.servers.map(({ id, zone }) => [
      id,
      topology.zones.findIndex(({ name }) => name === zone),
    ]),
  );
  return (server) => zones.get(server) ?? -1;
}

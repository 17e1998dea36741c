import { majority } from '../../consensus/quorum.ts';
import { SERVER_ID_MAX, type ServerId } from '../../consensus/types.ts';
import { SERVERS_MAX } from './limits.ts';
import type { ServerPlace, Topology } from './topology.ts';

/** What an operator asks of the cluster itself. Kept in the registry's log as it is. */
export type ClusterChange =
  | { readonly change: 'addServer'; readonly server: ServerPlace }
  | { readonly change: 'removeServers'; readonly ids: readonly ServerId[] }
  /** No unit is led in the zone until it is restored. */
  | { readonly change: 'drainZone'; readonly zone: string }
  | { readonly change: 'restoreZone'; readonly zone: string };

/** Why a change is refused. `code` is stable, `message` says what to do. */
export interface ChangeRefusal {
  readonly code:
    | 'member_exists'
    | 'member_unknown'
    | 'server_id_used'
    | 'too_many_servers'
    | 'last_voter'
    | 'quorum_at_risk'
    | 'change_in_flight'
    | 'zone_unknown';
  readonly message: string;
}

/** Who is heard from, and whether an earlier change is through: only a leader knows. */
export interface ClusterHealth {
  isHeard(server: ServerId): boolean;
  /** Voters of the registry's own group, learners and joint changes aside. */
  readonly settled: boolean;
  /** Votes in the registry's group, in either half of a joint change, or may by an entry that is on its way. */
  mayVote(server: ServerId): boolean;
}

/** What the registry's state alone decides, so that all replicas agree; null if the change may be made. */
export function refusalByState(topology: Topology, change: ClusterChange): ChangeRefusal | null {
  switch (change.change) {
    case 'addServer':
      return addRefusal(topology, change.server);
    case 'removeServers':
      return removeRefusal(topology, change.ids);
    default:
      return zoneRefusal(topology, change.zone);
  }
}

function addRefusal(
  { servers, zones, removed }: Topology,
  server: ServerPlace,
): ChangeRefusal | null {
  const { id, zone } = server;
  const there = servers.find((place) => place.id === id);
  if (there !== undefined)
    return refusal('member_exists', `server ${id} is a member already, in zone ${there.zone}`);
  if (removed?.includes(id)) {
    return refusal(
      'server_id_used',
      `server ${id} was removed, and an id is never used again: what it promised is gone with its disk; take a new id`,
    );
  }
  if (!zones.some(({ name }) => name === zone))
    return refusal('zone_unknown', `there is no zone ${zone}, only ${names(zones)}`);
  if (servers.length >= SERVERS_MAX)
    return refusal('too_many_servers', `there are ${servers.length} servers, as many as may be`);
  const taken = servers.find(
    (place) => place.peerAddress !== undefined && place.peerAddress === server.peerAddress,
  );
  if (taken !== undefined)
    return refusal('member_exists', `server ${taken.id} is at ${taken.peerAddress} already`);
  return null;
}

function removeRefusal({ servers }: Topology, ids: readonly ServerId[]): ChangeRefusal | null {
  for (const id of ids) {
    if (!servers.some((place) => place.id === id))
      return refusal('member_unknown', `server ${id} is no member: there are ${idsOf(servers)}`);
  }
  const left = servers.length - ids.length;
  if (left < 1)
    return refusal('last_voter', 'the last server cannot be removed: nobody would hold the books');
  if (ids.length >= majority(servers.length)) {
    return refusal(
      'quorum_at_risk',
      `${ids.length} of ${servers.length} servers are a quorum by themselves: what they agreed on could be lost with them; remove fewer at once`,
    );
  }
  return null;
}

function zoneRefusal({ zones }: Topology, zone: string): ChangeRefusal | null {
  if (zones.some(({ name }) => name === zone)) return null;
  return refusal('zone_unknown', `there is no zone ${zone}, only ${names(zones)}`);
}

/** What the leader sees beside: a legal change that would leave too few that answer. */
export function refusalByHealth(
  topology: Topology,
  change: ClusterChange,
  health: ClusterHealth,
): ChangeRefusal | null {
  if (change.change === 'restoreZone') return null;
  if (change.change === 'drainZone') return drainRefusal(topology, change.zone, health);
  // Who waits for a vote may never get it: never started, or lost with its zone.
  const waits = change.change === 'removeServers' && !change.ids.some((id) => health.mayVote(id));
  if (!health.settled && !waits) {
    return refusal(
      'change_in_flight',
      'an earlier change of members is not through yet; ask again when status shows it done',
    );
  }
  if (change.change === 'addServer') return null;
  const left = topology.servers.filter(({ id }) => !change.ids.includes(id));
  const silent = left.filter(({ id }) => !health.isHeard(id));
  const needed = majority(left.length);
  if (left.length - silent.length >= needed) return null;
  return refusal(
    'quorum_at_risk',
    `of the ${left.length} servers that would be left ${idsOf(silent)} cannot be reached, and a quorum is ${needed}; bring them back first`,
  );
}

/** A drained zone may be switched off: the others must be a quorum without it, and without other drained ones. */
function drainRefusal(
  topology: Topology,
  zone: string,
  health: ClusterHealth,
): ChangeRefusal | null {
  const drained = topology.zones.filter((one) => one.drained === true || one.name === zone);
  const rest = topology.servers.filter(
    (place) => !drained.some(({ name }) => name === place.zone) && health.isHeard(place.id),
  );
  const needed = majority(topology.servers.length);
  if (rest.length >= needed) return null;
  return refusal(
    'quorum_at_risk',
    `without ${names(drained)} only ${rest.length} of ${topology.servers.length} servers would answer, and a quorum is ${needed}; bring the others back, or restore their zones, first`,
  );
}

/** The topology after a change that nothing refuses. */
export function changedTopology(topology: Topology, change: ClusterChange): Topology {
  switch (change.change) {
    case 'addServer': {
      const servers = [...topology.servers, change.server].sort((a, b) => a.id - b.id);
      return { ...topology, servers };
    }
    case 'removeServers': {
      const servers = topology.servers.filter(({ id }) => !change.ids.includes(id));
      const removed = [...(topology.removed ?? []), ...change.ids].sort((a, b) => a - b);
      return { ...topology, servers, removed };
    }
    default: {
      const drained = change.change === 'drainZone';
      const zones = topology.zones.map((zone) =>
        zone.name === change.zone ? { ...zone, drained } : zone,
      );
      return { ...topology, zones };
    }
  }
}

/** Why these are not the words of a change, or null: whoever sends them may be of another release. */
export function changeProblem(change: ClusterChange): string | null {
  switch (change.change) {
    case 'addServer':
      return serverProblem(change.server);
    case 'removeServers':
      if (!Array.isArray(change.ids) || change.ids.length === 0) return 'ids: none given';
      if (new Set(change.ids).size < change.ids.length) return 'ids: one is given twice';
      return change.ids.every(isServerId) ? null : `ids: each is 1 to ${SERVER_ID_MAX}`;
    case 'drainZone':
    case 'restoreZone':
      return typeof change.zone === 'string' && change.zone !== '' ? null : 'zone: not given';
    default:
      return 'its kind is unknown';
  }
}

function serverProblem(server: ServerPlace): string | null {
  if (typeof server !== 'object' || server === null) return 'server: not given';
  if (!isServerId(server.id)) return `id: must be 1 to ${SERVER_ID_MAX}`;
  if (typeof server.zone !== 'string' || server.zone === '') return 'zone: not given';
  for (const field of ['address', 'peerAddress'] as const) {
    const port = Number(
      /^(?:\[[0-9a-fA-F:]+\]|[^\s:[\]]+):(\d{1,5})$/.exec(server[field] ?? '')?.[1],
    );
    if (!(port >= 1 && port <= 65_535)) return `${field}: must be host:port`;
  }
  return null;
}

function isServerId(id: unknown): id is ServerId {
  return Number.isInteger(id) && (id as number) >= 1 && (id as number) <= SERVER_ID_MAX;
}

function refusal(code: ChangeRefusal['code'], message: string): ChangeRefusal {
  return { code, message };
}

function names(zones: readonly { readonly name: string }[]): string {
  return zones.map(({ name }) => name).join(', ');
}

function idsOf(servers: readonly { readonly id: ServerId }[]): string {
  return servers.map(({ id }) => id).join(', ');
}

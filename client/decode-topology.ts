import protobuf from 'protobufjs/minimal.js';
import type { ClusterServer, Ledger, Topology, TopologyUnit } from './types.ts';

/** GetTopologyResponse of proto/evenkeel/v1/cluster.proto. Unknown fields are skipped. */
export function decodeTopology(bytes: Uint8Array): Topology {
  const topology = {
    clusterId: '',
    protocolVersion: 0,
    serverId: 0,
    zone: '',
    zones: [] as { name: string; leaderWeight: number; drained: boolean }[],
    servers: [] as ClusterServer[],
    ledgers: [] as { number: number; currency: string; scale: number }[],
    units: [] as TopologyUnit[],
    registryLeaderServerId: 0,
    ailment: '',
    clockErrorMs: 0,
  };
  fields(protobuf.Reader.create(bytes), (reader, field) => {
    if (field === 1) topology.clusterId = reader.string();
    else if (field === 2) topology.protocolVersion = reader.uint32();
    else if (field === 3) topology.serverId = reader.uint32();
    else if (field === 4) topology.zone = reader.string();
    else if (field === 5) topology.zones.push(zone(reader));
    else if (field === 6) topology.servers.push(server(reader));
    else if (field === 7) topology.ledgers.push(ledger(reader));
    else if (field === 8) topology.units.push(unit(reader));
    else if (field === 9) topology.registryLeaderServerId = reader.uint32();
    else if (field === 10) topology.ailment = reader.string();
    else if (field === 11) topology.clockErrorMs = Number(reader.sint64());
    else return false;
    return true;
  });
  return topology;
}

/** ListLedgersResponse of the same file. */
export function decodeLedgers(bytes: Uint8Array): Ledger[] {
  const ledgers: Ledger[] = [];
  fields(protobuf.Reader.create(bytes), (reader, field) => {
    if (field !== 1) return false;
    ledgers.push(ledger(reader));
    return true;
  });
  return ledgers;
}

/** CreateLedgerResponse of the same file: was it there already? */
export function decodeExisted(bytes: Uint8Array): boolean {
  let existed = false;
  fields(protobuf.Reader.create(bytes), (reader, field) => {
    if (field !== 2) return false;
    existed = reader.bool();
    return true;
  });
  return existed;
}

const ROLES = ['unspecified', 'none', 'follower', 'candidate', 'leader', 'learner'] as const;

function zone(outer: protobuf.Reader) {
  const zone = { name: '', leaderWeight: 0, drained: false };
  fields(nested(outer), (reader, field) => {
    if (field === 1) zone.name = reader.string();
    else if (field === 2) zone.leaderWeight = reader.uint32();
    else if (field === 3) zone.drained = reader.bool();
    else return false;
    return true;
  });
  return zone;
}

function server(outer: protobuf.Reader) {
  const server = { id: 0, zone: '', address: '', peerAddress: '' };
  fields(nested(outer), (reader, field) => {
    if (field === 1) server.id = reader.uint32();
    else if (field === 2) server.zone = reader.string();
    else if (field === 3) server.address = reader.string();
    else if (field === 4) server.peerAddress = reader.string();
    else return false;
    return true;
  });
  return server;
}

function ledger(outer: protobuf.Reader) {
  const ledger = { number: 0, currency: '', scale: 0 };
  fields(nested(outer), (reader, field) => {
    if (field === 1) ledger.number = reader.uint32();
    else if (field === 2) ledger.currency = reader.string();
    else if (field === 3) ledger.scale = reader.uint32();
    else return false;
    return true;
  });
  return ledger;
}

function unit(outer: protobuf.Reader): TopologyUnit {
  const slots: { first: number; last: number }[] = [];
  const unit = {
    id: 0,
    slotCount: 0,
    slots,
    leaderServerId: 0,
    term: 0,
    commitIndex: 0,
    appliedIndex: 0,
    booksIndex: 0,
    lastIndex: 0,
    executionDigest: '',
    role: ROLES[0] as TopologyUnit['role'],
    voters: [] as number[],
    learners: [] as number[],
  };
  fields(nested(outer), (reader, field) => {
    if (field === 1) unit.id = reader.uint32();
    else if (field === 2) unit.slotCount = reader.uint32();
    else if (field === 3) slots.push(slotRange(reader));
    else if (field === 4) unit.leaderServerId = reader.uint32();
    else if (field === 5) unit.term = number(reader);
    else if (field === 6) unit.commitIndex = number(reader);
    else if (field === 7) unit.appliedIndex = number(reader);
    else if (field === 8) unit.booksIndex = number(reader);
    else if (field === 9) unit.lastIndex = number(reader);
    else if (field === 10) unit.executionDigest = reader.string();
    else if (field === 11) unit.role = ROLES[reader.uint32()] ?? 'unspecified';
    else if (field === 12) numbers(reader, unit.voters);
    else if (field === 13) numbers(reader, unit.learners);
    else return false;
    return true;
  });
  return unit;
}

/** Packed, as every proto3 writer makes them. */
function numbers(outer: protobuf.Reader, into: number[]): void {
  const reader = nested(outer);
  while (reader.pos < reader.len) into.push(reader.uint32());
}

function slotRange(outer: protobuf.Reader) {
  const range = { first: 0, last: 0 };
  fields(nested(outer), (reader, field) => {
    if (field === 1) range.first = reader.uint32();
    else if (field === 2) range.last = reader.uint32();
    else return false;
    return true;
  });
  return range;
}

/** `take` reads the field and returns true, or returns false to have it skipped. */
function fields(
  reader: protobuf.Reader,
  take: (reader: protobuf.Reader, field: number) => boolean,
): void {
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (!take(reader, tag >>> 3)) reader.skipType(tag & 7);
  }
}

function nested(reader: protobuf.Reader): protobuf.Reader {
  return protobuf.Reader.create(reader.bytes());
}

/** Terms and log indexes stay far below 2^53. */
function number(reader: protobuf.Reader): number {
  return Number(reader.uint64());
}

import type protobuf from 'protobufjs';

/** What GetTopology answers: the cluster as this server sees it now. */
export interface TopologyView {
  readonly clusterId: string;
  readonly protocolVersion: number;
  readonly serverId: number;
  readonly zone: string;
  readonly zones: readonly {
    readonly name: string;
    readonly leaderWeight: number;
    readonly drained?: boolean;
  }[];
  readonly servers: readonly {
    readonly id: number;
    readonly zone: string;
    /** host:port of its gRPC services. */
    readonly address: string;
    readonly peerAddress: string;
  }[];
  readonly ledgers: readonly {
    readonly number: number;
    readonly currency: string;
    readonly scale: number;
  }[];
  readonly units: readonly UnitView[];
  /** 0 = none known. */
  readonly registryLeaderServerId: number;
  /** Of this server; empty if it is well. */
  readonly ailment: string;
  /** A whole number. */
  readonly clockErrorMs: number;
}

export interface UnitView {
  readonly id: number;
  /** Both ends included, ascending. */
  readonly slots: readonly { readonly first: number; readonly last: number }[];
  /** 0 = none known. */
  readonly leaderServerId: number;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly booksIndex: number;
  readonly lastIndex: number;
  /** At appliedIndex, hex. */
  readonly executionDigest: string;
  readonly role: keyof typeof ROLES;
  readonly voters: readonly number[];
  readonly learners: readonly number[];
}

const ROLES = {
  none: 'ROLE_NONE',
  follower: 'ROLE_FOLLOWER',
  preCandidate: 'ROLE_CANDIDATE',
  candidate: 'ROLE_CANDIDATE',
  leader: 'ROLE_LEADER',
  learner: 'ROLE_LEARNER',
} as const;

export function encodeTopology(schema: protobuf.Root, view: TopologyView): Buffer {
  const type = schema.lookupType('evenkeel.v1.GetTopologyResponse');
  const units = view.units.map((unit) => ({
    ...unit,
    slotCount: unit.slots.reduce((sum, { first, last }) => sum + last - first + 1, 0),
    role: ROLES[unit.role],
  }));
  return Buffer.from(type.encode(type.fromObject({ ...view, units })).finish());
}

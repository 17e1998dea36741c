import protobuf from 'protobufjs/minimal.js';
import { ClientError } from './error.ts';
import type { ClusterServer } from './types.ts';

/** Requests that change the cluster, of proto/evenkeel/v1/cluster.proto. */

const SERVER_ID_MAX = 65_535;

export function encodeAddServer({ id, zone, address, peerAddress }: ClusterServer): Buffer {
  checkId(id);
  const writer = protobuf.Writer.create();
  writer.uint32(10).fork().uint32(8).uint32(id).uint32(18).string(zone);
  writer.uint32(26).string(address).uint32(34).string(peerAddress).ldelim();
  return Buffer.from(writer.finish());
}

export function encodeRemoveServers(ids: readonly number[]): Buffer {
  if (ids.length === 0) throw new ClientError('invalid_argument', 'ids: none given');
  const writer = protobuf.Writer.create();
  writer.uint32(10).fork();
  for (const id of ids) {
    checkId(id);
    writer.uint32(id);
  }
  return Buffer.from(writer.ldelim().finish());
}

export function encodeZone(zone: string): Buffer {
  if (zone === '') throw new ClientError('invalid_argument', 'zone: not given');
  return Buffer.from(protobuf.Writer.create().uint32(10).string(zone).finish());
}

function checkId(id: number): void {
  if (Number.isInteger(id) && id >= 1 && id <= SERVER_ID_MAX) return;
  throw new ClientError('invalid_argument', `id: ${id}, must be 1 .. ${SERVER_ID_MAX}`);
}

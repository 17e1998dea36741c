import protobuf, { type Reader } from 'protobufjs/minimal.js';
import type { ServerId } from '../../../consensus/types.ts';
import type { Lane } from '../../core/messages.ts';
import type { Place } from './emulation.ts';

/** The first frame of a stream. */
export interface Hello {
  readonly clusterId: string;
  readonly serverId: ServerId;
  readonly zone: string;
  readonly protocolVersion: number;
  readonly epoch: number;
  readonly lane: Lane;
  /** Of the sender's data folder, 32 hex digits. */
  readonly disk: string;
  /** How far the sender's log is durable; see Log. */
  readonly logEnd: number;
}

/** The answer to it. */
export interface Welcome {
  readonly serverId: ServerId;
  readonly epoch: number;
}

export interface HelloRules {
  readonly self: ServerId;
  readonly clusterId: string;
  readonly protocolVersion: number;
  /** A server that is known here. */
  peerOf(id: ServerId): Place | undefined;
  /** Why a known peer with this disk, or this log, is refused; see known-disks.ts. */
  diskRefusal(hello: Hello): string | null;
}

/** How the refusal of a server begins that was known with another disk: it must end, whatever else it would do. */
export const OTHER_DISK = 'other disk';

/** Why a hello is refused, or null if it is welcome. */
export function refusalOf(hello: Hello, rules: HelloRules): string | null {
  if (hello.clusterId !== rules.clusterId) {
    return `other cluster: this is ${rules.clusterId}, the caller belongs to ${hello.clusterId}`;
  }
  if (hello.protocolVersion !== rules.protocolVersion) {
    return `other protocol version: this is ${rules.protocolVersion}, the caller speaks ${hello.protocolVersion}`;
  }
  if (hello.serverId === rules.self) return `own id: this is server ${rules.self} itself`;
  const peer = rules.peerOf(hello.serverId);
  if (peer === undefined)
    return `unknown server: ${hello.serverId} is not configured here, nor added by 'evenkeel member add'`;
  if (peer.zone !== hello.zone) {
    return `unknown server: ${hello.serverId} is in zone ${peer.zone}, the caller says ${hello.zone}`;
  }
  return rules.diskRefusal(hello);
}

const LANES: readonly (Lane | null)[] = [null, 'control', 'bulk'];

export function encodeHello(hello: Hello): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(10).fork();
  writer.uint32(10).string(hello.clusterId);
  writer.uint32(16).uint32(hello.serverId);
  writer.uint32(26).string(hello.zone);
  writer.uint32(32).uint32(hello.protocolVersion);
  writer.uint32(40).uint64(hello.epoch);
  writer.uint32(48).uint32(LANES.indexOf(hello.lane));
  writer.uint32(58).string(hello.disk);
  writer.uint32(64).uint64(hello.logEnd);
  return writer.ldelim().finish();
}

/** Unlike in other frames unknown fields are skipped, so that another version can still be told its number. */
export function decodeHello(frame: Uint8Array): Hello {
  const hello = {
    clusterId: '',
    serverId: 0,
    zone: '',
    protocolVersion: 0,
    epoch: 0,
    disk: '',
    logEnd: 0,
  };
  let lane: Lane | null = null;
  readOnly(frame, (field, reader) => {
    if (field === 10) hello.clusterId = reader.string();
    else if (field === 16) hello.serverId = reader.uint32();
    else if (field === 26) hello.zone = reader.string();
    else if (field === 32) hello.protocolVersion = reader.uint32();
    else if (field === 40) hello.epoch = Number(reader.uint64());
    else if (field === 48) lane = LANES[reader.uint32()] ?? null;
    else if (field === 58) hello.disk = reader.string();
    else if (field === 64) hello.logEnd = Number(reader.uint64());
    else reader.skipType(field & 7);
  });
  if (lane === null) throw new Error('the hello names no lane');
  return { ...hello, lane };
}

export function encodeWelcome(welcome: Welcome): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(10).fork();
  writer.uint32(8).uint32(welcome.serverId);
  writer.uint32(16).uint64(welcome.epoch);
  return writer.ldelim().finish();
}

export function decodeWelcome(frame: Uint8Array): Welcome {
  const welcome = { serverId: 0, epoch: 0 };
  readOnly(frame, (field, reader) => {
    if (field === 8) welcome.serverId = reader.uint32();
    else if (field === 16) welcome.epoch = Number(reader.uint64());
    else reader.skipType(field & 7);
  });
  return welcome;
}

/** Reads the one message in field 1 of a frame; `read` takes one field, told by its tag. */
function readOnly(frame: Uint8Array, read: (tag: number, reader: Reader) => void): void {
  const reader = protobuf.Reader.create(frame);
  if (reader.pos >= reader.len || reader.uint32() !== 10) throw new Error('no handshake');
  const length = reader.uint32();
  if (reader.pos + length !== reader.len) throw new Error('a handshake stands alone in its frame');
  while (reader.pos < reader.len) read(reader.uint32(), reader);
}

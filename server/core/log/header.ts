import { crc32 } from 'node:zlib';
import { check, LogError } from './error.ts';
import {
  BLOCK_BYTES,
  getU53,
  type LogEnd,
  type LogIdentity,
  RECORDS_OFFSET,
  setU53,
  viewOf,
} from './format.ts';

/** Bytes used of the header block; its CRC is the last word. */
const HEADER_BYTES = 128;
const CRC_AT = HEADER_BYTES - 4;
const ZONE_AT = 40;
export const ZONE_BYTES_MAX = 32;
const MAGIC = new TextEncoder().encode('evenkeel');

const AFTER_ROT = 1;

export interface SegmentHeader {
  readonly identity: LogIdentity;
  readonly segment: number;
  /** Where the segment before it ends; segment 0 for the first. */
  readonly previous: LogEnd;
  /** What came behind `previous` was lost. Else `segment` is the number after the previous one. */
  readonly afterRot: boolean;
  /** Seeds the segment's first record. */
  readonly chain: number;
}

/** The whole header block of a segment. */
export function encodeHeader(
  identity: LogIdentity,
  segment: number,
  previous: LogEnd,
  afterRot: boolean,
): Uint8Array {
  const zone = new TextEncoder().encode(identity.zone);
  check(/^[0-9a-f]{32}$/.test(identity.clusterId), 'a cluster id has 32 hexadecimal digits');
  check(zone.length <= ZONE_BYTES_MAX, `a zone's name has at most ${ZONE_BYTES_MAX} bytes`);
  const bytes = new Uint8Array(BLOCK_BYTES);
  const view = viewOf(bytes);
  bytes.set(MAGIC, 0);
  view.setUint32(8, identity.formatVersion, true);
  view.setUint32(12, segment, true);
  for (let i = 0; i < 16; i++) {
    bytes[16 + i] = Number.parseInt(identity.clusterId.slice(2 * i, 2 * i + 2), 16);
  }
  view.setUint32(32, identity.server, true);
  view.setUint32(36, zone.length, true);
  bytes.set(zone, ZONE_AT);
  setU53(view, 72, previous.offset);
  view.setUint32(80, previous.chain, true);
  view.setUint32(84, previous.segment, true);
  view.setUint32(88, afterRot ? AFTER_ROT : 0, true);
  view.setUint32(CRC_AT, crc32(bytes.subarray(0, CRC_AT)), true);
  return bytes;
}

export function headerChain(header: Uint8Array): number {
  return viewOf(header).getUint32(CRC_AT, true);
}

/** Null if these are not the bytes of a header. */
export function decodeHeader(bytes: Uint8Array): SegmentHeader | null {
  if (bytes.length < HEADER_BYTES) return null;
  const view = viewOf(bytes);
  const chain = view.getUint32(CRC_AT, true);
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) return null;
  if (crc32(bytes.subarray(0, CRC_AT)) !== chain) return null;
  const zoneBytes = Math.min(view.getUint32(36, true), ZONE_BYTES_MAX);
  return {
    identity: {
      clusterId: hex(bytes.subarray(16, 32)),
      server: view.getUint32(32, true),
      zone: new TextDecoder().decode(bytes.subarray(ZONE_AT, ZONE_AT + zoneBytes)),
      formatVersion: view.getUint32(8, true),
    },
    segment: view.getUint32(12, true),
    previous: {
      segment: view.getUint32(84, true),
      offset: getU53(view, 72),
      chain: view.getUint32(80, true),
    },
    afterRot: view.getUint32(88, true) === AFTER_ROT,
    chain,
  };
}

/** Where the first record of the segment goes. */
export function recordsStart(header: SegmentHeader): LogEnd {
  return { segment: header.segment, offset: RECORDS_OFFSET, chain: header.chain };
}

/** Refuses a log that another server, cluster, zone or version wrote. */
export function checkIdentity(name: string, found: LogIdentity, own: LogIdentity): void {
  if (describe(found) === describe(own)) return;
  throw new LogError(
    'log_foreign',
    `${name} belongs to ${describe(found)}, but this is ${describe(own)}; give each server its own folder`,
  );
}

function describe(identity: LogIdentity): string {
  const { clusterId, server, zone, formatVersion } = identity;
  return `cluster ${clusterId}, server ${server}, zone ${zone}, log format ${formatVersion}`;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

import { SERVERS_MAX } from '../limits.ts';
import type { LedgerDefinition, ServerPlace } from '../topology.ts';
import {
  ADD_SERVER_FIELDS,
  ADD_SERVER_WIRE_TYPES,
  CREATE_LEDGER_FIELDS,
  CREATE_LEDGER_WIRE_TYPES,
  REMOVE_SERVERS_FIELDS,
  REMOVE_SERVERS_WIRE_TYPES,
  SERVER_FIELDS,
  SERVER_WIRE_TYPES,
  ZONE_FIELDS,
  ZONE_WIRE_TYPES,
} from './fields.ts';
import { Reader } from './reader.ts';

/** Requests of the Cluster service. Each throws EvenkeelError 'invalid_request' and nothing else, see requests.ts. */

export function decodeCreateLedger(bytes: Uint8Array): LedgerDefinition {
  const reader = new Reader(bytes, CREATE_LEDGER_FIELDS);
  let ledger = 0;
  let currency = '';
  let scale = 0;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === 0x08) ledger = reader.varint();
    else if (tag === 0x12) currency = reader.string();
    else if (tag === 0x18) scale = reader.varint();
    else reader.refuseTag(CREATE_LEDGER_WIRE_TYPES);
  }
  return { ledger, currency, scale };
}

export function decodeAddServer(bytes: Uint8Array): Required<ServerPlace> {
  const reader = new Reader(bytes, ADD_SERVER_FIELDS);
  const server = { id: 0, zone: '', address: '', peerAddress: '' };
  while (reader.pos < reader.end) {
    if (reader.tag() !== 0x0a) reader.refuseTag(ADD_SERVER_WIRE_TYPES);
    reader.enterEvent('server', 0, SERVER_FIELDS);
    while (reader.pos < reader.end) {
      const tag = reader.tag();
      if (tag === 0x08) server.id = reader.varint();
      else if (tag === 0x12) server.zone = reader.string();
      else if (tag === 0x1a) server.address = reader.string();
      else if (tag === 0x22) server.peerAddress = reader.string();
      else reader.refuseTag(SERVER_WIRE_TYPES);
    }
    reader.leaveEvent(ADD_SERVER_FIELDS);
  }
  return server;
}

/** Ids packed, as every proto3 writer makes them. */
export function decodeRemoveServers(bytes: Uint8Array): number[] {
  const reader = new Reader(bytes, REMOVE_SERVERS_FIELDS);
  const ids: number[] = [];
  while (reader.pos < reader.end) {
    if (reader.tag() !== 0x0a) reader.refuseTag(REMOVE_SERVERS_WIRE_TYPES);
    const end = reader.length();
    while (reader.pos < end) ids.push(reader.varint());
    if (reader.pos > end) reader.fail('a number passes the end');
    if (ids.length > SERVERS_MAX) reader.fail(`more than ${SERVERS_MAX}`);
  }
  return ids;
}

export function decodeZone(bytes: Uint8Array): string {
  const reader = new Reader(bytes, ZONE_FIELDS);
  let zone = '';
  while (reader.pos < reader.end) {
    if (reader.tag() === 0x0a) zone = reader.string();
    else reader.refuseTag(ZONE_WIRE_TYPES);
  }
  return zone;
}

/** Of a message that has no fields. */
export function decodeNothing(bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  const reader = new Reader(bytes, []);
  reader.tag();
  reader.refuseTag([]);
}

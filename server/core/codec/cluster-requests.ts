import type { LedgerDefinition } from '../topology.ts';
import { CREATE_LEDGER_FIELDS, CREATE_LEDGER_WIRE_TYPES } from './fields.ts';
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

/** Of a message that has no fields. */
export function decodeNothing(bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  const reader = new Reader(bytes, []);
  reader.tag();
  reader.refuseTag([]);
}

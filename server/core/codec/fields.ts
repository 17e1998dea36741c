import { SET_BY_LEDGER } from './reader.ts';

/**
 * Field numbers of proto/evenkeel/v1 as the hand-written codecs use them. The property
 * tests hold them against the .proto file.
 */

/** Names by field number, for the text of errors. */
export const TRANSFER_FIELDS: readonly string[] = [
  '',
  'id',
  'debit_account_id',
  'credit_account_id',
  'amount',
  'pending_id',
  'user_data_128',
  'user_data_64',
  'user_data_32',
  'timeout',
  'ledger',
  'code',
  'flags',
  'timestamp',
  'pending_state',
  'expires_timestamp',
];
/** Wire types by field number: 0 varint, 1 fixed64, 2 bytes; -1 where there is no field. */
export const TRANSFER_WIRE_TYPES: readonly number[] = [
  -1,
  ...[2, 2, 2, 2, 2, 2, 1, 0, 0, 0, 0, 0, 1],
  SET_BY_LEDGER,
  SET_BY_LEDGER,
];

export const TransferTag = {
  id: 0x0a,
  debitAccountId: 0x12,
  creditAccountId: 0x1a,
  amount: 0x22,
  pendingId: 0x2a,
  userData128: 0x32,
  userData64: 0x39,
  userData32: 0x40,
  timeout: 0x48,
  ledger: 0x50,
  code: 0x58,
  flags: 0x60,
  timestamp: 0x69,
  pendingState: 0x70,
  expiresTimestamp: 0x79,
} as const;

export const ACCOUNT_FIELDS: readonly string[] = [
  '',
  'id',
  'debits_pending',
  'debits_posted',
  'credits_pending',
  'credits_posted',
  'user_data_128',
  'user_data_64',
  'user_data_32',
  'ledger',
  'code',
  'flags',
  'timestamp',
];
export const ACCOUNT_WIRE_TYPES: readonly number[] = [-1, 2, 2, 2, 2, 2, 2, 1, 0, 0, 0, 0, 1];

export const AccountTag = {
  id: 0x0a,
  debitsPending: 0x12,
  debitsPosted: 0x1a,
  creditsPending: 0x22,
  creditsPosted: 0x2a,
  userData128: 0x32,
  userData64: 0x39,
  userData32: 0x40,
  ledger: 0x48,
  code: 0x50,
  flags: 0x58,
  timestamp: 0x61,
} as const;

export const CREATE_ACCOUNTS_FIELDS: readonly string[] = ['', 'accounts'];
export const CREATE_ACCOUNTS_WIRE_TYPES: readonly number[] = [-1, 2];
export const CREATE_TRANSFERS_FIELDS: readonly string[] = ['', 'transfers', 'balances'];
export const CREATE_TRANSFERS_WIRE_TYPES: readonly number[] = [-1, 2, 0];
export const LOOKUP_FIELDS: readonly string[] = ['', 'ids'];
export const LOOKUP_WIRE_TYPES: readonly number[] = [-1, 2];

export const CREATE_LEDGER_FIELDS: readonly string[] = ['', 'number', 'currency', 'scale'];
export const CREATE_LEDGER_WIRE_TYPES: readonly number[] = [-1, 0, 2, 0];

export const ADD_SERVER_FIELDS: readonly string[] = ['', 'server'];
export const ADD_SERVER_WIRE_TYPES: readonly number[] = [-1, 2];
export const SERVER_FIELDS: readonly string[] = ['', 'id', 'zone', 'address', 'peer_address'];
export const SERVER_WIRE_TYPES: readonly number[] = [-1, 0, 2, 2, 2];
export const REMOVE_SERVERS_FIELDS: readonly string[] = ['', 'server_ids'];
export const REMOVE_SERVERS_WIRE_TYPES: readonly number[] = [-1, 2];
export const ZONE_FIELDS: readonly string[] = ['', 'zone'];
export const ZONE_WIRE_TYPES: readonly number[] = [-1, 2];

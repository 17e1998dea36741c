/** Field numbers of the requests that read, as fields.ts has those of the others. */

export const ACCOUNT_TRANSFERS_FIELDS: readonly string[] = [
  '',
  'account_id',
  'from_timestamp',
  'to_timestamp',
  'reversed',
  'limit',
  'user_data_128',
  'user_data_64',
  'user_data_32',
  'code',
  'side',
  'balances',
  'page_token',
];
export const ACCOUNT_TRANSFERS_WIRE_TYPES: readonly number[] = [
  -1, 2, 1, 1, 0, 0, 2, 1, 0, 0, 0, 0, 2,
];

export const ACCOUNT_BALANCE_FIELDS: readonly string[] = ['', 'account_id', 'timestamp'];
export const ACCOUNT_BALANCE_WIRE_TYPES: readonly number[] = [-1, 2, 1];

export const QUERY_ACCOUNTS_FIELDS: readonly string[] = [
  '',
  'user_data_128',
  'user_data_64',
  'user_data_32',
  'ledger',
  'code',
  'from_timestamp',
  'to_timestamp',
  'reversed',
  'limit',
  'page_token',
];
export const QUERY_ACCOUNTS_WIRE_TYPES: readonly number[] = [-1, 2, 1, 0, 0, 0, 1, 1, 0, 0, 2];

export const QUERY_TRANSFERS_FIELDS: readonly string[] = [
  '',
  'user_data_128',
  'user_data_64',
  'user_data_32',
  'ledger',
  'code',
  'from_timestamp',
  'to_timestamp',
  'amount_min',
  'amount_max',
  'pending_state',
  'reversed',
  'limit',
  'page_token',
];
export const QUERY_TRANSFERS_WIRE_TYPES: readonly number[] = [
  -1, 2, 1, 0, 0, 0, 1, 1, 2, 2, 0, 0, 0, 2,
];

export const WATCH_FIELDS: readonly string[] = ['', 'unit', 'after_timestamp', 'cursor'];
export const WATCH_WIRE_TYPES: readonly number[] = [-1, 0, 1, 2];

import { describe, expect, it } from 'vitest';
import { AccountFlag, PendingState, TransferFlag } from '../../../ledger/layout.ts';
import { AccountStatus, TransferStatus } from '../../../ledger/status.ts';
import {
  ACCOUNT_FIELDS,
  ADD_SERVER_FIELDS,
  CREATE_ACCOUNTS_FIELDS,
  CREATE_LEDGER_FIELDS,
  CREATE_TRANSFERS_FIELDS,
  LOOKUP_FIELDS,
  REMOVE_SERVERS_FIELDS,
  SERVER_FIELDS,
  TRANSFER_FIELDS,
  ZONE_FIELDS,
} from './fields.ts';
import {
  ACCOUNT_BALANCE_FIELDS,
  ACCOUNT_TRANSFERS_FIELDS,
  QUERY_ACCOUNTS_FIELDS,
  QUERY_TRANSFERS_FIELDS,
  WATCH_FIELDS,
} from './read-fields.ts';
import { message, schema } from './testing/schema.ts';

/** Names and numbers as in ledger/status.ts: without prefix, lower case, as unsigned 32 bits. */
function statuses(name: string, prefix: string): Record<string, number> {
  const { values } = schema.lookupEnum(`evenkeel.v1.${name}`);
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => {
      expect(key.startsWith(prefix)).toBe(true);
      return [key.slice(prefix.length).toLowerCase(), value >>> 0];
    }),
  );
}

/** As the .proto file writes them. */
function flags(prefix: string, bits: Record<string, number>): Record<string, number> {
  const named = Object.entries(bits).map(([name, bit]) => [
    `${prefix}_${snake(name).toUpperCase()}`,
    bit,
  ]);
  return Object.fromEntries([[`${prefix}_NONE`, 0], ...named]) as Record<string, number>;
}

describe('the .proto files agree with the ledger', () => {
  it('on the statuses of accounts', () => {
    expect(statuses('AccountStatus', 'ACCOUNT_STATUS_')).toEqual({
      unspecified: 0,
      ...AccountStatus,
    });
  });

  it('on the statuses of transfers', () => {
    expect(statuses('TransferStatus', 'TRANSFER_STATUS_')).toEqual({
      unspecified: 0,
      ...TransferStatus,
    });
  });

  it('on the states of pending transfers', () => {
    const { values } = schema.lookupEnum('evenkeel.v1.PendingState');
    expect(
      Object.fromEntries(
        Object.entries(values).map(([name, value]) => [
          name.replace('PENDING_STATE_', '').toLowerCase(),
          value,
        ]),
      ),
    ).toEqual(PendingState);
  });

  it('on the account flags that users may set', () => {
    // Spread accounts are not served yet.
    const { spread: _, ...served } = AccountFlag;
    expect(schema.lookupEnum('evenkeel.v1.AccountFlag').values).toEqual(
      flags('ACCOUNT_FLAG', served),
    );
  });

  it('on the transfer flags', () => {
    expect(schema.lookupEnum('evenkeel.v1.TransferFlag').values).toEqual(
      flags('TRANSFER_FLAG', TransferFlag),
    );
  });
});

describe('the codecs know every field of the .proto files', () => {
  it.each([
    ['Account', ACCOUNT_FIELDS],
    ['Transfer', TRANSFER_FIELDS],
    ['CreateAccountsRequest', CREATE_ACCOUNTS_FIELDS],
    ['CreateTransfersRequest', CREATE_TRANSFERS_FIELDS],
    ['LookupAccountsRequest', LOOKUP_FIELDS],
    ['LookupTransfersRequest', LOOKUP_FIELDS],
    ['CreateLedgerRequest', CREATE_LEDGER_FIELDS],
    ['AddServerRequest', ADD_SERVER_FIELDS],
    ['Server', SERVER_FIELDS],
    ['RemoveServersRequest', REMOVE_SERVERS_FIELDS],
    ['DrainZoneRequest', ZONE_FIELDS],
    ['RestoreZoneRequest', ZONE_FIELDS],
    ['GetTopologyRequest', ['']],
    ['ListLedgersRequest', ['']],
    ['GetAccountTransfersRequest', ACCOUNT_TRANSFERS_FIELDS],
    ['GetAccountBalanceRequest', ACCOUNT_BALANCE_FIELDS],
    ['QueryAccountsRequest', QUERY_ACCOUNTS_FIELDS],
    ['QueryTransfersRequest', QUERY_TRANSFERS_FIELDS],
    ['WatchEventsRequest', WATCH_FIELDS],
  ])('%s', (name, fields) => {
    const declared = message(name).fieldsArray.map((field) => [field.id, snake(field.name)]);
    expect(declared).toEqual(fields.map((field, id) => [id, field]).slice(1));
  });
});

/** protobufjs turns user_data_128 into userData_128, and account_id into accountId. */
function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

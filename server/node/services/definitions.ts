import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

/** The services as grpc-js takes them, with messages left as bytes: our own codecs read and write them. */
type Bytes = MethodDefinition<Buffer, Buffer>;

const pass = (bytes: Buffer): Buffer => bytes;

function method(service: string, name: string, stream: boolean): Bytes {
  return {
    path: `/evenkeel.v1.${service}/${name}`,
    requestStream: stream,
    responseStream: stream,
    requestSerialize: pass,
    requestDeserialize: pass,
    responseSerialize: pass,
    responseDeserialize: pass,
  };
}

export const LedgerService = {
  CreateAccounts: method('Ledger', 'CreateAccounts', false),
  CreateTransfers: method('Ledger', 'CreateTransfers', false),
  SubmitTransfers: method('Ledger', 'SubmitTransfers', true),
  LookupAccounts: method('Ledger', 'LookupAccounts', false),
  LookupTransfers: method('Ledger', 'LookupTransfers', false),
  GetAccountTransfers: method('Ledger', 'GetAccountTransfers', false),
  GetAccountBalance: method('Ledger', 'GetAccountBalance', false),
  QueryAccounts: method('Ledger', 'QueryAccounts', false),
  QueryTransfers: method('Ledger', 'QueryTransfers', false),
  WatchEvents: { ...method('Ledger', 'WatchEvents', false), responseStream: true },
} satisfies ServiceDefinition;

export const ClusterService = {
  GetTopology: method('Cluster', 'GetTopology', false),
  CreateLedger: method('Cluster', 'CreateLedger', false),
  ListLedgers: method('Cluster', 'ListLedgers', false),
  AddServer: method('Cluster', 'AddServer', false),
  RemoveServers: method('Cluster', 'RemoveServers', false),
  DrainZone: method('Cluster', 'DrainZone', false),
  RestoreZone: method('Cluster', 'RestoreZone', false),
} satisfies ServiceDefinition;

import type protobuf from 'protobufjs';
import type { ClusterChange } from '../../core/cluster-change.ts';
import {
  decodeAddServer,
  decodeCreateLedger,
  decodeNothing,
  decodeRemoveServers,
  decodeZone,
} from '../../core/codec/cluster-requests.ts';
import type { RequestHandle } from '../../core/gateway/api.ts';
import type { LedgerDefinition } from '../../core/topology.ts';
import type { ServiceDeps } from './register.ts';
import { encodeTopology } from './topology.ts';
import { handler } from './unary.ts';

/** What is answered at once has nothing to cancel. */
const ANSWERED: RequestHandle = { cancel: () => {} };

/** Handlers of the Cluster service. */
export function clusterHandlers(deps: ServiceDeps, schema: protobuf.Root) {
  const { gateway, ledgers, changes, topology, onDefect } = deps;
  const change = (method: string, changeOf: (request: Buffer) => ClusterChange) =>
    handler(gateway, onDefect, (request, reply) =>
      changes.make(changeOf(request), (error) => {
        if (error !== null) reply(error);
        else reply(null, encode(schema, method, {}));
      }),
    );
  return {
    // Also while the gateway is full: whoever looks for another server needs it most then.
    GetTopology: handler({ hasRoom: true }, onDefect, (request, reply) => {
      decodeNothing(request);
      reply(null, encodeTopology(schema, topology()));
      return ANSWERED;
    }),
    CreateLedger: handler(gateway, onDefect, (request, reply) => {
      const ledger = decodeCreateLedger(request);
      return ledgers.create(ledger, (error, existed) => {
        if (error !== null) reply(error);
        else reply(null, encode(schema, 'CreateLedger', { ledger: infoOf(ledger), existed }));
      });
    }),
    ListLedgers: handler(gateway, onDefect, (request, reply) => {
      decodeNothing(request);
      return ledgers.list((all) => {
        reply(null, encode(schema, 'ListLedgers', { ledgers: all.map(infoOf) }));
      });
    }),
    AddServer: change('AddServer', (request) => ({
      change: 'addServer',
      server: decodeAddServer(request),
    })),
    RemoveServers: change('RemoveServers', (request) => ({
      change: 'removeServers',
      ids: decodeRemoveServers(request),
    })),
    DrainZone: change('DrainZone', (request) => ({
      change: 'drainZone',
      zone: decodeZone(request),
    })),
    RestoreZone: change('RestoreZone', (request) => ({
      change: 'restoreZone',
      zone: decodeZone(request),
    })),
  };
}

function infoOf({ ledger, currency, scale }: LedgerDefinition) {
  return { number: ledger, currency, scale };
}

function encode(schema: protobuf.Root, method: string, response: Record<string, unknown>): Buffer {
  const type = schema.lookupType(`evenkeel.v1.${method}Response`);
  return Buffer.from(type.encode(type.fromObject(response)).finish());
}

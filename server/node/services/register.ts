import type {
  ChannelOptions,
  Server,
  ServerDuplexStream,
  ServerUnaryCall,
  sendUnaryData,
} from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { Reader } from '../../core/codec/reader.ts';
import { Slab } from '../../core/codec/slab.ts';
import type { Gateway } from '../../core/gateway/api.ts';
import { ClusterService, LedgerService } from './definitions.ts';
import { CALLS_PER_CONNECTION_MAX, REQUEST_BYTES_MAX, WINDOW_BYTES } from './limits.ts';
import { Room } from './room.ts';
import { fileDescriptors, loadSchema } from './schema.ts';
import { SubmitStream } from './submit.ts';
import { encodeTopology, type TopologyView } from './topology.ts';
import { type Report, toReportedStatus, unaryHandlers } from './unary.ts';
import { type Feeds, WatchStreams } from './watch.ts';

/** For `new Server(SERVER_OPTIONS)`. */
export const SERVER_OPTIONS: ChannelOptions = {
  'grpc.max_receive_message_length': REQUEST_BYTES_MAX,
  'grpc.max_concurrent_streams': CALLS_PER_CONNECTION_MAX,
  'grpc-node.flow_control_window': WINDOW_BYTES,
};

export interface ServiceDeps {
  readonly gateway: Gateway;
  readonly topology: () => TopologyView;
  readonly feeds: Feeds;
  /** Called with errors that clients see only as INTERNAL. */
  readonly onDefect: Report;
}

export interface ServicesHandle {
  /**
   * What health checks of "" and "evenkeel.v1.Ledger" say; not serving at first. "evenkeel.v1.Cluster" serves
   * as soon as it is registered.
   */
  setServing(serving: boolean): void;
}

type TopologyCall = ServerUnaryCall<Buffer, Buffer>;

/** Of a message that has no fields. */
function refuseFields(message: Buffer): void {
  const reader = new Reader(message, []);
  if (message.length === 0) return;
  reader.tag();
  reader.refuseTag([]);
}

/** Adds Ledger, Cluster, health and reflection to a server. */
export function registerServices(server: Server, deps: ServiceDeps): ServicesHandle {
  const { gateway, topology, feeds, onDefect } = deps;
  const schema = loadSchema();
  const slab = new Slab();
  const room = new Room(gateway);
  const watches = new WatchStreams(feeds, onDefect);

  server.addService(LedgerService, {
    ...unaryHandlers(gateway, slab, onDefect),
    SubmitTransfers: (call: ServerDuplexStream<Buffer, Buffer>) => {
      new SubmitStream(call, { gateway, slab, room, report: onDefect });
    },
    WatchEvents: watches.open,
  });
  server.addService(ClusterService, {
    GetTopology: (call: TopologyCall, callback: sendUnaryData<Buffer>) => {
      try {
        refuseFields(call.request);
        callback(null, encodeTopology(schema, topology()));
      } catch (error) {
        callback(toReportedStatus(error, onDefect));
      }
    },
  });
  new ReflectionService({
    evenkeel: { fileDescriptorProtos: fileDescriptors() },
  } as never).addToServer(server);

  const health = new HealthImplementation({
    '': 'NOT_SERVING',
    'evenkeel.v1.Ledger': 'NOT_SERVING',
    'evenkeel.v1.Cluster': 'SERVING',
  });
  health.addToServer(server);
  return {
    setServing(serving) {
      const status = serving ? 'SERVING' : 'NOT_SERVING';
      health.setStatus('', status);
      health.setStatus('evenkeel.v1.Ledger', status);
    },
  };
}

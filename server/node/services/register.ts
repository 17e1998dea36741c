import type { ChannelOptions, Server, ServerDuplexStream } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { Slab } from '../../core/codec/slab.ts';
import type { Gateway } from '../../core/gateway/api.ts';
import type { ClusterChanges } from '../../core/gateway/cluster-changes.ts';
import type { Ledgers } from '../../core/gateway/ledgers.ts';
import { clusterHandlers } from './cluster.ts';
import { ClusterService, LedgerService } from './definitions.ts';
import { CALLS_PER_CONNECTION_MAX, REQUEST_BYTES_MAX, WINDOW_BYTES } from './limits.ts';
import { Room } from './room.ts';
import { fileDescriptors, loadSchema } from './schema.ts';
import { SubmitStream } from './submit.ts';
import type { TopologyView } from './topology.ts';
import { type Report, unaryHandlers } from './unary.ts';
import { type Feeds, WatchStreams } from './watch.ts';

/** For `new Server(SERVER_OPTIONS)`. */
export const SERVER_OPTIONS: ChannelOptions = {
  'grpc.max_receive_message_length': REQUEST_BYTES_MAX,
  'grpc.max_concurrent_streams': CALLS_PER_CONNECTION_MAX,
  'grpc-node.flow_control_window': WINDOW_BYTES,
};

export interface ServiceDeps {
  readonly gateway: Gateway;
  readonly ledgers: Ledgers;
  readonly changes: Pick<ClusterChanges, 'make'>;
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

/** Adds Ledger, Cluster, health and reflection to a server. */
export function registerServices(server: Server, deps: ServiceDeps): ServicesHandle {
  const { gateway, feeds, onDefect } = deps;
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
  server.addService(ClusterService, clusterHandlers(deps, loadSchema()));
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

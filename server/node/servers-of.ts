import type { Topology } from '../core/topology.ts';
import type { ServerConfig } from './config.ts';

export type ServerRow = ServerConfig['servers'][number];

/**
 * The servers that there are: those that the registry names, at the addresses that the configuration gives them or, of
 * those that came later, the registry. The configured ones while the registry is not known here.
 */
export function serversOf(config: ServerConfig, topology: Topology | null): readonly ServerRow[] {
  if (topology === null) return config.servers;
  return topology.servers.flatMap(({ id, zone, address, peerAddress }): ServerRow[] => {
    const configured = config.servers.find((row) => row.id === id);
    if (configured !== undefined) return [configured];
    if (address === undefined || peerAddress === undefined) return [];
    return [{ id, zone, address, peerAddress }];
  });
}

import type { ServerOptions } from '../core/server.ts';
import type { ServerConfig } from './config.ts';

/** The part of the configuration that the core works by. */
export function coreOptions(config: ServerConfig, founders: readonly number[]): ServerOptions {
  const { consensus, limits } = config;
  return {
    self: config.server,
    zone: config.zone,
    clusterId: config.clusterId,
    topology: {
      zones: config.zones,
      servers: config.servers.map(({ id, zone }) => ({ id, zone })),
      ledgers: config.ledgers,
      units: config.units,
    },
    founders,
    shrinkAfterMs: consensus.shrinkAfterMs,
    tickMs: consensus.tickMs,
    heartbeatMs: consensus.heartbeatMs,
    voteRefusalMs: consensus.voteRefusalMs,
    candidacyCityMs: consensus.candidacyCityMs,
    candidacyRemoteMs: consensus.candidacyRemoteMs,
    segmentBytes: limits.segmentBytes,
    logCacheBytes: limits.logCacheBytes,
    logKeepBytes: limits.logKeepBytes,
    diskReserveBytes: limits.diskReserveBytes,
    residentTransfersMax: limits.residentTransfersMax,
  };
}

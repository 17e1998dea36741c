import { EvenkeelClient } from '../../../client/index.ts';
import { QUIET, SERVER_COMMAND } from '../../../cmd/local.ts';
import { LocalCluster, type LocalClusterOptions } from '../../../server/node/local-cluster.ts';
import type { Defer } from './defer.ts';

export const UNITS = 4;

/** Three zones on free ports, ready. */
export async function startCluster(
  defer: Defer,
  dataDir: string,
  overrides?: LocalClusterOptions['overrides'],
): Promise<LocalCluster> {
  const cluster = await LocalCluster.create({
    dataDir,
    units: UNITS,
    zones: 3,
    ports: 'free',
    drill: false,
    command: SERVER_COMMAND,
    log: QUIET,
    ...(overrides && { overrides }),
  });
  defer(() => cluster.stop());
  await cluster.start();
  return cluster;
}

/** One client a zone, each with the other zones to fall back on. */
export function clientsOf(defer: Defer, cluster: LocalCluster): EvenkeelClient[] {
  const addresses = addressesOf(cluster);
  return addresses.map((_, i) => connect(defer, [...addresses.slice(i), ...addresses.slice(0, i)]));
}

/** One client a zone that asks this zone and no other. */
export function zoneClientsOf(defer: Defer, cluster: LocalCluster): EvenkeelClient[] {
  return addressesOf(cluster).map((address) => connect(defer, [address]));
}

export function connect(defer: Defer, addresses: readonly string[]): EvenkeelClient {
  const client = new EvenkeelClient({ addresses });
  defer(() => client.close());
  return client;
}

export function addressesOf(cluster: LocalCluster): string[] {
  return cluster.servers.map(({ address }) => address);
}

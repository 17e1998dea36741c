import { setTimeout as sleep } from 'node:timers/promises';
import { EvenkeelClient, type Topology } from '../../../client/index.ts';
import { QUIET, SERVER_COMMAND } from '../../../cmd/local.ts';
import { LocalCluster } from '../../../server/node/local-cluster.ts';
import type { Defer } from './defer.ts';

export const UNITS = 4;
const EQUAL_MS_MAX = 60_000;

/** Three zones on free ports, ready. */
export async function startCluster(defer: Defer, dataDir: string): Promise<LocalCluster> {
  const cluster = await LocalCluster.create({
    dataDir,
    units: UNITS,
    zones: 3,
    ports: 'free',
    drill: false,
    command: SERVER_COMMAND,
    log: QUIET,
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

/** Comes back when every zone stands at the same entry of every unit, in memory and in its books. */
export async function untilEqual(clients: readonly EvenkeelClient[]): Promise<void> {
  const untilMs = performance.now() + EQUAL_MS_MAX;
  let views: readonly (Topology | string)[] = [];
  while (performance.now() < untilMs) {
    views = await Promise.all(clients.map((client) => client.topology().catch(String)));
    if (areEqual(views)) return;
    await sleep(50);
  }
  const shown = views.map((view) => (typeof view === 'string' ? view : view.units));
  throw new Error(`the zones differ after ${EQUAL_MS_MAX} ms: ${JSON.stringify(shown, null, 1)}`);
}

function areEqual(views: readonly (Topology | string)[]): boolean {
  const [first] = views;
  if (first === undefined || typeof first === 'string') return false;
  return views.every(
    (view) =>
      typeof view !== 'string' &&
      view.units.every(
        (unit, i) =>
          unit.appliedIndex === first.units[i]!.appliedIndex &&
          unit.executionDigest === first.units[i]!.executionDigest &&
          unit.booksIndex === unit.appliedIndex,
      ),
  );
}

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { EvenkeelError } from '../core/error.ts';
import { checkConfig } from './config.ts';
import type { ConfigInput } from './config-schema.ts';
import { freePorts, isFree } from './free-ports.ts';
import { cityLinks } from './peers/emulation.ts';

const CLUSTER_FILE = 'cluster.json';
/** Of the folder's layout and of cluster.json. */
const CLUSTER_VERSION = 1;
/** Server n listens on each of these plus n. */
const FIXED_PORTS = { client: 7_400, peer: 7_410, control: 7_420 };

const HANGZHOU = 'hangzhou';
const ZONES = [
  { name: 'hz1', city: HANGZHOU, leaderWeight: 1 },
  { name: 'hz2', city: HANGZHOU, leaderWeight: 1 },
  { name: 'sh1', city: 'shanghai', leaderWeight: 0 },
];

export interface LocalClusterPlanOptions {
  /** Folder of the whole cluster; made if there is none. */
  readonly dataDir: string;
  readonly units: number;
  /** One server in each. */
  readonly zones: 1 | 3;
  /** fixed: 7401 and on for users. free: whatever is free at the moment. */
  readonly ports: 'fixed' | 'free';
  readonly drill: boolean;
  /** Instead of the defaults, on all servers; without `links` those of two near zones and a far one. */
  readonly overrides?: Partial<Pick<ConfigInput, 'consensus' | 'limits' | 'links' | 'ledgers'>>;
}

export interface ServerPlan {
  readonly id: number;
  readonly zone: string;
  /** Holds all that is this server's: configuration, data, log output. */
  readonly folder: string;
  readonly address: string;
  readonly ports: readonly { readonly use: string; readonly port: number }[];
  readonly controlPort: number;
  readonly config: ConfigInput;
}

const clusterSchema = z.strictObject({
  version: z.literal(CLUSTER_VERSION),
  clusterId: z.string().regex(/^[0-9a-f]{32}$/),
  units: z.int(),
  zones: z.array(z.string()),
});
type ClusterFile = z.infer<typeof clusterSchema>;

/**
 * Works out the servers of a cluster on this machine. Throws `bad_config`, `data_folder_foreign` if the folder was
 * made for another cluster, or `port_in_use` if a fixed port is; then nothing was changed.
 */
export async function planCluster(options: LocalClusterPlanOptions): Promise<ServerPlan[]> {
  const root = resolve(options.dataDir);
  const zones = ZONES.slice(0, options.zones);
  const wanted: ClusterFile = {
    version: CLUSTER_VERSION,
    clusterId: randomBytes(16).toString('hex'),
    units: options.units,
    zones: zones.map(({ name }) => name),
  };
  const cluster = readCluster(root, wanted) ?? wanted;
  const ports = await portsFor(zones.length, options.ports);
  const rows = zones.map(({ name: zone }, i) => ({
    id: i + 1,
    zone,
    address: `127.0.0.1:${ports.client[i]}`,
    peerAddress: `127.0.0.1:${ports.peer[i]}`,
  }));
  const plans = rows.map(({ id, zone, address }, i): ServerPlan => {
    const folder = join(root, `${zone}-${id}`);
    const controlPort = ports.control[i]!;
    const config: ConfigInput = {
      clusterId: cluster.clusterId,
      server: id,
      dataDir: join(folder, 'data'),
      zones,
      servers: rows,
      units: options.units,
      links: cityLinks(zones),
      ...options.overrides,
      ...(options.drill ? { drill: true, controlPort } : {}),
    };
    checkConfig(config, `server ${id} (${zone})`);
    const uses = [
      { use: 'users', port: ports.client[i]! },
      { use: 'peers', port: ports.peer[i]! },
      { use: 'control', port: controlPort },
    ];
    const used = options.drill ? uses : uses.slice(0, 2);
    return { id, zone, folder, address, ports: used, controlPort, config };
  });
  // A cluster that runs from this folder holds these ports, and reads its configurations again.
  if (options.ports === 'fixed') await checkPorts(plans);
  writeCluster(root, cluster);
  for (const { folder, config } of plans) {
    mkdirSync(folder, { recursive: true });
    writeWhole(configFileOf(folder), config);
  }
  return plans;
}

/** Throws `port_in_use` if somebody listens where the servers want to. */
export async function checkPorts(plans: readonly ServerPlan[]): Promise<void> {
  for (const { id, zone, ports } of plans) {
    for (const { use, port } of ports) {
      if (await isFree(port)) continue;
      const message = `port_in_use: 127.0.0.1:${port}, for ${use} of server ${id} (${zone}), is in use. Is another cluster running?`;
      throw new EvenkeelError('port_in_use', message);
    }
  }
}

export function configFileOf(folder: string): string {
  return join(folder, 'config.json');
}

async function portsFor(
  count: number,
  kind: 'fixed' | 'free',
): Promise<Record<keyof typeof FIXED_PORTS, number[]>> {
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  if (kind === 'fixed') {
    const from = (base: number) => ids.map((id) => base + id);
    const { client, peer, control } = FIXED_PORTS;
    return { client: from(client), peer: from(peer), control: from(control) };
  }
  const free = await freePorts(3 * count);
  return {
    client: free.slice(0, count),
    peer: free.slice(count, 2 * count),
    control: free.slice(2 * count),
  };
}

/** The cluster that the folder holds, or null if it is new. */
function readCluster(root: string, wanted: ClusterFile): ClusterFile | null {
  const file = join(root, CLUSTER_FILE);
  if (!existsSync(file)) return null;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw foreign(`${file} can't be read: ${(cause as Error).message}`);
  }
  const version = (value as { version?: unknown } | null)?.version;
  if (version !== CLUSTER_VERSION) {
    throw foreign(
      `${root} has version ${String(version)}, and this program makes ${CLUSTER_VERSION}`,
    );
  }
  const parsed = clusterSchema.safeParse(value);
  if (!parsed.success) throw foreign(`${file}: ${z.prettifyError(parsed.error)}`);
  const found = parsed.data;
  if (found.units !== wanted.units) {
    throw foreign(`${root} was made with ${found.units} units, not ${wanted.units}`);
  }
  if (found.zones.join() !== wanted.zones.join()) {
    throw foreign(
      `${root} was made with zones ${found.zones.join(', ')}, not ${wanted.zones.join(', ')}`,
    );
  }
  return found;
}

function writeCluster(root: string, cluster: ClusterFile): void {
  const file = join(root, CLUSTER_FILE);
  if (existsSync(file)) return;
  mkdirSync(root, { recursive: true });
  writeWhole(file, cluster);
}

function writeWhole(file: string, value: unknown): void {
  writeFileSync(`${file}.tmp`, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(`${file}.tmp`, file);
}

function foreign(what: string): EvenkeelError {
  const message = `data_folder_foreign: ${what}; nothing was changed: take another folder`;
  return new EvenkeelError('data_folder_foreign', message);
}

import type { Command } from 'commander';
import type { EvenkeelClient, Topology } from '../client/index.ts';
import { watchCluster } from './cluster-watch.ts';
import { type ConnectionFlags, withClient, withConnection } from './connect.ts';
import { parseWhole } from './parse.ts';
import { toJson } from './show.ts';

const TIMEOUT_SECONDS = '600';

interface ZoneFlags extends ConnectionFlags {
  readonly timeout: string;
  readonly background?: true;
}

/** Adds `zone drain` and `zone restore`: before and after work on a data centre. */
export function register(program: Command): void {
  const zone = program.command('zone').description('take a zone out of service, and back');
  withWait(
    zone
      .command('drain <zone>')
      .description('lead no unit there any more; then its servers may be stopped'),
  ).action((name: string, flags: ZoneFlags) =>
    withClient(flags, (client) => drain(client, name, flags)),
  );
  withWait(
    zone
      .command('restore <zone>')
      .description('lead there again: leaders come home one at a time, once it keeps up'),
  ).action((name: string, flags: ZoneFlags) =>
    withClient(flags, (client) => restore(client, name, flags)),
  );
}

function withWait(command: Command): Command {
  return withConnection(command)
    .option('--background', 'do not wait until the leaders have moved')
    .option('--timeout <seconds>', 'how long to wait for that', TIMEOUT_SECONDS);
}

async function drain(client: EvenkeelClient, zone: string, flags: ZoneFlags): Promise<void> {
  await client.drainZone(zone);
  if (flags.background !== true) {
    await watchCluster(client, `leaders leave ${zone}`, timeoutMs(flags), (topology) => {
      const { units, registryLeaderServerId } = topology;
      const here = unitsLedIn(topology, zone);
      const registryHere = serversIn(topology, zone).includes(registryLeaderServerId);
      const unknown = units.filter(({ leaderServerId }) => leaderServerId === 0).length;
      if (here === 0 && unknown === 0 && !registryHere) return '';
      return `${here} of ${units.length} units${registryHere ? ', and the registry,' : ''} are led there`;
    });
  }
  report(flags, { zone, drained: true }, `zone ${zone} leads nothing: its servers may be stopped`);
}

async function restore(client: EvenkeelClient, zone: string, flags: ZoneFlags): Promise<void> {
  const before = await client.topology();
  await client.restoreZone(zone);
  if (flags.background !== true && mayLead(before, zone)) {
    await watchCluster(client, `leaders come home to ${zone}`, timeoutMs(flags), (topology) => {
      const here = unitsLedIn(topology, zone);
      const due = homeIn(topology, zone);
      return here >= due ? '' : `${here} of ${due} units are led there`;
    });
  }
  report(flags, { zone, drained: false }, `zone ${zone} is back`);
}

function serversIn({ servers }: Topology, zone: string): number[] {
  return servers.filter((server) => server.zone === zone).map(({ id }) => id);
}

/** As the answering server sees it. */
function unitsLedIn(topology: Topology, zone: string): number {
  const there = serversIn(topology, zone);
  return topology.units.filter(({ leaderServerId }) => there.includes(leaderServerId)).length;
}

function mayLead({ zones }: Topology, zone: string): boolean {
  return zones.some(({ name, leaderWeight }) => name === zone && leaderWeight > 0);
}

/** How many units the zone leads when all are home: its share by weight, at least. */
function homeIn({ zones, units }: Topology, zone: string): number {
  const open = zones.filter(({ drained }) => !drained);
  const total = open.reduce((sum, { leaderWeight }) => sum + leaderWeight, 0);
  const own = open.find(({ name }) => name === zone)?.leaderWeight ?? 0;
  return total === 0 ? 0 : Math.floor((units.length * own) / total);
}

function timeoutMs(flags: ZoneFlags): number {
  return parseWhole('--timeout', flags.timeout, 1_000_000, 1) * 1_000;
}

function report(flags: ZoneFlags, json: object, text: string): void {
  console.log(flags.json ? toJson(json) : text);
}

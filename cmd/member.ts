import type { Command } from 'commander';
import type { EvenkeelClient, Topology } from '../client/index.ts';
import { watchCluster } from './cluster-watch.ts';
import { type ConnectionFlags, withClient, withConnection } from './connect.ts';
import { parseWhole } from './parse.ts';
import { table, toJson } from './show.ts';

const SERVER_ID_MAX = 65_535;
/** Catching up moves whole books. */
const TIMEOUT_SECONDS = '3600';

interface ChangeFlags extends ConnectionFlags {
  readonly timeout: string;
  readonly background?: true;
}

interface AddFlags extends ChangeFlags {
  readonly zone: string;
  readonly address: string;
  readonly peerAddress: string;
}

/** Adds `member add`, `member remove` and `member list`. */
export function register(program: Command): void {
  const member = program.command('member').description('the servers of the cluster');
  withChange(
    member
      .command('add <id>')
      .description('bring in a server that was started with `join`: it catches up, then votes')
      .requiredOption('--zone <name>', 'where it is')
      .requiredOption('--address <host:port>', 'that users reach it at')
      .requiredOption('--peer-address <host:port>', 'that the other servers reach it at'),
  ).action((id: string, flags: AddFlags) => withClient(flags, (client) => add(client, id, flags)));
  withChange(
    member
      .command('remove <ids...>')
      .description('take servers out, for good: ids are never used again'),
  ).action((ids: string[], flags: ChangeFlags) =>
    withClient(flags, (client) => remove(client, ids, flags)),
  );
  withConnection(member.command('list').description('servers, and where each votes')).action(
    (flags: ConnectionFlags) => withClient(flags, (client) => list(client, flags)),
  );
}

function withChange(command: Command): Command {
  return withConnection(command)
    .option('--background', 'do not wait until it is through in every unit')
    .option('--timeout <seconds>', 'how long to wait for that', TIMEOUT_SECONDS);
}

async function add(client: EvenkeelClient, idText: string, flags: AddFlags): Promise<void> {
  const id = parseId(idText);
  const { zone, address, peerAddress } = flags;
  await client.addServer({ id, zone, address, peerAddress });
  if (flags.background !== true) {
    await watchCluster(client, `server ${id} catches up`, timeoutMs(flags), (topology) =>
      unitsLeft(topology, 'without its vote', ({ voters }) => !voters.includes(id)),
    );
  }
  report(flags, { added: id, zone, voting: flags.background !== true }, `server ${id} is a member`);
}

async function remove(
  client: EvenkeelClient,
  idTexts: readonly string[],
  flags: ChangeFlags,
): Promise<void> {
  const ids = idTexts.map(parseId);
  await client.removeServers(ids);
  if (flags.background !== true) {
    const gone = (list: readonly number[]) => ids.every((id) => !list.includes(id));
    await watchCluster(client, `server ${ids.join(', ')} leaves`, timeoutMs(flags), (topology) =>
      unitsLeft(topology, 'with it', ({ voters, learners }) => !gone(voters) || !gone(learners)),
    );
  }
  report(
    flags,
    { removed: ids },
    `server ${ids.join(', ')} is a member no more: stop it, and keep its id unused`,
  );
}

function unitsLeft(
  { units }: Topology,
  how: string,
  isLeft: (unit: Topology['units'][number]) => boolean,
): string {
  const left = units.filter(isLeft).length;
  return left === 0 && units.length > 0 ? '' : `${left} of ${units.length} units ${how}`;
}

async function list(client: EvenkeelClient, flags: ConnectionFlags): Promise<void> {
  const { servers, units } = await client.topology();
  const members = servers.map((server) => ({
    ...server,
    votesIn: units.filter(({ voters }) => voters.includes(server.id)).length,
    learnsIn: units.filter(({ learners }) => learners.includes(server.id)).length,
  }));
  if (flags.json) {
    for (const member of members) console.log(toJson(member));
    return;
  }
  const rows = members.map(({ id, zone, address, peerAddress, votesIn, learnsIn }) => [
    `${id}`,
    zone,
    address,
    peerAddress,
    `${votesIn}`,
    `${learnsIn}`,
  ]);
  console.log(table([['id', 'zone', 'address', 'peer address', 'votes in', 'learns in'], ...rows]));
}

function parseId(text: string): number {
  return parseWhole('id', text, SERVER_ID_MAX, 1);
}

function timeoutMs(flags: ChangeFlags): number {
  return parseWhole('--timeout', flags.timeout, 1_000_000, 1) * 1_000;
}

function report(flags: ChangeFlags, json: object, text: string): void {
  console.log(flags.json ? toJson(json) : text);
}

import type { Command } from 'commander';
import type { LogLine } from '../server/core/environment.ts';
import { LocalCluster } from '../server/node/local-cluster.ts';
import { SERVER_COMMAND } from './local.ts';
import { parseWhole } from './parse.ts';
import { table } from './show.ts';

interface Flags {
  readonly data: string;
  readonly units: string;
  readonly drill?: true;
}

/** Adds `up`: three zones on this machine until Ctrl-C. */
export function register(program: Command): void {
  program
    .command('up')
    .description('run three zones on this machine until Ctrl-C; gRPC on 7401, 7402 and 7403')
    .option('--data <dir>', 'where the zones keep their data', 'evenkeel-data')
    .option('--units <n>', 'shards of the books, fixed when the folder is first used', '4')
    .option('--drill', 'open control sockets, so that links can be cut and slowed')
    .action(up);
}

async function up(flags: Flags): Promise<void> {
  const cluster = await LocalCluster.create({
    dataDir: flags.data,
    units: parseWhole('--units', flags.units, 256, 1),
    zones: 3,
    ports: 'fixed',
    drill: flags.drill === true,
    command: SERVER_COMMAND,
    log,
  });
  const ended = Promise.withResolvers<void>();
  process.on('SIGINT', () => ended.resolve());
  process.on('SIGTERM', () => ended.resolve());
  cluster.on('restarted', ({ id }) => console.error(`server ${id} was started again`));
  try {
    const started = cluster.start().then(() => true);
    if (!(await Promise.race([started, ended.promise.then(() => false)]))) return;
    const rows = cluster.servers.map(({ id, zone, address }) => [`${id}`, zone, address]);
    console.log(table([['server', 'zone', 'gRPC'], ...rows]));
    console.log(`data in ${flags.data}; Ctrl-C stops all three`);
    await ended.promise;
  } finally {
    await cluster.stop();
  }
}

/** What happens to the servers, as a person would want to read it. */
const log: LogLine = (level, text, fields = {}) => {
  if (level === 'debug') return;
  const details = Object.entries(fields).map(([name, value]) => `${name} ${String(value)}`);
  console.error(`${text} (${details.join(', ')})`);
};

import type { Command } from 'commander';
import { EvenkeelClient, type Topology } from '../client/index.ts';
import { addressesOf, type ServersFlags, withServers } from './connect.ts';
import { EXIT_FAILED } from './exit.ts';
import { table, toJson } from './show.ts';

const ANSWER_MS = 2_000;

/** A server as it describes itself, or why it doesn't. */
type Answer = { address: string; topology: Topology } | { address: string; error: string };

/** Adds `status`: exit 0 only if every server answers and every unit has a leader. */
export function register(program: Command): void {
  withServers(
    program.command('status').description('zones, units, leaders, and how far each replica is'),
  ).action(async (flags: ServersFlags) => {
    const answers = await askAll(addressesOf(flags));
    const healthy = isHealthy(answers);
    if (flags.json) console.log(toJson({ healthy, servers: answers }));
    else console.log(describe(answers));
    if (!healthy) process.exitCode = EXIT_FAILED;
  });
}

/** Asks each server by itself, those too that the answers name. */
async function askAll(addresses: readonly string[]): Promise<Answer[]> {
  const answers = await Promise.all(addresses.map(ask));
  const named = answers.flatMap((answer) =>
    'topology' in answer ? answer.topology.servers.map((server) => server.address) : [],
  );
  const more = [...new Set(named)].filter((address) => !addresses.includes(address));
  return [...answers, ...(await Promise.all(more.map(ask)))];
}

async function ask(address: string): Promise<Answer> {
  const client = new EvenkeelClient({ addresses: [address], retryWindowMs: ANSWER_MS });
  try {
    return { address, topology: await client.topology() };
  } catch (error) {
    return { address, error: (error as Error).message };
  } finally {
    client.close();
  }
}

function isHealthy(answers: readonly Answer[]): boolean {
  return answers.every(
    (answer) =>
      'topology' in answer &&
      answer.topology.units.length > 0 &&
      answer.topology.units.every((unit) => unit.leaderServerId !== 0),
  );
}

function describe(answers: readonly Answer[]): string {
  const rows: string[][] = [
    ['server', 'zone', 'unit', 'role', 'leader', 'term', 'commit', 'applied', 'books', 'lag'],
  ];
  const problems: string[] = [];
  const last = lastCommits(answers);
  for (const answer of answers) {
    if ('error' in answer) {
      problems.push(`${answer.address}: ${answer.error}`);
      continue;
    }
    const { serverId, zone, units, ailment, clockErrorMs } = answer.topology;
    if (ailment !== '') {
      const clock = ailment === 'clock off' ? ` by ${clockErrorMs} ms` : '';
      problems.push(`server ${serverId} gives its units away: ${ailment}${clock}`);
    }
    for (const unit of units) {
      const lag = (last.get(unit.id) ?? 0) - unit.appliedIndex;
      rows.push([
        `${serverId}`,
        zone,
        `${unit.id}`,
        unit.role,
        unit.leaderServerId === 0 ? 'none' : `${unit.leaderServerId}`,
        `${unit.term}`,
        `${unit.commitIndex}`,
        `${unit.appliedIndex}`,
        `${unit.booksIndex}`,
        `${lag}`,
      ]);
    }
  }
  return [table(rows), ...problems].join('\n');
}

/** The highest commit index that any server knows of, by unit. */
function lastCommits(answers: readonly Answer[]): Map<number, number> {
  const last = new Map<number, number>();
  for (const answer of answers) {
    if ('error' in answer) continue;
    for (const unit of answer.topology.units) {
      last.set(unit.id, Math.max(last.get(unit.id) ?? 0, unit.commitIndex));
    }
  }
  return last;
}

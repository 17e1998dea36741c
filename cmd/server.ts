import type { Command } from 'commander';
import { loadConfig } from '../server/node/config.ts';
import { createLogger } from '../server/node/logger.ts';
import { ServerProcess } from '../server/node/process.ts';
import { EXIT_FAILED } from './exit.ts';

/** Adds `server`: one server of a cluster, in this process. */
export function register(program: Command): void {
  program
    .command('server')
    .description('run one server')
    .requiredOption('--config <file>', 'JSON; docs/configuration.md lists what it holds')
    .option('--drill', 'open the control socket that rehearsals change links through')
    .option('--supervised', 'stop when stdin closes: the parent has gone')
    .action(async (flags: { config: string; drill?: true; supervised?: true }) => {
      await run(flags);
    });
}

async function run(flags: { config: string; drill?: true; supervised?: true }): Promise<void> {
  const config = loadConfig(flags.config, { drill: flags.drill === true });
  const log = createLogger(`${config.zone}-${config.server}`);
  const server = await ServerProcess.start(config, log, (error) => {
    log('error', 'stopping at once', { error: error.stack ?? error.message });
    process.exit(EXIT_FAILED);
  });
  log('info', 'listening', { address: server.address });

  let stopping = false;
  const stop = async (why: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log('info', 'stopping', { why });
    await server.stop();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  // A terminal's Ctrl-C goes to all processes; a supervised server leaves it to its parent.
  process.on('SIGINT', () => void (flags.supervised === true || stop('SIGINT')));
  if (flags.supervised === true) {
    process.stdin.resume();
    process.stdin.on('end', () => void stop('the parent has gone'));
    process.stdin.on('error', () => void stop('the parent has gone'));
  }
  await server.ready();
  process.stdout.write(`${JSON.stringify({ ready: true, address: server.address })}\n`);
}

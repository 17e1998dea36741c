import type { Command } from 'commander';
import { configFields, loadConfig, unwrapped } from '../server/node/config.ts';
import { createLogger } from '../server/node/logger.ts';
import { ServerProcess } from '../server/node/process.ts';
import { EXIT_FAILED } from './exit.ts';

interface Flags {
  readonly config: string;
  readonly supervised?: true;
  /** Settings, by ConfigField.attribute. */
  readonly [setting: string]: string | true | undefined;
}

/** Adds `server`: one server of a cluster, in this process. */
export function register(program: Command): void {
  const command = program
    .command('server')
    .description('run one server; a flag overrides the environment, which overrides the file')
    .requiredOption('--config <file>', 'JSON; docs/configuration.md lists what it holds')
    .option('--supervised', 'stop when stdin closes: the parent has gone');
  for (const { flag, schema, env } of configFields()) {
    const { type } = unwrapped(schema);
    const value = type === 'boolean' ? '' : type === 'array' ? ' <json>' : ' <value>';
    command.option(`${flag}${value}`, `${schema.description ?? ''} (${env})`);
  }
  command.action(run);
}

async function run({ config: file, supervised, ...settings }: Flags): Promise<void> {
  const config = loadConfig(file, settings);
  const log = createLogger(`${config.zone}-${config.server}`);
  const fatal = (error: Error): never => {
    log('error', 'stopping at once', { error: error.stack ?? error.message });
    process.exit(EXIT_FAILED);
  };
  const server = await ServerProcess.start(config, log, fatal);
  // Whatever escapes a callback is a broken invariant too. Set once the start's own errors are behind us.
  process.on('uncaughtException', fatal);
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
  process.on('SIGINT', () => void (supervised === true || stop('SIGINT')));
  if (supervised === true) {
    process.stdin.resume();
    process.stdin.on('end', () => void stop('the parent has gone'));
    process.stdin.on('error', () => void stop('the parent has gone'));
  }
  await server.ready();
  process.stdout.write(`${JSON.stringify({ ready: true, address: server.address })}\n`);
}

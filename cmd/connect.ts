import type { Command } from 'commander';
import { EvenkeelClient } from '../client/index.ts';
import { MisuseError } from './exit.ts';

/** Where `evenkeel up` listens unless told otherwise. */
const DEFAULT_SERVERS = '127.0.0.1:7401,127.0.0.1:7402,127.0.0.1:7403';
/** A person waits this long for a cluster that doesn't answer. */
const DEFAULT_WAIT_SECONDS = '10';

export interface ServersFlags {
  readonly servers: string;
  readonly json?: true;
}

export interface ConnectionFlags extends ServersFlags {
  readonly wait: string;
}

/** Adds what every command that talks to a running cluster takes. */
export function withServers(command: Command): Command {
  return command
    .option('--servers <list>', 'host:port of any servers, separated by commas', DEFAULT_SERVERS)
    .option('--json', 'JSON on stdout');
}

/** The same, for those that ask again until they are answered. */
export function withConnection(command: Command, waitSeconds = DEFAULT_WAIT_SECONDS): Command {
  return withServers(command).option(
    '--wait <seconds>',
    'how long to try again before giving up',
    waitSeconds,
  );
}

export function addressesOf(flags: ServersFlags): string[] {
  const addresses = flags.servers.split(',').map((address) => address.trim());
  const wrong = addresses.find(
    (address) => !/^[^\s:]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i.test(address),
  );
  if (wrong !== undefined) throw new MisuseError(`--servers: '${wrong}' is not host:port`);
  return addresses;
}

export function waitMsOf(flags: ConnectionFlags): number {
  const seconds = Number(flags.wait);
  if (!(seconds > 0))
    throw new MisuseError(`--wait takes a number of seconds above 0, got '${flags.wait}'`);
  return seconds * 1_000;
}

export async function withClient(
  flags: ConnectionFlags,
  use: (client: EvenkeelClient) => Promise<void>,
): Promise<void> {
  const client = new EvenkeelClient({
    addresses: addressesOf(flags),
    retryWindowMs: waitMsOf(flags),
  });
  try {
    await use(client);
  } finally {
    client.close();
  }
}

import type { Command } from 'commander';
import { EvenkeelClient } from '../client/index.ts';
import { MisuseError } from './exit.ts';

/** Where `evenkeel up` listens unless told otherwise. */
const DEFAULT_SERVERS = '127.0.0.1:7401,127.0.0.1:7402,127.0.0.1:7403';
/** A person waits this long for a cluster that doesn't answer. */
const DEFAULT_WAIT_SECONDS = '10';

export interface ConnectionFlags {
  readonly servers: string;
  readonly wait: string;
  readonly json?: true;
}

/** Adds what every command that talks to a running cluster takes. */
export function withConnection(command: Command): Command {
  return command
    .option('--servers <list>', 'host:port of any servers, separated by commas', DEFAULT_SERVERS)
    .option('--wait <seconds>', 'how long to try again before giving up', DEFAULT_WAIT_SECONDS)
    .option('--json', 'JSON on stdout');
}

export function addressesOf(flags: ConnectionFlags): string[] {
  const addresses = flags.servers.split(',').map((address) => address.trim());
  const wrong = addresses.find(
    (address) => !/^[^\s:]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i.test(address),
  );
  if (wrong !== undefined) throw new MisuseError(`--servers: '${wrong}' is not host:port`);
  return addresses;
}

export async function withClient(
  flags: ConnectionFlags,
  use: (client: EvenkeelClient) => Promise<void>,
): Promise<void> {
  const seconds = Number(flags.wait);
  if (!(seconds > 0))
    throw new MisuseError(`--wait takes a number of seconds above 0, got '${flags.wait}'`);
  const client = new EvenkeelClient({
    addresses: addressesOf(flags),
    retryWindowMs: seconds * 1_000,
  });
  try {
    await use(client);
  } finally {
    client.close();
  }
}

import { fileURLToPath } from 'node:url';
import type { LogLine } from '../server/core/environment.ts';

/** What a cluster on this machine runs for each server: this very command. */
export const SERVER_COMMAND: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('main.ts', import.meta.url)),
  'server',
];

/** The cluster's own log, for commands that show something better. */
export const QUIET: LogLine = () => {};

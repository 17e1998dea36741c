import type { ServerId } from '../../consensus/types.ts';
import type { Books } from './books.ts';
import type { Disk } from './disk.ts';
import type { PeerMessage } from './messages.ts';

/** Everything a server gets from outside. The simulator gives it the same things, made of data. */
export interface Environment {
  readonly disk: Disk;
  readonly clock: Clock;
  /** u32, from a stream of the server's own. */
  readonly random: () => number;
  /** Differs from that of every earlier process of this server. */
  readonly epoch: number;
  openBooks(unit: number): Books;
  /** Queues a message to another server. It may be lost, late or doubled; never changed. */
  send(to: ServerId, message: PeerMessage): void;
  /** Work has come in by itself, through the gateway or from the disk: call `turn` before long. */
  wake(): void;
  /** One structured line for people; never read back. */
  log: LogLine;
  /** An invariant is broken or a disk has failed: the process must end at once, saying why. */
  fatal(error: Error): void;
}

export type LogLine = (
  level: 'debug' | 'info' | 'warn' | 'error',
  text: string,
  fields?: Record<string, unknown>,
) => void;

export interface Clock {
  /** Milliseconds that never go back; for waits and ages only. */
  monotonicMs(): number;
  /** Nanoseconds since the epoch; may jump. For the timestamps of entries only. */
  wallNs(): bigint;
}

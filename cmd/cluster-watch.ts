import { setTimeout as sleep } from 'node:timers/promises';
import type { EvenkeelClient, Topology } from '../client/index.ts';
import { FailedError } from './exit.ts';
import { Progress } from './progress.ts';

const POLL_MS = 200;

/**
 * Looks at the cluster until `left` says that nothing is left to wait for (an empty text), with what is left on stderr.
 * Fails when it takes longer than `timeoutMs`; the change itself goes on.
 */
export async function watchCluster(
  client: EvenkeelClient,
  what: string,
  timeoutMs: number,
  left: (topology: Topology) => string,
): Promise<Topology> {
  const progress = new Progress();
  const untilMs = performance.now() + timeoutMs;
  progress.step(what);
  try {
    for (;;) {
      const topology = await client.topology();
      const waitsFor = left(topology);
      if (waitsFor === '') {
        progress.done();
        return topology;
      }
      if (performance.now() >= untilMs) {
        throw new FailedError(
          `${what}: not through after ${Math.round(timeoutMs / 1_000)} s, ${waitsFor}; it goes on by itself, 'evenkeel status' shows it`,
        );
      }
      progress.update(`${what}: ${waitsFor}`);
      await sleep(POLL_MS);
    }
  } finally {
    progress.stop();
  }
}

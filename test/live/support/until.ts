import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/** Comes back when the condition holds; how long that took, in ms. */
export async function until(
  what: string,
  withinMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<number> {
  const startMs = performance.now();
  while (!(await condition())) {
    if (performance.now() - startMs > withinMs) {
      throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    }
    await sleep(POLL_MS);
  }
  return performance.now() - startMs;
}

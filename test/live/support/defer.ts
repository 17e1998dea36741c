import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { guard } from './guard.ts';

/** Takes what must be undone, also when a test fails or runs out of time: `onTestFinished`, or `forFile()`. */
export type Defer = (cleanup: () => void | Promise<void>) => void;

/** Undone after the last test of the file, in reverse order. Called at the top of a file. */
export function forFile(): Defer {
  const cleanups: (() => void | Promise<void>)[] = [];
  afterAll(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });
  return (cleanup) => {
    cleanups.push(cleanup);
  };
}

/** A new folder that is gone at the end, even if this process is killed. */
export function tempFolder(defer: Defer): string {
  const path = mkdtempSync(join(tmpdir(), 'evenkeel-live-'));
  const guarded = guard('sleep 10; rm -rf "$1"', path);
  defer(() => {
    rmSync(path, { recursive: true, force: true });
    guarded.release();
  });
  return path;
}

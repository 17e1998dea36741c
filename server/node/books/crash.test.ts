import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BURNT_ROW_WORDS, TRANSFER_ROW_WORDS } from '../../../ledger/layout.ts';
import { accountsOf, idsOf, transferIdsOf } from '../../core/books.conformance.ts';
import { FoldMaker } from '../../core/books.fixture.ts';
import { CLUSTER, nextFold, UNIT } from './crash.child.ts';
import type { SqliteBooks } from './sqlite-books.ts';
import { StorageThread } from './storage-thread.ts';

// Processes take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-crash-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Starts the process that commits; `index()` is the last it called done. */
function start(last: number): {
  child: ChildProcess;
  index: () => number;
  exited: Promise<unknown>;
} {
  const script = join(import.meta.dirname, 'crash.child.ts');
  const child = spawn(process.execPath, [script, folder, String(last)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout?.on('data', (data) => {
    output += data;
  });
  const exited = once(child, 'close');
  return { child, exited, index: () => Number(output.trimEnd().split('\n').at(-1)) };
}

test('kill -9 between and inside commits leaves whole commits, and every one that was done', async () => {
  let before = 0;
  for (const waitMs of [0, 4, 9, 15]) {
    const { child, index, exited } = start(10_000);
    while (index() <= before + 1 && child.exitCode === null) await sleep(1);
    await sleep(waitMs);
    child.kill('SIGKILL');
    await exited;
    const done = index();
    expect(done).toBeGreaterThan(before);

    const thread = new StorageThread();
    const books = thread.open(UNIT, folder, CLUSTER);
    const stands = books.index();
    // The last commit may have been durable before it could be called done.
    expect([done, done + 1]).toContain(stands);
    assertWhole(books, stands);
    await thread.close();
    before = stands;
  }
});

function assertWhole(books: SqliteBooks, index: number): void {
  const maker = new FoldMaker(UNIT, { randomIds: true });
  let transferCount = 0;
  for (let at = 1; at <= index; at++) {
    const fold = nextFold(maker, at);
    transferCount += fold.transfers.length / TRANSFER_ROW_WORDS;
    if (at < index - 1) continue;
    const found = books.lookUp(transferIdsOf(fold.transfers));
    expect(found.every((row) => row instanceof Uint32Array)).toBe(true);
    const burnt = books.lookUp(idsOf(fold.burnt, BURNT_ROW_WORDS));
    expect(burnt.every((answer) => answer === 'burnt')).toBe(true);
  }
  const image = books.load();
  expect(image).toMatchObject({ index, transferCount });
  expect(accountsOf(image)).toEqual(maker.accountRows());
  const next = nextFold(maker, index + 1);
  const found = books.lookUp(transferIdsOf(next.transfers));
  expect(found.every((row) => row === null)).toBe(true);
}

test('a process whose storage thread was closed ends by itself, and leaves one file with all', async () => {
  const { child, exited } = start(2);
  await exited;
  expect(child.exitCode).toBe(0);
  rmSync(join(folder, `unit-${UNIT}.sqlite-wal`), { force: true });
  const thread = new StorageThread();
  assertWhole(thread.open(UNIT, folder, CLUSTER), 2);
  await thread.close();
});

test('a second process is refused while the first may write, and let in after its death', async () => {
  const { child, index, exited } = start(10_000);
  while (!(index() > 0)) await sleep(1);
  const thread = new StorageThread();
  expect(() => thread.open(UNIT, folder, CLUSTER)).toThrow('has another writer');
  child.kill('SIGKILL');
  await exited;
  expect(thread.open(UNIT, folder, CLUSTER).index()).toBeGreaterThan(0);
  await thread.close();
});

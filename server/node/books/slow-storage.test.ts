import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  AccountWord,
  ENTRY_BYTES_MAX,
  EVENTS_PER_REQUEST_MAX,
  RECORD_WORDS,
  RESULT_WORDS,
  ResultWord,
  TRANSFER_ROW_WORDS,
  TransferWord,
  WORD_BYTES,
} from '../../../ledger/layout.ts';
import { TransferStatus } from '../../../ledger/status.ts';
import { IN_FLIGHT_ENTRIES_MAX, UNFOLDED_BYTES_SLOW } from '../../core/limits.ts';
import { Server } from '../../core/server.ts';
import { NodeDisk } from '../disk.ts';
import { Turns } from '../turns.ts';
import { StorageThread } from './storage-thread.ts';
import { makeThrottle, setSlowness } from './throttle.ts';
import { verifyBooks } from './verify.ts';

const SLOWNESS = 100;
const BATCH = EVENTS_PER_REQUEST_MAX;
const LEDGER = 978;
const CLUSTER = '0123456789abcdef0123456789abcdef';
const DONE: (number | undefined)[] = [TransferStatus.created, TransferStatus.exists];
/** More rows than may wait for the books. */
const BATCHES = Math.ceil((1.6 * UNFOLDED_BYTES_SLOW) / (BATCH * TRANSFER_ROW_WORDS * WORD_BYTES));
/** What entries in flight add to what waits when the leader takes no more: rows are larger than events. */
const IN_FLIGHT_BYTES = IN_FLIGHT_ENTRIES_MAX * 1.3 * ENTRY_BYTES_MAX;

const throttle = makeThrottle(SLOWNESS);
let folder: string;
let storage: StorageThread;
let disk: NodeDisk;
let server: Server;
let turns: Turns;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-slow-'));
  storage = new StorageThread({ throttle });
  disk = new NodeDisk(join(folder, 'log'));
  server = startServer();
});
afterEach(async () => {
  setSlowness(throttle, 1);
  turns.stop();
  server.stop();
  while (disk.busy) await sleep(1);
  disk.close();
  await storage.close();
  rmSync(folder, { recursive: true });
});

/** A server alone: its own majority. */
function startServer(): Server {
  let started: Server | null = null;
  turns = new Turns({ tickMs: 5, tick: () => started?.tick(), turn: () => started?.turn() });
  started = new Server(
    {
      self: 1,
      zone: 'hz1',
      clusterId: CLUSTER,
      topology: {
        zones: [{ name: 'hz1', city: 'hz', leaderWeight: 1 }],
        servers: [{ id: 1, zone: 'hz1' }],
        ledgers: [{ ledger: LEDGER, currency: 'EUR', scale: 2 }],
        units: 1,
      },
      founders: [1],
      shrinkAfterMs: 60_000,
      tickMs: 5,
      heartbeatMs: 50,
      voteRefusalMs: 300,
      candidacyCityMs: { min: 320, max: 400 },
      candidacyRemoteMs: { min: 1_000, max: 1_300 },
      segmentBytes: 64 << 20,
      logCacheBytes: 16 << 20,
      diskReserveBytes: 0,
      logKeepBytes: 64 << 20,
      residentTransfersMax: 256,
    },
    {
      disk,
      clock: {
        monotonicMs: () => performance.now(),
        wallNs: () => BigInt(Date.now()) * 1_000_000n,
      },
      random: () => 7,
      epoch: 1,
      openBooks: (unit) => storage.open(unit, folder, CLUSTER),
      send: () => {},
      wake: () => turns.soon(),
      log: () => {},
      fatal: (error) => {
        throw error;
      },
    },
  );
  return started;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(1);
}

async function createAccounts(): Promise<void> {
  const records = new Uint32Array(2 * RECORD_WORDS);
  for (const n of [0, 1]) {
    records[n * RECORD_WORDS + AccountWord.id] = n + 1;
    records[n * RECORD_WORDS + AccountWord.ledger] = LEDGER;
    records[n * RECORD_WORDS + AccountWord.codeAndFlags] = 1;
  }
  await new Promise<void>((resolve, reject) => {
    server.gateway.createAccounts(records, 2, (error) => (error ? reject(error) : resolve()));
  });
}

function batch(first: number): Uint32Array {
  const records = new Uint32Array(BATCH * RECORD_WORDS);
  for (let n = 0; n < BATCH; n += 1) {
    const at = n * RECORD_WORDS;
    records[at + TransferWord.id] = first + n;
    records[at + TransferWord.debitAccountId] = 1 + (n % 2);
    records[at + TransferWord.creditAccountId] = 2 - (n % 2);
    records[at + TransferWord.amount] = 1;
    records[at + TransferWord.ledger] = LEDGER;
    records[at + TransferWord.codeAndFlags] = 1;
  }
  return records;
}

/** One batch after the other. `answered` is told the number of events that failed. */
function send(clients: number, answered: (failed: number) => void): void {
  let sent = 0;
  const next = (): void => {
    if (sent === BATCHES) return;
    const records = batch(1 + sent++ * BATCH);
    server.gateway.createTransfers(records, BATCH, false, (error, results) => {
      if (error !== null) throw error;
      let failed = 0;
      for (let at = 0; at < results.length; at += RESULT_WORDS) {
        // It exists if the answer took so long that it was asked again.
        if (!DONE.includes(results[at + ResultWord.status])) failed += 1;
      }
      answered(failed);
      next();
    });
  };
  for (let client = 0; client < clients; client += 1) next();
}

test('a storage thread a hundred times as slow slows the writes down, keeps memory under its limit, and loses nothing', async () => {
  const { machine, books } = server.units[0]!;
  await createAccounts();
  let answered = 0;
  let failed = 0;
  let unfoldedMax = 0;
  const watch = setInterval(() => {
    unfoldedMax = Math.max(unfoldedMax, machine.unfoldedBytes);
  }, 1);
  send(8, (count) => {
    answered += 1;
    failed += count;
    unfoldedMax = Math.max(unfoldedMax, machine.unfoldedBytes);
  });
  await until(() => machine.unfoldedBytes >= UNFOLDED_BYTES_SLOW);
  expect(answered).toBeLessThan(BATCHES);
  setSlowness(throttle, 1);
  await until(() => answered === BATCHES);
  await until(() => books.index() === machine.index);
  clearInterval(watch);
  expect(failed).toBe(0);
  expect(unfoldedMax).toBeLessThan(UNFOLDED_BYTES_SLOW + IN_FLIGHT_BYTES);
  expect(books.load().transferCount).toBe(BATCHES * BATCH);
  const verified = verifyBooks(join(folder, 'unit-1.sqlite'), () => {});
  expect(verified).toMatchObject({ rows: BATCHES * BATCH, difference: null });
}, 120_000);

import { setTimeout as sleep } from 'node:timers/promises';
import type { EvenkeelClient } from '../client/index.ts';
import type { BenchAccounts } from './accounts.ts';

export interface LoadOptions {
  readonly clients: readonly EvenkeelClient[];
  readonly accounts: BenchAccounts;
  /** Transfers a request: 1 = single-transfer messages on streams. */
  readonly batch: number;
  readonly crossings: number;
  readonly seconds: number;
}

/** Transfers unanswered while the most is asked for, over all clients. */
const IN_FLIGHT_SINGLE = 6_000;
const IN_FLIGHT_BATCHES = 12;
/** Open loop: requests that fall due together leave together. */
const PACE_MS = 2;

export interface LoadResult {
  readonly answered: number;
  readonly seconds: number;
}

/** As many as the servers take: every answer is followed by the next request. */
export async function loadFully(options: LoadOptions): Promise<LoadResult> {
  const { clients, batch, seconds } = options;
  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  let answered = 0;
  const worker = async (client: EvenkeelClient): Promise<void> => {
    while (performance.now() < endMs) {
      const count = await book(client, options);
      answered += count; // not across the await: others count meanwhile
    }
  };
  const workers = batch === 1 ? IN_FLIGHT_SINGLE : IN_FLIGHT_BATCHES;
  await Promise.all(
    Array.from({ length: workers }, (_, i) => worker(clients[i % clients.length]!)),
  );
  return { answered, seconds: (performance.now() - startMs) / 1_000 };
}

/** So many, as fast as the servers take them. */
export async function loadCount(options: LoadOptions, count: number): Promise<void> {
  let left = count;
  const worker = async (client: EvenkeelClient): Promise<void> => {
    while (left > 0) {
      const batch = Math.min(options.batch, left);
      left -= batch;
      await book(client, { ...options, batch });
    }
  };
  const { clients } = options;
  const workers = Array.from({ length: IN_FLIGHT_BATCHES }, (_, i) => clients[i % clients.length]!);
  await Promise.all(workers.map(worker));
}

/** At a rate, open loop. A latency is counted from the time the request was due. */
export async function loadAtRate(options: LoadOptions, perSecond: number): Promise<number[]> {
  const { clients, batch, seconds } = options;
  const requestsPerMs = perSecond / batch / 1_000;
  const startMs = performance.now();
  const total = Math.floor(requestsPerMs * seconds * 1_000);
  const latencies: number[] = [];
  const answers: Promise<void>[] = [];
  let failed = false;
  for (let sent = 0; sent < total && !failed; ) {
    const due = Math.min(total, Math.floor((performance.now() - startMs) * requestsPerMs));
    for (; sent < due; sent += 1) {
      const dueMs = startMs + sent / requestsPerMs;
      const answer = book(clients[sent % clients.length]!, options).then(() => {
        latencies.push(performance.now() - dueMs);
      });
      answers.push(answer);
      answer.catch(() => {
        failed = true; // thrown below
      });
    }
    await sleep(PACE_MS);
  }
  await Promise.all(answers);
  return latencies.sort((a, b) => a - b);
}

/** Books one request; how many transfers it held. */
async function book(client: EvenkeelClient, options: LoadOptions): Promise<number> {
  const { accounts, batch, crossings } = options;
  if (batch === 1) {
    const result = await client.transfer(accounts.transfer(crossings));
    if (!result.ok) throw new Error(`a transfer was refused: ${result.status}`);
    return 1;
  }
  const transfers = Array.from({ length: batch }, () => accounts.transfer(crossings));
  const results = await client.createTransfers(transfers);
  const refused = results.find((result) => !result.ok);
  if (refused !== undefined) throw new Error(`a transfer was refused: ${refused.status}`);
  return batch;
}

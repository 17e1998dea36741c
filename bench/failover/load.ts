import { setTimeout as sleep } from 'node:timers/promises';
import { EvenkeelClient, type NewTransfer } from '../../client/index.ts';
import type { FailoverAccounts } from './accounts.ts';
import type { Draw } from './draw.ts';
import type { Asked } from './gaps.ts';
import type { Told } from './ledger.ts';

/** Open loop: what falls due together leaves together. */
const PACE_MS = 4;
/** Short, so that some outcomes stay unknown to the client that asked and must be fetched later. */
const RETRY_WINDOW_MS = 2_500;
/** For whoever fetches them. */
const RESOLVE_WINDOW_MS = 60_000;
/** Answers of the last round must all be in by then: the clients' own windows end before. */
const DRAIN_MS_MAX = 30_000;

export interface LoadOptions {
  /** A client for each, with the other zones to fall back on. */
  readonly zones: readonly { readonly zone: string; readonly address: string }[];
  readonly accounts: FailoverAccounts;
  readonly units: number;
  /** Of each client. */
  readonly perSecond: number;
  readonly told: Told;
  /** An answer that can't be: the rules had to refuse, or to take, this transfer. */
  onWrong(what: string): void;
}

/** What one zone's client saw in a round. */
export interface ZoneView {
  readonly zone: string;
  readonly asked: readonly Asked[];
  /** Given up within the client's retry window, or refused though nothing was wrong. */
  readonly failed: number;
}

interface ZoneClient {
  readonly zone: string;
  readonly client: EvenkeelClient;
  asked: { units: readonly number[]; dueMs: number; answeredMs: number | null }[];
  failed: number;
}

/** Books at a rate through every zone at once, unit after unit, and keeps what each client saw. */
export class Load {
  readonly #options: LoadOptions;
  #clients: readonly ZoneClient[] = [];
  readonly #resolver: EvenkeelClient;
  /** Ends the pacing. */
  #ending = new AbortController();
  #pacing: Promise<void> = Promise.resolve();
  #unanswered = new Set<Promise<void>>();
  #unknown: { transfer: NewTransfer; mustFail: boolean }[] = [];
  #nextUnit = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    const addresses = options.zones.map(({ address }) => address);
    this.#resolver = new EvenkeelClient({ addresses, retryWindowMs: RESOLVE_WINDOW_MS });
  }

  start(draw: Draw): void {
    const addresses = this.#options.zones.map(({ address }) => address);
    // New ones for each round: a client stays where it has fled to, and each is to start at home.
    for (const { client } of this.#clients) client.close();
    this.#clients = this.#options.zones.map(({ zone }, i) => ({
      zone,
      client: new EvenkeelClient({
        addresses: [...addresses.slice(i), ...addresses.slice(0, i)],
        retryWindowMs: RETRY_WINDOW_MS,
      }),
      asked: [],
      failed: 0,
    }));
    this.#ending = new AbortController();
    this.#pacing = this.#pace(draw, this.#ending.signal);
  }

  /** Every client has had an answer from every unit since the start. */
  get flowing(): boolean {
    return this.#clients.every(({ asked }) => {
      const answered = new Set(asked.flatMap((a) => (a.answeredMs === null ? [] : a.units)));
      return answered.size === this.#options.units;
    });
  }

  /** Ends the round: nothing new is asked, every answer is waited for, and unknown outcomes are fetched. */
  async stop(): Promise<ZoneView[]> {
    this.#ending.abort();
    await this.#pacing;
    const late = new AbortController();
    await Promise.race([
      Promise.all(this.#unanswered),
      sleep(DRAIN_MS_MAX, null, { signal: late.signal }).then(
        () => {
          throw new Error(`${this.#unanswered.size} transfers without an answer`);
        },
        () => {},
      ),
    ]);
    late.abort();
    const unknown = this.#unknown.splice(0);
    await Promise.all(unknown.map((offer) => this.#resolve(offer)));
    return this.#clients.map(({ zone, asked, failed }) => ({ zone, asked, failed }));
  }

  close(): void {
    this.#ending.abort();
    for (const { client } of this.#clients) client.close();
    this.#resolver.close();
  }

  async #pace(draw: Draw, ending: AbortSignal): Promise<void> {
    const startMs = performance.now();
    const everyMs = 1_000 / this.#options.perSecond;
    for (let sent = 0; !ending.aborted; ) {
      const due = Math.floor((performance.now() - startMs) / everyMs);
      for (; sent < due; sent += 1) {
        const unit = 1 + (this.#nextUnit % this.#options.units);
        this.#nextUnit += 1;
        for (const client of this.#clients) this.#ask(client, unit, startMs + sent * everyMs, draw);
      }
      await sleep(PACE_MS);
    }
  }

  #ask(of: ZoneClient, unit: number, dueMs: number, draw: Draw): void {
    const { transfer, units, mustFail } = this.#options.accounts.offer(unit, draw);
    const seen = { units, dueMs, answeredMs: null as number | null };
    of.asked.push(seen);
    const answer = of.client.transfer(transfer).then(
      (result) => {
        seen.answeredMs = performance.now();
        this.#judge(transfer, mustFail, result.ok, result.status);
        this.#options.told.note(transfer, result);
        if (!result.ok && !mustFail) of.failed += 1;
      },
      () => {
        // Unavailable or unknown: whatever it is, the same id asked again must find out.
        of.failed += 1;
        this.#unknown.push({ transfer, mustFail });
      },
    );
    this.#unanswered.add(answer);
    void answer.finally(() => this.#unanswered.delete(answer));
  }

  async #resolve({ transfer, mustFail }: { transfer: NewTransfer; mustFail: boolean }) {
    const { told } = this.#options;
    try {
      const result = await this.#resolver.transfer(transfer);
      this.#judge(transfer, mustFail, result.ok, result.status);
      told.note(transfer, result);
      told.unknownResolved += 1;
    } catch (error) {
      this.#options.onWrong(`${transfer.id} can't be settled: ${(error as Error).message}`);
    }
  }

  #judge(transfer: NewTransfer, mustFail: boolean, ok: boolean, status: string): void {
    if (ok !== mustFail) return;
    this.#options.onWrong(
      `${transfer.id} was ${status}, and had to be ${ok ? 'refused' : 'booked'}`,
    );
  }
}

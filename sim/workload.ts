import {
  AccountWord,
  RECORD_WORDS,
  RESULT_WORDS,
  ResultWord,
  TransferWord,
} from '../ledger/layout.ts';
import { AccountStatus, TransferStatus } from '../ledger/status.ts';
import type { RequestHandle } from '../server/core/gateway/api.ts';
import { Random } from './random.ts';
import type { World } from './world.ts';

const LEDGER = 978;
const CODE = 1;
/** A client asks another server when it has no answer by then, with the same id. */
const ANSWER_MS = 2_000;
const RETRY_MS = 20;

export interface Booking {
  readonly id: number;
  readonly debit: number;
  readonly credit: number;
  readonly amount: number;
  status: number | null;
}

/**
 * Clients that book transfers between accounts 1..n through whichever server is up, each one at a time,
 * and repeat with the same id until they have a final answer.
 */
export class Workload {
  readonly accounts: number;
  readonly bookings: Booking[] = [];
  accountsCreated = false;
  readonly #world: World;
  readonly #random: Random;
  #running = false;
  #busy = 0;
  #answered = 0;

  constructor(world: World, seed: number, accounts: number) {
    this.#world = world;
    this.#random = new Random(seed, 'workload');
    this.accounts = accounts;
  }

  get answered(): number {
    return this.#answered;
  }

  /** No client waits for anything. */
  get idle(): boolean {
    return this.#busy === 0;
  }

  createAccounts(): void {
    const records = new Uint32Array(this.accounts * RECORD_WORDS);
    for (let i = 0; i < this.accounts; i += 1) {
      const at = i * RECORD_WORDS;
      records[at + AccountWord.id] = i + 1;
      records[at + AccountWord.ledger] = LEDGER;
      records[at + AccountWord.codeAndFlags] = CODE;
    }
    this.#ask('accounts', records, this.accounts, (results) => {
      for (let at = 0; at < results.length; at += RESULT_WORDS) {
        const status = results[at + ResultWord.status]!;
        if (status !== AccountStatus.created && status !== AccountStatus.exists) {
          throw new Error(`create_accounts gave status ${status}`);
        }
      }
      this.accountsCreated = true;
    });
  }

  start(clients: number): void {
    this.#running = true;
    for (let i = 0; i < clients; i += 1) this.#book();
  }

  /** No new transfers; what is unanswered goes on until it is answered. */
  stop(): void {
    this.#running = false;
  }

  #book(): void {
    if (!this.#running) return;
    const debit = 1 + this.#random.below(this.accounts);
    const credit = 1 + ((debit + this.#random.below(this.accounts - 1)) % this.accounts);
    const booking: Booking = {
      id: this.bookings.length + 1,
      debit,
      credit,
      amount: 1 + this.#random.below(100),
      status: null,
    };
    this.bookings.push(booking);
    const record = new Uint32Array(RECORD_WORDS);
    record[TransferWord.id] = booking.id;
    record[TransferWord.debitAccountId] = debit;
    record[TransferWord.creditAccountId] = credit;
    record[TransferWord.amount] = booking.amount;
    record[TransferWord.ledger] = LEDGER;
    record[TransferWord.codeAndFlags] = CODE;
    this.#ask('transfers', record, 1, (results) => {
      booking.status = results[ResultWord.status]!;
      this.#answered += 1;
      if (booking.status !== TransferStatus.created && booking.status !== TransferStatus.exists) {
        throw new Error(`transfer ${booking.id} gave status ${booking.status}`);
      }
      this.#book();
    });
  }

  /** Through a random server that is up; again through another after ANSWER_MS. */
  #ask(
    kind: 'accounts' | 'transfers',
    records: Uint32Array,
    count: number,
    answered: (results: Uint32Array) => void,
  ): void {
    this.#busy += 1;
    let handle: RequestHandle | null = null;
    let attempt = 0;
    const tryOnce = () => {
      attempt += 1;
      const mine = attempt;
      const up = this.#world.hosts.filter((host) => host.server !== null);
      const host = up[this.#random.below(Math.max(1, up.length))];
      if (host?.server == null) {
        this.#world.scheduler.after(RETRY_MS * 1_000, 'client retry', tryOnce);
        return;
      }
      const done = (error: Error | null, results: Uint32Array) => {
        if (mine !== attempt) return;
        if (error !== null) throw error;
        attempt += 1;
        this.#busy -= 1;
        answered(results);
      };
      const { gateway } = host.server;
      handle =
        kind === 'accounts'
          ? gateway.createAccounts(records, count, done)
          : gateway.createTransfers(records, count, false, done);
      this.#world.scheduler.after(ANSWER_MS * 1_000, 'client time-out', () => {
        if (mine !== attempt) return;
        handle?.cancel();
        tryOnce();
      });
    };
    tryOnce();
  }
}

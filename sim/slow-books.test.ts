import { expect, it } from 'vitest';
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
} from '../ledger/layout.ts';
import { TransferStatus } from '../ledger/status.ts';
import type { LedgerUnit } from '../server/core/ledger-unit.ts';
import { IN_FLIGHT_ENTRIES_MAX, UNFOLDED_BYTES_SLOW } from '../server/core/limits.ts';
import { Host } from './host.ts';
import { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { serverOptions } from './world.ts';

const SECOND_US = 1_000_000;
const SLOWNESS = 100;
const BATCH = EVENTS_PER_REQUEST_MAX;
const LEDGER = 978;
const DONE: (number | undefined)[] = [TransferStatus.created, TransferStatus.exists];
/** More rows than may wait for the books. */
const BATCHES = Math.ceil((1.6 * UNFOLDED_BYTES_SLOW) / (BATCH * TRANSFER_ROW_WORDS * WORD_BYTES));
/** What entries in flight add to what waits when the leader takes no more: rows are larger than events. */
const IN_FLIGHT_BYTES = IN_FLIGHT_ENTRIES_MAX * 1.3 * ENTRY_BYTES_MAX;

/** A server alone, and clients that each send it one full batch after the other. */
class Load {
  readonly host: Host;
  /** The most that ever waited for the books. */
  unfoldedMax = 0;
  answered = 0;
  failed = 0;
  readonly #scheduler = new Scheduler(new Random(5, 'same-time order'));
  #sent = 0;

  constructor() {
    const topology = {
      zones: [{ name: 'hz1', city: 'hz', leaderWeight: 1 }],
      servers: [{ id: 1, zone: 'hz1' }],
      ledgers: [{ ledger: LEDGER, currency: 'EUR', scale: 2 }],
      units: 1,
    };
    this.host = new Host({
      scheduler: this.#scheduler,
      seed: 5,
      server: serverOptions(1, 'hz1', topology),
      send: () => {},
      log: () => {},
      fatal: (_, error) => {
        throw error;
      },
    });
    this.host.start();
  }

  get unit(): LedgerUnit {
    return this.host.server!.units[0]!;
  }

  run(seconds: number, what: string, until: () => boolean): void {
    const watched = (): boolean => {
      this.unfoldedMax = Math.max(this.unfoldedMax, this.unit.machine.unfoldedBytes);
      return until();
    };
    this.#scheduler.run(this.#scheduler.nowUs + seconds * SECOND_US, watched);
    if (!until()) throw new Error(`not within ${seconds} s: ${what}`);
  }

  createAccounts(): void {
    const records = new Uint32Array(2 * RECORD_WORDS);
    for (const n of [0, 1]) {
      records[n * RECORD_WORDS + AccountWord.id] = n + 1;
      records[n * RECORD_WORDS + AccountWord.ledger] = LEDGER;
      records[n * RECORD_WORDS + AccountWord.codeAndFlags] = 1;
    }
    let created = false;
    this.run(20, 'a leader', () => this.unit.group.serving);
    this.host.server!.gateway.createAccounts(records, 2, (error) => {
      if (error !== null) throw error;
      created = true;
    });
    this.run(20, 'accounts created', () => created);
  }

  send(clients: number): void {
    for (let client = 0; client < clients; client += 1) this.#next();
  }

  /** How many of the ids sent, of which some are asked for, the books don't have. */
  lost(): number {
    const ids: number[] = [];
    for (let id = 1; id <= BATCHES * BATCH; id += 101) ids.push(id, 0, 0, 0);
    const found = this.unit.books.lookUp(Uint32Array.from(ids));
    return found.filter((row) => !(row instanceof Uint32Array)).length;
  }

  #next(): void {
    if (this.#sent === BATCHES) return;
    const records = this.#batch();
    this.host.server!.gateway.createTransfers(records, BATCH, false, (error, results) => {
      if (error !== null) throw error;
      for (let at = 0; at < results.length; at += RESULT_WORDS) {
        // It exists if the answer took so long that it was asked again.
        if (!DONE.includes(results[at + ResultWord.status])) this.failed += 1;
      }
      this.answered += 1;
      this.#next();
    });
  }

  #batch(): Uint32Array {
    const records = new Uint32Array(BATCH * RECORD_WORDS);
    for (let n = 0; n < BATCH; n += 1) {
      const at = n * RECORD_WORDS;
      records[at + TransferWord.id] = this.#sent * BATCH + n + 1;
      records[at + TransferWord.debitAccountId] = 1 + (n % 2);
      records[at + TransferWord.creditAccountId] = 2 - (n % 2);
      records[at + TransferWord.amount] = 1;
      records[at + TransferWord.ledger] = LEDGER;
      records[at + TransferWord.codeAndFlags] = 1;
    }
    this.#sent += 1;
    return records;
  }
}

it('books a hundred times as slow slow the writes down, keep memory under its limit, and lose nothing', () => {
  const load = new Load();
  load.createAccounts();
  load.host.booksSlowness = SLOWNESS;
  load.send(8);
  const { machine, books } = load.unit;
  load.run(60, 'no more is taken', () => machine.unfoldedBytes >= UNFOLDED_BYTES_SLOW);
  const { answered } = load;
  expect(answered).toBeLessThan(BATCHES);
  // It goes on at the pace of the books.
  load.run(300, 'answers while the books are slow', () => load.answered > answered + 8);
  load.host.booksSlowness = 1;
  load.run(300, 'all answered', () => load.answered === BATCHES);
  load.run(60, 'all in the books', () => books.index() === machine.index);
  expect(load.failed).toBe(0);
  expect(load.unfoldedMax).toBeLessThan(UNFOLDED_BYTES_SLOW + IN_FLIGHT_BYTES);
  expect(load.lost()).toBe(0);
  expect(books.load().transferCount).toBe(BATCHES * BATCH);
}, 120_000);

import {
  AccountFlag,
  AccountWord,
  Leg,
  RECORD_WORDS,
  RESULT_WITH_BALANCES_WORDS,
  RESULT_WORDS,
  ResultFlag,
  ResultWord,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
  TransferWord,
} from '../ledger/layout.ts';
import { AccountStatus, TransferStatus } from '../ledger/status.ts';
import type { Gateway, GatewayDone, RequestHandle } from '../server/core/gateway/api.ts';
import { Random } from './random.ts';
import type { World } from './world.ts';

const LEDGER = 978;
const CODE = 1;
const RETRY_US = 20_000;
const PAUSE_US_MAX = 60_000;
const READER_PAUSE_US = 10_000;
/** Readers ask the next server early, and take the late answers too. */
const READER_PATIENCE_MS = 60;
const BATCH_MAX = 50;
const PAGE_ROWS = 4_000;
const LAST_TIMESTAMP = (1n << 63n) - 1n;
/** Accounts from here on are never created. */
const NO_ACCOUNT_FROM = 1_000;

/** All that was ever asked and answered about one transfer id. */
export interface Intent {
  readonly number: number;
  readonly id: Uint32Array;
  readonly debit: number;
  readonly credit: number;
  /** As first asked; and as asked by clients that got it wrong. */
  readonly amount: number;
  readonly seen: { readonly amount: number; readonly status: number }[];
  /** The amount that clients know to be booked, once they know. */
  acknowledged: number | null;
  /** A look-up has found it. */
  shown: boolean;
}

interface Sums {
  debits: number;
  credits: number;
}

interface SwarmEvent {
  readonly intent: Intent;
  readonly amount: number;
}

export interface WorkloadShape {
  readonly clients: number;
  readonly readers: number;
  readonly plainAccounts: number;
  readonly limitedAccounts: number;
  /** Some ids are not in the order of time. */
  readonly scatteredIds: boolean;
}

export function drawShape(seed: number): WorkloadShape {
  const random = new Random(seed, 'shape');
  return {
    clients: 2 + random.below(9),
    readers: random.below(4),
    plainAccounts: 4 + random.below(30),
    limitedAccounts: 2 + random.below(5),
    scatteredIds: random.chance(0.5),
  };
}

/**
 * Clients that book, repeat, collide and read, each one thing at a time, through any server that is up.
 * What they are told is checked at once against all that anyone was told before.
 */
export class SwarmWorkload {
  readonly shape: WorkloadShape;
  readonly intents: Intent[] = [];
  /** What clients were told and can't be true. */
  readonly faults: string[] = [];
  accountsCreated = false;
  answered = 0;
  reads = 0;
  readonly #world: World;
  readonly #random: Random;
  /** By account: what is acknowledged, what was read at most, what was asked for at most. */
  readonly #acknowledged: Sums[] = [];
  readonly #read: Sums[] = [];
  readonly #asked: Sums[] = [];
  #running = false;
  #busy = 0;

  constructor(world: World, seed: number, shape: WorkloadShape) {
    this.#world = world;
    this.#random = new Random(seed, 'workload');
    this.shape = shape;
    for (let account = 0; account <= this.accounts; account += 1) {
      this.#acknowledged.push({ debits: 0, credits: 0 });
      this.#read.push({ debits: 0, credits: 0 });
      this.#asked.push({ debits: 0, credits: 0 });
    }
  }

  get accounts(): number {
    return this.shape.plainAccounts + this.shape.limitedAccounts;
  }

  get idle(): boolean {
    return this.#busy === 0;
  }

  createAccounts(): void {
    const records = new Uint32Array(this.accounts * RECORD_WORDS);
    for (let i = 0; i < this.accounts; i += 1) {
      const at = i * RECORD_WORDS;
      const flags = this.#isLimited(i + 1) ? AccountFlag.debitsMustNotExceedCredits : 0;
      records[at + AccountWord.id] = i + 1;
      records[at + AccountWord.ledger] = LEDGER;
      records[at + AccountWord.codeAndFlags] = (flags << 16) | CODE;
    }
    this.#ask(
      (gateway, done) => gateway.createAccounts(records, this.accounts, done),
      (results) => {
        for (let at = 0; at < results.length; at += RESULT_WORDS) {
          const status = results[at + ResultWord.status]!;
          if (status !== AccountStatus.created && status !== AccountStatus.exists) {
            this.#fault(`create_accounts gave status ${status}`);
          }
        }
      },
      () => {
        this.accountsCreated = true;
      },
    );
  }

  start(): void {
    this.#running = true;
    for (let i = 0; i < this.shape.clients; i += 1) this.#next();
    for (let i = 0; i < this.shape.readers; i += 1) this.#readOn();
  }

  stop(): void {
    this.#running = false;
  }

  #isLimited(account: number): boolean {
    return account > this.shape.plainAccounts;
  }

  #next(): void {
    const pauseUs = this.#random.chance(0.3) ? 0 : this.#random.below(PAUSE_US_MAX);
    this.#world.scheduler.after(pauseUs, 'client', () => this.#act());
  }

  #act(): void {
    if (!this.#running) return;
    const choice = this.#random.below(100);
    if (choice < 65) this.#book();
    else if (choice < 82) this.#lookUpAccounts(() => this.#next());
    else if (choice < 92) this.#lookUpTransfers();
    else this.#readStatement();
  }

  /** Reads a few accounts all the time: whoever serves old balances meets one that knows better. */
  #readOn(): void {
    this.#world.scheduler.after(READER_PAUSE_US, 'reader', () => {
      if (this.#running) this.#lookUpAccounts(() => this.#readOn(), READER_PATIENCE_MS);
    });
  }

  // --- writing ---

  #book(): void {
    const random = this.#random;
    const count = random.chance(0.6)
      ? 1
      : 2 + random.below(random.chance(0.3) ? BATCH_MAX - 1 : 10);
    const events: SwarmEvent[] = [];
    for (let i = 0; i < count; i += 1) events.push(this.#event(events));
    const balances = random.chance(0.3);
    const records = new Uint32Array(count * RECORD_WORDS);
    events.forEach(({ intent, amount }, i) => {
      const at = i * RECORD_WORDS;
      records.set(intent.id, at + TransferWord.id);
      records[at + TransferWord.debitAccountId] = intent.debit;
      records[at + TransferWord.creditAccountId] = intent.credit;
      records[at + TransferWord.amount] = amount;
      records[at + TransferWord.ledger] = LEDGER;
      records[at + TransferWord.codeAndFlags] = CODE;
    });
    this.#ask(
      (gateway, done) => gateway.createTransfers(records, count, balances, done),
      (results) => this.#booked(events, results, balances),
      () => this.#next(),
    );
  }

  /** A new transfer, or one that is known by its id already: from long ago or from this very batch. */
  #event(batch: readonly SwarmEvent[]): SwarmEvent {
    const random = this.#random;
    if (batch.length > 0 && random.chance(0.04)) return batch[random.below(batch.length)]!;
    if (this.intents.length > 0 && random.chance(0.12)) {
      const recent = random.chance(0.5) ? 40 : this.intents.length;
      const back = random.below(Math.min(recent, this.intents.length));
      const intent = this.intents[this.intents.length - 1 - back]!;
      const wrong = random.chance(0.15);
      if (wrong) this.#addAsked(intent, intent.amount + 1_000);
      return { intent, amount: wrong ? intent.amount + 1_000 : intent.amount };
    }
    const intent = this.#newIntent();
    return { intent, amount: intent.amount };
  }

  #newIntent(): Intent {
    const random = this.#random;
    const debit = 1 + random.below(this.accounts);
    const credit = 1 + ((debit + random.below(this.accounts - 1)) % this.accounts);
    const absent = random.below(40);
    const number = this.intents.length + 1;
    const intent: Intent = {
      number,
      id: this.#idOf(number),
      debit: absent === 0 ? NO_ACCOUNT_FROM + random.below(50) : debit,
      credit: absent === 1 ? NO_ACCOUNT_FROM + random.below(50) : credit,
      amount: 1 + random.below(100),
      seen: [],
      acknowledged: null,
      shown: false,
    };
    this.intents.push(intent);
    this.#addAsked(intent, intent.amount);
    return intent;
  }

  #idOf(number: number): Uint32Array {
    if (!this.shape.scatteredIds || number % 3 !== 0) return Uint32Array.of(number, 0, 0, 0);
    const high = Math.imul(number, 0x9e37_79b1) >>> 0;
    return Uint32Array.of(number, high, high, high >>> 1);
  }

  #addAsked({ debit, credit }: Intent, amount: number): void {
    const debits = this.#asked[debit];
    const credits = this.#asked[credit];
    if (debits !== undefined) debits.debits += amount;
    if (credits !== undefined) credits.credits += amount;
  }

  #booked(events: readonly SwarmEvent[], results: Uint32Array, balances: boolean): void {
    const stride = balances ? RESULT_WITH_BALANCES_WORDS : RESULT_WORDS;
    if (results.length !== events.length * stride) this.#fault('results of another length');
    events.forEach(({ intent, amount }, i) => {
      const status = results[i * stride + ResultWord.status]!;
      this.answered += 1;
      this.#world.scheduler.note(`${intent.number} ${status}`);
      intent.seen.push({ amount, status });
      if (status !== TransferStatus.created && status !== TransferStatus.exists) return;
      if (balances) {
        const both = ResultFlag.debitBalances | ResultFlag.creditBalances;
        if (results[i * stride + ResultWord.flags] !== both) {
          this.#fault(`transfer ${intent.number} gave not both balances`);
        }
      }
      if (intent.acknowledged === null) {
        intent.acknowledged = amount;
        this.#acknowledged[intent.debit]!.debits += amount;
        this.#acknowledged[intent.credit]!.credits += amount;
      } else if (intent.acknowledged !== amount) {
        this.#fault(`transfer ${intent.number} stands as ${intent.acknowledged} and as ${amount}`);
      }
    });
  }

  // --- reading ---

  #lookUpAccounts(go: () => void, patienceMs?: number): void {
    const random = this.#random;
    const accounts: number[] = [];
    for (let i = 1 + random.below(6); i > 0; i -= 1) {
      accounts.push(random.chance(0.1) ? NO_ACCOUNT_FROM : 1 + random.below(this.accounts));
    }
    const ids = new Uint32Array(accounts.length * 4);
    accounts.forEach((account, i) => {
      ids[i * 4] = account;
    });
    const known = accounts.filter((account) => account < NO_ACCOUNT_FROM);
    this.#ask(
      (gateway, done) => {
        const atLeast = known.map((account) => this.#floor(account));
        return gateway.lookupAccounts(ids, accounts.length, (error, records) => {
          this.reads += 1;
          if (records.length !== known.length * RECORD_WORDS) this.#fault('accounts not found');
          known.forEach((account, i) => {
            this.#checkAccount(account, records, i * RECORD_WORDS, atLeast[i]!);
          });
          done(error, records);
        });
      },
      () => {},
      go,
      patienceMs,
    );
  }

  #readStatement(): void {
    const random = this.#random;
    const account = 1 + random.below(this.accounts);
    const reversed = random.chance(0.5);
    const query = {
      accountId: Uint32Array.of(account, 0, 0, 0),
      fromTimestamp: 0n,
      toTimestamp: LAST_TIMESTAMP,
      reversed,
      limit: PAGE_ROWS,
    };
    const atLeast = this.#floor(account);
    this.#ask(
      (gateway, done) => gateway.accountTransfers(query, done),
      (words) => {
        this.reads += 1;
        this.#checkAccount(account, words, 0, atLeast);
        this.#checkStatement(account, words, reversed);
      },
      () => this.#next(),
    );
  }

  #floor(account: number): Sums {
    const acknowledged = this.#acknowledged[account]!;
    const read = this.#read[account]!;
    return {
      debits: Math.max(acknowledged.debits, read.debits),
      credits: Math.max(acknowledged.credits, read.credits),
    };
  }

  /** What was acknowledged, or read, before this read began must show in it. */
  #checkAccount(account: number, words: Uint32Array, at: number, atLeast: Sums): void {
    const debits = words[at + AccountWord.debitsPosted]!;
    const credits = words[at + AccountWord.creditsPosted]!;
    const text = `account ${account} reads as ${debits}/${credits}`;
    this.#world.scheduler.note(text);
    if (words[at] !== account) this.#fault(`account ${account} reads as account ${words[at]}`);
    if (debits < atLeast.debits || credits < atLeast.credits) {
      this.#fault(`${text}, but it had ${atLeast.debits}/${atLeast.credits} before`);
    }
    const asked = this.#asked[account]!;
    if (debits > asked.debits || credits > asked.credits) {
      this.#fault(`${text}, but only ${asked.debits}/${asked.credits} was ever asked for`);
    }
    const pending = words[at + AccountWord.debitsPending]!;
    if (this.#isLimited(account) && debits + pending > credits) {
      this.#fault(`${text} with ${pending} pending: over its limit`);
    }
    const read = this.#read[account]!;
    read.debits = Math.max(read.debits, debits);
    read.credits = Math.max(read.credits, credits);
  }

  /** The rows add up to the balances that came with them, and ascend. */
  #checkStatement(account: number, words: Uint32Array, reversed: boolean): void {
    let debits = 0;
    let credits = 0;
    let before = 0n;
    const rows: Uint32Array[] = [];
    for (let at = RECORD_WORDS; at < words.length; at += TRANSFER_ROW_WORDS) {
      rows.push(words.subarray(at, at + TRANSFER_ROW_WORDS));
    }
    // A page is full: what is beyond is not in the sum.
    if (rows.length === PAGE_ROWS) return;
    if (reversed) rows.reverse();
    for (const row of rows) {
      const key = TransferRowWord.rowTimestamp;
      const timestamp = (BigInt(row[key + 1]!) << 32n) | BigInt(row[key]!);
      if (timestamp <= before) this.#fault(`a statement of account ${account} is out of order`);
      before = timestamp;
      if (row[TransferWord.debitAccountId] === account) debits += row[TransferWord.amount]!;
      else if (row[TransferWord.creditAccountId] === account) credits += row[TransferWord.amount]!;
      else this.#fault(`a statement of account ${account} has another's row`);
    }
    const posted = [words[AccountWord.debitsPosted], words[AccountWord.creditsPosted]];
    if (debits !== posted[0] || credits !== posted[1]) {
      this.#fault(
        `a statement of account ${account} adds up to ${debits}/${credits}, not ${posted.join('/')}`,
      );
    }
  }

  #lookUpTransfers(): void {
    if (this.intents.length === 0) {
      this.#next();
      return;
    }
    const random = this.#random;
    const picked: Intent[] = [];
    for (let i = 1 + random.below(8); i > 0; i -= 1) {
      picked.push(this.intents[random.below(this.intents.length)]!);
    }
    const ids = new Uint32Array(picked.length * 4);
    picked.forEach((intent, i) => {
      ids.set(intent.id, i * 4);
    });
    this.#ask(
      (gateway, done) => {
        const acknowledged = picked.map((intent) => intent.acknowledged);
        const shown = picked.map((intent) => intent.shown);
        return gateway.lookupTransfers(ids, picked.length, (error, rows) => {
          this.reads += 1;
          this.#checkTransfers(picked, acknowledged, shown, rows);
          done(error, rows);
        });
      },
      () => {},
      () => this.#next(),
    );
  }

  #checkTransfers(
    picked: readonly Intent[],
    acknowledged: readonly (number | null)[],
    shown: readonly boolean[],
    rows: Uint32Array,
  ): void {
    let at = 0;
    picked.forEach((intent, i) => {
      const found = at < rows.length && intent.id.every((word, w) => rows[at + w] === word);
      if (!found) {
        if (acknowledged[i] !== null || shown[i]) {
          this.#fault(`transfer ${intent.number} is not found`);
        }
        return;
      }
      const amount = rows[at + TransferWord.amount]!;
      intent.shown = true;
      if ((rows[at + TransferRowWord.leg]! & 0xffff) === Leg.far) {
        this.#fault(`transfer ${intent.number} shows its far leg`);
      }
      if (acknowledged[i] !== null && acknowledged[i] !== amount) {
        this.#fault(`transfer ${intent.number} reads as ${amount}, was ${acknowledged[i]}`);
      }
      at += TRANSFER_ROW_WORDS;
    });
    if (at !== rows.length) this.#fault('transfers were found that nobody asked for');
  }

  // --- asking ---

  /**
   * Through a random server that is up; again through another after a while, with or without waiting on
   * for the first. Every answer that comes is noted; the first one ends the waiting.
   */
  #ask(
    send: (gateway: Gateway, done: GatewayDone) => RequestHandle,
    note: (words: Uint32Array) => void,
    go: () => void,
    patienceMs?: number,
  ): void {
    const random = this.#random;
    const { scheduler, hosts } = this.#world;
    this.#busy += 1;
    let ended = false;
    const tryOnce = () => {
      if (ended) return;
      const up = hosts.filter((host) => host.server !== null);
      const host = up[random.below(Math.max(1, up.length))];
      if (host?.server == null) {
        scheduler.after(RETRY_US, 'client retry', tryOnce);
        return;
      }
      let answers = 0;
      const handle = send(host.server.gateway, (error, words) => {
        answers += 1;
        if (answers > 1) this.#fault('a request was answered twice');
        if (error !== null) throw error;
        note(words);
        if (ended) return;
        ended = true;
        this.#busy -= 1;
        go();
      });
      const drawnMs = random.chance(0.2) ? 30 + random.below(100) : 2_000;
      scheduler.after((patienceMs ?? drawnMs) * 1_000, 'client time-out', () => {
        if (ended) return;
        if (random.chance(patienceMs === undefined ? 0.5 : 0.1)) handle.cancel();
        tryOnce();
      });
    };
    tryOnce();
  }

  #fault(text: string): void {
    this.faults.push(`at ${Math.round(this.#world.scheduler.nowUs / 1_000)} ms: ${text}`);
  }
}

import {
  AccountFlag,
  AccountWord,
  RECORD_WORDS,
  RESULT_WORDS,
  ResultWord,
  TransferFlag,
  TransferWord,
} from '../ledger/layout.ts';
import { TRANSIENT_TRANSFER_STATUSES, TransferStatus } from '../ledger/status.ts';
import { u64At } from '../server/core/books-row.ts';
import type { Gateway, GatewayDone } from '../server/core/gateway/api.ts';
import { Random } from './random.ts';
import type { World } from './world.ts';

const MS_US = 1_000;
const LEDGER = 978;
export const PARTIES = 6;
/** Of each party: a plain one, one with a limit, one that keeps its history. */
export const PARTY_ACCOUNTS = 3;
export const ACCOUNTS = PARTIES * PARTY_ACCOUNTS;
/** Not created. */
const NO_ACCOUNT = 99;
/** 2025-01-01T00:00:00Z, before any simulated clock starts, ns. */
const PAST_NS = 1_735_689_600_000_000_000n;
const IMPORTS_MAX = 12;
/** One of so many is resolved: of older ones most are. */
const PENDINGS_RECENT = 4;
/** The client asks another server when it has no answer by then, with the same ids. */
const ANSWER_MS = 2_000;
const ANSWERED_MS_MAX = 60_000;
const F = TransferFlag;
const S = TransferStatus;

interface Outcome {
  readonly status: number;
  readonly timestamp: bigint;
}

/** One request of transfers, and what was answered first. */
export interface Booked {
  readonly records: Uint32Array;
  readonly outcomes: readonly Outcome[];
}

interface Pending {
  readonly id: number;
  /** A resolution names it, for any of several units may hold it. */
  readonly debit: number;
}

interface Fields {
  readonly of?: Pending;
  readonly amount?: number;
  readonly timeout?: number;
  readonly party?: number;
  readonly credit?: number;
}

/** Books every kind of transfer, one request at a time, through whichever server answers, and repeats what it has booked. */
export class EveryKindClient {
  readonly booked: Booked[] = [];
  /** What can't be true. */
  readonly faults: string[] = [];
  readonly #world: World;
  readonly #random: Random;
  readonly #pendings: Pending[] = [];
  readonly #imports: boolean;
  #importsLeft = IMPORTS_MAX;
  #nextId = 1;
  #pastNs = PAST_NS;

  constructor(world: World, seed: number) {
    this.#world = world;
    this.#random = new Random(seed, 'every kind');
    this.#imports = this.#random.chance(0.5);
  }

  createAccounts(): void {
    const flags = [0, AccountFlag.debitsMustNotExceedCredits, AccountFlag.history];
    const records = new Uint32Array(ACCOUNTS * RECORD_WORDS);
    for (let i = 0; i < ACCOUNTS; i += 1) {
      const at = i * RECORD_WORDS;
      const imported = this.#imports ? AccountFlag.imported : 0;
      putAccount(records, at + AccountWord.id, i);
      records[at + AccountWord.ledger] = LEDGER;
      records[at + AccountWord.codeAndFlags] = ((flags[i % PARTY_ACCOUNTS]! | imported) << 16) | 1;
      if (this.#imports) this.#putPast(records, at + AccountWord.timestamp);
    }
    this.#ask((gateway, done) => gateway.createAccounts(records.slice(), ACCOUNTS, done));
  }

  step(): void {
    const records = this.#request();
    this.booked.push({ records, outcomes: this.#book(records) });
    if (this.#random.chance(0.3)) {
      this.repeat(this.booked[this.#random.below(this.booked.length)]!);
    }
    this.#wait(this.#random.below(400));
  }

  /** What was created stays as it was, and what failed for a passing reason stays failed, whoever is asked. */
  repeat({ records, outcomes }: Booked): void {
    const again = this.#book(records);
    const wrong = repeatFault(outcomes, again);
    if (wrong !== null) {
      const text = (of: readonly Outcome[]) => of.map((o) => `${o.status}@${o.timestamp}`).join();
      this.faults.push(
        `transfer ${records[TransferWord.id]}: ${wrong}: ${text(outcomes)}, then ${text(again)}`,
      );
    }
  }

  #request(): Uint32Array {
    if (this.#imports && this.#importsLeft > 0) {
      this.#importsLeft -= 1;
      return this.#import();
    }
    const pick = this.#random.below(14);
    const pending = this.#pendings.at(-1 - this.#random.below(PENDINGS_RECENT));
    if (pick < 3 || pending === undefined) return this.#pending(0);
    if (pick < 5) {
      return this.#one(F.postPendingTransfer, { of: pending, amount: this.#random.below(40) });
    }
    if (pick < 6) return this.#postAll(pending);
    if (pick < 7) return this.#one(F.voidPendingTransfer, { of: pending });
    if (pick < 8) return this.#one(F.balancingDebit, { amount: 40 });
    if (pick < 9) return this.#one(F.balancingCredit, { amount: 40 });
    if (pick < 11) return this.#chain();
    if (pick < 12) return this.#pending(F.closingDebit);
    if (pick < 13) return this.#pending(F.closingCredit);
    // Any account to any other: where there are several units, mostly a crossing.
    return this.#one(0, { credit: this.#random.below(ACCOUNTS) });
  }

  #pending(flags: number): Uint32Array {
    // Never, or soon: many expire while servers come and go. What closes an account always opens it again.
    const timeout = flags === 0 ? this.#random.below(4) : 1 + this.#random.below(2);
    const record = this.#one(F.pending | flags, { timeout });
    this.#pendings.push(pendingOf(record));
    return record;
  }

  #postAll(of: Pending): Uint32Array {
    const record = this.#one(F.postPendingTransfer, { of });
    record.fill(0xffff_ffff, TransferWord.amount, TransferWord.amount + 4);
    return record;
  }

  #import(): Uint32Array {
    const record = this.#one(F.imported, {});
    this.#putPast(record, TransferWord.timestamp);
    return record;
  }

  /** Reserves and posts within; one in two chains fails at its last member, by an account that is not there. */
  #chain(): Uint32Array {
    const party = this.#random.below(PARTIES);
    const hold = this.#one(F.linked | F.pending, { party, timeout: 1 });
    const members = [this.#one(F.linked, { party }), hold];
    if (this.#random.chance(0.5)) {
      const amount = this.#random.below(30);
      members.push(this.#one(F.linked | F.postPendingTransfer, { of: pendingOf(hold), amount }));
    }
    const last = this.#one(0, { party });
    if (this.#random.chance(0.5)) last[TransferWord.creditAccountId] = NO_ACCOUNT;
    return Uint32Array.from([...members, last].flatMap((record) => [...record]));
  }

  #one(flags: number, more: Fields): Uint32Array {
    const record = new Uint32Array(RECORD_WORDS);
    const party = more.party ?? this.#random.below(PARTIES);
    const [first, next] = [this.#random.below(3), 1 + this.#random.below(2)];
    const debit = party * PARTY_ACCOUNTS + first;
    const credit = party * PARTY_ACCOUNTS + ((first + next) % PARTY_ACCOUNTS);
    record[TransferWord.id] = this.#nextId;
    this.#nextId += 1;
    record[TransferWord.amount] = more.amount ?? 1 + this.#random.below(50);
    record[TransferWord.timeout] = more.timeout ?? 0;
    record[TransferWord.codeAndFlags] = flags << 16;
    if (more.of !== undefined) {
      record[TransferWord.pendingId] = more.of.id;
      if ((flags & F.voidPendingTransfer) !== 0) record[TransferWord.amount] = 0;
      putAccount(record, TransferWord.debitAccountId, more.of.debit);
      return record;
    }
    putAccount(record, TransferWord.debitAccountId, debit);
    putAccount(record, TransferWord.creditAccountId, more.credit ?? credit);
    record[TransferWord.ledger] = LEDGER;
    record[TransferWord.codeAndFlags] = (flags << 16) | 1;
    return record;
  }

  #putPast(words: Uint32Array, at: number): void {
    this.#pastNs += 1_000_000_000n;
    words[at] = Number(this.#pastNs & 0xffff_ffffn);
    words[at + 1] = Number(this.#pastNs >> 32n);
  }

  #book(records: Uint32Array): Outcome[] {
    const count = records.length / RECORD_WORDS;
    const words = this.#ask((gateway, done) =>
      gateway.createTransfers(records.slice(), count, false, done),
    );
    return Array.from({ length: count }, (_, i) => ({
      status: words[i * RESULT_WORDS + ResultWord.status]!,
      timestamp: u64At(words, i * RESULT_WORDS + ResultWord.timestamp),
    }));
  }

  #ask(send: (gateway: Gateway, done: GatewayDone) => { cancel(): void }): Uint32Array {
    const { scheduler, hosts } = this.#world;
    const giveUpUs = scheduler.nowUs + ANSWERED_MS_MAX * MS_US;
    let answer: Uint32Array | undefined;
    while (scheduler.nowUs < giveUpUs) {
      const up = hosts.filter(({ server }) => server !== null);
      const host = up[this.#random.below(up.length || 1)];
      if (host === undefined) {
        this.#wait(50);
        continue;
      }
      const request = send(host.server!.gateway, (error, words) => {
        if (error !== null) throw error;
        answer = words;
      });
      scheduler.run(scheduler.nowUs + ANSWER_MS * MS_US, () => answer !== undefined);
      if (answer !== undefined) return answer;
      request.cancel();
    }
    throw new Error(`no answer within ${ANSWERED_MS_MAX} ms`);
  }

  #wait(ms: number): void {
    const { scheduler } = this.#world;
    scheduler.run(scheduler.nowUs + ms * MS_US);
  }
}

function putAccount(words: Uint32Array, at: number, account: number): void {
  words[at] = 1 + (account % PARTY_ACCOUNTS);
  words[at + 2] = 1 + Math.floor(account / PARTY_ACCOUNTS);
}

function pendingOf(record: Uint32Array): Pending {
  return { id: record[TransferWord.id]!, debit: accountAt(record, TransferWord.debitAccountId) };
}

/** The number of an account, from 0, or -1 for another, such as a clearing account. */
export function accountAt(words: Uint32Array, at: number): number {
  const [low, party] = [words[at]!, words[at + 2]!];
  const isOurs = low >= 1 && low <= PARTY_ACCOUNTS && party >= 1 && party <= PARTIES;
  return isOurs ? (party - 1) * PARTY_ACCOUNTS + low - 1 : -1;
}

/** A request is sent again where an answer is late: the first answer may be that of a repetition too. */
export function repeatFault(first: readonly Outcome[], again: readonly Outcome[]): string | null {
  const [head, repeated] = [first[0]!, again[0]!];
  if (head.status === S.created || head.status === S.exists) {
    if (repeated.status !== S.exists) return 'what was created is not there';
    if (repeated.timestamp !== head.timestamp) return 'what was created has another time';
    const rest = again.slice(1).every(({ status }) => status === S.linked_event_failed);
    return rest ? null : 'a chain that is there was judged again';
  }
  const failed = first.findIndex(({ status }) => status !== S.linked_event_failed);
  if (again.some(({ status }) => status === S.created) && isBurnt(first[failed]!.status)) {
    return 'what had failed for good was created';
  }
  // An earlier member of a chain may fail now, for another reason.
  const other = again.findIndex(({ status }) => status !== S.linked_event_failed);
  const mustBeBurnt = other === failed && isBurnt(first[failed]!.status);
  return !mustBeBurnt || again[failed]!.status === S.id_already_failed
    ? null
    : 'a passing failure did not burn its id';
}

function isBurnt(status: number): boolean {
  return status === S.id_already_failed || TRANSIENT_TRANSFER_STATUSES.includes(status);
}

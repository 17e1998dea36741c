import { createAccountsSubBatch, createTransfersSubBatch, EntryBuilder } from '../ledger/entry.ts';
import {
  AccountFlag,
  AccountWord,
  EVENTS_PER_REQUEST_MAX,
  RECORD_WORDS,
  TransferFlag,
  TransferWord,
} from '../ledger/layout.ts';

const LEDGER = 978;
const CODE_AND_NO_FLAGS = 1;
/** Long enough that no pending transfer of a run expires in it. */
const TIMEOUT_S = 3_600;
/** Posts and voids come some batches later, in about the order of their pending transfers. */
const PENDING_MIN = 2_000;
const PENDING_CHOICE = 64;

/** A small, fast generator of 32 random bits: which accounts meet must not cost more than to book it. */
export class Xorshift {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  below(end: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % end;
  }
}

/** Entries for one machine: accounts numbered from 1, transfers with ids in time order. */
export class MachineLoad {
  readonly #random = new Xorshift(2_463_534_242);
  #timestamp = 1_700_000_000_000_000_000n;
  #lastId = 0;
  #accounts = 0;
  /** Ids of pending transfers that nothing has resolved, oldest first. */
  #pending: number[] = [];

  /** The next `count` accounts; every second one must not be overdrawn if `limits`. */
  accounts(count: number, limits: boolean): Uint32Array {
    const records = new Uint32Array(count * RECORD_WORDS);
    for (let i = 0; i < count; i += 1) {
      this.#accounts += 1;
      const at = i * RECORD_WORDS;
      const limited = limits && this.#accounts % 2 === 0;
      const flags = limited ? AccountFlag.debitsMustNotExceedCredits : 0;
      putAccountId(records, at + AccountWord.id, this.#accounts);
      records[at + AccountWord.ledger] = LEDGER;
      records[at + AccountWord.codeAndFlags] = (flags << 16) | CODE_AND_NO_FLAGS;
    }
    return this.#entry(createAccountsSubBatch(records, count), count);
  }

  /** Money for the accounts from `first` on, from account 1, which has no limit. */
  funds(first: number, count: number): Uint32Array {
    return this.#transfers(count, (records, at, i) => {
      this.#plain(records, at, 1, first + i, 1_000_000_000);
    });
  }

  /** Plain transfers between any two accounts. */
  plain(count = EVENTS_PER_REQUEST_MAX): Uint32Array {
    return this.#transfers(count, (records, at) => this.#between(records, at));
  }

  /** 15 % pending with a timeout, 15 % posts and voids of them, 10 % in chains of two, the rest plain. */
  mixed(count = EVENTS_PER_REQUEST_MAX): Uint32Array {
    return this.#transfers(count, (records, at, i) => {
      this.#between(records, at);
      const turn = i % 20;
      if (turn < 3) {
        this.#flag(records, at, TransferFlag.pending);
        records[at + TransferWord.timeout] = TIMEOUT_S;
        this.#pending.push(this.#lastId);
      } else if (turn < 6 && this.#pending.length > PENDING_MIN) {
        const post = turn < 5;
        this.#resolve(
          records,
          at,
          post,
          this.#pending.splice(this.#random.below(PENDING_CHOICE), 1)[0]!,
        );
      } else if (turn === 8 && i + 1 < count) {
        this.#flag(records, at, TransferFlag.linked);
      }
    });
  }

  #resolve(records: Uint32Array, at: number, post: boolean, pending: number): void {
    records.fill(0, at + TransferWord.debitAccountId, at + RECORD_WORDS);
    putTransferId(records, at + TransferWord.pendingId, pending);
    const flag = post ? TransferFlag.postPendingTransfer : TransferFlag.voidPendingTransfer;
    records[at + TransferWord.codeAndFlags] = flag << 16;
    if (post) records.fill(0xffff_ffff, at + TransferWord.amount, at + TransferWord.amount + 4);
  }

  #between(records: Uint32Array, at: number): void {
    const debit = 1 + this.#random.below(this.#accounts);
    const credit = 1 + ((debit + this.#random.below(this.#accounts - 1)) % this.#accounts);
    this.#plain(records, at, debit, credit, 1 + this.#random.below(100));
  }

  #plain(records: Uint32Array, at: number, debit: number, credit: number, amount: number): void {
    putAccountId(records, at + TransferWord.debitAccountId, debit);
    putAccountId(records, at + TransferWord.creditAccountId, credit);
    records[at + TransferWord.amount] = amount;
    records[at + TransferWord.ledger] = LEDGER;
    records[at + TransferWord.codeAndFlags] = CODE_AND_NO_FLAGS;
  }

  #flag(records: Uint32Array, at: number, flag: number): void {
    records[at + TransferWord.codeAndFlags]! |= flag << 16;
  }

  #transfers(
    count: number,
    fill: (records: Uint32Array, at: number, i: number) => void,
  ): Uint32Array {
    const records = new Uint32Array(count * RECORD_WORDS);
    for (let i = 0; i < count; i += 1) {
      this.#lastId += 1;
      putTransferId(records, i * RECORD_WORDS + TransferWord.id, this.#lastId);
      fill(records, i * RECORD_WORDS, i);
    }
    return this.#entry(createTransfersSubBatch(records, count), count);
  }

  #entry(subBatch: Uint32Array, events: number): Uint32Array {
    const builder = new EntryBuilder();
    builder.add(subBatch);
    const payload = builder.finish(this.#timestamp);
    this.#timestamp += BigInt(events);
    return new Uint32Array(payload.buffer);
  }
}

/** Parties spread over the high words, as a customer base does. */
function putAccountId(words: Uint32Array, at: number, account: number): void {
  words[at] = 1;
  words[at + 2] = Math.imul(account, 0x9e37_79b1);
  words[at + 3] = account;
}

/** As the client library makes them: milliseconds on top, then what is random. */
function putTransferId(words: Uint32Array, at: number, transfer: number): void {
  words[at] = Math.imul(transfer, 0x9e37_79b1);
  words[at + 1] = Math.imul(transfer, 0x85eb_ca6b);
  words[at + 2] = transfer;
  words[at + 3] = 400;
}

import {
  AccountWord,
  BALANCES_WORDS,
  RECORD_WORDS,
  RESULT_WITH_BALANCES_WORDS,
  RESULT_WORDS,
  ResultFlag,
  ResultWord,
  TRANSFER_ROW_WORDS,
  TransferRowWord,
  TransferWord,
} from '../../../../ledger/layout.ts';
import { AccountStatus, TransferStatus } from '../../../../ledger/status.ts';
import type { EvenkeelError } from '../../../core/error.ts';
import type {
  AccountQuery,
  AccountTransfersRequest,
  Gateway,
  GatewayDone,
  PageDone,
  RequestHandle,
  TransferQuery,
} from '../../../core/gateway/api.ts';
import { BALANCE_WORDS, BalanceWord } from '../../../core/reads/account-balance.ts';

interface Held {
  readonly answer: () => void;
  readonly done: GatewayDone;
  cancelled: boolean;
}

/**
 * A ledger of few rules behind the gateway's interface: enough to see that requests arrive and answers
 * go back. Amounts must stay below 2^32. Answers come in a later turn, or when the test releases them.
 */
export class FakeGateway implements Gateway {
  hasRoom = true;
  /** Requests wait in `held` until the test calls `release` or `fail`. */
  holding = false;
  readonly held: Held[] = [];
  cancelled = 0;
  started = 0;

  readonly #accounts = new Map<string, Uint32Array>();
  readonly #transfers = new Map<string, Uint32Array>();
  #clock = 1_000;
  #roomCallbacks: (() => void)[] = [];

  createAccounts(records: Uint32Array, count: number, done: GatewayDone): RequestHandle {
    const results = new Uint32Array(count * RESULT_WORDS);
    for (let i = 0; i < count; i += 1) {
      const record = records.slice(i * RECORD_WORDS, (i + 1) * RECORD_WORDS);
      const known = this.#accounts.get(key(record, AccountWord.id));
      if (known === undefined) {
        record[AccountWord.timestamp] = this.#tick();
        this.#accounts.set(key(record, AccountWord.id), record);
      }
      const at = i * RESULT_WORDS;
      results[at + ResultWord.status] = known ? AccountStatus.exists : AccountStatus.created;
      results[at + ResultWord.timestamp] = (known ?? record)[AccountWord.timestamp]!;
    }
    return this.#answer(done, results);
  }

  createTransfers(
    records: Uint32Array,
    count: number,
    balances: boolean,
    done: GatewayDone,
  ): RequestHandle {
    const stride = balances ? RESULT_WITH_BALANCES_WORDS : RESULT_WORDS;
    const results = new Uint32Array(count * stride);
    for (let i = 0; i < count; i += 1) {
      const record = records.slice(i * RECORD_WORDS, (i + 1) * RECORD_WORDS);
      this.#book(record, results, i * stride, balances);
    }
    return this.#answer(done, results);
  }

  lookupAccounts(ids: Uint32Array, count: number, done: GatewayDone): RequestHandle {
    return this.#answer(done, join(lookup(this.#accounts, ids, count)));
  }

  lookupTransfers(ids: Uint32Array, count: number, done: GatewayDone): RequestHandle {
    return this.#answer(done, join(lookup(this.#transfers, ids, count)));
  }

  /** Of balances it knows the latest only: each row gets those. */
  accountTransfers(query: AccountTransfersRequest, done: PageDone): RequestHandle {
    const id = key(query.accountId, 0);
    const account = this.#accounts.get(id);
    const balances = query.balances === true ? balancesOf(account) : [];
    const rows = [...this.#transfers.values()].filter((row) => {
      const booked = BigInt(row[TransferRowWord.rowTimestamp]!);
      const ours = [TransferWord.debitAccountId, TransferWord.creditAccountId];
      return (
        ours.some((word) => key(row, word) === id) &&
        booked >= query.fromTimestamp &&
        booked <= query.toTimestamp
      );
    });
    if (query.reversed) rows.reverse();
    const page = rows.slice(0, query.limit).flatMap((row) => [row, ...balances]);
    return this.#answer(withToken(done), account ? join([account, ...page]) : new Uint32Array(0));
  }

  accountBalance(accountId: Uint32Array, timestamp: bigint, done: GatewayDone): RequestHandle {
    const account = this.#accounts.get(key(accountId, 0));
    const words = new Uint32Array(BALANCE_WORDS);
    if (account !== undefined) words.set(balancesOf(account)[0]!);
    words[BalanceWord.ledger] = account?.[AccountWord.ledger] ?? 0;
    words[BalanceWord.final] = timestamp === 0n ? 0 : 1;
    return this.#answer(done, account === undefined ? new Uint32Array(0) : words);
  }

  queryAccounts(query: AccountQuery, done: PageDone): RequestHandle {
    const accounts = [...this.#accounts.values()].filter(
      (record) => query.ledger === undefined || record[AccountWord.ledger] === query.ledger,
    );
    return this.#answer(withToken(done), join(accounts.slice(0, query.limit)));
  }

  queryTransfers(query: TransferQuery, done: PageDone): RequestHandle {
    const rows = [...this.#transfers.values()].filter(
      (row) =>
        query.amountMin === undefined || BigInt(row[TransferWord.amount]!) >= query.amountMin,
    );
    return this.#answer(withToken(done), join(rows.slice(0, query.limit)));
  }

  onRoom(callback: () => void): void {
    this.#roomCallbacks.push(callback);
  }

  makeRoom(): void {
    this.hasRoom = true;
    for (const callback of this.#roomCallbacks.splice(0)) callback();
  }

  /** Answers held requests by their position among those held. */
  release(...positions: number[]): void {
    for (const position of positions) {
      const held = this.held[position]!;
      if (!held.cancelled) held.answer();
    }
  }

  fail(position: number, error: EvenkeelError): void {
    this.held[position]!.done(error, new Uint32Array(0));
  }

  #book(record: Uint32Array, results: Uint32Array, at: number, balances: boolean): void {
    const id = key(record, TransferWord.id);
    const debit = this.#accounts.get(key(record, TransferWord.debitAccountId));
    const credit = this.#accounts.get(key(record, TransferWord.creditAccountId));
    const known = this.#transfers.get(id);
    let status: number = TransferStatus.created;
    if (known !== undefined) status = TransferStatus.exists;
    else if (debit === undefined) status = TransferStatus.debit_account_not_found;
    else if (credit === undefined) status = TransferStatus.credit_account_not_found;
    else {
      debit[AccountWord.debitsPosted]! += record[TransferWord.amount]!;
      credit[AccountWord.creditsPosted]! += record[TransferWord.amount]!;
      const row = new Uint32Array(TRANSFER_ROW_WORDS);
      record[TransferWord.timestamp] = this.#tick();
      row.set(record);
      row[TransferRowWord.rowTimestamp] = record[TransferWord.timestamp]!;
      this.#transfers.set(id, row);
    }
    results[at + ResultWord.status] = status;
    const stamped = known ?? record;
    results[at + ResultWord.timestamp] = stamped[TransferWord.timestamp] || this.#tick();
    if (balances) putBalances(results, at, debit, credit);
  }

  #answer(done: GatewayDone, words: Uint32Array): RequestHandle {
    this.started += 1;
    const held: Held = { answer: () => done(null, words), done, cancelled: false };
    if (this.holding) this.held.push(held);
    else setImmediate(() => !held.cancelled && held.answer());
    return {
      cancel: () => {
        held.cancelled = true;
        this.cancelled += 1;
      },
    };
  }

  #tick(): number {
    this.#clock += 1;
    return this.#clock;
  }
}

/** Every page leads on to a next one. */
export const NEXT_PAGE = Uint8Array.of(1, 2, 3);

function withToken(done: PageDone): GatewayDone {
  return (error, words) => done(error, words, NEXT_PAGE);
}

function balancesOf(account: Uint32Array | undefined): Uint32Array[] {
  const from = AccountWord.debitsPending;
  return account === undefined ? [] : [account.slice(from, from + BALANCES_WORDS)];
}

function putBalances(
  results: Uint32Array,
  at: number,
  debit: Uint32Array | undefined,
  credit: Uint32Array | undefined,
): void {
  const from = AccountWord.debitsPending;
  if (debit !== undefined) {
    results[at + ResultWord.flags]! |= ResultFlag.debitBalances;
    results.set(debit.subarray(from, from + BALANCES_WORDS), at + RESULT_WORDS);
  }
  if (credit !== undefined) {
    results[at + ResultWord.flags]! |= ResultFlag.creditBalances;
    results.set(credit.subarray(from, from + BALANCES_WORDS), at + RESULT_WORDS + BALANCES_WORDS);
  }
}

function lookup(rows: Map<string, Uint32Array>, ids: Uint32Array, count: number): Uint32Array[] {
  const wanted = Array.from({ length: count }, (_, i) => rows.get(key(ids, i * 4)));
  return wanted.filter((row) => row !== undefined);
}

function join(rows: readonly Uint32Array[]): Uint32Array {
  return Uint32Array.from(rows.flatMap((row) => [...row]));
}

function key(words: Uint32Array, offset: number): string {
  return words.subarray(offset, offset + 4).join();
}

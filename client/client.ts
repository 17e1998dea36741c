import {
  decodeAccountResults,
  decodeAccounts,
  decodeTransferResults,
  decodeTransfers,
} from './decode.ts';
import {
  decodeAccountBalance,
  decodeAccountPage,
  decodeAccountTransfers,
  decodeTransferPage,
} from './decode-reads.ts';
import { decodeExisted, decodeLedgers, decodeTopology } from './decode-topology.ts';
import { encodeAccounts, encodeIds, encodeLedger, encodeTransfers } from './encode.ts';
import { encodeAddServer, encodeRemoveServers, encodeZone } from './encode-cluster.ts';
import {
  encodeAccountQuery,
  encodeAccountTransfersQuery,
  encodeBalanceQuery,
  encodeTransferQuery,
} from './encode-reads.ts';
import { ClientError } from './error.ts';
import { allRows } from './pages.ts';
import type {
  AccountBalance,
  AccountQuery,
  AccountTransfer,
  AccountTransfers,
  AccountTransfersQuery,
  BookedTransfer,
  LedgerEvent,
  Page,
  PageOptions,
  TransferQuery,
  WatchOptions,
} from './read-types.ts';
import { Servers } from './servers.ts';
import { Submitter } from './submitter.ts';
import type {
  Account,
  AccountResult,
  ClusterServer,
  Ledger,
  NewAccount,
  NewTransfer,
  Topology,
  Transfer,
  TransferResult,
} from './types.ts';
import { type UnaryOptions, unary } from './unary.ts';
import { EventStream } from './watch.ts';

export interface ClientOptions {
  /** host:port of servers, the nearest first. Any server takes any request; the others are for when it is away. */
  readonly addresses: readonly string[];
  /**
   * How long a request is tried again, on any server, before it is given up.
   * @default 60_000
   */
  readonly retryWindowMs?: number;
  /**
   * A server that doesn't even answer pings for this long is dead: the next is asked at once.
   * @default 2_000
   */
  readonly silenceTimeoutMs?: number;
  /**
   * A server that is there, but owes answers and gives none for this long, is left for the next. Grows while
   * no server answers. Keep it well above the time that a busy cluster takes: asking twice is load too.
   * @default 10_000
   */
  readonly stallTimeoutMs?: number;
  /**
   * Single transfers sent and unanswered; further ones wait in the client.
   * @default 8_192
   */
  readonly maxInFlight?: number;
}

const RETRY_WINDOW_MS = 60_000;
const SILENCE_TIMEOUT_MS = 2_000;
const STALL_TIMEOUT_MS = 10_000;
const MAX_IN_FLIGHT = 8_192;

/**
 * A client of the ledger. Requests are sent again, with the same ids, until a server answers: after a
 * lost connection or a server's end a request that was booked before answers `exists`.
 *
 * All methods reject with ClientError; error.ts lists the codes.
 */
export class EvenkeelClient {
  readonly #servers: Servers;
  readonly #submitter: Submitter;
  readonly #retryWindowMs: number;
  readonly #stallTimeoutMs: number;
  readonly #closing = new AbortController();

  constructor(options: ClientOptions) {
    if (options.addresses.length === 0) {
      throw new ClientError('invalid_argument', 'addresses: none, at least 1');
    }
    this.#retryWindowMs = options.retryWindowMs ?? RETRY_WINDOW_MS;
    this.#stallTimeoutMs = options.stallTimeoutMs ?? STALL_TIMEOUT_MS;
    this.#servers = new Servers(options.addresses, options.silenceTimeoutMs ?? SILENCE_TIMEOUT_MS);
    this.#submitter = new Submitter({
      servers: this.#servers,
      retryWindowMs: this.#retryWindowMs,
      stallTimeoutMs: this.#stallTimeoutMs,
      maxInFlight: options.maxInFlight ?? MAX_IN_FLIGHT,
    });
  }

  /** 1 to 8,190 accounts. One result each, in order. */
  async createAccounts(accounts: readonly NewAccount[]): Promise<AccountResult[]> {
    const response = await this.#unary('Ledger/CreateAccounts', encodeAccounts(accounts), true);
    return decodeAccountResults(response);
  }

  /**
   * 1 to 8,190 transfers in one request, chains among them. One result each, in order; within a unit they are
   * applied in order.
   */
  async createTransfers(
    transfers: readonly NewTransfer[],
    options: { readonly balances?: boolean } = {},
  ): Promise<TransferResult[]> {
    const message = encodeTransfers(transfers, options.balances === true);
    return decodeTransferResults(await this.#unary('Ledger/CreateTransfers', message, true));
  }

  /**
   * Books one transfer: plain, pending, post or void. Call it as often as you like without waiting: all share one stream. Transfers in
   * flight together are not ordered among each other.
   */
  transfer(
    transfer: NewTransfer,
    options: { readonly balances?: boolean } = {},
  ): Promise<TransferResult> {
    return this.#submitter.submit(transfer, options.balances === true);
  }

  /** Accounts as of now, in the order asked; those that don't exist are left out. */
  async lookupAccounts(ids: readonly bigint[]): Promise<Account[]> {
    return decodeAccounts(await this.#unary('Ledger/LookupAccounts', encodeIds(ids), false));
  }

  /** Transfers as of now, in the order asked; those that don't exist are left out. */
  async lookupTransfers(ids: readonly bigint[]): Promise<Transfer[]> {
    return decodeTransfers(await this.#unary('Ledger/LookupTransfers', encodeIds(ids), false));
  }

  /** An account and a page of its transfers in order of booking, as of now. */
  async accountTransfers(
    accountId: bigint,
    query: AccountTransfersQuery & PageOptions = {},
  ): Promise<AccountTransfers> {
    const message = encodeAccountTransfersQuery(accountId, query);
    return decodeAccountTransfers(await this.#unary('Ledger/GetAccountTransfers', message, false));
  }

  /** All transfers of an account, or the first `limit`, page by page: each page as of when it is read. */
  statement(
    accountId: bigint,
    query: AccountTransfersQuery & { readonly limit?: number } = {},
  ): AsyncGenerator<AccountTransfer, void, undefined> {
    return allRows(query.limit, async (options) => {
      const page = await this.accountTransfers(accountId, { ...query, ...options });
      return { rows: page.transfers, nextPageToken: page.nextPageToken };
    });
  }

  /** An account's balances after all that was booked up to `at`, that moment included; without it as of now. */
  async accountBalance(accountId: bigint, at = 0n): Promise<AccountBalance> {
    const message = encodeBalanceQuery(accountId, at);
    return decodeAccountBalance(await this.#unary('Ledger/GetAccountBalance', message, false));
  }

  /** All accounts that meet the query, or the first `limit`, in order of creation. */
  queryAccounts(
    query: AccountQuery & { readonly limit?: number } = {},
  ): AsyncGenerator<Account, void, undefined> {
    return allRows(query.limit, (options) => this.accountPage({ ...query, ...options }));
  }

  async accountPage(query: AccountQuery & PageOptions = {}): Promise<Page<Account>> {
    const message = encodeAccountQuery(query);
    return decodeAccountPage(await this.#unary('Ledger/QueryAccounts', message, false));
  }

  /** All transfers that meet the query, or the first `limit`, in order of booking. */
  queryTransfers(
    query: TransferQuery & { readonly limit?: number } = {},
  ): AsyncGenerator<BookedTransfer, void, undefined> {
    return allRows(query.limit, (options) => this.transferPage({ ...query, ...options }));
  }

  async transferPage(query: TransferQuery & PageOptions = {}): Promise<Page<BookedTransfer>> {
    const message = encodeTransferQuery(query);
    return decodeTransferPage(await this.#unary('Ledger/QueryTransfers', message, false));
  }

  /**
   * What happens in a unit, in its order: from the time or the cursor given on, then live, until the reader
   * breaks off or `signal` is aborted. Goes on at another server when one is lost; rejects when no server
   * could be reached for the retry window. A reader that takes its time misses nothing.
   */
  async *watch(options: WatchOptions): AsyncGenerator<LedgerEvent, void, undefined> {
    const stream = new EventStream(this.#options(), options);
    try {
      for (let events = await stream.next(); events !== null; events = await stream.next()) {
        yield* events;
      }
    } finally {
      stream.close();
    }
  }

  /**
   * Adds a ledger, for good; once it resolves every server takes accounts and transfers of it. `existed`: it
   * was there, as asked for. Rejects with `already_exists` if its number or its name is another ledger's.
   */
  async createLedger(ledger: Ledger): Promise<{ readonly existed: boolean }> {
    const response = await this.#unary('Cluster/CreateLedger', encodeLedger(ledger), true);
    return { existed: decodeExisted(response) };
  }

  /** All ledgers as of now, ascending by number. */
  async ledgers(): Promise<Ledger[]> {
    return decodeLedgers(await this.#unary('Cluster/ListLedgers', Buffer.alloc(0), false));
  }

  /**
   * Makes a server a member, that runs already and was told to join. Resolves once it is decided; `topology` shows in which
   * units it votes. Rejects with `already_exists`, or `failed_precondition` and the reason.
   */
  async addServer(server: ClusterServer): Promise<void> {
    await this.#unary('Cluster/AddServer', encodeAddServer(server), true);
  }

  /** Takes servers out, for good. Rejects with `not_found`, or `failed_precondition` and the reason. */
  async removeServers(ids: readonly number[]): Promise<void> {
    await this.#unary('Cluster/RemoveServers', encodeRemoveServers(ids), true);
  }

  /** No unit is led in the zone any more, as soon as its leaders have moved. */
  async drainZone(zone: string): Promise<void> {
    await this.#unary('Cluster/DrainZone', encodeZone(zone), true);
  }

  /** The zone leads again. */
  async restoreZone(zone: string): Promise<void> {
    await this.#unary('Cluster/RestoreZone', encodeZone(zone), true);
  }

  /** The cluster as the answering server sees it. */
  async topology(): Promise<Topology> {
    return decodeTopology(await this.#unary('Cluster/GetTopology', Buffer.alloc(0), false));
  }

  /** Ends all connections. What is unanswered rejects with `closed`. */
  close(): void {
    this.#closing.abort();
    this.#submitter.close();
    this.#servers.close();
  }

  #unary(method: string, message: Buffer, writes: boolean): Promise<Buffer> {
    return unary(this.#options(), `/evenkeel.v1.${method}`, message, writes);
  }

  #options(): UnaryOptions {
    return {
      servers: this.#servers,
      retryWindowMs: this.#retryWindowMs,
      stallTimeoutMs: this.#stallTimeoutMs,
      signal: this.#closing.signal,
    };
  }
}

import { AccountWord, RECORD_WORDS, TransferWord } from '../../../ledger/layout.ts';
import { slotOf } from '../../../ledger/slot.ts';
import { EvenkeelError } from '../error.ts';
import { GATEWAY_BYTES_MAX, GATEWAY_REQUESTS_MAX } from '../limits.ts';
import { RequestKind } from '../messages.ts';
import { BALANCE_QUERY_WORDS, BalanceQueryWord } from '../reads/account-balance.ts';
import { packAccountQuery, packAccountTransfers, packTransferQuery } from '../reads/filter.ts';
import { putU64 } from '../reads/row.ts';
import type { RegistryUnit } from '../registry-unit.ts';
import type { Router } from '../router.ts';
import type { LedgerDefinition } from '../topology.ts';
import type {
  AccountQuery,
  AccountTransfersRequest,
  Gateway,
  GatewayDone,
  PageDone,
  RequestHandle,
  TransferQuery,
} from './api.ts';
import type { GatewayContext } from './context.ts';
import { EventRequest } from './event-request.ts';
import type { Ledgers } from './ledgers.ts';
import { AccountLookup, TransferLookup } from './lookups.ts';
import { AccountPage, QueryPage } from './pages.ts';
import type { EventKind } from './routing.ts';

interface Open {
  readonly startedMs: number;
  fail(error: EvenkeelError): void;
}

interface Delayed {
  readonly dueMs: number;
  readonly callback: () => void;
}

type Knows = (ledger: number) => boolean;

interface NamedLedger {
  /** Of the request. */
  readonly field: string;
  readonly ledger: number;
}

const LEDGER = { accounts: AccountWord.ledger, transfers: TransferWord.ledger } as const;
/** In the text of an error. */
const LEDGERS_NAMED_MAX = 20;
const NO_WORDS = new Uint32Array(0);
const NO_TOKEN = new Uint8Array(0);

/** See api.ts. Splits requests by unit, and puts the answers back into request order. */
export class UnitGateway implements Gateway {
  readonly #registry: RegistryUnit;
  readonly #ledgers: Ledgers;
  readonly #context: GatewayContext;
  #delayed: Delayed[] = [];
  #earlyStarts: (() => void)[] = [];
  #bytes = 0;
  #requests = 0;
  #roomCallbacks: (() => void)[] = [];
  /** Unanswered requests, in the order in which they came. */
  readonly #open = new Set<Open>();

  readonly #wake: () => void;

  constructor(
    registry: RegistryUnit,
    router: Router,
    ledgers: Ledgers,
    nowMs: () => number,
    wake: () => void,
  ) {
    this.#registry = registry;
    this.#ledgers = ledgers;
    this.#wake = wake;
    this.#context = {
      router,
      nowMs,
      unitOf: (words, offset) => registry.slotOwners![slotOf(words, offset)]!,
      units: () => Array.from({ length: registry.topology!.units }, (_, i) => i + 1),
      later: (dueMs, callback) => this.#delayed.push({ dueMs, callback }),
    };
  }

  get hasRoom(): boolean {
    return this.#bytes < GATEWAY_BYTES_MAX && this.#requests < GATEWAY_REQUESTS_MAX;
  }

  get load(): { readonly requests: number; readonly bytes: number } {
    return { requests: this.#requests, bytes: this.#bytes };
  }

  onRoom(callback: () => void): void {
    this.#roomCallbacks.push(callback);
  }

  createAccounts(records: Uint32Array, count: number, done: GatewayDone): RequestHandle {
    return this.#create('accounts', records, count, false, done);
  }

  createTransfers(
    records: Uint32Array,
    count: number,
    balances: boolean,
    done: GatewayDone,
  ): RequestHandle {
    return this.#create('transfers', records, count, balances, done);
  }

  lookupAccounts(ids: Uint32Array, count: number, done: GatewayDone): RequestHandle {
    return this.#start(ids.byteLength, done, (finish) => {
      if (count === 0) return this.#finishLater(finish, null);
      return new AccountLookup(this.#context, ids, count, finish);
    });
  }

  lookupTransfers(ids: Uint32Array, count: number, done: GatewayDone): RequestHandle {
    return this.#start(ids.byteLength, done, (finish) => {
      return new TransferLookup(this.#context, ids, count, finish);
    });
  }

  accountTransfers(query: AccountTransfersRequest, done: PageDone): RequestHandle {
    return this.#startPage(done, (finish) => {
      const page = { filter: packAccountTransfers(query), token: query.pageToken ?? NO_TOKEN };
      return new AccountPage(this.#context, page, finish);
    });
  }

  accountBalance(accountId: Uint32Array, timestamp: bigint, done: GatewayDone): RequestHandle {
    return this.#start(0, done, (finish) => {
      const unit = this.#context.unitOf(accountId, 0);
      const words = new Uint32Array(BALANCE_QUERY_WORDS);
      words.set(accountId.subarray(0, 4), BalanceQueryWord.accountId);
      putU64(words, BalanceQueryWord.timestamp, timestamp);
      return this.#context.router.request(unit, RequestKind.accountBalance, words, (_, answer) =>
        finish(null, answer),
      );
    });
  }

  queryAccounts(query: AccountQuery, done: PageDone): RequestHandle {
    return this.#query('accounts', query, packAccountQuery(query), done);
  }

  queryTransfers(query: TransferQuery, done: PageDone): RequestHandle {
    return this.#query('transfers', query, packTransferQuery(query), done);
  }

  /** Lets go of what has waited for so long: nobody knows whether it was booked, and another server may tell. */
  giveUp(waitedMs: number, why: string): void {
    const sinceMs = this.#context.nowMs() - waitedMs;
    for (const request of this.#open) {
      if (request.startedMs > sinceMs) break;
      request.fail(new EvenkeelError('outcome_unknown', why));
    }
  }

  /** Called once a turn. */
  flush(): void {
    if (this.#earlyStarts.length > 0 && this.#registry.topology !== null) {
      const starts = this.#earlyStarts;
      this.#earlyStarts = [];
      for (const start of starts) start();
    }
    if (this.#delayed.length > 0) this.#runDelayed();
  }

  #runDelayed(): void {
    const now = this.#context.nowMs();
    const due = this.#delayed.filter((delayed) => delayed.dueMs <= now);
    if (due.length === 0) return;
    this.#delayed = this.#delayed.filter((delayed) => delayed.dueMs > now);
    for (const { callback } of due) callback();
  }

  /** Counts the request in until it has finished or was cancelled; holds it while no slot map is known. */
  #start(
    bytes: number,
    done: GatewayDone,
    begin: (finish: GatewayDone) => RequestHandle | undefined,
  ): RequestHandle {
    let ended = false;
    let inner: RequestHandle | undefined;
    this.#bytes += bytes;
    this.#requests += 1;
    const open: Open = {
      startedMs: this.#context.nowMs(),
      fail: (error) => {
        cancel();
        done(error, NO_WORDS);
      },
    };
    this.#open.add(open);
    const end = () => {
      ended = true;
      this.#open.delete(open);
      this.#bytes -= bytes;
      this.#requests -= 1;
      this.#callRoom();
    };
    const finish: GatewayDone = (error, words) => {
      if (ended) return;
      end();
      done(error, words);
    };
    const start = () => {
      if (!ended) inner = begin(finish);
    };
    const cancel = () => {
      if (ended) return;
      end();
      inner?.cancel();
      if (inner === undefined) {
        this.#earlyStarts = this.#earlyStarts.filter((early) => early !== start);
      }
    };
    if (this.#registry.topology === null) this.#earlyStarts.push(start);
    else start();
    this.#wake();
    return { cancel };
  }

  /** A token that doesn't fit is refused, later: the caller has no handle yet. */
  #startPage(done: PageDone, begin: (finish: PageDone) => RequestHandle): RequestHandle {
    let nextPageToken: Uint8Array = NO_TOKEN;
    return this.#start(
      0,
      (error, words) => done(error, words, nextPageToken),
      (finish) => {
        try {
          return begin((error, words, token) => {
            nextPageToken = token;
            finish(error, words);
          });
        } catch (error) {
          if (!(error instanceof EvenkeelError)) throw error;
          return this.#finishLater(finish, error);
        }
      },
    );
  }

  /** No unit need be asked. Never at once: the caller has no handle yet. */
  #finishLater(finish: GatewayDone, error: EvenkeelError | null): undefined {
    this.#context.later(0, () => finish(error, NO_WORDS));
  }

  #callRoom(): void {
    if (this.#roomCallbacks.length === 0 || !this.hasRoom) return;
    const callbacks = this.#roomCallbacks;
    this.#roomCallbacks = [];
    for (const callback of callbacks) callback();
  }

  #create(
    kind: EventKind,
    records: Uint32Array,
    count: number,
    balances: boolean,
    done: GatewayDone,
  ): RequestHandle {
    return this.#start(records.byteLength, done, (finish) => {
      const begin = () => {
        const request = new EventRequest(this.#context, kind, records, count, balances, finish);
        request.start();
        return request;
      };
      const unknown = (knows: Knows) => unknownLedger(kind, records, count, knows);
      return this.#ifLedgersKnown(unknown, begin, (error) => finish(error, NO_WORDS));
    });
  }

  #query(
    kind: EventKind,
    { ledger, pageToken }: AccountQuery,
    filter: Uint32Array,
    done: PageDone,
  ): RequestHandle {
    return this.#startPage(done, (finish) => {
      const page = { filter, token: pageToken ?? NO_TOKEN };
      const begin = () => new QueryPage(this.#context, kind, page, finish);
      if (ledger === undefined) return begin();
      const unknown = (knows: Knows) => (knows(ledger) ? null : { field: 'ledger', ledger });
      return this.#ifLedgersKnown(unknown, begin, (error) => finish(error, NO_WORDS, NO_TOKEN));
    });
  }

  /** Begins a request if all ledgers that it names are known; `unknown` finds one that is not. */
  #ifLedgersKnown(
    unknown: (knows: Knows) => NamedLedger | null,
    begin: () => RequestHandle,
    refuse: (error: EvenkeelError) => void,
  ): RequestHandle {
    if (unknown((ledger) => this.#registry.knowsLedger(ledger)) === null) return begin();
    // Another server may have acknowledged it already: only the registry's leader can tell.
    let cancelled = false;
    let pending: RequestHandle = this.#ledgers.list((ledgers) => {
      if (cancelled) return;
      const numbers = new Set(ledgers.map(({ ledger }) => ledger));
      const named = unknown((ledger) => numbers.has(ledger));
      if (named !== null) {
        refuse(noSuchLedger(named, ledgers));
        return;
      }
      try {
        pending = begin();
      } catch (error) {
        if (!(error instanceof EvenkeelError)) throw error;
        refuse(error);
      }
    });
    return {
      cancel: () => {
        cancelled = true;
        pending.cancel();
      },
    };
  }
}

/** Where the first event names a ledger that isn't known, or null. Ledger 0 is left to the machine, which has statuses for it. */
function unknownLedger(
  kind: EventKind,
  records: Uint32Array,
  count: number,
  knows: Knows,
): NamedLedger | null {
  let known = 0;
  for (let event = 0; event < count; event += 1) {
    const ledger = records[event * RECORD_WORDS + LEDGER[kind]]!;
    // Most requests are of one ledger.
    if (ledger === known || ledger === 0) continue;
    if (!knows(ledger)) return { field: `${kind}[${event}].ledger`, ledger };
    known = ledger;
  }
  return null;
}

function noSuchLedger(
  { field, ledger }: NamedLedger,
  ledgers: readonly LedgerDefinition[],
): EvenkeelError {
  const names = ledgers
    .slice(0, LEDGERS_NAMED_MAX)
    .map((known) => `${known.ledger} (${known.currency})`);
  if (ledgers.length > names.length) names.push('more');
  return new EvenkeelError(
    'unknown_ledger',
    `unknown_ledger: ${field}: there is no ledger ${ledger}; known are ${names.join(', ')}`,
  );
}

import {
  AccountFlag,
  AccountWord,
  BALANCES_WORDS,
  RECORD_WORDS,
  RESULT_WITH_BALANCES_WORDS,
  RESULT_WORDS,
  ResultFlag,
  ResultWord,
  SUB_BATCH_HEADER_WORDS,
  SubBatchFlag,
  SubBatchKind,
  SubBatchWord,
  TransferFlag,
  TransferWord,
} from '../../../ledger/layout.ts';
import { InternalStatus, TransferStatus } from '../../../ledger/status.ts';
import { isZero } from '../../../ledger/u128.ts';
import { sameId } from '../books-row.ts';
import { EvenkeelError } from '../error.ts';
import { IN_FLIGHT_MS_MAX, IN_FLIGHT_MS_MIN } from '../limits.ts';
import { ReplyOutcome, RequestKind } from '../messages.ts';
import type { SentRequest } from '../router.ts';
import type { GatewayDone, RequestHandle } from './api.ts';
import type { GatewayContext } from './context.ts';
import { chainEnd, type EventKind, notAcrossUnits, Routing } from './routing.ts';

const IMPORTED = { accounts: AccountFlag.imported, transfers: TransferFlag.imported } as const;
const NO_WORDS = new Uint32Array(0);
const OK = 0;

/**
 * One client request of accounts or transfers on its way through the units: see routing.ts. Events that
 * met an open crossing of their id are asked again after a pause, each with its whole chain.
 */
export class EventRequest implements RequestHandle {
  readonly #context: GatewayContext;
  readonly #kind: EventKind;
  readonly #records: Uint32Array;
  readonly #count: number;
  readonly #stride: number;
  /** SubBatchFlag bits of every sub-batch: they are a matter of the request. */
  readonly #flags: number;
  readonly #done: GatewayDone;
  #results: Uint32Array;
  #unsettled: number;
  /** Asked and unanswered: what is asked again and again while a crossing is open must not pile up. */
  readonly #sent = new Set<SentRequest>();
  #pauseMs = IN_FLIGHT_MS_MIN;
  #ended = false;

  constructor(
    context: GatewayContext,
    kind: EventKind,
    records: Uint32Array,
    count: number,
    balances: boolean,
    done: GatewayDone,
  ) {
    this.#context = context;
    this.#kind = kind;
    this.#records = records;
    this.#count = count;
    this.#stride = balances ? RESULT_WITH_BALANCES_WORDS : RESULT_WORDS;
    const firstFlags = records[TransferWord.codeAndFlags]! >>> 16;
    this.#flags =
      (balances ? SubBatchFlag.balances : 0) |
      ((firstFlags & IMPORTED[kind]) !== 0 ? SubBatchFlag.imported : 0);
    this.#done = done;
    this.#results = new Uint32Array(count * this.#stride);
    this.#unsettled = count;
  }

  start(): void {
    if (this.#ended) return;
    this.#send(Array.from({ length: this.#count }, (_, i) => i));
  }

  cancel(): void {
    this.#ended = true;
    for (const sent of this.#sent) sent.cancel();
  }

  /** Proposes those events, ascending, in one sub-batch a unit; refuses all if some can't be done there. */
  #send(events: readonly number[]): void {
    let units: Uint16Array;
    try {
      units = new Routing(this.#context, this.#kind, this.#records, this.#count).route();
    } catch (error) {
      if (!(error instanceof EvenkeelError)) throw error;
      // Never at once: the caller has no handle yet.
      this.#context.later(0, () => this.#fail(error));
      return;
    }
    for (const [unit, ofUnit] of split(events, units)) {
      const words = this.#subBatch(ofUnit);
      const sent = this.#context.router.proposeOrFail(unit, words, (outcome, results) => {
        this.#sent.delete(sent);
        if (outcome === ReplyOutcome.diskFull) this.#fail(diskFull(unit));
        else this.#answered(ofUnit, results);
      });
      this.#sent.add(sent);
    }
  }

  #fail(error: EvenkeelError): void {
    if (this.#ended) return;
    this.cancel();
    this.#done(error, NO_WORDS);
  }

  #subBatch(events: readonly number[]): Uint32Array {
    const words = new Uint32Array(SUB_BATCH_HEADER_WORDS + events.length * RECORD_WORDS);
    const kind =
      this.#kind === 'accounts' ? SubBatchKind.createAccounts : SubBatchKind.createTransfers;
    words[SubBatchWord.kindAndFlags] = (this.#flags << 16) | kind;
    words[SubBatchWord.count] = events.length;
    words[SubBatchWord.bodyWords] = events.length * RECORD_WORDS;
    let at = SUB_BATCH_HEADER_WORDS;
    for (const event of events) {
      const from = event * RECORD_WORDS;
      words.set(this.#records.subarray(from, from + RECORD_WORDS), at);
      at += RECORD_WORDS;
    }
    return words;
  }

  /** `events` ascend and hold whole chains only, for none is ever split or sent in part. */
  #answered(events: readonly number[], results: Uint32Array): void {
    if (this.#ended) return;
    const again: number[] = [];
    for (let i = 0; i < events.length; ) {
      const first = events[i]!;
      const end = i + chainEnd(this.#records, this.#count, first) - first;
      const internal = this.#internalStatus(results, i, end);
      if (internal === InternalStatus.not_across_units) {
        this.#fail(refusedByUnit(this.#kind, first));
        return;
      }
      if (internal === OK) this.#settle(events, results, i, end);
      else for (let k = i; k < end; k += 1) again.push(events[k]!);
      i = end;
    }
    if (again.length > 0) {
      this.#context.later(this.#context.nowMs() + this.#pauseMs, () => {
        if (!this.#ended) this.#send(again);
      });
      this.#pauseMs = Math.min(IN_FLIGHT_MS_MAX, this.#pauseMs * 2);
    } else if (this.#unsettled === 0) {
      this.#finish();
    }
  }

  /** Of a chain's results: why no client may see them, or OK. */
  #internalStatus(results: Uint32Array, from: number, to: number): number {
    for (let i = from; i < to; i += 1) {
      const status = results[i * this.#stride + ResultWord.status]!;
      if (
        status === InternalStatus.in_flight ||
        status === InternalStatus.wrong_unit ||
        status === InternalStatus.not_across_units
      ) {
        return status;
      }
    }
    return OK;
  }

  #settle(events: readonly number[], results: Uint32Array, from: number, to: number): void {
    const stride = this.#stride;
    for (let i = from; i < to; i += 1) {
      this.#results.set(results.subarray(i * stride, (i + 1) * stride), events[i]! * stride);
    }
    this.#unsettled -= to - from;
  }

  #finish(): void {
    if (this.#stride === RESULT_WITH_BALANCES_WORDS && this.#askMissingBalances()) return;
    this.#done(null, this.#results);
  }

  /**
   * A transfer that crossed and is asked for again `exists` in its home unit, which knows one side
   * only: the other side's balances are read as they are now. True if there are any to wait for.
   */
  #askMissingBalances(): boolean {
    const missing: [number, number[]][] = [];
    for (let event = 0; event < this.#count; event += 1) {
      const at = event * this.#stride;
      const status = this.#results[at + ResultWord.status]!;
      if (status !== TransferStatus.created && status !== TransferStatus.exists) continue;
      const flags = this.#results[at + ResultWord.flags]!;
      if ((flags & ResultFlag.debitBalances) === 0) this.#miss(missing, event, 0);
      if ((flags & ResultFlag.creditBalances) === 0) this.#miss(missing, event, 1);
    }
    let waiting = missing.length;
    for (const [unit, sides] of missing) {
      const ids = new Uint32Array(sides.length * 4);
      sides.forEach((side, i) => {
        const from = this.#accountIdAt(side);
        ids.set(this.#records.subarray(from, from + 4), i * 4);
      });
      this.#sent.add(
        this.#context.router.request(
          unit,
          RequestKind.lookupAccounts,
          ids,
          (_outcome, accounts) => {
            this.#fillBalances(sides, accounts);
            waiting -= 1;
            if (waiting === 0 && !this.#ended) this.#done(null, this.#results);
          },
        ),
      );
    }
    return waiting > 0;
  }

  /**
   * A side is 2 x event, + 1 for the credit account. A post or void need not name its accounts: only the
   * unit knows them then.
   */
  #miss(missing: [number, number[]][], event: number, credit: number): void {
    const side = event * 2 + credit;
    if (isZero(this.#records, this.#accountIdAt(side))) return;
    const unit = this.#context.unitOf(this.#records, this.#accountIdAt(side));
    const known = missing.find(([candidate]) => candidate === unit);
    if (known === undefined) missing.push([unit, [side]]);
    else known[1].push(side);
  }

  #accountIdAt(side: number): number {
    const word = side % 2 === 0 ? TransferWord.debitAccountId : TransferWord.creditAccountId;
    return (side >> 1) * RECORD_WORDS + word;
  }

  #fillBalances(sides: readonly number[], accounts: Uint32Array): void {
    let from = 0;
    for (const side of sides) {
      const idAt = this.#accountIdAt(side);
      if (from >= accounts.length || !sameId(accounts, from, this.#records, idAt)) continue;
      const credit = side % 2;
      const at = (side >> 1) * this.#stride;
      const balances = from + AccountWord.debitsPending;
      this.#results.set(
        accounts.subarray(balances, balances + BALANCES_WORDS),
        at + RESULT_WORDS + credit * BALANCES_WORDS,
      );
      this.#results[at + ResultWord.flags]! |=
        credit === 0 ? ResultFlag.debitBalances : ResultFlag.creditBalances;
      from += RECORD_WORDS;
    }
  }
}

function split(events: readonly number[], units: Uint16Array): [number, number[]][] {
  const byUnit: [number, number[]][] = [];
  const position: number[] = [];
  for (const event of events) {
    const unit = units[event]!;
    const at = position[unit];
    if (at === undefined) {
      position[unit] = byUnit.length;
      byUnit.push([unit, [event]]);
    } else {
      byUnit[at]![1].push(event);
    }
  }
  return byUnit;
}

/** `event`: the first of its chain. Units and gateway know the same slots, but while one of them moves. */
function refusedByUnit(kind: EventKind, event: number): EvenkeelError {
  return notAcrossUnits(
    kind,
    event,
    'its unit found an account in another unit; it was not booked, but other events of the request may be: ask again with the same ids',
  );
}

/** Of a request over several units the others may have done their part: with the same ids it can be sent again. */
function diskFull(unit: number): EvenkeelError {
  return new EvenkeelError(
    'disk_full',
    `disk_full: the disk of the server that leads unit ${unit} is full, and no other server can take over; try again with the same ids once it has room`,
  );
}

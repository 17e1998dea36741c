import {
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
  TransferWord,
} from '../../../ledger/layout.ts';
import { InternalStatus, TransferStatus } from '../../../ledger/status.ts';
import { sameId } from '../books-row.ts';
import { IN_FLIGHT_MS_MAX, IN_FLIGHT_MS_MIN } from '../limits.ts';
import { RequestKind } from '../messages.ts';
import type { SentRequest } from '../router.ts';
import type { GatewayDone, RequestHandle } from './api.ts';
import type { GatewayContext } from './context.ts';

/**
 * One client request of accounts or transfers on its way through the units. Events go to the unit of
 * their (debit) account; those that met an open crossing of their id are asked again after a pause.
 */
export class EventRequest implements RequestHandle {
  readonly #context: GatewayContext;
  readonly #kind: 'accounts' | 'transfers';
  readonly #records: Uint32Array;
  readonly #count: number;
  readonly #stride: number;
  readonly #done: GatewayDone;
  #results: Uint32Array;
  #unsettled: number;
  /** Asked and unanswered: what is asked again and again while a crossing is open must not pile up. */
  readonly #sent = new Set<SentRequest>();
  #pauseMs = IN_FLIGHT_MS_MIN;
  #ended = false;

  constructor(
    context: GatewayContext,
    kind: 'accounts' | 'transfers',
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
    this.#done = done;
    this.#results = new Uint32Array(count * this.#stride);
    this.#unsettled = count;
  }

  start(): void {
    this.#send(Array.from({ length: this.#count }, (_, i) => i));
  }

  cancel(): void {
    this.#ended = true;
    for (const sent of this.#sent) sent.cancel();
  }

  /** Proposes those events, ascending, in one sub-batch a unit. */
  #send(events: readonly number[]): void {
    for (const [unit, ofUnit] of this.#split(events)) {
      const words = this.#subBatch(ofUnit);
      const sent = this.#context.router.propose(unit, words, (_outcome, results) => {
        this.#sent.delete(sent);
        this.#answered(ofUnit, results);
      });
      this.#sent.add(sent);
    }
  }

  #split(events: readonly number[]): [number, number[]][] {
    const idWord = this.#kind === 'accounts' ? AccountWord.id : TransferWord.debitAccountId;
    const byUnit: [number, number[]][] = [];
    const position: number[] = [];
    for (const event of events) {
      const unit = this.#context.unitOf(this.#records, event * RECORD_WORDS + idWord);
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

  #subBatch(events: readonly number[]): Uint32Array {
    const words = new Uint32Array(SUB_BATCH_HEADER_WORDS + events.length * RECORD_WORDS);
    const kind =
      this.#kind === 'accounts' ? SubBatchKind.createAccounts : SubBatchKind.createTransfers;
    const flags = this.#stride === RESULT_WITH_BALANCES_WORDS ? SubBatchFlag.balances : 0;
    words[SubBatchWord.kindAndFlags] = (flags << 16) | kind;
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

  #answered(events: readonly number[], results: Uint32Array): void {
    if (this.#ended) return;
    const again: number[] = [];
    events.forEach((event, i) => {
      const from = i * this.#stride;
      const status = results[from + ResultWord.status];
      if (status === InternalStatus.in_flight || status === InternalStatus.wrong_unit) {
        again.push(event);
      } else {
        this.#results.set(results.subarray(from, from + this.#stride), event * this.#stride);
        this.#unsettled -= 1;
      }
    });
    if (again.length > 0) {
      this.#context.later(this.#context.nowMs() + this.#pauseMs, () => {
        if (!this.#ended) this.#send(again);
      });
      this.#pauseMs = Math.min(IN_FLIGHT_MS_MAX, this.#pauseMs * 2);
    } else if (this.#unsettled === 0) {
      this.#finish();
    }
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

  /** A side is 2 x event, + 1 for the credit account. */
  #miss(missing: [number, number[]][], event: number, credit: number): void {
    const side = event * 2 + credit;
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

import { AccountWord, RECORD_WORDS, TransferFlag, TransferWord } from '../../../ledger/layout.ts';
import { isHighHalfMax, isZero } from '../../../ledger/u128.ts';
import { EvenkeelError } from '../error.ts';
import type { GatewayContext } from './context.ts';

const RESOLVES = TransferFlag.postPendingTransfer | TransferFlag.voidPendingTransfer;
const KNOWN_FLAGS = 0x1ff;
/** The same place and bit in account and transfer records. */
const CODE_AND_FLAGS = TransferWord.codeAndFlags;
const LINKED = TransferFlag.linked << 16;
const NO_UNIT = 0;

export type EventKind = 'accounts' | 'transfers';

/**
 * Tells which unit each event of a request goes to: that of its account, of a transfer that of its debit
 * account. What can't be done whole in one unit is refused before anything is proposed: only plain
 * transfers cross.
 */
export class Routing {
  readonly #context: GatewayContext;
  readonly #kind: EventKind;
  readonly #records: Uint32Array;
  readonly #count: number;
  readonly #units: Uint16Array;

  constructor(context: GatewayContext, kind: EventKind, records: Uint32Array, count: number) {
    this.#context = context;
    this.#kind = kind;
    this.#records = records;
    this.#count = count;
    this.#units = new Uint16Array(count);
  }

  /** Units by event. Throws `not_across_units`. */
  route(): Uint16Array {
    for (let event = 0; event < this.#count; ) {
      const end = chainEnd(this.#records, this.#count, event);
      if (this.#isChain(event)) this.#routeChain(event, end);
      else this.#units[event] = this.#homeOf(event);
      event = end;
    }
    return this.#units;
  }

  #isChain(event: number): boolean {
    return (this.#flags(event) & TransferFlag.linked) !== 0;
  }

  #routeChain(start: number, end: number): void {
    let unit = NO_UNIT;
    for (let event = start; event < end; event += 1) {
      const own = this.#unitTouched(event);
      if (own === NO_UNIT) continue;
      if (unit !== NO_UNIT && own !== unit) {
        throw this.#refusal(event, 'it is in another unit than the events that it is linked with');
      }
      unit = own;
    }
    // A chain that names no account is answered alike by every unit.
    this.#units.fill(unit === NO_UNIT ? this.#context.units()[0]! : unit, start, end);
  }

  /** Of an event outside of chains. */
  #homeOf(event: number): number {
    const { debitAccountId, creditAccountId } = TransferWord;
    const at = event * RECORD_WORDS;
    if (this.#kind === 'accounts') return this.#context.unitOf(this.#records, at + AccountWord.id);
    const flags = this.#flags(event);
    if ((flags & KNOWN_FLAGS) !== 0) this.#unitTouched(event);
    const namesCreditOnly = (flags & RESOLVES) !== 0 && isZero(this.#records, at + debitAccountId);
    return this.#context.unitOf(
      this.#records,
      at + (namesCreditOnly ? creditAccountId : debitAccountId),
    );
  }

  /** The one unit whose accounts the event names; throws if there are two. */
  #unitTouched(event: number): number {
    const at = event * RECORD_WORDS;
    if (this.#kind === 'accounts') return this.#unitNamed(at + AccountWord.id);
    const debit = this.#unitNamed(at + TransferWord.debitAccountId);
    const credit = this.#unitNamed(at + TransferWord.creditAccountId);
    if (debit !== NO_UNIT && credit !== NO_UNIT && debit !== credit) {
      throw this.#refusal(
        event,
        'its accounts are in two units, where only a transfer without flags and outside of chains is served',
      );
    }
    if (debit !== NO_UNIT) return debit;
    if (credit !== NO_UNIT) return credit;
    if ((this.#flags(event) & RESOLVES) !== 0 && this.#context.units().length > 1) {
      throw this.#refusal(
        event,
        'any unit may hold its pending transfer: name the debit account, or at least the credit account',
      );
    }
    return NO_UNIT;
  }

  /** Unit of the account id there; 0 and the ledger's own ids name no account of a client. */
  #unitNamed(at: number): number {
    if (isZero(this.#records, at) || isHighHalfMax(this.#records, at)) return NO_UNIT;
    return this.#context.unitOf(this.#records, at);
  }

  #flags(event: number): number {
    return this.#records[event * RECORD_WORDS + CODE_AND_FLAGS]! >>> 16;
  }

  #refusal(event: number, why: string): EvenkeelError {
    return notAcrossUnits(this.#kind, event, why);
  }
}

/** One past the last event of the chain that `event` begins; of an event outside of chains one past itself. */
export function chainEnd(records: Uint32Array, count: number, event: number): number {
  let last = event;
  while (last < count - 1 && isLinked(records, last)) last += 1;
  return last + 1;
}

function isLinked(records: Uint32Array, event: number): boolean {
  return (records[event * RECORD_WORDS + CODE_AND_FLAGS]! & LINKED) !== 0;
}

export function notAcrossUnits(kind: EventKind, event: number, why: string): EvenkeelError {
  return new EvenkeelError('not_across_units', `not_across_units: ${kind}[${event}]: ${why}`);
}

import {
  AccountStatus,
  InternalStatus,
  TRANSIENT_TRANSFER_STATUSES,
  TransferStatus,
} from '../status.ts';
import type { AccountFields, TransferFields } from './records.ts';

const MAX = 2n ** 128n - 1n;
const RESERVED_ACCOUNTS = 2n ** 128n - 2n ** 64n;

/** What an entry's sub-batch asks for. */
export type Command =
  | {
      readonly kind: 'accounts';
      readonly events: readonly AccountFields[];
      readonly balances: boolean;
    }
  | {
      readonly kind: 'transfers';
      readonly events: readonly TransferFields[];
      readonly balances: boolean;
    }
  | {
      readonly kind: 'decide';
      readonly homeUnit: number;
      readonly finished: bigint;
      readonly items: readonly { readonly sequence: bigint; readonly record: TransferFields }[];
      readonly balances: boolean;
    }
  | {
      readonly kind: 'complete';
      readonly farUnit: number;
      readonly items: readonly { readonly sequence: bigint; readonly status: number }[];
      readonly balances: boolean;
    };

export type Balances = readonly [dp: bigint, dc: bigint, cp: bigint, cc: bigint];

export interface OracleResult {
  readonly status: number;
  readonly timestamp: bigint;
  readonly unit: number;
  readonly sequence: bigint;
  readonly debit: Balances | null;
  readonly credit: Balances | null;
}

interface Open {
  readonly farUnit: number;
  readonly sequence: bigint;
  readonly wantsBalances: boolean;
  readonly record: TransferFields;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * One unit, written from the document alone: maps, BigInt, no packing, no limits of memory. The machine
 * must agree with it on every result and every balance.
 */
export class Oracle {
  readonly unit: number;
  readonly accounts = new Map<bigint, Mutable<AccountFields>>();
  readonly transfers = new Map<bigint, TransferFields>();
  readonly burnt = new Set<bigint>();
  readonly open: Open[] = [];
  readonly #ownerOf: (account: bigint) => number;
  readonly #decided = new Map<string, { status: number; timestamp: bigint }>();
  readonly #forgotten = new Map<number, bigint>();
  readonly #lastSequence = new Map<number, bigint>();

  constructor(unit: number, ownerOf: (account: bigint) => number) {
    this.unit = unit;
    this.#ownerOf = ownerOf;
  }

  /** Results of one sub-batch; its first event is at `timestamp`. */
  apply(command: Command, timestamp: bigint): OracleResult[] {
    const at = (i: number) => timestamp + BigInt(i);
    switch (command.kind) {
      case 'accounts':
        return command.events.map((event, i) => this.#account(event, at(i)));
      case 'transfers':
        return command.events.map((event, i) => this.#transfer(event, at(i), command.balances));
      case 'decide': {
        const { homeUnit, finished, items, balances } = command;
        if (finished > (this.#forgotten.get(homeUnit) ?? 0n))
          this.#forgotten.set(homeUnit, finished);
        return items.map((item, i) =>
          this.#decide(homeUnit, item.sequence, item.record, at(i), balances),
        );
      }
      case 'complete':
        return command.items.map((item, i) =>
          this.#complete(command.farUnit, item.sequence, item.status, at(i), command.balances),
        );
    }
  }

  clearingId(ledger: number, otherUnit: number): bigint {
    return RESERVED_ACCOUNTS + ((BigInt(ledger) << 32n) | (BigInt(otherUnit) << 16n) | 1n);
  }

  #account(event: AccountFields, timestamp: bigint): OracleResult {
    const S = AccountStatus;
    const result = (status: number, time = timestamp) => plain(status, time);
    if (this.#ownerOf(event.id) !== this.unit) return result(InternalStatus.wrong_unit);
    if (event.timestamp !== 0n) return result(S.timestamp_must_be_zero);
    if (event.reserved !== 0) return result(S.reserved_field);
    if ((event.flags & ~0b110) !== 0) return result(S.reserved_flag);
    if (event.id === 0n) return result(S.id_must_not_be_zero);
    if (event.id >= RESERVED_ACCOUNTS) return result(S.id_must_not_be_int_max);
    const known = this.accounts.get(event.id);
    if (known !== undefined) {
      if (known.flags !== event.flags) return result(S.exists_with_different_flags);
      if (known.userData128 !== event.userData128)
        return result(S.exists_with_different_user_data_128);
      if (known.userData64 !== event.userData64)
        return result(S.exists_with_different_user_data_64);
      if (known.userData32 !== event.userData32)
        return result(S.exists_with_different_user_data_32);
      if (known.ledger !== event.ledger) return result(S.exists_with_different_ledger);
      if (known.code !== event.code) return result(S.exists_with_different_code);
      return result(S.exists, known.timestamp);
    }
    if (event.flags === 0b110) return result(S.flags_are_mutually_exclusive);
    if (event.debitsPending !== 0n) return result(S.debits_pending_must_be_zero);
    if (event.debitsPosted !== 0n) return result(S.debits_posted_must_be_zero);
    if (event.creditsPending !== 0n) return result(S.credits_pending_must_be_zero);
    if (event.creditsPosted !== 0n) return result(S.credits_posted_must_be_zero);
    if (event.ledger === 0) return result(S.ledger_must_not_be_zero);
    if (event.code === 0) return result(S.code_must_not_be_zero);
    this.accounts.set(event.id, { ...event, timestamp });
    return result(S.created);
  }

  #transfer(event: TransferFields, timestamp: bigint, balances: boolean): OracleResult {
    const S = TransferStatus;
    if (this.#ownerOf(event.debit) !== this.unit) {
      return plain(InternalStatus.wrong_unit, timestamp);
    }
    if (event.timestamp !== 0n) return plain(S.timestamp_must_be_zero, timestamp);
    if (event.flags !== 0) return plain(S.reserved_flag, timestamp);
    if (event.id === 0n) return plain(S.id_must_not_be_zero, timestamp);
    if (event.id === MAX) return plain(S.id_must_not_be_int_max, timestamp);
    if (this.open.some(({ record }) => record.id === event.id)) {
      return plain(InternalStatus.in_flight, timestamp);
    }
    const known = this.transfers.get(event.id);
    if (known !== undefined) {
      const status = compare(event, known);
      if (status !== S.exists) return plain(status, timestamp);
      return this.#withBalances(plain(status, known.timestamp), event, balances);
    }
    if (this.burnt.has(event.id)) return plain(S.id_already_failed, timestamp);
    const result = this.#newTransfer(event, timestamp, balances);
    if (TRANSIENT_TRANSFER_STATUSES.includes(result.status)) this.burnt.add(event.id);
    return result;
  }

  #newTransfer(event: TransferFields, timestamp: bigint, balances: boolean): OracleResult {
    const S = TransferStatus;
    const refuse = (status: number) => plain(status, timestamp);
    if (event.debit === 0n) return refuse(S.debit_account_id_must_not_be_zero);
    if (event.debit >= RESERVED_ACCOUNTS) return refuse(S.debit_account_id_must_not_be_int_max);
    if (event.credit === 0n) return refuse(S.credit_account_id_must_not_be_zero);
    if (event.credit >= RESERVED_ACCOUNTS) return refuse(S.credit_account_id_must_not_be_int_max);
    if (event.debit === event.credit) return refuse(S.accounts_must_be_different);
    if (event.pendingId !== 0n) return refuse(S.pending_id_must_be_zero);
    if (event.timeout !== 0) return refuse(S.timeout_reserved_for_pending_transfer);
    if (event.ledger === 0) return refuse(S.ledger_must_not_be_zero);
    if (event.code === 0) return refuse(S.code_must_not_be_zero);
    const debit = this.accounts.get(event.debit);
    if (debit === undefined) return refuse(S.debit_account_not_found);
    const owner = this.#ownerOf(event.credit);
    if (owner !== this.unit) return this.#reserve(event, debit, owner, timestamp, balances);
    const credit = this.accounts.get(event.credit);
    if (credit === undefined) return refuse(S.credit_account_not_found);
    if (debit.ledger !== credit.ledger) return refuse(S.accounts_must_have_the_same_ledger);
    if (debit.ledger !== event.ledger) {
      return refuse(S.transfer_must_have_the_same_ledger_as_accounts);
    }
    const status = overflow(debit, credit, event.amount) || limits(debit, credit, event.amount);
    if (status !== 0) return refuse(status);
    debit.debitsPosted += event.amount;
    credit.creditsPosted += event.amount;
    this.transfers.set(event.id, { ...event, timestamp });
    return this.#withBalances(plain(S.created, timestamp), event, balances);
  }

  #reserve(
    event: TransferFields,
    debit: Mutable<AccountFields>,
    farUnit: number,
    timestamp: bigint,
    balances: boolean,
  ): OracleResult {
    const S = TransferStatus;
    if (debit.ledger !== event.ledger) {
      return plain(S.transfer_must_have_the_same_ledger_as_accounts, timestamp);
    }
    const clearing = this.#clearing(event.ledger, farUnit, timestamp);
    const status = overflow(debit, clearing, event.amount) || limits(debit, clearing, event.amount);
    if (status !== 0) return plain(status, timestamp);
    this.accounts.set(clearing.id, clearing);
    debit.debitsPending += event.amount;
    clearing.creditsPending += event.amount;
    const sequence = (this.#lastSequence.get(farUnit) ?? 0n) + 1n;
    this.#lastSequence.set(farUnit, sequence);
    const record = { ...event, timestamp };
    this.open.push({ farUnit, sequence, wantsBalances: balances, record });
    const opened = plain(InternalStatus.crossing_opened, timestamp, farUnit, sequence);
    return balances ? { ...opened, debit: balancesOf(debit) } : opened;
  }

  #decide(
    homeUnit: number,
    sequence: bigint,
    record: TransferFields,
    timestamp: bigint,
    balances: boolean,
  ): OracleResult {
    const S = TransferStatus;
    const key = `${homeUnit}/${sequence}`;
    if (sequence <= (this.#forgotten.get(homeUnit) ?? 0n)) {
      return plain(InternalStatus.decision_forgotten, timestamp, homeUnit, sequence);
    }
    let decided = this.#decided.get(key);
    if (decided === undefined) {
      decided = { status: this.#farOutcome(homeUnit, record, timestamp), timestamp };
      this.#decided.set(key, decided);
      if (TRANSIENT_TRANSFER_STATUSES.includes(decided.status)) this.burnt.add(record.id);
    }
    const result = plain(decided.status, decided.timestamp, homeUnit, sequence);
    if (!balances || decided.status !== S.created) return result;
    return { ...result, credit: balancesOf(this.accounts.get(record.credit)!) };
  }

  #farOutcome(homeUnit: number, record: TransferFields, timestamp: bigint): number {
    const S = TransferStatus;
    const own = this.open.find((open) => open.record.id === record.id)?.record;
    const known = own ?? this.transfers.get(record.id);
    if (known !== undefined) return compare(record, known);
    if (this.burnt.has(record.id)) return S.id_already_failed;
    const credit = this.accounts.get(record.credit);
    if (credit === undefined) return S.credit_account_not_found;
    if (credit.ledger !== record.ledger) return S.accounts_must_have_the_same_ledger;
    const clearing = this.#clearing(record.ledger, homeUnit, timestamp);
    const status =
      overflow(clearing, credit, record.amount) || limits(clearing, credit, record.amount);
    if (status !== 0) return status;
    this.accounts.set(clearing.id, clearing);
    clearing.debitsPosted += record.amount;
    credit.creditsPosted += record.amount;
    this.transfers.set(record.id, record);
    return S.created;
  }

  #complete(
    farUnit: number,
    sequence: bigint,
    status: number,
    timestamp: bigint,
    balances: boolean,
  ): OracleResult {
    const at = this.open.findIndex(
      (open) => open.farUnit === farUnit && open.sequence === sequence,
    );
    if (at < 0) return plain(InternalStatus.already_complete, timestamp, farUnit, sequence);
    const [{ record, wantsBalances }] = this.open.splice(at, 1) as [Open];
    const debit = this.accounts.get(record.debit)!;
    const clearing = this.accounts.get(this.clearingId(record.ledger, farUnit))!;
    debit.debitsPending -= record.amount;
    clearing.creditsPending -= record.amount;
    const result = plain(status, record.timestamp, farUnit, sequence);
    if (status !== TransferStatus.created) {
      if (TRANSIENT_TRANSFER_STATUSES.includes(status)) this.burnt.add(record.id);
      return result;
    }
    debit.debitsPosted += record.amount;
    clearing.creditsPosted += record.amount;
    this.transfers.set(record.id, record);
    return balances && wantsBalances ? { ...result, debit: balancesOf(debit) } : result;
  }

  /** The clearing account as it is, or as it would be created now. */
  #clearing(ledger: number, otherUnit: number, timestamp: bigint): Mutable<AccountFields> {
    const id = this.clearingId(ledger, otherUnit);
    const none = { debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n, creditsPosted: 0n };
    const noData = { userData128: 0n, userData64: 0n, userData32: 0, reserved: 0 };
    return (
      this.accounts.get(id) ?? { id, ...none, ...noData, ledger, code: 1, flags: 0, timestamp }
    );
  }

  #withBalances(result: OracleResult, event: TransferFields, wanted: boolean): OracleResult {
    if (!wanted) return result;
    const debit = this.accounts.get(event.debit);
    const credit = this.accounts.get(event.credit);
    return {
      ...result,
      debit: debit === undefined ? null : balancesOf(debit),
      credit: credit === undefined ? null : balancesOf(credit),
    };
  }
}

function plain(status: number, timestamp: bigint, unit = 0, sequence = 0n): OracleResult {
  return { status, timestamp, unit, sequence, debit: null, credit: null };
}

function balancesOf(account: AccountFields): Balances {
  return [
    account.debitsPending,
    account.debitsPosted,
    account.creditsPending,
    account.creditsPosted,
  ];
}

function compare(event: TransferFields, known: TransferFields): number {
  const S = TransferStatus;
  if (event.flags !== known.flags) return S.exists_with_different_flags;
  if (event.pendingId !== known.pendingId) return S.exists_with_different_pending_id;
  if (event.timeout !== known.timeout) return S.exists_with_different_timeout;
  if (event.debit !== known.debit) return S.exists_with_different_debit_account_id;
  if (event.credit !== known.credit) return S.exists_with_different_credit_account_id;
  if (event.amount !== known.amount) return S.exists_with_different_amount;
  if (event.userData128 !== known.userData128) return S.exists_with_different_user_data_128;
  if (event.userData64 !== known.userData64) return S.exists_with_different_user_data_64;
  if (event.userData32 !== known.userData32) return S.exists_with_different_user_data_32;
  if (event.ledger !== known.ledger) return S.exists_with_different_ledger;
  if (event.code !== known.code) return S.exists_with_different_code;
  return S.exists;
}

function overflow(debit: AccountFields, credit: AccountFields, amount: bigint): number {
  const S = TransferStatus;
  if (debit.debitsPosted + amount > MAX) return S.overflows_debits_posted;
  if (credit.creditsPosted + amount > MAX) return S.overflows_credits_posted;
  if (debit.debitsPending + debit.debitsPosted + amount > MAX) return S.overflows_debits;
  if (credit.creditsPending + credit.creditsPosted + amount > MAX) return S.overflows_credits;
  return 0;
}

function limits(debit: AccountFields, credit: AccountFields, amount: bigint): number {
  const debits = debit.debitsPending + debit.debitsPosted + amount;
  if ((debit.flags & 2) !== 0 && debits > debit.creditsPosted)
    return TransferStatus.exceeds_credits;
  const credits = credit.creditsPending + credit.creditsPosted + amount;
  if ((credit.flags & 4) !== 0 && credits > credit.debitsPosted) {
    return TransferStatus.exceeds_debits;
  }
  return 0;
}

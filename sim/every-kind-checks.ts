import {
  AccountFlag,
  AccountWord,
  Leg,
  PendingState,
  RECORD_WORDS,
  TransferFlag,
  TransferRowWord,
  TransferWord,
} from '../ledger/layout.ts';
import { TransferStatus } from '../ledger/status.ts';
import { u64At } from '../server/core/books-row.ts';
import type { LedgerUnit } from '../server/core/ledger-unit.ts';
import { ACCOUNTS, accountAt, type Booked } from './every-kind-client.ts';

const EVER = { fromTimestamp: 0n, toTimestamp: 2n ** 63n - 1n, reversed: false, limit: 100_000 };
const NS_PER_S = 1_000_000_000n;
const F = TransferFlag;
/** Of the four balances in a record, from the first on; the amounts here fit a word. */
const COLUMNS = [0, 4, 8, 12];

/** What is wrong with one unit once all is settled; `replicas` are its copies. */
export function unitFaults(replicas: readonly LedgerUnit[]): string[] {
  const faults: string[] = [];
  const [{ unit, machine, books }] = replicas as [LedgerUnit];
  const rows = rowsOf(replicas[0]!);
  const expected = JSON.stringify(sumsOfRows(replicas[0]!, rows, faults));
  const open = rows.filter((row) => row[TransferRowWord.pendingState] === PendingState.pending);
  const text = (all: readonly Uint32Array[]) => all.map((row) => row.join()).join(';');
  for (const [i, replica] of replicas.entries()) {
    const wrong = (what: string) => faults.push(`unit ${unit}, server ${i + 1}: ${what}`);
    const balances = JSON.stringify(balancesOf(replica));
    if (balances !== expected) wrong(`balances ${balances}, by the rows ${expected}`);
    const trial = trialOf(replica);
    if (trial[0] !== trial[2] || trial[1] !== trial[3]) wrong(`trial balance ${trial.join()}`);
    for (const [account, record] of accountsOf(replica.machine)) {
      // What closed it had a time-out, and that is over.
      const isClosed = (record[AccountWord.codeAndFlags]! & (AccountFlag.closed << 16)) !== 0;
      if (isClosed) wrong(`account ${account} is left closed`);
    }
    if (replica.machine.digest !== machine.digest) wrong('another digest');
    if (replica.machine.nextDeadline !== null) wrong('a deadline is left');
    if (text(rowsOf(replica)) !== text(rows)) wrong('other rows');
    // No trace of what was pending in a chain that was undone.
    const pendings = replica.books.scan({ source: { kind: 'pending' }, ...EVER });
    if (text(pendings) !== text(open)) wrong('other pending rows than the rows have');
  }
  if (books.index() !== machine.index) faults.push(`unit ${unit}: not all is in the books`);
  return [...faults, ...pendingFaults(rows, machine.lastTimestamp)];
}

export function rowsOf({ books }: LedgerUnit): Uint32Array[] {
  return books.scan({ source: { kind: 'all' }, ...EVER });
}

/** Chains are there whole or not at all, and what was acknowledged is there. */
export function bookedFaults(booked: readonly Booked[], rows: readonly Uint32Array[]): string[] {
  const faults: string[] = [];
  const ids = new Set(rows.filter(isTransfer).map((row) => row[TransferWord.id]!));
  for (const { records, outcomes } of booked) {
    const there = outcomes.map((_, i) => ids.has(records[i * RECORD_WORDS + TransferWord.id]!));
    if (new Set(there).size > 1) faults.push(`a chain is there in part: ${there.join()}`);
    outcomes.forEach(({ status }, i) => {
      const isAll = records[i * RECORD_WORDS + TransferWord.amount + 3] === 0xffff_ffff;
      if (isAll && status === TransferStatus.exceeds_pending_transfer_amount) {
        faults.push(`post ${records[i * RECORD_WORDS + TransferWord.id]} of all was too much`);
      }
      if (status === TransferStatus.created && there[i] !== true) {
        faults.push(`transfer ${records[i * RECORD_WORDS + TransferWord.id]} is lost`);
      }
    });
  }
  return faults;
}

function legOf(row: Uint32Array): number {
  return row[TransferRowWord.leg]! & 0xffff;
}

function isTransfer(row: Uint32Array): boolean {
  return legOf(row) <= Leg.far;
}

/** By account, debits pending and posted, credits pending and posted, from the rows alone; null where it is of another unit. */
function sumsOfRows(
  { machine }: LedgerUnit,
  rows: readonly Uint32Array[],
  faults: string[],
): (number[] | null)[] {
  const sums: (number[] | null)[] = Array.from({ length: ACCOUNTS }, () => null);
  for (const [account] of accountsOf(machine)) sums[account] = [0, 0, 0, 0];
  const amounts = new Map<number, number>();
  for (const row of rows) {
    if (legOf(row) === Leg.both) amounts.set(row[TransferWord.id]!, row[TransferWord.amount]!);
  }
  for (const row of rows) {
    const [pending, posted] = movedBy(row, amounts);
    const flags = row[TransferWord.codeAndFlags]! >>> 16;
    const debit = sums[accountAt(row, TransferWord.debitAccountId)];
    const credit = sums[accountAt(row, TransferWord.creditAccountId)];
    if (debit != null && legOf(row) !== Leg.far) {
      debit[0]! += pending;
      debit[1]! += posted;
    }
    if (credit != null && (legOf(row) === Leg.both || legOf(row) === Leg.expiry)) {
      credit[2]! += pending;
      credit[3]! += posted;
    }
    if (credit != null && legOf(row) === Leg.far) credit[3]! += posted;
    const isOver =
      ((flags & F.balancingDebit) !== 0 && debit![0]! + debit![1]! > debit![3]!) ||
      ((flags & F.balancingCredit) !== 0 && credit![2]! + credit![3]! > credit![1]!);
    if (isOver && posted > 0) faults.push(`balancing ${row[TransferWord.id]} booked too much`);
  }
  return sums;
}

/** What a row adds to pending and to posted. */
function movedBy(row: Uint32Array, amounts: ReadonlyMap<number, number>): [number, number] {
  const flags = row[TransferWord.codeAndFlags]! >>> 16;
  const amount = row[TransferWord.amount]!;
  const reserved = amounts.get(row[TransferWord.pendingId]!) ?? 0;
  switch (legOf(row)) {
    case Leg.hold:
      return [amount, 0];
    case Leg.release:
    case Leg.expiry:
      return [-amount, 0];
    case Leg.home:
      return [-amount, amount];
    default:
      if ((flags & F.voidPendingTransfer) !== 0) return [-reserved, 0];
      if ((flags & F.postPendingTransfer) !== 0) return [-reserved, amount];
      return (flags & F.pending) !== 0 ? [amount, 0] : [0, amount];
  }
}

function* accountsOf(machine: LedgerUnit['machine']): Generator<[number, Uint32Array]> {
  for (let handle = 0; handle < machine.accountCount; handle += 1) {
    const record = new Uint32Array(RECORD_WORDS);
    machine.readAccount(handle, record, 0);
    const account = accountAt(record, AccountWord.id);
    if (account >= 0) yield [account, record];
  }
}

/** All accounts, clearing ones too: debits pending and posted, credits pending and posted. */
function trialOf({ machine }: LedgerUnit): number[] {
  const record = new Uint32Array(RECORD_WORDS);
  const sums = [0, 0, 0, 0];
  for (let handle = 0; handle < machine.accountCount; handle += 1) {
    machine.readAccount(handle, record, 0);
    COLUMNS.forEach((word, i) => {
      sums[i]! += record[AccountWord.debitsPending + word]!;
    });
  }
  return sums;
}

function balancesOf({ machine }: LedgerUnit): (number[] | null)[] {
  const balances: (number[] | null)[] = Array.from({ length: ACCOUNTS }, () => null);
  for (const [account, record] of accountsOf(machine)) {
    balances[account] = COLUMNS.map((word) => record[AccountWord.debitsPending + word]!);
  }
  return balances;
}

/** Every pending transfer is resolved once at the most, none early, and none is left past its deadline. */
function pendingFaults(rows: readonly Uint32Array[], nowNs: bigint): string[] {
  const faults: string[] = [];
  for (const row of rows) {
    const flags = row[TransferWord.codeAndFlags]! >>> 16;
    if (legOf(row) !== Leg.both || (flags & F.pending) === 0) continue;
    const id = row[TransferWord.id]!;
    const isExpiry = (other: Uint32Array) => legOf(other) === Leg.expiry;
    const ends = rows.filter((other) =>
      isExpiry(other) ? other[TransferWord.id] === id : other[TransferWord.pendingId] === id,
    );
    const timeout = row[TransferWord.timeout]!;
    const deadline = u64At(row, TransferRowWord.rowTimestamp) + BigInt(timeout) * NS_PER_S;
    const [end] = ends;
    const state = row[TransferRowWord.pendingState];
    const isDue = timeout !== 0 && deadline <= nowNs;
    if (ends.length > 1) faults.push(`pending transfer ${id} ended ${ends.length} times`);
    if (end === undefined) {
      if (state !== PendingState.pending || isDue) faults.push(`transfer ${id} has no end`);
      continue;
    }
    const isLate = timeout !== 0 && u64At(end, TransferRowWord.rowTimestamp) >= deadline;
    if ((state === PendingState.expired) !== isExpiry(end) || isLate !== isExpiry(end)) {
      faults.push(`pending transfer ${id} ended at the wrong time, or is in state ${state}`);
    }
  }
  return faults;
}

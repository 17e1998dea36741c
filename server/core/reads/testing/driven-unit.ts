import {
  completeSubBatch,
  createAccountsSubBatch,
  createTransfersSubBatch,
  decideSubBatch,
  EntryBuilder,
  expireSubBatch,
  unitInitSubBatch,
} from '../../../../ledger/entry.ts';
import {
  AccountFlag,
  AccountWord,
  BALANCES_WORDS,
  OPEN_ROW_WORDS,
  OpenRowWord,
  RECORD_WORDS,
  SLOT_COUNT,
  TransferFlag,
  TransferWord,
} from '../../../../ledger/layout.ts';
import { Machine } from '../../../../ledger/machine.ts';
import { slotOf } from '../../../../ledger/slot.ts';
import { TransferStatus } from '../../../../ledger/status.ts';
import type { Books } from '../../books.ts';
import { putU64 } from '../row.ts';
import type { Step } from './model.ts';
import { fourOf } from './query.ts';

const UNIT = 1;
const OTHER_UNIT = 2;
const LEDGER = 978;
/** So few that most rows must be found in the books. */
const RESIDENT_MAX = 8;
const NS_PER_SECOND = 1_000_000_000n;

/** All accounts' balances right after a row was booked. */
export interface Snapshot {
  readonly timestamp: bigint;
  readonly balances: readonly (readonly bigint[])[];
}

/**
 * A real machine over real books, one event an entry, and what it said of every balance after each row: what
 * reads must find again from the rows alone.
 */
export class DrivenUnit {
  readonly machine: Machine;
  readonly books: Books;
  readonly snapshots: Snapshot[] = [];
  /** Ids of the accounts of this unit, by handle. The first keeps a dense history. */
  readonly accounts: readonly Uint32Array[];
  readonly #away: Uint32Array;
  readonly #pendingIds: number[] = [];
  #now = 1_000n * NS_PER_SECOND;
  #nextId = 1;
  #farSequence = 0;

  constructor(books: Books) {
    this.books = books;
    const image = books.load();
    const options = { unit: UNIT, residentTransfersMax: RESIDENT_MAX, hashSeed: 7 };
    this.machine = Machine.load(options, image);
    const slots = Uint16Array.from({ length: SLOT_COUNT }, (_, slot) => 1 + (slot % 2));
    this.#apply(unitInitSubBatch(UNIT, slots));
    this.accounts = idsIn(UNIT, slots, 4);
    this.#away = idsIn(OTHER_UNIT, slots, 1)[0]!;
    this.accounts.forEach((id, i) => {
      const record = new Uint32Array(RECORD_WORDS);
      record.set(id);
      record[AccountWord.ledger] = LEDGER;
      record[AccountWord.codeAndFlags] = 1 + ((i === 0 ? AccountFlag.history : 0) << 16);
      this.#apply(createAccountsSubBatch(record, 1));
    });
  }

  take(step: Step): void {
    const debit = this.accounts[step.debit % 4]!;
    const credit = this.accounts[(step.debit + 1 + (step.credit % 3)) % 4]!;
    switch (step.kind) {
      case 'plain':
        // Every third asks for more than there is to move.
        this.#transfer(debit, credit, step, step.pick % 3 === 0 ? TransferFlag.balancingDebit : 0);
        return;
      case 'pending':
        this.#pendingIds.push(this.#nextId);
        this.#transfer(debit, credit, step, TransferFlag.pending);
        return;
      case 'post':
      case 'void':
        this.#resolve(step);
        return;
      case 'expire':
        this.#expire();
        return;
      case 'hold':
        this.#transfer(debit, this.#away, step, 0);
        return;
      case 'home':
      case 'release':
        this.#complete(step);
        return;
      case 'far':
        this.#decide(step, credit);
    }
  }

  /** As the storage thread does; true once the books hold all. */
  fold(done: () => void): void {
    const fold = this.machine.takeFold();
    if (fold === null) {
      done();
      return;
    }
    this.books.commit(fold, (error) => {
      if (error !== null) throw error;
      this.machine.folded(fold.throughIndex);
      done();
    });
  }

  #record(debit: Uint32Array, credit: Uint32Array, step: Step, flags: number): Uint32Array {
    const record = new Uint32Array(RECORD_WORDS);
    record[TransferWord.id] = this.#nextId++;
    record.set(debit, TransferWord.debitAccountId);
    record.set(credit, TransferWord.creditAccountId);
    record[TransferWord.amount] = step.amount;
    record[TransferWord.userData64] = step.pick % 5;
    record[TransferWord.ledger] = LEDGER;
    record[TransferWord.codeAndFlags] = (flags << 16) | (1 + (step.pick % 3));
    if (flags === TransferFlag.pending) record[TransferWord.timeout] = step.pick % 4;
    return record;
  }

  #transfer(debit: Uint32Array, credit: Uint32Array, step: Step, flags: number): void {
    this.#apply(createTransfersSubBatch(this.#record(debit, credit, step, flags), 1));
  }

  #resolve(step: Step): void {
    if (this.#pendingIds.length === 0) return;
    const isPost = step.kind === 'post';
    const flag = isPost ? TransferFlag.postPendingTransfer : TransferFlag.voidPendingTransfer;
    const record = this.#record(new Uint32Array(4), new Uint32Array(4), step, flag);
    record[TransferWord.pendingId] = this.#pendingIds[step.pick % this.#pendingIds.length]!;
    record[TransferWord.ledger] = 0;
    record[TransferWord.codeAndFlags] = flag << 16;
    if (!isPost) record[TransferWord.amount] = 0;
    else if (step.pick % 2 === 0)
      record.fill(0xffff_ffff, TransferWord.amount, TransferWord.amount + 4);
    else record[TransferWord.amount] = step.amount % 50;
    this.#apply(createTransfersSubBatch(record, 1));
  }

  #expire(): void {
    const deadline = this.machine.nextDeadline;
    if (deadline === null) return;
    if (deadline > this.#now) this.#now = deadline;
    this.#apply(expireSubBatch(this.machine.dueTimeouts(this.#now, 1)));
  }

  #complete(step: Step): void {
    const open = this.machine.openCrossings();
    if (open.length === 0) return;
    const at = (step.pick % (open.length / OPEN_ROW_WORDS)) * OPEN_ROW_WORDS + OpenRowWord.sequence;
    const [sequenceLo, sequenceHi] = [open[at]!, open[at + 1]!];
    const { created, credit_account_not_found } = TransferStatus;
    const status = step.kind === 'home' ? created : credit_account_not_found;
    this.#apply(completeSubBatch(OTHER_UNIT, [{ sequenceLo, sequenceHi, status }]));
  }

  #decide(step: Step, credit: Uint32Array): void {
    const record = this.#record(this.#away, credit, step, 0);
    putU64(record, TransferWord.timestamp, this.#now - 5n);
    this.#farSequence += 1;
    const item = { sequenceLo: this.#farSequence, sequenceHi: 0, record };
    this.#apply(decideSubBatch(OTHER_UNIT, 0, 0, [item]));
  }

  #apply(subBatch: Uint32Array): void {
    this.#now += NS_PER_SECOND / 4n;
    const builder = new EntryBuilder();
    builder.add(subBatch);
    const payload = new Uint32Array(builder.finish(this.#now).buffer);
    const { ids, timestamps } = this.machine.unsettled(payload);
    const before = this.machine.lastRowTimestamp;
    const index = this.machine.index + 1;
    this.machine.apply(index, 1, payload, this.books.lookUp(ids), this.books.rowsAt(timestamps));
    if (this.machine.lastRowTimestamp === before) return;
    this.snapshots.push({
      timestamp: this.machine.lastRowTimestamp,
      balances: this.accounts.map((_, handle) => this.#balancesOf(handle)),
    });
  }

  #balancesOf(handle: number): bigint[] {
    const record = new Uint32Array(RECORD_WORDS);
    this.machine.readAccount(handle, record, 0);
    const from = AccountWord.debitsPending;
    return fourOf(record.subarray(from, from + BALANCES_WORDS));
  }
}

/** The first so many ids whose slot is the unit's. */
function idsIn(unit: number, slots: Uint16Array, count: number): Uint32Array[] {
  const ids: Uint32Array[] = [];
  for (let n = 1; ids.length < count; n += 1) {
    const id = Uint32Array.of(n, 0, 0, 0);
    if (slots[slotOf(id, 0)] === unit) ids.push(id);
  }
  return ids;
}

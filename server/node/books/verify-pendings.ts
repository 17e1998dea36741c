import {
  Leg,
  PendingRowWord,
  PendingState,
  RECORD_WORDS,
  TRANSFER_ROW_WORDS,
  TransferFlag,
  TransferRowWord,
  TransferWord,
} from '../../../ledger/layout.ts';
import { isPendingTransfer, isTransfer, legOf, sameId, u64At } from '../../core/books-row.ts';
import type { CheckedFile } from './checked-file.ts';
import { NUMBERS } from './connection.ts';
import { RowReader } from './row-reader.ts';
import { offsetsOf, type RowChunk, rowName } from './verify-chunk.ts';
import { differ, mustEqual } from './verify-difference.ts';
import { firstUnequal, idText } from './verify-words.ts';

const TABLE = 'pending_row';
const NS_PER_SECOND = 1_000_000_000n;
const RESOLVES = TransferFlag.postPendingTransfer | TransferFlag.voidPendingTransfer;
const STATES = `SELECT pending_row.timestamp, state, resolved, pending.row, resolving.row FROM pending_row
  LEFT JOIN transfer_row AS pending ON pending.timestamp = pending_row.timestamp
  LEFT JOIN transfer_row AS resolving ON resolving.timestamp = resolved
  WHERE pending_row.timestamp > ? ORDER BY pending_row.timestamp LIMIT ${NUMBERS}`;

type State = [
  timestamp: bigint,
  state: bigint,
  resolved: bigint,
  pending: Uint8Array | null,
  resolving: Uint8Array | null,
];

const STATE_NAMES = Object.keys(PendingState);

/** Every pending transfer has a state and a deadline, and what the state says has happened in the rows. */
export class PendingCheck {
  readonly #file: CheckedFile;
  readonly #rows: RowReader;
  #pendings = 0;
  #resolved = 0;

  constructor(file: CheckedFile) {
    this.#file = file;
    this.#rows = new RowReader(file);
  }

  /** Also finds what the chunk's posts and voids resolve. */
  check(chunk: RowChunk): void {
    const { rows } = chunk;
    this.#findResolved(chunk);
    for (let at = 0; at < rows.length; at += TRANSFER_ROW_WORDS) {
      const resolved = chunk.resolves.get(at);
      if (isPendingTransfer(rows, at)) this.#checkBooked(rows, at);
      if (resolved !== undefined) this.#checkResolved(rows, at, resolved);
      if (legOf(rows, at) === Leg.expiry) this.#checkExpired(rows, at);
    }
  }

  finish(): void {
    const sql = `SELECT count(*), count(*) FILTER (WHERE state > ${PendingState.pending}) FROM pending_row`;
    const counts = this.#file.database.prepare(sql).raw();
    const [pendings, resolved] = this.#file.reading(TABLE, () => counts.get()) as [number, number];
    if (pendings !== this.#pendings || resolved !== this.#resolved) this.#nameLost();
    mustEqual(TABLE, 'number of pending transfers', this.#pendings, pendings);
    mustEqual(TABLE, 'number of resolved ones', this.#resolved, resolved);
  }

  #findResolved(chunk: RowChunk): void {
    const { rows, resolves } = chunk;
    const offsets = offsetsOf(chunk, resolvesPending);
    const ids = new Uint32Array(offsets.length * 4);
    for (const [i, at] of offsets.entries()) {
      const pendingId = at + TransferWord.pendingId;
      ids.set(rows.subarray(pendingId, pendingId + 4), i * 4);
    }
    for (const [i, found] of this.#rows.lookUp(ids).entries()) {
      const at = offsets[i]!;
      if (found instanceof Uint32Array) resolves.set(at, found);
      else {
        const key = `${rowName(rows, at)} pending_id`;
        const id = 'the id of a pending transfer';
        differ('transfer_row', key, id, idText(ids, i * 4));
      }
    }
  }

  #checkBooked(rows: Uint32Array, at: number): void {
    const timestamp = u64At(rows, at + TransferRowWord.rowTimestamp);
    const pending = this.#rows.pendings.rowAt(timestamp);
    const name = rowName(rows, at);
    if (pending === null) differ(TABLE, name, 'the state of a pending transfer', 'no row');
    const seconds = BigInt(rows[at + TransferWord.timeout]!);
    const deadline = seconds === 0n ? 0n : timestamp + seconds * NS_PER_SECOND;
    mustEqual(TABLE, `${name} deadline`, deadline, u64At(pending, PendingRowWord.deadline));
    this.#pendings += 1;
  }

  #checkResolved(rows: Uint32Array, at: number, pending: Uint32Array): void {
    const name = rowName(rows, at);
    if (!isPendingTransfer(pending)) {
      const found = `${rowName(pending, 0)}, which is not pending`;
      differ('transfer_row', `${name} pending_id`, 'a pending transfer', found);
    }
    const flags = rows[at + TransferWord.codeAndFlags]! >>> 16;
    const isPost = (flags & TransferFlag.postPendingTransfer) !== 0;
    this.#mustBe(pending, isPost ? PendingState.posted : PendingState.voided, rows, at);
    const accounts = TransferWord.debitAccountId;
    const word = firstUnequal(rows, at + accounts, pending, accounts, 8);
    if (word < 0) return;
    const side = word < 4 ? TransferWord.debitAccountId : TransferWord.creditAccountId;
    const key = `${name} ${word < 4 ? 'debit' : 'credit'}_account_id`;
    differ('transfer_row', key, idText(pending, side), idText(rows, at + side));
  }

  #checkExpired(rows: Uint32Array, at: number): void {
    const name = rowName(rows, at);
    const timestamp = rows.slice(at + TransferWord.timestamp, at + TransferWord.timestamp + 2);
    const [pending] = this.#rows.rowsAt(timestamp);
    const expected = `the record of the pending transfer of row ${u64At(timestamp, 0)}`;
    if (pending === undefined || pending === null) {
      differ('transfer_row', name, expected, 'no such row');
    }
    if (!isPendingTransfer(pending) || firstUnequal(rows, at, pending, 0, RECORD_WORDS) >= 0) {
      differ('transfer_row', name, expected, 'another record');
    }
    this.#mustBe(pending, PendingState.expired, rows, at);
  }

  /** The pending transfer was brought into this state by the row at `at`. */
  #mustBe(pending: Uint32Array, state: PendingState, rows: Uint32Array, at: number): void {
    const timestamp = u64At(pending, TransferRowWord.rowTimestamp);
    const row = this.#rows.pendings.rowAt(timestamp)!;
    const name = rowName(pending, 0);
    const found = STATE_NAMES[row[PendingRowWord.state]!] ?? `state ${row[PendingRowWord.state]}`;
    mustEqual(TABLE, `${name} state`, STATE_NAMES[state]!, found);
    const resolved = u64At(rows, at + TransferRowWord.rowTimestamp);
    mustEqual(TABLE, `${name} resolved`, resolved, u64At(row, PendingRowWord.resolved));
    this.#resolved += 1;
  }

  /** There are more states, or resolved ones, than the rows have: the first that is too much. */
  #nameLost(): void {
    const next = this.#file.database.prepare(STATES).raw().safeIntegers();
    let last = -(2n ** 63n);
    for (;;) {
      const all = this.#file.reading(TABLE, () => next.all(last)) as State[];
      if (all.length === 0) return;
      for (const [timestamp, state, resolved, pendingBlob, resolvingBlob] of all) {
        const name = `row ${timestamp}`;
        const pending = rowWords(pendingBlob);
        if (pending === null || !isPendingTransfer(pending)) {
          differ(TABLE, name, 'no row', 'the state of a pending transfer');
        }
        const byNone = Number(state) !== PendingState.pending && !resolves(resolvingBlob, pending);
        if (byNone) differ(TABLE, `${name} resolved`, 'a row that resolves it', `row ${resolved}`);
        last = timestamp;
      }
    }
  }
}

function resolvesPending(rows: Uint32Array, at: number): boolean {
  const flags = rows[at + TransferWord.codeAndFlags]! >>> 16;
  return isTransfer(rows, at) && (flags & RESOLVES) !== 0;
}

function resolves(blob: Uint8Array | null, pending: Uint32Array): boolean {
  const row = rowWords(blob);
  if (row === null) return false;
  if (legOf(row) === Leg.expiry) return sameId(row, TransferWord.id, pending, TransferWord.id);
  return resolvesPending(row, 0) && sameId(row, TransferWord.pendingId, pending, TransferWord.id);
}

function rowWords(blob: Uint8Array | null): Uint32Array | null {
  if (blob === null) return null;
  const row = new Uint32Array(TRANSFER_ROW_WORDS);
  new Uint8Array(row.buffer).set(blob);
  return row;
}

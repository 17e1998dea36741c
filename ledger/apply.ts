import { burnIfTransient, OK } from './amount-rules.ts';
import { complete } from './complete.ts';
import { createAccount } from './create-accounts.ts';
import { createTransfer } from './create-transfers.ts';
import { decide } from './decide.ts';
import { type Entry, type SubBatch, slotsAt } from './entry.ts';
import { expire } from './expire.ts';
import { invariant } from './invariant.ts';
import {
  COMPLETE_ITEM_WORDS,
  DECIDE_HEADER_WORDS,
  DECIDE_ITEM_WORDS,
  EXPIRE_ITEM_WORDS,
  RECORD_WORDS,
  SubBatchFlag,
  SubBatchKind,
  TransferFlag,
  TransferWord,
} from './layout.ts';
import { LOOK_AHEAD_EVENTS } from './look-ahead.ts';
import { bookIfPlain } from './plain-transfer.ts';
import type { ResultWriter } from './results.ts';
import type { LedgerState } from './state.ts';
import { CREATED, LINKED_EVENT_CHAIN_OPEN, LINKED_EVENT_FAILED } from './status.ts';
import { readSafeU64 } from './words.ts';

const DECIDE_RECORD = DECIDE_ITEM_WORDS - RECORD_WORDS;
/** The same place and bit in account and transfer records. */
const CODE_AND_FLAGS = TransferWord.codeAndFlags;
const LINKED = TransferFlag.linked << 16;

/** Applies all sub-batches of an entry in order, each event at its own timestamp. */
export function applyEntry(
  state: LedgerState,
  entry: Entry,
  payload: Uint32Array,
  results: ResultWriter,
): void {
  state.time.set(entry.timestampLo, entry.timestampHi);
  results.begin();
  let event = 0;
  for (const subBatch of entry.subBatches) {
    const { kind, count, flags } = subBatch;
    results.beginSubBatch(kind, count, (flags & SubBatchFlag.balances) !== 0);
    applySubBatch(state, subBatch, payload, event, results);
    event += count;
  }
}

function applySubBatch(
  state: LedgerState,
  subBatch: SubBatch,
  words: Uint32Array,
  event: number,
  results: ResultWriter,
): void {
  switch (subBatch.kind) {
    case SubBatchKind.unitInit:
      initUnit(state, subBatch.unit, words, subBatch.bodyAt);
      break;
    case SubBatchKind.createAccounts:
    case SubBatchKind.createTransfers:
      createAll(state, subBatch, words, event, results);
      break;
    case SubBatchKind.decide:
      decideAll(state, subBatch, words, event, results);
      break;
    case SubBatchKind.complete:
      completeAll(state, subBatch, words, results);
      break;
    case SubBatchKind.expire:
      expireAll(state, subBatch, words, event, results);
      break;
  }
}

/** A second one, proposed by a leader that did not know of the first, changes nothing. */
function initUnit(state: LedgerState, unit: number, words: Uint32Array, at: number): void {
  invariant(unit === state.unit, 'a unitInit is for another unit');
  if (state.slots !== null) return;
  state.slots = slotsAt(words, at);
  for (const owner of state.slots) state.digest.mix(owner);
}

/** A request's events in this unit, its chains whole. */
function createAll(
  state: LedgerState,
  { kind, count, flags, bodyAt }: SubBatch,
  words: Uint32Array,
  firstEvent: number,
  results: ResultWriter,
): void {
  const { chain, lookAhead, time } = state;
  const isTransfers = kind === SubBatchKind.createTransfers;
  state.batchTime.set(time.lo, time.hi);
  state.isImport = (flags & SubBatchFlag.imported) !== 0;
  state.wantsBalances = (flags & SubBatchFlag.balances) !== 0;
  for (let i = 0, at = bodyAt; i < count; i += 1, at += RECORD_WORDS) {
    const inBlock = i % LOOK_AHEAD_EVENTS;
    if (isTransfers && inBlock === 0)
      lookAhead.fill(state, words, at, Math.min(LOOK_AHEAD_EVENTS, count - i));
    beginEvent(state);
    const isLinked = (words[at + CODE_AND_FLAGS]! & LINKED) !== 0;
    if (isLinked && !chain.open) chain.begin(state, results);
    let status = OK;
    if (isLinked && i === count - 1) status = LINKED_EVENT_CHAIN_OPEN;
    else if (chain.broken) status = LINKED_EVENT_FAILED;
    else if (isTransfers) {
      const event = firstEvent + i;
      const debit = lookAhead.handles[2 * inBlock]!;
      const credit = lookAhead.handles[2 * inBlock + 1]!;
      const hash = lookAhead.hashes[inBlock]!;
      // Within a chain accounts are kept as they were, which bookIfPlain does not do.
      const isBooked =
        !chain.open && !state.isImport && bookIfPlain(state, words, at, event, debit, credit, hash);
      status = isBooked ? CREATED : createTransfer(state, words, at, event, debit, credit, hash);
    } else status = createAccount(state, words, at, firstEvent + i);
    if (status !== CREATED) {
      if (chain.open && !chain.broken) chain.break(state, results);
      // After the chain is undone: of all that it did only this is left.
      if (isTransfers) burnIfTransient(state, status, words, at);
    }
    endEvent(state, status, results);
    if (chain.open && (!isLinked || i === count - 1)) chain.end();
  }
}

function decideAll(
  state: LedgerState,
  { bodyAt, count, unit }: SubBatch,
  words: Uint32Array,
  event: number,
  results: ResultWriter,
): void {
  invariant(unit !== state.unit, 'a unit decides its own crossing');
  const channel = state.channels.get(unit);
  state.channels.forgetThrough(channel, readSafeU64(words, bodyAt));
  let at = bodyAt + DECIDE_HEADER_WORDS;
  for (let i = 0; i < count; i += 1, at += DECIDE_ITEM_WORDS) {
    beginEvent(state);
    const sequence = readSafeU64(words, at);
    const status = decide(state, channel, sequence, words, at + DECIDE_RECORD, event + i);
    endEvent(state, status, results);
  }
}

function completeAll(
  state: LedgerState,
  { bodyAt, count, unit }: SubBatch,
  words: Uint32Array,
  results: ResultWriter,
): void {
  invariant(unit !== state.unit, 'a unit completes its own crossing');
  const channel = state.channels.get(unit);
  for (let i = 0, at = bodyAt; i < count; i += 1, at += COMPLETE_ITEM_WORDS) {
    beginEvent(state);
    const status = complete(state, channel, readSafeU64(words, at), words[at + 2]!);
    endEvent(state, status, results);
  }
}

function expireAll(
  state: LedgerState,
  { bodyAt, count }: SubBatch,
  words: Uint32Array,
  event: number,
  results: ResultWriter,
): void {
  for (let i = 0, at = bodyAt; i < count; i += 1, at += EXPIRE_ITEM_WORDS) {
    beginEvent(state);
    endEvent(state, expire(state, words, at, event + i), results);
  }
}

function beginEvent(state: LedgerState): void {
  state.outcome.reset(state.time.lo, state.time.hi);
}

function endEvent(state: LedgerState, status: number, results: ResultWriter): void {
  const { outcome, digest, time } = state;
  digest.event(status, outcome.timestampLo, outcome.timestampHi);
  results.put(state, status);
  time.next();
}

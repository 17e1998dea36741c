import { complete } from './complete.ts';
import { createAccount } from './create-accounts.ts';
import { createTransfer } from './create-transfers.ts';
import { decide } from './decide.ts';
import { type Entry, type SubBatch, slotsAt } from './entry.ts';
import { invariant } from './invariant.ts';
import {
  COMPLETE_ITEM_WORDS,
  DECIDE_HEADER_WORDS,
  DECIDE_ITEM_WORDS,
  RECORD_WORDS,
  SubBatchFlag,
  SubBatchKind,
  TransferWord,
} from './layout.ts';
import type { ResultWriter } from './results.ts';
import type { LedgerState } from './state.ts';
import { readSafeU64 } from './words.ts';

const DECIDE_RECORD = DECIDE_ITEM_WORDS - RECORD_WORDS;

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

/** Calls `each` with every transfer id that apply may need to know: (event number, where the id stands). */
export function forEachTransferId(entry: Entry, each: (event: number, idAt: number) => void): void {
  let first = 0;
  for (const { kind, count, bodyAt } of entry.subBatches) {
    if (kind === SubBatchKind.createTransfers) {
      const idAt = bodyAt + TransferWord.id;
      for (let i = 0; i < count; i += 1) each(first + i, idAt + i * RECORD_WORDS);
    }
    if (kind === SubBatchKind.decide) {
      const idAt = bodyAt + DECIDE_HEADER_WORDS + DECIDE_RECORD + TransferWord.id;
      for (let i = 0; i < count; i += 1) each(first + i, idAt + i * DECIDE_ITEM_WORDS);
    }
    first += count;
  }
}

function applySubBatch(
  state: LedgerState,
  subBatch: SubBatch,
  words: Uint32Array,
  event: number,
  results: ResultWriter,
): void {
  const { kind, count, bodyAt, unit } = subBatch;
  switch (kind) {
    case SubBatchKind.unitInit:
      initUnit(state, unit, words, bodyAt);
      break;
    case SubBatchKind.createAccounts:
      for (let i = 0, at = bodyAt; i < count; i += 1, at += RECORD_WORDS) {
        beginEvent(state);
        endEvent(state, createAccount(state, words, at), results);
      }
      break;
    case SubBatchKind.createTransfers: {
      const wantsBalances = (subBatch.flags & SubBatchFlag.balances) !== 0;
      for (let i = 0, at = bodyAt; i < count; i += 1, at += RECORD_WORDS) {
        beginEvent(state);
        endEvent(state, createTransfer(state, words, at, event + i, wantsBalances), results);
      }
      break;
    }
    case SubBatchKind.decide:
      decideAll(state, subBatch, words, event, results);
      break;
    case SubBatchKind.complete:
      completeAll(state, subBatch, words, results);
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

function beginEvent(state: LedgerState): void {
  state.outcome.reset(state.time.lo, state.time.hi);
}

function endEvent(state: LedgerState, status: number, results: ResultWriter): void {
  const { outcome, digest, time } = state;
  digest.event(status, outcome.timestampLo, outcome.timestampHi);
  results.put(state, status);
  time.next();
}

import type { Entry, SubBatch } from './entry.ts';
import {
  AccountWord,
  DECIDE_HEADER_WORDS,
  DECIDE_ITEM_WORDS,
  EXPIRE_ITEM_WORDS,
  RECORD_WORDS,
  SubBatchFlag,
  SubBatchKind,
  TransferFlag,
  TransferWord,
} from './layout.ts';
import { LookUpRole, type Unsettled } from './look-up.ts';
import type { LedgerState } from './state.ts';

const RESOLVES = (TransferFlag.postPendingTransfer | TransferFlag.voidPendingTransfer) << 16;

/** Lists what apply of the entry may need to know and memory can't tell, in the order of its events. */
export function unsettledOf(state: LedgerState, entry: Entry, words: Uint32Array): Unsettled {
  const { ids } = state;
  if (ids.left.some) {
    let event = 0;
    for (const subBatch of entry.subBatches) {
      askFor(state, subBatch, words, event);
      event += subBatch.count;
    }
  }
  return ids.lookUps.close();
}

function askFor(state: LedgerState, subBatch: SubBatch, words: Uint32Array, first: number): void {
  const { kind, count, bodyAt, flags } = subBatch;
  switch (kind) {
    case SubBatchKind.createTransfers:
      for (let i = 0; i < count; i += 1) {
        const at = bodyAt + i * RECORD_WORDS;
        askId(state, first + i, LookUpRole.own, words, at + TransferWord.id);
        if ((words[at + TransferWord.codeAndFlags]! & RESOLVES) === 0) continue;
        askId(state, first + i, LookUpRole.pending, words, at + TransferWord.pendingId);
      }
      break;
    case SubBatchKind.decide: {
      const idAt = bodyAt + DECIDE_HEADER_WORDS + DECIDE_ITEM_WORDS - RECORD_WORDS;
      for (let i = 0; i < count; i += 1) {
        askId(state, first + i, LookUpRole.own, words, idAt + i * DECIDE_ITEM_WORDS);
      }
      break;
    }
    case SubBatchKind.createAccounts:
      if ((flags & SubBatchFlag.imported) === 0) break;
      for (let i = 0; i < count; i += 1) {
        askRow(state, first + i, words, bodyAt + i * RECORD_WORDS + AccountWord.timestamp);
      }
      break;
    case SubBatchKind.expire:
      for (let i = 0; i < count; i += 1) {
        askRow(state, first + i, words, bodyAt + i * EXPIRE_ITEM_WORDS);
      }
  }
}

function askId(
  { ids }: LedgerState,
  event: number,
  role: number,
  words: Uint32Array,
  at: number,
): void {
  if (ids.needsLookUp(words, at)) ids.lookUps.askId(event, role, words, at);
}

function askRow({ ids }: LedgerState, event: number, words: Uint32Array, at: number): void {
  if (ids.needsRow(words, at)) ids.lookUps.askRow(event, words, at);
}

import { InvariantError, invariant } from './invariant.ts';
import {
  COMPLETE_ITEM_WORDS,
  DECIDE_HEADER_WORDS,
  DECIDE_ITEM_WORDS,
  ENTRY_BYTES_MAX,
  ENTRY_HEADER_WORDS,
  ENTRY_VERSION,
  EntryWord,
  EXPIRE_ITEM_WORDS,
  RECORD_WORDS,
  SLOT_COUNT,
  SUB_BATCH_HEADER_WORDS,
  SubBatchKind,
  SubBatchWord,
  WORD_BYTES,
} from './layout.ts';
import { writeU64 } from './words.ts';

/** Joins whole sub-batches into a log entry. */
export class EntryBuilder {
  #subBatches: Uint32Array[] = [];
  #words = ENTRY_HEADER_WORDS;

  get byteLength(): number {
    return this.#words * WORD_BYTES;
  }

  /** A sub-batch with its header. It is copied by `finish`. */
  add(subBatch: Uint32Array): void {
    this.#subBatches.push(subBatch);
    this.#words += subBatch.length;
  }

  /** The payload, its first event at `timestamp` (ns). The builder is empty afterwards. */
  finish(timestamp: bigint): Uint8Array {
    if (this.byteLength > ENTRY_BYTES_MAX) {
      throw new InvariantError(`an entry of ${this.byteLength} bytes is too long for the log`);
    }
    const words = new Uint32Array(this.#words);
    words[EntryWord.version] = ENTRY_VERSION;
    words[EntryWord.subBatchCount] = this.#subBatches.length;
    writeU64(words, EntryWord.timestamp, timestamp);
    let at = ENTRY_HEADER_WORDS;
    for (const subBatch of this.#subBatches) {
      words.set(subBatch, at);
      at += subBatch.length;
    }
    this.#subBatches = [];
    this.#words = ENTRY_HEADER_WORDS;
    return new Uint8Array(words.buffer);
  }
}

/** `flags` are SubBatchFlag bits, here and below. */
export function createAccountsSubBatch(
  records: Uint32Array,
  count: number,
  flags = 0,
): Uint32Array {
  return recordsSubBatch(SubBatchKind.createAccounts, records, count, flags);
}

export function createTransfersSubBatch(
  records: Uint32Array,
  count: number,
  flags = 0,
): Uint32Array {
  return recordsSubBatch(SubBatchKind.createTransfers, records, count, flags);
}

export interface DecideItem {
  readonly sequenceLo: number;
  readonly sequenceHi: number;
  /** RECORD_WORDS, with the Reserve's timestamp. */
  readonly record: Uint32Array;
}

/** To the far unit: the home unit has finished all sequences up to `finished`, and asks for these. */
export function decideSubBatch(
  homeUnit: number,
  finishedLo: number,
  finishedHi: number,
  items: readonly DecideItem[],
  flags = 0,
): Uint32Array {
  const bodyWords = DECIDE_HEADER_WORDS + items.length * DECIDE_ITEM_WORDS;
  const words = subBatch(SubBatchKind.decide, items.length, bodyWords, homeUnit, flags);
  let at = SUB_BATCH_HEADER_WORDS;
  words[at] = finishedLo;
  words[at + 1] = finishedHi;
  at += DECIDE_HEADER_WORDS;
  for (const { sequenceLo, sequenceHi, record } of items) {
    words[at] = sequenceLo;
    words[at + 1] = sequenceHi;
    words.set(record.subarray(0, RECORD_WORDS), at + DECIDE_ITEM_WORDS - RECORD_WORDS);
    at += DECIDE_ITEM_WORDS;
  }
  return words;
}

export interface CompleteItem {
  readonly sequenceLo: number;
  readonly sequenceHi: number;
  /** What the far unit decided. */
  readonly status: number;
}

export function completeSubBatch(
  farUnit: number,
  items: readonly CompleteItem[],
  flags = 0,
): Uint32Array {
  const bodyWords = items.length * COMPLETE_ITEM_WORDS;
  const words = subBatch(SubBatchKind.complete, items.length, bodyWords, farUnit, flags);
  let at = SUB_BATCH_HEADER_WORDS;
  for (const { sequenceLo, sequenceHi, status } of items) {
    words[at] = sequenceLo;
    words[at + 1] = sequenceHi;
    words[at + 2] = status;
    at += COMPLETE_ITEM_WORDS;
  }
  return words;
}

/** `items` are what Machine.dueTimeouts gave. */
export function expireSubBatch(items: Uint32Array): Uint32Array {
  const words = subBatch(SubBatchKind.expire, items.length / EXPIRE_ITEM_WORDS, items.length, 0, 0);
  words.set(items, SUB_BATCH_HEADER_WORDS);
  return words;
}

/** A unit's first: `slots` holds the owner of every slot. */
export function unitInitSubBatch(unit: number, slots: Uint16Array): Uint32Array {
  invariant(slots.length === SLOT_COUNT, 'a slot table is short');
  const words = subBatch(SubBatchKind.unitInit, 0, SLOT_COUNT / 2, unit, 0);
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    const at = SUB_BATCH_HEADER_WORDS + (slot >>> 1);
    words[at] = words[at]! | (slots[slot]! << (slot % 2 === 0 ? 0 : 16));
  }
  return words;
}

function recordsSubBatch(
  kind: number,
  records: Uint32Array,
  count: number,
  flags: number,
): Uint32Array {
  const words = subBatch(kind, count, count * RECORD_WORDS, 0, flags);
  words.set(records.subarray(0, count * RECORD_WORDS), SUB_BATCH_HEADER_WORDS);
  return words;
}

function subBatch(
  kind: number,
  count: number,
  bodyWords: number,
  unit: number,
  flags: number,
): Uint32Array {
  const words = new Uint32Array(SUB_BATCH_HEADER_WORDS + bodyWords);
  words[SubBatchWord.kindAndFlags] = (flags << 16) | kind;
  words[SubBatchWord.count] = count;
  words[SubBatchWord.bodyWords] = bodyWords;
  words[SubBatchWord.unit] = unit;
  return words;
}

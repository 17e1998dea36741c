import {
  COMPLETE_ITEM_WORDS,
  DECIDE_HEADER_WORDS,
  DECIDE_ITEM_WORDS,
  ENTRY_BYTES_MAX,
  ENTRY_HEADER_WORDS,
  ENTRY_VERSION,
  EntryWord,
  EVENTS_PER_REQUEST_MAX,
  EXPIRE_ITEM_WORDS,
  RECORD_WORDS,
  SLOT_COUNT,
  SUB_BATCH_HEADER_WORDS,
  SubBatchFlag,
  SubBatchKind,
  SubBatchWord,
  UNIT_MAX,
  WORD_BYTES,
} from './layout.ts';
import { readU64 } from './words.ts';

export {
  type CompleteItem,
  completeSubBatch,
  createAccountsSubBatch,
  createTransfersSubBatch,
  type DecideItem,
  decideSubBatch,
  EntryBuilder,
  expireSubBatch,
  unitInitSubBatch,
} from './entry-builder.ts';

/** An entry of the log does not parse. It was committed as it is: the process must stop. */
export class MalformedEntryError extends Error {
  override readonly name = 'MalformedEntryError';
}

/** Sequences are exact as doubles: their high word ends here. */
const SEQUENCE_HIGH_END = 1 << 21;

export interface SubBatch {
  readonly kind: number;
  readonly flags: number;
  readonly count: number;
  /** The other unit of a crossing step; the unit itself in unitInit; else 0. */
  readonly unit: number;
  /** Where its body starts in the payload. */
  readonly bodyAt: number;
}

export interface Entry {
  /** Of the first event. */
  readonly timestampLo: number;
  readonly timestampHi: number;
  /** Events, and timestamps, of all sub-batches. */
  readonly eventCount: number;
  readonly subBatches: readonly SubBatch[];
}

/** Reads an entry's structure; throws MalformedEntryError on any misfit. What records say is apply's matter. */
export function readEntry(payload: Uint32Array): Entry {
  if (payload.length < ENTRY_HEADER_WORDS) malformed('it has no whole header');
  if (payload.byteLength > ENTRY_BYTES_MAX) malformed(`it has ${payload.byteLength} bytes`);
  const version = payload[EntryWord.version];
  if (version !== ENTRY_VERSION) malformed(`its version is ${version}, known is ${ENTRY_VERSION}`);
  const subBatches: SubBatch[] = [];
  let eventCount = 0;
  let at = ENTRY_HEADER_WORDS;
  for (let i = 0; i < payload[EntryWord.subBatchCount]!; i += 1) {
    const subBatch = readSubBatch(payload, at);
    subBatches.push(subBatch);
    eventCount += subBatch.count;
    at += SUB_BATCH_HEADER_WORDS + payload[at + SubBatchWord.bodyWords]!;
  }
  if (at !== payload.length) malformed(`its sub-batches end at word ${at} of ${payload.length}`);
  const first = readU64(payload, EntryWord.timestamp);
  if (first === 0n || first + BigInt(eventCount) >= 1n << 63n) {
    malformed(`its timestamps from ${first} on are out of range`);
  }
  return {
    timestampLo: payload[EntryWord.timestamp]!,
    timestampHi: payload[EntryWord.timestamp + 1]!,
    eventCount,
    subBatches,
  };
}

/** Why a sub-batch that came from elsewhere must not be put into an entry, or null. */
export function subBatchProblem(words: Uint32Array): string | null {
  try {
    readSubBatch(words, 0);
    return null;
  } catch (error) {
    if (error instanceof MalformedEntryError) return error.message;
    throw error;
  }
}

/** How many events, and so timestamps, the entry has. */
export function eventCount(payload: Uint32Array): number {
  return readEntry(payload).eventCount;
}

/** A payload's bytes as words: a view where they are aligned, else a copy. */
export function asEntryWords(payload: Uint8Array): Uint32Array {
  if (payload.byteLength % WORD_BYTES !== 0) malformed(`it has ${payload.byteLength} bytes`);
  const { buffer, byteOffset, byteLength } = payload;
  if (byteOffset % WORD_BYTES === 0) {
    return new Uint32Array(buffer, byteOffset, byteLength / WORD_BYTES);
  }
  return new Uint32Array(payload.slice().buffer);
}

function readSubBatch(payload: Uint32Array, at: number): SubBatch {
  const bodyAt = at + SUB_BATCH_HEADER_WORDS;
  if (bodyAt > payload.length) malformed(`a sub-batch header at word ${at} is cut off`);
  const kindAndFlags = payload[at + SubBatchWord.kindAndFlags]!;
  const kind = kindAndFlags & 0xffff;
  const flags = kindAndFlags >>> 16;
  const count = payload[at + SubBatchWord.count]!;
  const unit = payload[at + SubBatchWord.unit]!;
  if (count > EVENTS_PER_REQUEST_MAX) malformed(`a sub-batch has ${count} events`);
  const isClients = kind === SubBatchKind.createAccounts || kind === SubBatchKind.createTransfers;
  const knownFlags = SubBatchFlag.balances | (isClients ? SubBatchFlag.imported : 0);
  if ((flags & ~knownFlags) !== 0) malformed(`a sub-batch has the flags ${flags}`);
  const bodyWords = bodyWordsOf(kind, count);
  if (payload[at + SubBatchWord.bodyWords] !== bodyWords || bodyAt + bodyWords > payload.length) {
    malformed(`a body of kind ${kind} with ${count} events does not have ${bodyWords} words`);
  }
  const isOwn = isClients || kind === SubBatchKind.expire;
  const unitFits = isOwn ? unit === 0 : unit > 0 && unit <= UNIT_MAX;
  if (!unitFits) malformed(`a sub-batch of kind ${kind} names unit ${unit}`);
  if (kind === SubBatchKind.unitInit) {
    if (count !== 0 || flags !== 0) malformed('a unitInit has events or flags');
    if (slotsAt(payload, bodyAt).includes(0)) malformed('a slot belongs to the registry');
  }
  if (kind === SubBatchKind.decide) {
    if (payload[bodyAt + 1]! >= SEQUENCE_HIGH_END) malformed('a finished sequence is out of range');
    checkSequences(payload, bodyAt + DECIDE_HEADER_WORDS, count, DECIDE_ITEM_WORDS);
  }
  if (kind === SubBatchKind.complete) {
    checkSequences(payload, bodyAt, count, COMPLETE_ITEM_WORDS);
  }
  return { kind, flags, count, unit, bodyAt };
}

function bodyWordsOf(kind: number, count: number): number {
  switch (kind) {
    case SubBatchKind.unitInit:
      return SLOT_COUNT / 2;
    case SubBatchKind.createAccounts:
    case SubBatchKind.createTransfers:
      return count * RECORD_WORDS;
    case SubBatchKind.decide:
      return DECIDE_HEADER_WORDS + count * DECIDE_ITEM_WORDS;
    case SubBatchKind.complete:
      return count * COMPLETE_ITEM_WORDS;
    case SubBatchKind.expire:
      return count * EXPIRE_ITEM_WORDS;
    default:
      return malformed(`a sub-batch is of kind ${kind}`);
  }
}

/** A unitInit's slot owners. Words are little-endian, so its low half comes first. */
export function slotsAt(payload: Uint32Array, at: number): Uint16Array {
  const slots = new Uint16Array(SLOT_COUNT);
  for (let slot = 0; slot < SLOT_COUNT; slot += 1) {
    const word = payload[at + (slot >>> 1)]!;
    slots[slot] = slot % 2 === 0 ? word & 0xffff : word >>> 16;
  }
  return slots;
}

/** Sequences start from 1 and are exact as doubles. */
function checkSequences(payload: Uint32Array, from: number, count: number, itemWords: number) {
  for (let i = 0, at = from; i < count; i += 1, at += itemWords) {
    const isSequence =
      (payload[at]! | payload[at + 1]!) !== 0 && payload[at + 1]! < SEQUENCE_HIGH_END;
    if (!isSequence) malformed('a sequence is out of range');
  }
}

function malformed(text: string): never {
  throw new MalformedEntryError(`malformed entry: ${text}`);
}

import { crc32 } from 'node:zlib';
import { type LogError, rotten } from './error.ts';
import {
  BLOCK_BYTES,
  getU53,
  type LogEnd,
  MARK_OFFSETS,
  segmentName,
  setU53,
  viewOf,
} from './format.ts';
import { recordsStart, type SegmentHeader } from './header.ts';

/**
 * A mark tells rot from a torn tail: what it vouches for was durable, so damage there is rot.
 *
 * A flush writes its mark in the same sync as its records, so either may reach the disk without the other. Hence a mark
 * names two places: `synced`, durable before the flush began, and `end`, durable if the flush ended well. That it did
 * is proved by the next mark, which says so, or by the next mark's having been begun: a slot is only ever
 * overwritten once the other slot's flush is complete, so a torn slot proves the other one's `end`.
 * After a flush with no other behind it a closing mark with synced = end follows, without a sync. Until that one is on
 * disk a crash leaves the last flush unproved, and damage in it that comes on top of the crash is taken for a torn tail.
 */
export interface Mark {
  /** Rises with each mark of a segment. */
  readonly sequence: number;
  readonly synced: Place;
  readonly end: Place;
  /** The next segment has begun: without its file the log has lost its tail. */
  readonly sealed: boolean;
}

export interface Place {
  readonly offset: number;
  readonly chain: number;
}

export type Slot = Mark | 'blank' | 'bad';
export type Slots = readonly [Slot, Slot];

const MARK_BYTES = 64;
const CRC_AT = MARK_BYTES - 4;
const MAGIC = 0x6b72616d;
const SEALED = 1;

/** The whole block of a slot. */
export function encodeMark(segment: number, mark: Mark): Uint8Array {
  const bytes = new Uint8Array(BLOCK_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, segment, true);
  setU53(view, 8, mark.sequence);
  setU53(view, 16, mark.synced.offset);
  setU53(view, 24, mark.end.offset);
  view.setUint32(32, mark.synced.chain, true);
  view.setUint32(36, mark.end.chain, true);
  view.setUint32(40, mark.sealed ? SEALED : 0, true);
  view.setUint32(CRC_AT, crc32(bytes.subarray(0, CRC_AT)), true);
  return bytes;
}

/** Both slots, from the start of the segment's file. */
export function decodeSlots(file: Uint8Array, segment: number): Slots {
  return [decodeMark(file, MARK_OFFSETS[0], segment), decodeMark(file, MARK_OFFSETS[1], segment)];
}

function decodeMark(file: Uint8Array, at: number, segment: number): Slot {
  const bytes = file.subarray(at, at + MARK_BYTES);
  if (bytes.every((byte) => byte === 0)) return 'blank';
  if (bytes.length < MARK_BYTES) return 'bad';
  const view = viewOf(bytes);
  if (view.getUint32(CRC_AT, true) !== crc32(bytes.subarray(0, CRC_AT))) return 'bad';
  const flags = view.getUint32(40, true);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== segment || flags > SEALED)
    return 'bad';
  return {
    sequence: getU53(view, 8),
    synced: { offset: getU53(view, 16), chain: view.getUint32(32, true) },
    end: { offset: getU53(view, 24), chain: view.getUint32(36, true) },
    sealed: flags === SEALED,
  };
}

/**
 * Up to where the segment was surely durable. No crash can damage both slots, since one of them is always
 * durable while the other is written; nor can the second have been written before the first was durable.
 * Both blank is the segment before its first flush.
 */
export function durableEnd(slots: Slots, header: SegmentHeader): Place | LogError {
  const [first, second] = slots;
  const name = segmentName(header.segment);
  if (first === 'bad' && second === 'bad')
    return rotten(name, MARK_OFFSETS[0], 'both marks are damaged');
  if (first === 'blank' && second !== 'blank')
    return rotten(name, MARK_OFFSETS[0], 'the first mark is gone');
  const newest = newestMark(slots, Number.POSITIVE_INFINITY);
  if (newest === null) return recordsStart(header);
  return first === 'bad' || second === 'bad' ? newest.end : newest.synced;
}

/**
 * Where the next mark goes once the log is cut at `end`: over the other slot than the newest mark that the cut
 * leaves true. A mark of a flush that was cut off must go first, or a torn slot beside it would prove its false `end`.
 */
export function nextSlot(slots: Slots, end: LogEnd): 0 | 1 {
  const keep = newestMark(slots, end.offset);
  return keep !== null && keep === slots[0] ? 1 : 0;
}

export function nextSequence(slots: Slots): number {
  return 1 + (newestMark(slots, Number.POSITIVE_INFINITY)?.sequence ?? 0);
}

export function isSealed(slots: Slots): boolean {
  return slots.some((slot) => typeof slot === 'object' && slot.sealed);
}

function newestMark(slots: Slots, endMax: number): Mark | null {
  let newest: Mark | null = null;
  for (const slot of slots) {
    if (typeof slot !== 'object' || slot.end.offset > endMax) continue;
    if (newest === null || slot.sequence > newest.sequence) newest = slot;
  }
  return newest;
}

import type { Disk } from '../disk.ts';
import { Contents } from './contents.ts';
import { LogError, rotten } from './error.ts';
import {
  BLOCK_BYTES,
  type LogEnd,
  type LogIdentity,
  nextBlock,
  RECORDS_OFFSET,
  segmentName,
  segmentOfName,
  viewOf,
} from './format.ts';
import { checkIdentity, decodeHeader, recordsStart, type SegmentHeader } from './header.ts';
import {
  decodeSlots,
  durableEnd,
  isSealed,
  nextSequence,
  nextSlot,
  type Place,
  type Slots,
} from './mark.ts';
import { decodeRecord, recordBytes } from './record.ts';
import { NO_TAIL, type Tail } from './writer.ts';

export interface Recovered {
  readonly contents: Contents;
  readonly tail: Tail;
  /** Not null: durable records are damaged. `contents` is what lies before, and `end` where it ends. */
  readonly rot: LogError | null;
  readonly end: LogEnd;
  /** The log does not begin with its first segment, so it notes all units. */
  readonly compacted: boolean;
  /** The highest number of a segment, damaged ones too. */
  readonly highest: number;
  /** Segments that are no part of the log any more. */
  readonly leftOver: readonly number[];
}

interface Found {
  /** Headers of the segments that make up the log, oldest first. Where one does not follow the other some are lost. */
  readonly headers: readonly SegmentHeader[];
  readonly numbers: readonly number[];
  /** The newest segment's header is damaged. */
  readonly rot: LogError | null;
}

interface Read {
  readonly contents: Contents;
  readonly rot: LogError | null;
  /** The segment in which reading ended. */
  readonly at: number;
  readonly end: LogEnd;
  readonly tail: Tail;
}

/**
 * Reads the whole log back and decides where it ends.
 *
 * Segments but the last: complete and durable before the next one's header was, so all of it up to the end named
 * there must be whole. The last one: whole up to what its marks vouch for; behind that the first record that
 * does not fit ends the log. A last file without a valid header and without marks is a segment whose creation a crash
 * cut short: marks are only written once the header is durable, so with marks it is rot.
 *
 * Where a record is damaged that was durable, what lies before it is kept. But each segment begins with how the units
 * stand: if the segments behind the damage have by themselves all that the units need, nothing is lost.
 */
export function recover(disk: Disk, identity: LogIdentity): Recovered {
  const { headers, numbers, rot: headerRot } = findSegments(disk, identity);
  const first = readFrom(disk, headers, 0);
  let read = first;
  let from = 0;
  while (read.rot !== null && read.at + 1 < headers.length) {
    from = read.at + 1;
    read = readFrom(disk, headers, from);
    if (read.contents.missing() !== null) break;
  }
  const missing = read.contents.missing();
  const front = headers[from];
  // A crash may have cut its first flush short, and with it the notes; then the segment before is still there.
  const before = numbers.some((number) => number < (front?.segment ?? 0));
  const unsure = before && read.contents.fresh;
  const whole = read.rot === null && missing === null && !unsure;
  if (!whole) [read, from] = [first, 0];
  const unsureRot = unsure ? missingSegment(front!.segment - 1) : null;
  const rot = whole ? headerRot : (read.rot ?? missing ?? unsureRot);
  if (rot !== null) read.contents.cutMissing();
  const kept = headers.slice(from, read.at + 1).map(({ segment }) => segment);
  return {
    contents: read.contents,
    tail: read.tail,
    rot,
    end: read.end,
    highest: numbers.at(-1) ?? 0,
    compacted: (front?.previous.segment ?? 0) !== 0,
    leftOver: numbers.filter((number) => !kept.includes(number)),
  };
}

function findSegments(disk: Disk, identity: LogIdentity): Found {
  const numbers = disk
    .list()
    .map(segmentOfName)
    .filter((segment) => segment !== null);
  numbers.sort((a, b) => a - b);
  const valid = new Map<number, SegmentHeader>();
  let unfinished = false;
  for (const segment of numbers) {
    const name = segmentName(segment);
    const file = readable(disk, name, RECORDS_OFFSET);
    const header = decodeHeader(file);
    if (header !== null) checkIdentity(name, header.identity, identity);
    if (header?.segment === segment) valid.set(segment, header);
    unfinished = header === null && isUnfinished(file);
  }
  if (unfinished) numbers.pop();
  const newest = numbers.at(-1);
  const good = newest === undefined || valid.has(newest);
  const rot = good ? null : rotten(segmentName(newest), 0, 'bad header');
  return { headers: chainOf(valid), numbers, rot };
}

/** The start of a file; what the disk can't read is zeros, and so no record. */
function readable(disk: Disk, name: string, length: number): Uint8Array {
  try {
    return disk.read(name, 0, length);
  } catch {
    const bytes = new Uint8Array(Math.min(length, disk.size(name)));
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      try {
        bytes.set(disk.read(name, at, Math.min(BLOCK_BYTES, bytes.length - at)), at);
      } catch {
        // Of this block nothing can be told.
      }
    }
    return bytes;
  }
}

/** Backwards, since a segment says which one it follows: after a loss that is not the one with the number before. */
function chainOf(valid: ReadonlyMap<number, SegmentHeader>): SegmentHeader[] {
  const descending = [...valid.keys()].sort((a, b) => b - a);
  const chain: SegmentHeader[] = [];
  let next = Number.POSITIVE_INFINITY;
  for (const segment of descending) {
    // With the right one lost whatever lies below may still be of use.
    const wanted = valid.has(next) ? next : Math.min(next, segment);
    if (segment !== wanted) continue;
    const header = valid.get(segment)!;
    chain.push(header);
    next = header.previous.segment;
  }
  return chain.reverse();
}

function isUnfinished(file: Uint8Array): boolean {
  return file.subarray(BLOCK_BYTES).every((byte) => byte === 0);
}

function readFrom(disk: Disk, headers: readonly SegmentHeader[], from: number): Read {
  const contents = new Contents(disk);
  let read: Read = { contents, rot: null, at: from - 1, end: NO_TAIL.end, tail: NO_TAIL };
  for (let at = from; at < headers.length && read.rot === null; at++) {
    const header = headers[at]!;
    const next = headers[at + 1];
    contents.begin(header);
    const sealed = next?.previous.segment === header.segment;
    const segment = sealed
      ? readSealed(disk, header, next.previous, contents)
      : readLast(disk, header, contents);
    contents.segments.grow(segment.end.offset);
    const lost = next === undefined || sealed ? null : missingSegment(next.previous.segment);
    read = { contents, at, ...segment, rot: segment.rot ?? lost };
  }
  return read;
}

function missingSegment(segment: number): LogError {
  return rotten(segmentName(segment), 0, 'the segment is missing');
}

type ReadSegment = Pick<Read, 'rot' | 'end' | 'tail'>;

/** Its marks do not matter: where it ends the next segment says. */
function readSealed(
  disk: Disk,
  header: SegmentHeader,
  end: LogEnd,
  contents: Contents,
): ReadSegment {
  const name = segmentName(header.segment);
  const file = readable(disk, name, end.offset);
  const found = readRecords(file, header, contents, end);
  const short = found.end.offset !== end.offset || found.end.chain !== end.chain;
  const rot = short ? rotten(name, found.end.offset, 'bad record in a sealed segment') : null;
  return {
    rot: found.rot ?? rot,
    end: found.end,
    tail: tailOf(file, ['blank', 'blank'], found.end),
  };
}

function readLast(disk: Disk, header: SegmentHeader, contents: Contents): ReadSegment {
  const name = segmentName(header.segment);
  const file = readable(disk, name, disk.size(name));
  const slots = decodeSlots(file, header.segment);
  const durable = durableEnd(slots, header);
  const vouched = durable instanceof LogError ? null : durable;
  const { end, rot } = readRecords(file, header, contents, vouched ?? recordsStart(header));
  const bad = durable instanceof LogError ? durable : null;
  const lost = isSealed(slots) ? missingSegment(header.segment + 1) : null;
  return { rot: rot ?? bad ?? lost, end, tail: tailOf(file, slots, end) };
}

function tailOf(file: Uint8Array, slots: Slots, end: LogEnd): Tail {
  return {
    end,
    dirty: dirtyRange(file, end.offset),
    slot: nextSlot(slots, end),
    sequence: nextSequence(slots),
  };
}

/** Takes records up to the first that does not fit; it is rot if it lies below `durable`. */
function readRecords(
  file: Uint8Array,
  header: SegmentHeader,
  contents: Contents,
  durable: Place,
): { end: LogEnd; rot: LogError | null } {
  const view = viewOf(file);
  const { segment } = header;
  let { offset, chain } = recordsStart(header);
  let vouched = offset === durable.offset && chain === durable.chain;
  let rot: LogError | null = null;
  for (;;) {
    let at = offset;
    let head = decodeRecord(file, view, at, chain);
    if (head === null) {
      at = nextBlock(offset); // the next flush's, if this one ended here
      head = decodeRecord(file, view, at, chain);
      if (head === null) break;
    }
    try {
      contents.replay(head, { segment, offset: at, seed: chain }, file);
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      rot = error;
      break;
    }
    offset = at + recordBytes(head.payloadBytes);
    chain = head.crc;
    vouched ||= offset === durable.offset && chain === durable.chain;
  }
  if (!vouched) rot ??= rotten(segmentName(segment), offset, 'bad record below the mark');
  return { end: { segment, offset, chain }, rot };
}

/** From the first to the last byte that is not zero: blocks that hold durable records have none behind the end. */
function dirtyRange(file: Uint8Array, end: number): Tail['dirty'] {
  let from = end;
  let to = file.length;
  while (to > end && file[to - 1] === 0) to -= 1;
  while (from < to && file[from] === 0) from += 1;
  return { from, to };
}

import type { Disk } from '../disk.ts';
import { rotten } from './error.ts';
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
import { decodeRecord, type RecordHead, recordBytes } from './record.ts';
import type { Position } from './stage.ts';
import type { Tail } from './writer.ts';

/** Called for each record in the order of the log. `file` holds the record at `position.offset`. */
export type RecordVisitor = (head: RecordHead, position: Position, file: Uint8Array) => void;

/**
 * Reads the whole log back and decides where it ends.
 *
 * Segments but the last: complete and durable before the next one's header was, so all of it up to the end named
 * there must be whole. The last one: whole up to what its marks vouch for; behind that the first record that
 * does not fit ends the log. A last file without a valid header and without marks is a segment whose creation a crash
 * cut short: marks are only written once the header is durable, so with marks it is rot.
 */
export function recover(disk: Disk, identity: LogIdentity, visit: RecordVisitor): Tail {
  const headers = readHeaders(disk, identity);
  for (const [i, header] of headers.entries()) {
    const next = headers[i + 1];
    if (next !== undefined) readSealed(disk, header, next.previous, visit);
    else return readLast(disk, header, visit);
  }
  return {
    end: { segment: 0, offset: 0, chain: 0 },
    dirty: { from: 0, to: 0 },
    slot: 0,
    sequence: 1,
  };
}

function readHeaders(disk: Disk, identity: LogIdentity): SegmentHeader[] {
  const segments = disk
    .list()
    .map(segmentOfName)
    .filter((segment) => segment !== null);
  segments.sort((a, b) => a - b);
  const headers: SegmentHeader[] = [];
  for (const [i, segment] of segments.entries()) {
    const name = segmentName(segment);
    const file = disk.read(name, 0, RECORDS_OFFSET);
    const header = decodeHeader(file);
    if (header !== null) checkIdentity(name, header.identity, identity);
    if (segment !== i + 1) throw rotten(segmentName(i + 1), 0, 'the segment is missing');
    if (header !== null && header.segment !== segment) throw rotten(name, 0, 'another segment');
    if (header !== null) headers.push(header);
    else if (i < segments.length - 1 || !isUnfinished(file)) throw rotten(name, 0, 'bad header');
  }
  return headers;
}

function isUnfinished(file: Uint8Array): boolean {
  return file.subarray(BLOCK_BYTES).every((byte) => byte === 0);
}

function readSealed(disk: Disk, header: SegmentHeader, end: LogEnd, visit: RecordVisitor): void {
  const name = segmentName(header.segment);
  const file = disk.read(name, 0, end.offset);
  const durable = durableEnd(decodeSlots(file, header.segment), header);
  if (durable.offset > end.offset)
    throw rotten(name, end.offset, 'the next segment begins too early');
  const found = readRecords(file, header, visit, durable);
  if (found.offset !== end.offset || found.chain !== end.chain) {
    throw rotten(name, found.offset, 'bad record in a sealed segment');
  }
}

function readLast(disk: Disk, header: SegmentHeader, visit: RecordVisitor): Tail {
  const name = segmentName(header.segment);
  const file = disk.read(name, 0, disk.size(name));
  const slots: Slots = decodeSlots(file, header.segment);
  if (isSealed(slots)) throw rotten(segmentName(header.segment + 1), 0, 'the segment is missing');
  const end = readRecords(file, header, visit, durableEnd(slots, header));
  return {
    end,
    dirty: dirtyRange(file, end.offset),
    slot: nextSlot(slots, end),
    sequence: nextSequence(slots),
  };
}

/** Visits records up to the first that does not fit, which must not lie below `durable`. */
function readRecords(
  file: Uint8Array,
  header: SegmentHeader,
  visit: RecordVisitor,
  durable: Place,
): LogEnd {
  const view = viewOf(file);
  const { segment } = header;
  let { offset, chain } = recordsStart(header);
  let vouched = offset === durable.offset && chain === durable.chain;
  for (;;) {
    let head = decodeRecord(file, view, offset, chain);
    if (head === null) {
      const next = nextBlock(offset); // the next flush's, if this one ended here
      head = decodeRecord(file, view, next, chain);
      if (head === null) break;
      offset = next;
    }
    visit(head, { segment, offset, seed: chain }, file);
    offset += recordBytes(head.payloadBytes);
    chain = head.crc;
    vouched ||= offset === durable.offset && chain === durable.chain;
  }
  if (!vouched) throw rotten(segmentName(segment), offset, 'bad record below the mark');
  return { segment, offset, chain };
}

/** From the first to the last byte that is not zero: blocks that hold durable records have none behind the end. */
function dirtyRange(file: Uint8Array, end: number): Tail['dirty'] {
  let from = end;
  let to = file.length;
  while (to > end && file[to - 1] === 0) to -= 1;
  while (from < to && file[from] === 0) from += 1;
  return { from, to };
}

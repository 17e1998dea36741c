import { check } from './error.ts';
import {
  type LogEnd,
  type LogIdentity,
  nextBlock,
  PAYLOAD_BYTES_MAX,
  RECORDS_OFFSET,
  viewOf,
} from './format.ts';
import { encodeHeader, headerChain } from './header.ts';
import { encodeRecord, type RecordFields, recordBytes } from './record.ts';

/** Records that go to one segment in one piece. */
export interface Batch {
  /** Not null if the batch begins its segment. */
  readonly header: Uint8Array | null;
  readonly segment: number;
  readonly offset: number;
  readonly records: Uint8Array;
  /** Where the log ends with it. */
  readonly end: LogEnd;
}

/** Where a record went. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
  /** The CRC that seeds the record's own. */
  readonly seed: number;
}

interface OpenBatch {
  readonly header: Uint8Array | null;
  readonly offset: number;
  bytes: Uint8Array;
  view: DataView;
  used: number;
}

/** What a buffer starts with, and how much of one is kept for the next flush. */
const BUFFER_BYTES = 64 << 10;
const BUFFER_BYTES_KEPT = 16 << 20;

/** Records on their way to the next flush. A record's place in the log is settled when it is added. */
export class Stage {
  readonly #identity: LogIdentity;
  readonly #segmentBytes: number;
  #end: LogEnd;
  #open: OpenBatch | null = null;
  #full: Batch[] = [];
  #spare: Uint8Array | null = null;
  /** In the newest segment there is nothing but the notes that it begins with. */
  #fresh: boolean;

  constructor(identity: LogIdentity, segmentBytes: number, end: LogEnd, fresh: boolean) {
    this.#identity = identity;
    this.#segmentBytes = segmentBytes;
    this.#end = end;
    this.#fresh = fresh;
  }

  get empty(): boolean {
    return this.#open === null && this.#full.length === 0;
  }

  /** Where the log ends with all that was added. */
  get end(): LogEnd {
    return this.#end;
  }

  /** Whether a record goes into the newest segment. One that is larger than a segment gets one of its own. */
  fits(payloadBytes: number): boolean {
    const { segment, offset } = this.#end;
    if (segment === 0) return false;
    const start = this.#open === null ? nextBlock(offset) : offset;
    return this.#fresh || start + recordBytes(payloadBytes) <= this.#segmentBytes;
  }

  /** Begins a segment. `lost`: what was on disk behind the end is damaged, and the numbers up to there are taken. */
  roll(lost: { readonly segment: number } | null = null): void {
    this.#close();
    const segment = 1 + (lost ?? this.#end).segment;
    const header = encodeHeader(this.#identity, segment, this.#end, lost !== null);
    this.#end = { segment, offset: RECORDS_OFFSET, chain: headerChain(header) };
    this.#open = this.#begin(header);
    this.#fresh = true;
  }

  /** For the notes that a segment begins with. */
  note(fields: RecordFields, payload: Uint8Array): void {
    check(this.#fresh, 'a segment begins with its notes');
    this.#write(fields, payload);
  }

  /** The caller has made sure that it fits. */
  add(fields: RecordFields, payload: Uint8Array): Position {
    check(payload.length <= PAYLOAD_BYTES_MAX, `a payload has at most ${PAYLOAD_BYTES_MAX} bytes`);
    check(this.fits(payload.length), 'a segment is full');
    this.#fresh = false;
    return this.#write(fields, payload);
  }

  /** Takes everything out, in order. The bytes stay unchanged until `recycle`. */
  take(): Batch[] {
    this.#close();
    const batches = this.#full;
    this.#full = [];
    return batches;
  }

  /** Gives the memory of a written batch back. */
  recycle(batch: Batch): void {
    const bytes = new Uint8Array(batch.records.buffer);
    if (bytes.length <= BUFFER_BYTES_KEPT && bytes.length > (this.#spare?.length ?? 0))
      this.#spare = bytes;
  }

  #write(fields: RecordFields, payload: Uint8Array): Position {
    const length = recordBytes(payload.length);
    const batch = this.#room(length);
    const { segment, offset, chain } = this.#end;
    const crc = encodeRecord(batch.bytes, batch.view, batch.used, fields, payload, chain);
    batch.used += length;
    this.#end = { segment, offset: offset + length, chain: crc };
    return { segment, offset, seed: chain };
  }

  #room(length: number): OpenBatch {
    if (this.#open === null) {
      const { segment, offset, chain } = this.#end;
      this.#end = { segment, offset: nextBlock(offset), chain };
      this.#open = this.#begin(null);
    }
    const batch = this.#open;
    if (batch.used + length > batch.bytes.length) {
      const grown = new Uint8Array(Math.max(2 * batch.bytes.length, batch.used + length));
      grown.set(batch.bytes.subarray(0, batch.used));
      batch.bytes = grown;
      batch.view = viewOf(grown);
    }
    return batch;
  }

  #begin(header: Uint8Array | null): OpenBatch {
    const bytes = this.#spare ?? new Uint8Array(BUFFER_BYTES);
    this.#spare = null;
    return { header, offset: this.#end.offset, bytes, view: viewOf(bytes), used: 0 };
  }

  #close(): void {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    const { header, offset, bytes, used } = open;
    const { segment } = this.#end;
    this.#full.push({ header, segment, offset, records: bytes.subarray(0, used), end: this.#end });
  }
}

import type { Disk, DiskDone } from '../disk.ts';
import { check, LogError } from './error.ts';
import {
  type LogEnd,
  MARK_OFFSETS,
  nextBlock,
  SMALL_FLUSH_BYTES,
  segmentName,
  ZERO_FILL_BYTES,
} from './format.ts';
import { headerChain } from './header.ts';
import { encodeMark, type Place } from './mark.ts';
import type { Batch } from './stage.ts';

/** What recovery found at the end of the log. */
export interface Tail {
  readonly end: LogEnd;
  /** Bytes behind the end that a torn flush left over. */
  readonly dirty: { readonly from: number; readonly to: number };
  readonly slot: 0 | 1;
  readonly sequence: number;
}

/** For a log that has no segment to go on in. */
export const NO_TAIL: Tail = {
  end: { segment: 0, offset: 0, chain: 0 },
  dirty: { from: 0, to: 0 },
  slot: 0,
  sequence: 1,
};

/** Each calls `next` once it is durable, and never if it fails. */
export interface FlushSteps {
  /** Done before anything else is written. */
  readonly before: ((next: () => void) => void) | null;
  /** Done while the records are written, or after the very first ones; the flush waits for both. */
  readonly beside: ((next: () => void) => void) | null;
}

/**
 * Brings batches to the disk in order. Everything in here runs one step after the other, each begun by the
 * completion of the one before; only closing marks are waited for by nobody.
 */
export class Writer {
  readonly #disk: Disk;
  readonly #segmentBytes: number;
  readonly #zeros: Uint8Array;
  /** Durable, or recovered and about to be. */
  #end: LogEnd;
  /** Not null: of this segment a part was kept that comes before a loss. */
  readonly #kept: string | null;
  readonly #dirty: Tail['dirty'];
  /** Slot and sequence of the next mark. */
  #slot: 0 | 1;
  #sequence: number;
  /** Up to here the file has its size already. */
  #filledEnd: number;
  #opened: boolean;
  #busy = false;
  #failure: LogError | null = null;
  #done: DiskDone = () => {};

  /** `found`: how the newest segment ends; null after a loss: the log goes on in a new one behind `end`. */
  constructor(disk: Disk, segmentBytes: number, found: Tail | null, end: LogEnd) {
    this.#disk = disk;
    this.#segmentBytes = segmentBytes;
    this.#zeros = new Uint8Array(Math.min(segmentBytes, ZERO_FILL_BYTES));
    const tail = found ?? NO_TAIL;
    this.#kept = found === null && end.segment !== 0 ? segmentName(end.segment) : null;
    this.#end = tail.end;
    this.#dirty = tail.dirty;
    this.#slot = tail.slot;
    this.#sequence = tail.sequence;
    this.#filledEnd = tail.end.segment === 0 ? 0 : disk.size(segmentName(tail.end.segment));
    this.#opened = tail.end.segment === 0 && this.#kept === null;
  }

  /** False until what recovery read is durable again and a torn tail is gone. */
  get opened(): boolean {
    return this.#opened;
  }

  /** Up to here all is durable, or was when it was read back. */
  get end(): LogEnd {
    return this.#end;
  }

  get busy(): boolean {
    return this.#busy;
  }

  get failure(): LogError | null {
    return this.#failure;
  }

  /** `done` comes when everything is durable, or with the first error; after an error nothing more is written. */
  write(batches: readonly Batch[], steps: FlushSteps, done: DiskDone): void {
    check(!this.#busy, 'a flush is under way');
    this.#busy = true;
    this.#done = done;
    const { before, beside } = steps;
    let left = beside === null ? 1 : 2;
    const finished = () => {
      left -= 1;
      if (left === 0 && this.#failure === null) this.#finish();
    };
    // Without a segment what is written beside it would look like the rest of a lost log.
    const isFirst = this.#end.segment === 0;
    const recordsDone = () => {
      finished();
      if (isFirst) beside?.(finished);
    };
    const records = () => this.#writeFrom(batches, 0, recordsDone);
    const start = () => {
      if (!isFirst) beside?.(finished);
      if (this.#opened) records();
      else if (this.#kept === null) this.#clean(records);
      else this.#settle(this.#kept, records);
    };
    if (before === null) start();
    else before(start);
  }

  /** Also for what else the log rests on: nothing more is written then. */
  fail(cause: Error): void {
    if (this.#failure !== null) return;
    this.#failure = new LogError(
      'log_failed',
      `${cause.message}; what is on disk is unknown now, so this process must stop`,
      { cause },
    );
    if (!this.#busy) return;
    this.#busy = false;
    const done = this.#done;
    done(this.#failure);
  }

  /**
   * What was read back may have been in the operating system's cache only, and old bytes behind the end could join
   * the chain again if the same records are appended again: both ends before anything may follow.
   */
  #clean(next: () => void): void {
    const name = segmentName(this.#end.segment);
    const { from, to } = this.#dirty;
    const chunks: Uint8Array[] = [];
    for (let at = from; at < to; at += this.#zeros.length) {
      chunks.push(this.#zeros.subarray(0, to - at));
    }
    const marked = this.#step(() => {
      this.#turnSlot();
      this.#opened = true;
      next();
    });
    const synced = this.#step(() => {
      this.#mark(
        this.#end,
        this.#end,
        false,
        this.#step(() => this.#disk.sync(name, marked)),
      );
    });
    const zeroed = this.#step(() => this.#disk.sync(name, synced));
    if (chunks.length > 0) this.#disk.write(name, from, chunks, zeroed);
    else zeroed(null);
  }

  /** What was kept before a loss may have been in the system's cache only. */
  #settle(name: string, next: () => void): void {
    this.#opened = true;
    this.#disk.sync(name, this.#step(next));
  }

  #writeFrom(batches: readonly Batch[], from: number, finished: () => void): void {
    const batch = batches[from];
    if (batch === undefined) {
      finished();
      return;
    }
    const next = () => this.#records(batch, () => this.#writeFrom(batches, from + 1, finished));
    if (batch.header === null) next();
    else this.#begin(batch, batch.header, next);
  }

  /** The next segment's header is durable before anything else of it is written. */
  #begin(batch: Batch, header: Uint8Array, next: () => void): void {
    const name = segmentName(batch.segment);
    const synced = this.#step(() => {
      this.#seal();
      const { segment, offset } = batch;
      this.#end = { segment, offset, chain: headerChain(header) };
      this.#slot = 0;
      this.#sequence = 1;
      this.#filledEnd = 0;
      next();
    });
    this.#disk.write(
      name,
      0,
      [header],
      this.#step(() => this.#disk.sync(name, synced)),
    );
  }

  #records(batch: Batch, next: () => void): void {
    const name = segmentName(batch.segment);
    const { segment, offset } = this.#end;
    check(batch.segment === segment && batch.offset === nextBlock(offset), 'a gap');
    const synced = this.#step(() => {
      this.#end = batch.end;
      this.#turnSlot();
      next();
    });
    let left = 2;
    const written = this.#step(() => {
      left -= 1;
      if (left === 0) this.#disk.sync(name, synced);
    });
    this.#disk.write(name, batch.offset, this.#filled(batch), written);
    this.#mark(this.#end, batch.end, false, written);
  }

  #filled(batch: Batch): Uint8Array[] {
    const { offset } = batch.end;
    if (offset <= this.#filledEnd) return [batch.records];
    this.#filledEnd = offset;
    if (batch.records.length > SMALL_FLUSH_BYTES) return [batch.records];
    const next = Math.ceil(offset / ZERO_FILL_BYTES) * ZERO_FILL_BYTES;
    const filledEnd = Math.max(offset, Math.min(next, this.#segmentBytes));
    this.#filledEnd = filledEnd;
    return [batch.records, this.#zeros.subarray(0, filledEnd - offset)];
  }

  #mark(synced: Place, end: Place, sealed: boolean, done: DiskDone): void {
    const { segment } = this.#end;
    const mark = encodeMark(segment, { sequence: this.#sequence, synced, end, sealed });
    this.#sequence += 1;
    this.#disk.write(segmentName(segment), MARK_OFFSETS[this.#slot], [mark], done);
  }

  /** Only once the mark just written is durable: it now vouches for the log while the other one is overwritten. */
  #turnSlot(): void {
    this.#slot = this.#slot === 0 ? 1 : 0;
  }

  /** From now on a missing next segment is a lost one. Nobody waits for it. */
  #seal(): void {
    const { segment } = this.#end;
    if (segment === 0) return;
    const name = segmentName(segment);
    const nothing = this.#step(() => {});
    this.#mark(
      this.#end,
      this.#end,
      true,
      this.#step(() => this.#disk.sync(name, nothing)),
    );
  }

  #finish(): void {
    this.#busy = false;
    const done = this.#done;
    done(null);
    // With another flush under way its mark says the same.
    if (!this.#busy && this.#end.segment !== 0)
      this.#mark(
        this.#end,
        this.#end,
        false,
        this.#step(() => {}),
      );
  }

  /** A completion that goes on unless something failed. */
  #step(next: () => void): DiskDone {
    return (error) => {
      if (error !== null) this.fail(error);
      else if (this.#failure === null) next();
    };
  }
}

import { invariant } from './invariant.ts';

/** Timestamps end below 2^63. */
const HIGH_WORD_MAX = 0x7fff_ffff;

/** The timestamp of the event being applied, as two words; and the last one used before it. */
export class EventTime {
  lo = 0;
  hi = 0;

  set(lo: number, hi: number): void {
    this.lo = lo;
    this.hi = hi;
  }

  /** On to the next event. */
  next(): void {
    this.lo += 1;
    if (this.lo > 0xffff_ffff) {
      this.lo = 0;
      this.hi += 1;
      invariant(this.hi <= HIGH_WORD_MAX, 'a timestamp is past 2^63 - 1');
    }
  }
}

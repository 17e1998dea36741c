import { invariant } from './invariant.ts';

/**
 * A timestamp as two words, held as signed integers: an unsigned one past 2^31 in a field would be an
 * object of its own for every event. `>>> 0` gives their value.
 */
export class EventTime {
  lo = 0;
  hi = 0;

  set(lo: number, hi: number): void {
    this.lo = lo | 0;
    this.hi = hi | 0;
  }

  /** On to the next event. */
  next(): void {
    this.lo = (this.lo + 1) | 0;
    if (this.lo !== 0) return;
    this.hi = (this.hi + 1) | 0;
    // Timestamps end below 2^63.
    invariant(this.hi >= 0, 'a timestamp is past 2^63 - 1');
  }
}

const LIMB = 0x1_0000_0000;
const HALF = 0x1_0000;
const NS_PER_S = 1_000_000_000;
/** Timestamps end below 2^63. */
const HIGH_END = 0x8000_0000;

/** timestamp + timeout, as two unsigned words. Whole seconds in ns pass 2^53, so they are multiplied in halves. */
export class Deadline {
  lo = 0;
  hi = 0;

  /** False if it is past 2^63 - 1. */
  set(timestampLo: number, timestampHi: number, timeoutS: number): boolean {
    const upper = (timeoutS >>> 16) * NS_PER_S;
    const lower = (timeoutS & 0xffff) * NS_PER_S;
    const lo = (upper % HALF) * HALF + (lower % LIMB) + (timestampLo >>> 0);
    this.lo = lo >>> 0;
    this.hi =
      Math.floor(upper / HALF) + Math.floor(lower / LIMB) + timestampHi + Math.floor(lo / LIMB);
    return this.hi < HIGH_END;
  }

  /** The deadline is at or before that time. */
  isPast(lo: number, hi: number): boolean {
    return this.hi < hi || (this.hi === hi && this.lo <= lo >>> 0);
  }
}

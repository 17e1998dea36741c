/**
 * For tests of slow disks: how many times longer commits take, in one shared word. A waiting thread sees
 * a change at once.
 */
export type Throttle = Int32Array<SharedArrayBuffer>;

export function makeThrottle(slowness: number): Throttle {
  const throttle = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  throttle[0] = slowness;
  return throttle;
}

export function setSlowness(throttle: Throttle, slowness: number): void {
  Atomics.store(throttle, 0, slowness);
  Atomics.notify(throttle, 0);
}

/** Blocks the thread for the rest of what an act of this time would have taken. */
export function waitAsSlow(throttle: Throttle, tookMs: number): void {
  const slowness = Atomics.load(throttle, 0);
  if (slowness > 1) Atomics.wait(throttle, 0, slowness, tookMs * (slowness - 1));
}

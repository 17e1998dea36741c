import { expect, it } from 'vitest';
import { SICK_STEADY_MS, STALL_MS } from './limits.ts';
import { Watchdog } from './watchdog.ts';

const TICK_MS = 5;

/** Ticks on time from the end of `fromMs` to `toMs`. */
function tick(watchdog: Watchdog, fromMs: number, toMs: number): void {
  for (let ms = fromMs; ms <= toMs; ms += TICK_MS) watchdog.tick(ms, 0, false);
}

it('finds nothing wrong while ticks and flushes take their usual time', () => {
  const watchdog = new Watchdog(TICK_MS);
  for (let ms = 0; ms < 5_000; ms += TICK_MS) {
    watchdog.tick(ms, 0, false);
    if (ms % 100 === 0) watchdog.flushStarted(ms);
    if (ms % 100 === 95) watchdog.flushEnded();
  }
  expect(watchdog.ailment(5_000)).toBe(null);
});

it('sees a flush that does not end while the ticks go on', () => {
  const watchdog = new Watchdog(TICK_MS);
  watchdog.flushStarted(1_000);
  tick(watchdog, 1_000, 1_000 + STALL_MS - TICK_MS);
  expect(watchdog.ailment(1_000 + STALL_MS - TICK_MS)).toBe(null);
  tick(watchdog, 1_000 + STALL_MS, 1_000 + STALL_MS);
  expect(watchdog.ailment(1_000 + STALL_MS)).toBe('disk stalled');
});

it('takes a pause for one of the process, not of the disk whose answer could not be heard', () => {
  const watchdog = new Watchdog(TICK_MS);
  tick(watchdog, 0, 1_000);
  watchdog.flushStarted(1_000);
  expect(watchdog.tick(1_000 + STALL_MS + TICK_MS, 0, false)).toBe(true);
  expect(watchdog.ailment(1_200)).toBe('event loop stalled');
  expect(watchdog.extentMs).toBe(STALL_MS);
});

it('is well again only after a steady time', () => {
  const watchdog = new Watchdog(TICK_MS);
  watchdog.tick(0, 0, false);
  watchdog.tick(1_000, 0, false);
  tick(watchdog, 1_005, 1_000 + SICK_STEADY_MS - TICK_MS);
  expect(watchdog.ailment(1_000 + SICK_STEADY_MS - 1)).not.toBe(null);
  expect(watchdog.ailment(1_000 + SICK_STEADY_MS)).toBe(null);
});

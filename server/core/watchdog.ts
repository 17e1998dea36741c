import { CLOCK_OFF_MS_MAX, SICK_STEADY_MS, STALL_MS } from './limits.ts';

export type Ailment = 'event loop stalled' | 'disk stalled' | 'disk full' | 'clock off';

/**
 * Whether this server may be relied on to lead. Ticks and flushes are told to it as they happen, so that a disk
 * that hangs is seen by ticks that go on, and a process that hung by its first tick afterwards.
 */
export class Watchdog {
  readonly #tickMs: number;
  #lastTickMs: number | null = null;
  #flushSinceMs: number | null = null;
  #wellFromMs = Number.NEGATIVE_INFINITY;
  #ailment: Ailment = 'event loop stalled';
  #extentMs = 0;

  constructor(tickMs: number) {
    this.#tickMs = tickMs;
  }

  /** `clockErrorMs`: as PeerViews has it; `isDiskFull`: as DiskRoom has it. True if the event loop stood until now. */
  tick(nowMs: number, clockErrorMs: number, isDiskFull: boolean): boolean {
    const lateMs = this.#lastTickMs === null ? 0 : nowMs - this.#lastTickMs - this.#tickMs;
    this.#lastTickMs = nowMs;
    // First what can be false: while the loop stood, a finished flush could not be told.
    if (lateMs >= STALL_MS) this.#fell('event loop stalled', lateMs, nowMs);
    else if (this.#flushSinceMs !== null && nowMs - this.#flushSinceMs >= STALL_MS) {
      this.#fell('disk stalled', nowMs - this.#flushSinceMs, nowMs);
    } else if (isDiskFull) {
      this.#fell('disk full', 0, nowMs);
    } else if (Math.abs(clockErrorMs) > CLOCK_OFF_MS_MAX) {
      this.#fell('clock off', clockErrorMs, nowMs);
    }
    return lateMs >= STALL_MS;
  }

  flushStarted(nowMs: number): void {
    this.#flushSinceMs = nowMs;
  }

  flushEnded(): void {
    this.#flushSinceMs = null;
  }

  /** What was wrong within the last SICK_STEADY_MS, or null. */
  ailment(nowMs: number): Ailment | null {
    return nowMs < this.#wellFromMs ? this.#ailment : null;
  }

  /** How long it stood, or how far the clock is off: the last time that it was wrong. */
  get extentMs(): number {
    return this.#extentMs;
  }

  #fell(ailment: Ailment, extentMs: number, nowMs: number): void {
    this.#ailment = ailment;
    this.#extentMs = extentMs;
    this.#wellFromMs = nowMs + SICK_STEADY_MS;
  }
}

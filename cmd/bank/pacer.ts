/** A monotonic clock and a timer, injected so that a test runs in no time. */
export interface Clock {
  nowMs(): number;
  sleep(ms: number): Promise<void>;
}

export type Rate = number | 'max';

/** Wakes at most this often: at 2,000/s a turn gives ten rows, which the client sends as one. */
const TICK_MS = 5;
/** Stays below what a timer can hold, however slow the rate. */
const SLEEP_MS_MAX = 1_000;
const RATE_MAX = 1_000_000;

export function parseRate(text: string): Rate {
  if (text === 'max') return 'max';
  const rate = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (rate <= 0 || rate > RATE_MAX) {
    throw new RangeError(
      `a rate is 'max' or a number of rows a second above 0, up to ${RATE_MAX}, got '${text}'`,
    );
  }
  return rate;
}

/**
 * Yields how many rows are due now, until all `rows` were. Open loop: row i is due i / rate seconds
 * after the start, whatever became of the rows before it, so a ledger that stalls finds the
 * load it missed waiting, as customers would. 'max' makes all rows due at once.
 */
export async function* pace(rows: number, rate: Rate, clock: Clock): AsyncGenerator<number, void> {
  if (rate === 'max') {
    if (rows > 0) yield rows;
    return;
  }
  const startMs = clock.nowMs();
  let released = 0;
  while (released < rows) {
    const elapsedMs = clock.nowMs() - startMs;
    const due = Math.min(rows, Math.floor((elapsedMs * rate) / 1_000) + 1);
    if (due > released) {
      const count = due - released;
      released = due;
      yield count;
    } else {
      // A timer may fire early: it is asked again, never trusted.
      const untilDueMs = (released * 1_000) / rate - elapsedMs;
      await clock.sleep(Math.min(Math.max(untilDueMs, TICK_MS), SLEEP_MS_MAX));
    }
  }
}
